"""Every error a user can meet: one sentence each, naming the offender, what was found, what was expected, the remedy."""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path

from workflows.passwords import masked


def nearest(name: str, known: Iterable[str]) -> str:
    """The hint " Did you mean 'x'?" for the known name most like this one, or nothing."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean '{found[0]}'?" if found else ""


def _said(cause: BaseException) -> str:
    """Another library's exception in one line."""
    text = " ".join(str(cause).split())
    return f"{type(cause).__name__}: {text}" if text else type(cause).__name__


def listed(names: Iterable[str], nothing: str = "none") -> str:
    """Names as an enumeration for a sentence."""
    return ", ".join(names) or nothing


def listed_ranges(dates: Iterable[str]) -> str:
    """ISO dates as an enumeration for a sentence; where they are many, as the ranges that they fill."""
    days = sorted(dates)
    if len(days) <= 4:
        return listed(days)
    runs: list[list[str]] = []
    for day in days:
        if runs and _follows(day, runs[-1][-1]):
            runs[-1].append(day)
        else:
            runs.append([day])
    if len(runs) > 4:
        return f"{days[0]} to {days[-1]} ({len(days)} dates)"
    return listed(run[0] if len(run) == 1 else f"{run[0]} to {run[-1]} ({len(run)} dates)" for run in runs)


def _follows(day: str, before: str) -> bool:
    return (datetime.date.fromisoformat(day) - datetime.date.fromisoformat(before)).days == 1


class ParcoursError(Exception):
    """Something went wrong that the user should read about; `exit_code` is the command's."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        # Causes are other libraries' words, which may hold a whole URL.
        self.message = masked(message)
        super().__init__(self.message)

    def __str__(self) -> str:
        return self.message


class BadInput(ParcoursError):
    """What the user gave cannot be used; nothing was run."""

    exit_code = 2


class SettingError(BadInput):
    """A setting that is unknown or has a value of the wrong kind."""

    @classmethod
    def unknown(cls, key: str, where: str, known: Sequence[str]) -> SettingError:
        """A key that no setting has."""
        return cls(f"{where} has an unknown key '{key}'. Known keys: {listed(known)}.{nearest(key, known)}")

    @classmethod
    def unreadable(cls, why: str) -> SettingError:
        """A luigi.cfg that is none."""
        return cls(f"luigi.cfg cannot be read: {why}; expected sections with lines `key = value`.")

    @classmethod
    def wrong(cls, key: str, where: str, found: str, expected: str) -> SettingError:
        """A value of the wrong type or outside its choices."""
        return cls(f"'{key}' in {where} is {found!r}; expected {expected}.")


class PipelineError(BadInput):
    """A pipeline module that cannot be used."""

    @classmethod
    def not_imported(cls, module: str, cause: BaseException) -> PipelineError:
        """A module that fails when it is imported."""
        return cls(
            f"pipeline '{module}' cannot be imported: {_said(cause)}. "
            "Pipelines are named in luigi.cfg, [workflows] pipelines, and lie on the Python path or beside luigi.cfg."
        )

    @classmethod
    def foreign_input(cls, task: str, found: object) -> PipelineError:
        """A requirement that has no identity."""
        return cls(f"{task} requires {found!r}; expected a Query or a Stage, because only those have a version.")

    @classmethod
    def requirements(cls, task: str, cause: BaseException, where: str) -> PipelineError:
        """requires() raised."""
        return cls(
            f"{task}: requires() failed: {_said(cause)}{where}; expected Queries and Stages with their parameters."
        )

    @classmethod
    def no_compute(cls, task: str) -> PipelineError:
        """A stage without its algorithm."""
        return cls(
            f"{task} has no compute(); expected a method that takes the tables of requires() and returns a DataFrame."
        )

    @classmethod
    def compute_arguments(cls, task: str, given: str, found: str, why: object) -> PipelineError:
        """compute() does not take what requires() gives."""
        return cls(f"{task}: compute{found} does not take what requires() gives, {given}: {why}.")

    @classmethod
    def no_columns_list(cls, task: str, found: object) -> PipelineError:
        """Something else where a list of columns is expected."""
        example = [found if isinstance(found, str) else "name"]
        return cls(f"{task}: columns names {found!r}, which is no list of names; expected one, such as {example!r}.")

    @classmethod
    def columns_of_nothing(cls, task: str, found: str, names: Iterable[str]) -> PipelineError:
        """Columns of an input that requires() does not name."""
        known = list(names)
        expected = f"one of {listed(known)}" if known else "a list of names, because requires() returns no dict"
        return cls(f"{task}: columns names the input '{found}'; expected {expected}.{nearest(found, known)}")

    @classmethod
    def no_sql(cls, task: str, file: Path) -> PipelineError:
        """A statement's file that is not there."""
        return cls(f"{task} names the SQL file {file}, which does not exist. It lies beside the module of {task}.")

    @classmethod
    def sql_unset(cls, task: str) -> PipelineError:
        """A query without a statement."""
        return cls(f"{task} has no 'sql'; expected a statement, or the name of a .sql file beside its module.")

    @classmethod
    def bad_schema(cls, task: str, found: object) -> PipelineError:
        """A schema that cannot be found, or is none."""
        return cls(f"{task} has the schema {found!r}; expected a pandera DataFrameModel, or 'module:Name' of one.")

    @classmethod
    def bad_parameter(cls, task: str, name: str, found: object, expected: str, cause: object) -> PipelineError:
        """A value that a task's parameter cannot hold."""
        return cls(f"{task} got {name} = {found!r}; expected {expected} ({cause}).")

    @classmethod
    def unknown_parameter(cls, task: str, name: str) -> PipelineError:
        """A SQL statement that binds a name the query lacks."""
        return cls(f"the SQL of {task} binds ':{name}', but {task} has no parameter '{name}'.")

    @classmethod
    def circular(cls, task: str) -> PipelineError:
        """A task that requires itself."""
        return cls(f"{task} requires itself, directly or through its inputs; expected requirements without a circle.")


class UsageError(BadInput):
    """A command that names no task, leaves out what it needs, or gives what cannot be."""

    @classmethod
    def not_both(cls, one: str, other: str) -> UsageError:
        """Two things that exclude each other."""
        return cls(f"{one} and {other} cannot both be given; expected one of them.")

    @classmethod
    def of_parcours(cls, command: str, why: str) -> UsageError:
        """Words that a command does not take."""
        return cls(f"{command}: {why}; `{command} --help` says what is expected.")

    @classmethod
    def at_once(cls, found: int) -> UsageError:
        """A worker that is to do nothing."""
        return cls(f"--at-once is {found}; expected 1 or more.")

    @classmethod
    def unknown_task(cls, name: str, known: Sequence[str]) -> UsageError:
        """No task of this name."""
        return cls(f"there is no task '{name}'. Tasks: {listed(known)}.{nearest(name, known)}")

    @classmethod
    def unknown_table(cls, name: str, known: Sequence[str]) -> UsageError:
        """No query and no stage of this name."""
        return cls(f"there is no query or stage '{name}'. Queries and stages: {listed(known)}.{nearest(name, known)}")

    @classmethod
    def unknown_result(cls, name: str, templates: Sequence[str], tables: Sequence[str]) -> UsageError:
        """No template, query or stage of this name."""
        return cls(
            f"there is no template, query or stage '{name}'. Templates: {listed(templates)}. "
            f"Queries and stages: {listed(tables)}.{nearest(name, [*templates, *tables])}"
        )

    @classmethod
    def not_given(cls, task: str, name: str) -> UsageError:
        """A parameter without a default that was left out."""
        option = f"--{name.replace('_', '-')} {name.upper()}"
        return cls(f"{task} needs a value for '{name}', none is given; expected {option}.")

    @classmethod
    def wrong(cls, option: str, found: str, expected: str, why: object) -> UsageError:
        """A value that the option's parameter cannot hold."""
        return cls(f"{option} is {found!r}; expected {expected} ({why}).")

    @classmethod
    def outside(cls, option: str, found: object, expected: str) -> UsageError:
        """A value that is not among those an option takes."""
        return cls(f"{option} is {found}; expected {expected}.")

    @classmethod
    def interrupted(cls) -> UsageError:
        """Ctrl-C."""
        return cls("interrupted; nothing half-written was left. Run the command again to go on.")


class TemplateError(BadInput):
    """A template that is missing, unreadable or wrong in itself."""

    @classmethod
    def missing(cls, name: str, folder: Path, known: Sequence[str]) -> TemplateError:
        """No notebook of this name."""
        remedy = nearest(name, known) if known else " Commands are run in the folder of luigi.cfg, where templates is."
        return cls(f"there is no template '{name}' in {folder}. Templates: {listed(known)}.{remedy}")

    @classmethod
    def bad_name(cls, name: str) -> TemplateError:
        """A name that is no plain file name."""
        return cls(
            f"{name!r} is no template name; expected the name of a notebook in the templates folder, "
            "of letters, digits, '_' and '-', without a path or an ending."
        )

    @classmethod
    def not_a_notebook(cls, name: str, path: Path, why: str) -> TemplateError:
        """A file that nbformat does not take for a notebook."""
        return cls(
            f"template '{name}' ({path}) is not a notebook: {why}. Expected Jupyter's format 4, as Jupyter saves it."
        )

    @classmethod
    def other_language(cls, name: str, found: str) -> TemplateError:
        """A notebook in a language that reports do not run."""
        return cls(f"template '{name}' is written for a {found} kernel; expected Python.")

    @classmethod
    def no_parameters_cell(cls, name: str) -> TemplateError:
        """A notebook without a code cell."""
        return cls(
            f"template '{name}' has no parameters cell; expected a code cell tagged 'parameters', "
            "or at least one code cell with the parameters as assignments."
        )

    @classmethod
    def syntax(cls, name: str, cell: int, line: int, text: str, why: str) -> TemplateError:
        """A cell that is not valid Python; code cells count from 1."""
        return cls(
            f"template '{name}' has a syntax error in cell {cell}, line {line}: {why}: {text.strip()!r}; expected valid Python."
        )

    @classmethod
    def bad_annotation(cls, name: str, parameter: str, found: str, expected: str) -> TemplateError:
        """An annotation that is no type Parcours knows."""
        return cls(
            f"template '{name}', parameter '{parameter}': the annotation {found} is not understood; expected {expected}."
        )

    @classmethod
    def unknown_table(cls, name: str, parameter: str, found: str, known: Sequence[str]) -> TemplateError:
        """A string annotation that names no stage or query."""
        return cls(
            f"template '{name}', parameter '{parameter}': there is no stage or query '{found}'. "
            f"Known: {listed(known)}.{nearest(found, known)}"
        )

    @classmethod
    def ambiguous_table(cls, name: str, parameter: str, found: str) -> TemplateError:
        """A string annotation that two pipelines have."""
        return cls(
            f"template '{name}', parameter '{parameter}': more than one stage or query is called '{found}'; "
            "expected a name that one class alone has: rename one, or set its task_namespace."
        )

    @classmethod
    def bad_default(cls, name: str, parameter: str, found: object, expected: str) -> TemplateError:
        """A default that does not fit its own annotation."""
        return cls(
            f"template '{name}', parameter '{parameter}': the default {found!r} does not fit; expected {expected}."
        )

    @classmethod
    def missing_sample(cls, name: str, parameter: str, path: str) -> TemplateError:
        """A sample that is not beside the template."""
        return cls(
            f"template '{name}', parameter '{parameter}': the sample {path!r} does not exist beside the template; "
            "expected a Parquet file, so that the notebook runs by hand."
        )

    @classmethod
    def unset(cls, name: str, parameter: str, table: str, needed: str) -> TemplateError:
        """A stage's parameter that neither the template nor the stage gives."""
        return cls(
            f"template '{name}', parameter '{parameter}': {table} needs a value for '{needed}'; "
            f"expected a parameter '{needed}' in the template, or a default in {table}."
        )


class ParameterError(BadInput):
    """A value for a template's parameter that cannot be used."""

    @classmethod
    def unknown(cls, template: str, name: str, known: Sequence[str]) -> ParameterError:
        """No parameter of this name."""
        return cls(f"{template} has no parameter '{name}'. It takes: {listed(known)}.{nearest(name, known)}")

    @classmethod
    def wrong(cls, template: str, name: str, found: object, expected: str) -> ParameterError:
        """A value of the wrong type, or outside its choices or bounds."""
        return cls(f"{template}: parameter '{name}' is {found!r}; expected {expected}.")

    @classmethod
    def derived(cls, template: str, name: str, expression: str) -> ParameterError:
        """A name that is computed from others."""
        return cls(f"{template}: '{name}' cannot be set, it follows from `{expression}`; set what it is computed from.")

    @classmethod
    def not_json(cls, found: str, why: str) -> ParameterError:
        """An argument that is no JSON object."""
        return cls(f"--parameters is {found!r}: {why}; expected a JSON object such as '{{\"threshold\": 4}}'.")

    @classmethod
    def table(cls, template: str, name: str, table: str) -> ParameterError:
        """A value for a parameter that the pipeline fills."""
        return cls(
            f"{template}: parameter '{name}' is the table of {table}, which the pipeline makes; it cannot be set by hand."
        )

    @classmethod
    def date_twice(cls, template: str, found: object, date: object) -> ParameterError:
        """A date among the parameters that is not the report's."""
        return cls(
            f"{template}: the parameters say date {found}, the report is for {date}; expected one date, in --date."
        )


class DateError(BadInput):
    """A date that is none."""

    @classmethod
    def wrong(cls, found: str) -> DateError:
        """Text that is no date."""
        return cls(f"'{found}' is not a date; expected YYYY-MM-DD, such as 2013-01-15.")

    @classmethod
    def range(cls, start: object, stop: object, options: tuple[str, str] = ("--start", "--stop")) -> DateError:
        """A range that ends before it starts."""
        return cls(
            f"the range {start} to {stop} ends before it starts; expected {options[0]} on or before {options[1]}."
        )

    @classmethod
    def too_many(cls, number: int, most: int) -> DateError:
        """A range that is more than the page asks for at once."""
        return cls(
            f"the range has {number:,} dates; expected at most {most}. Make it shorter, or make them with `luigi` and Backfill."
        )


class DatabaseError(ParcoursError):
    """A database that is missing or refuses a statement."""

    @classmethod
    def missing(cls, place: str) -> DatabaseError:
        """No database at the configured place."""
        return cls(
            f"there is no database at {place}. The example database is made by scripts/report; "
            "another is named in luigi.cfg, [workflows] database."
        )

    @classmethod
    def unusable(cls, place: str, why: str) -> DatabaseError:
        """A database that cannot be opened."""
        return cls(f"the database {place} cannot be used: {why}. It is named in luigi.cfg, [workflows] database.")

    @classmethod
    def statement(cls, task: str, file: str, place: str, why: str) -> DatabaseError:
        """A statement that the database refuses."""
        return cls(
            f"{task}: the database {place} refuses '{file}': {why.rstrip('.')}. Expected a statement that this database runs; "
            "`parcours check` reads all statements without running them."
        )


class NoData(ParcoursError):
    """A query without rows for its date."""

    @classmethod
    def for_query(cls, task: str, dates: Sequence[str]) -> NoData:
        """No rows; `dates` are those with data, ascending, if the query can tell."""
        has = f" Dates with data: {listed_ranges(dates)}." if dates else ""
        return cls(f"{task} has no rows.{has} Expected a date with data (or a query with 'allow_empty = True').")


class StageError(ParcoursError):
    """A stage that failed or made something that is no table."""

    @classmethod
    def not_a_table(cls, task: str, found: object) -> StageError:
        """compute() returned something else than a DataFrame."""
        return cls(f"{task}: compute() returned {type(found).__name__}; expected a pandas DataFrame.")

    @classmethod
    def raised(cls, task: str, cause: BaseException, where: str) -> StageError:
        """compute() raised."""
        return cls(f"{task} failed: {_said(cause)}{where}")

    @classmethod
    def no_columns(cls, task: str, missing: Sequence[str], table: str, found: Sequence[str]) -> StageError:
        """Columns that the table of an input does not have."""
        return cls(f"{task}: columns names {listed(missing)}, which {table} does not have. It has {listed(found)}.")

    @classmethod
    def not_storable(cls, task: str, cause: BaseException) -> StageError:
        """A table that Parquet cannot hold."""
        return cls(
            f"{task}: the table cannot be stored as Parquet: {cause}. Expected columns of one type each, with text names."
        )


class SchemaError(ParcoursError):
    """A table that breaks its schema."""

    @classmethod
    def broken(cls, task: str, schema: str, failures: str) -> SchemaError:
        """Which columns break which checks, with the first rows."""
        return cls(f"{task}: the table breaks {schema}: {failures}")


class MeasureError(ParcoursError):
    """A measure that cannot be recorded."""

    @classmethod
    def twice(cls, name: str) -> MeasureError:
        """Two values under one name."""
        return cls(f"measure '{name}' is recorded twice; expected one value for each name.")

    @classmethod
    def wrong(cls, name: str, what: str, found: object, expected: str) -> MeasureError:
        """A field of the wrong kind."""
        return cls(f"measure '{name}': {what} is {found!r}; expected {expected}.")


class ReportError(ParcoursError):
    """A report whose notebook did not come to its end."""


class RunError(ParcoursError):
    """A run that ended without a result, and without an error of a task."""

    @classmethod
    def nothing_happens(cls, label: str) -> RunError:
        """Luigi hands out nothing, and nobody else works on it."""
        return cls(
            f"{label} is not there, and the scheduler hands out nothing of what it needs; expected its tasks to be run. The log "
            "says what Luigi made of them; a scheduler that was paused or has a task disabled says so in its own page."
        )


class StoreError(ParcoursError):
    """A store that cannot be read or written."""

    @classmethod
    def refused(cls, place: str, why: str) -> StoreError:
        """The file system says no."""
        return cls(
            f"the store {place} cannot be written: {why}. Make room or grant write access; nothing half-written was left."
        )

    @classmethod
    def elsewhere(cls, place: str) -> StoreError:
        """A folder to be deleted that lies outside the store."""
        return cls(
            f"{place} is reached by a link and may lie outside the store; it was left as it is, delete it by hand."
        )

    @classmethod
    def unusable(cls, place: str, why: str) -> StoreError:
        """No store can be there."""
        return cls(f"the store {place} cannot be used: {why}. It is named in luigi.cfg, [workflows] store.")

    @classmethod
    def absent(cls, address: str) -> StoreError:
        """An artefact that is not there (any more)."""
        return cls(f"there is no artefact {address} in the store (any more). Ask for the report again and it is made.")

    @classmethod
    def damaged(cls, address: str, what: str, moved: str) -> StoreError:
        """Bytes that are not those that were written."""
        return cls(
            f"the artefact {address} was changed after it was made: {what}. It was moved to {moved}; ask again and it is made anew."
        )

    @classmethod
    def outdated(cls, address: str, why: str, moved: str) -> StoreError:
        """A result that is not what would be made now, in the place of the one that would."""
        return cls(
            f"the artefact {address} is outdated: {why}. It was moved to {moved}; ask again and it is made anew."
        )

    @classmethod
    def other_format(cls, path: str, found: object, expected: int) -> StoreError:
        """A record that another release wrote."""
        return cls(
            f"{path} has provenance of format {found}, not {expected}; another release of Parcours made it. "
            "It was left as it is: use that release, or name another store in PARCOURS_STORE."
        )


class CatalogError(ParcoursError):
    """A catalog that cannot be read or written."""

    @classmethod
    def unusable(cls, place: str, why: str) -> CatalogError:
        """No catalog can be there."""
        return cls(f"the catalog {place} cannot be used: {why}. It is named in luigi.cfg, [workflows] catalog.")

    @classmethod
    def refused(cls, place: str, why: str) -> CatalogError:
        """The database or the file system says no."""
        return cls(
            f"the catalog {place} cannot be read or written: {why}. Grant access to it and its folder, or name another in "
            "PARCOURS_CATALOG: it is filled from the store."
        )

    @classmethod
    def locked(cls, place: str, seconds: float) -> CatalogError:
        """Another process does not let go of it."""
        return cls(
            f"the catalog {place} is locked by another process, {seconds:g} s were waited; ask again when that process is done."
        )

    @classmethod
    def foreign(cls, place: str) -> CatalogError:
        """A database that holds something else."""
        return cls(
            f"{place} is a database, but no catalog; it was left as it is. Expected a place of the catalog's own, which "
            "luigi.cfg names in [workflows] catalog."
        )


class CatalogOfOtherStore(CatalogError):
    """A catalog that is the index of another store than the one that is asked."""

    @classmethod
    def asked(cls, place: str, found: str, expected: str) -> CatalogOfOtherStore:
        """The store that it was made for, and the one that is asked."""
        return cls(
            f"the catalog {place} is that of the store {found}, not of {expected}; it was left as it is. Name another in "
            "PARCOURS_CATALOG, or in luigi.cfg, [workflows] catalog: it is filled from the store."
        )


class CursorError(BadInput):
    """A place in the list of reports that is none."""

    @classmethod
    def wrong(cls, cursor: str) -> CursorError:
        """A text that no page of the list gave."""
        return cls(
            f"'{cursor[:40]}' is no place in the list of reports; expected what a page of it says, or none for the newest."
        )


class DamagedCatalog(CatalogError):
    """A catalog that must be made anew from the store."""

    @classmethod
    def broken(cls, place: str, why: str) -> DamagedCatalog:
        """A file whose bytes are no catalog (any more)."""
        return cls(f"the catalog {place} is damaged: {why}; `parcours reindex` makes it anew from the store.")

    @classmethod
    def other_format(cls, place: str, found: object, expected: int) -> DamagedCatalog:
        """A catalog of another release."""
        return cls(
            f"the catalog {place} is of format {found}, not {expected}; `parcours reindex` makes it anew from the store."
        )


class SubjectError(BadInput):
    """Something that was asked about and is not known, or more than one thing."""

    @classmethod
    def unknown(cls, name: str, known: Sequence[str]) -> SubjectError:
        """Neither a path, nor a name, nor a version, nor a commit."""
        return cls(
            f"'{name}' is no path of an artefact, no query or stage, no version and no commit that made any result. "
            f"Queries and stages: {listed(known)}.{nearest(name, known)}"
        )

    @classmethod
    def ambiguous(cls, name: str, meanings: Sequence[str]) -> SubjectError:
        """More than one thing of this name or of these first digits."""
        return cls(f"'{name}' could be {listed(meanings)}; expected one of them: give more digits, or the path.")

    @classmethod
    def dated(cls, name: str) -> SubjectError:
        """A date for something that is no query or stage."""
        return cls(
            f"a date was given, but '{name}' is no query or stage; expected a date with a query's or stage's name only."
        )


class PathError(BadInput):
    """A path where something else is expected."""

    @classmethod
    def no_artefact(cls, path: str, why: str) -> PathError:
        """Something that is no artefact and no report."""
        return cls(
            f"{path} {why}; expected a report's HTML file, an artefact's folder, a file in it, or a version's first 8 digits or more."
        )

    @classmethod
    def changed(cls, path: str) -> PathError:
        """A record that is not what was written."""
        return cls(
            f"{path} has provenance that was changed after it was written, so that nothing it says can be relied on; "
            "ask for the result again and it is made anew."
        )

    @classmethod
    def other_task(cls, path: str, found: str, other: str, expected: str) -> PathError:
        """Two results that cannot be compared."""
        return cls(f"{path} is a result of {found}, {other} one of {expected}; expected two results of the same task.")

    @classmethod
    def not_writable(cls, path: str, why: str) -> PathError:
        """A file that cannot be written where the user wants it."""
        return cls(f"{path} {why}; expected the name of a file to write, in a folder that can be written.")

    @classmethod
    def no_version(cls, version: str, found: Sequence[str]) -> PathError:
        """Digits that begin no version, or several."""
        if not found:
            return cls(f"no artefact in the store has a version that begins with {version}, and no file is called so.")
        return cls(f"{version} begins the versions of {listed(found)}; expected more digits, or one of these paths.")

    @classmethod
    def no_report(cls, path: str, found: str) -> PathError:
        """An artefact that has no notebook."""
        return cls(
            f"{path} is of {found}, which has no notebook; expected a report or a failed report. A table is read as it is."
        )

    @classmethod
    def no_evaluation(cls, path: str, why: str) -> PathError:
        """A file that should hold an evaluation."""
        return cls(f"{path} {why}; expected an evaluation.json, as `parcours evaluate` stores it.")

    @classmethod
    def no_notebook(cls, path: str, template: str) -> PathError:
        """A report whose notebook is nowhere to be had."""
        return cls(
            f"{path}: neither the template {template} as it was nor the report's notebook is in the store; "
            "expected the store in which the report was made, in luigi.cfg, [workflows] store, or PARCOURS_STORE."
        )

    @classmethod
    def not_empty(cls, folder: Path, what: str) -> PathError:
        """A place where something is that must not be overwritten."""
        return cls(f"{folder} {what}; expected the name of a new folder, or an empty one, in --into.")

    @classmethod
    def not_laid(cls, place: Path, why: str) -> PathError:
        """A place that cannot be written."""
        return cls(f"{place} cannot be written: {why}; nothing was laid. Name another place with --into.")

    @classmethod
    def sample_lost(cls, files: Sequence[str]) -> PathError:
        """Samples that nobody could bring back."""
        be = "is" if len(files) == 1 else "are"
        return cls(
            f"{listed(files)} {be} neither committed nor fetched, and would be lost; "
            "expected --into DIR, for a copy of the template with its tables, or --force."
        )

    @classmethod
    def sample_outside(cls, template: str, parameter: str, default: str) -> PathError:
        """A default that leads away from the template."""
        return cls(
            f"template '{template}', parameter '{parameter}': the default {default!r} is not a file of its own below the "
            "template's folder; expected a relative path such as 'samples/flights.parquet'."
        )


class PlanError(ParcoursError):
    """A state that differs from the plan."""

    @classmethod
    def other_version(cls, task: str, planned: str, here: str) -> PlanError:
        """A version that this process would not have planned."""
        return cls(
            f"{task} was planned as version {planned[:16]}, but with the code and data of this process it is {here[:16]}. "
            "A version is computed, never typed: run the command again, and restart workers that hold older code."
        )

    @classmethod
    def other_code(cls, task: str, planned: str, differences: Sequence[str]) -> PlanError:
        """A planned task that this process would make with other code or another environment."""
        return cls(
            f"{task} was planned as version {planned[:16]} with other code than this worker's: {listed(differences)}. "
            "Nothing was stored; restart the worker with the planner's code."
        )

    @classmethod
    def code_changed(cls, task: str, file: str) -> PlanError:
        """A file that was edited between planning and storing."""
        return cls(
            f"{task}: {file} was changed while the run was going on, so its result may be of two states of the code; "
            "nothing was stored. Run the command again."
        )

    @classmethod
    def data_changed(cls, task: str) -> PlanError:
        """Rows that changed between planning and running."""
        return cls(f"{task}: the rows changed while the run was going on; nothing was stored. Run the command again.")

    @classmethod
    def file_changed(cls, task: str, file: str) -> PlanError:
        """A file of the project that changed between being opened and the end of the run."""
        return cls(
            f"{task}: {file} changed while the run that opened it was going on; nothing was stored. Run the command again."
        )


class TrendError(BadInput):
    """A trend, a step or a comparison that cannot be told from the runs that there are."""

    @classmethod
    def no_runs(cls, suite: str, others: Sequence[str]) -> NothingMeasured:
        """A history without any run."""
        known = [other for other in others if other != suite]
        hint = f" Suites with runs: {listed(known)}.{nearest(suite, known)}" if known else ""
        return NothingMeasured(
            f"no commit of this history was run through suite '{suite}'; "
            f"`parcours evaluate --range A..B` runs those after A up to B.{hint}"
        )

    @classmethod
    def not_run(cls, commit: str, suite: str) -> NothingMeasured:
        """A commit that nobody put through a suite yet."""
        return NothingMeasured(
            f"commit {commit} was not run through suite '{suite}' yet; `parcours evaluate {commit}` does so."
        )

    @classmethod
    def unknown(cls, what: str, name: str, known: Sequence[str]) -> TrendError:
        """A measure, template or date that no run has."""
        return cls(f"no run has the {what} '{name}'. There {_are(known, what)} {listed(known)}.{nearest(name, known)}")

    @classmethod
    def no_step(cls, measure: str, report: str) -> NothingMeasured:
        """A line that is level."""
        return NothingMeasured(
            f"'{measure}' of {report} has no step in the runs that are stored; expected --from and --to, the commits to look between."
        )

    @classmethod
    def same(cls, measure: str, old: str, new: str, value: str) -> TrendError:
        """Two ends that do not differ."""
        return cls(f"'{measure}' is {value} at both {old} and {new}; expected two commits between which it changed.")

    @classmethod
    def not_before(cls, old: str, new: str) -> TrendError:
        """Ends that do not lie on one line."""
        return cls(
            f"{old} is not among the first parents of {new}; expected in --from a commit that came before the one of --to."
        )

    @classmethod
    def no_start(cls, new: str) -> TrendError:
        """An end without a beginning."""
        return cls(f"--to {new} is given without --from; expected both, or neither for the latest step of the trend.")

    @classmethod
    def no_value(cls, measure: str, commit: str, why: str) -> NothingMeasured:
        """An end that has no value."""
        return NothingMeasured(f"'{measure}' has no value at {commit}: {why}. Name another commit.")

    @classmethod
    def no_matplotlib(cls) -> TrendError:
        """Nothing that can draw."""
        return cls("a picture needs matplotlib, which is not installed; `pip install 'parcours[trend]'` brings it.")

    @classmethod
    def no_picture(cls, file: Path) -> TrendError:
        """A file of another kind."""
        return cls(f"--picture names {file}; expected a file that ends in .svg or .png.")

    @classmethod
    def not_comparable(cls, a: str, b: str, why: str) -> TrendError:
        """Two things of different kinds, or of none."""
        return cls(
            f"'{a}' and '{b}' cannot be compared: {why}; expected two commits, two dates, or two datasets with --datasets."
        )


class NothingMeasured(TrendError):
    """There is nothing to answer from."""

    exit_code = 3


def _are(known: Sequence[str], what: str) -> str:
    return f"is the {what}" if len(known) == 1 else f"are the {what}s"


class AcceptanceError(BadInput):
    """A code change that cannot be accepted."""

    @classmethod
    def no_reason(cls, task: str) -> AcceptanceError:
        """An acceptance that says nothing."""
        return cls(
            f"the reason for accepting the change of {task} is empty; expected --reason with why it has no effect."
        )

    @classmethod
    def nothing_stored(cls, task: str) -> AcceptanceError:
        """A task that has no results."""
        return cls(f"nothing to accept: the store has no result of {task}; expected results of its earlier code.")

    @classmethod
    def unchanged(cls, task: str) -> AcceptanceError:
        """A task whose results were all made by its present code."""
        return cls(f"nothing to accept: the code of {task} is the one that made its stored results; expected a change.")


class DatasetError(BadInput):
    """A dataset that is not there, cannot be made, or does not have what is asked of it."""

    @classmethod
    def missing(cls, name: str, known: Sequence[str]) -> DatasetError:
        """No dataset of this name."""
        return cls(
            f"there is no dataset '{name}' in the store. Datasets: {listed(known)}.{nearest(name, known)} "
            "Make one with `parcours freeze`, or bring one in with `parcours datasets import FILE`."
        )

    @classmethod
    def bad_name(cls, name: str) -> DatasetError:
        """A name that could lead elsewhere."""
        return cls(
            f"{name!r} is no name for a dataset; expected up to 64 letters, digits, '_', '-' and '.', a letter or digit first, and not 'none'."
        )

    @classmethod
    def exists(cls, name: str) -> DatasetError:
        """A name that is taken."""
        return cls(f"the store has a dataset '{name}' already, and datasets never change; expected another name.")

    @classmethod
    def other(cls, file: str, name: str, found: str, kept: str) -> DatasetError:
        """A file with another dataset of the same name."""
        return cls(
            f"{file} holds another dataset '{name}' ({found[:16]}) than the store has ({kept[:16]}), and datasets never "
            "change; expected a dataset of another name: freeze it anew where it is from."
        )

    @classmethod
    def not_one(cls, file: str, why: str) -> DatasetError:
        """A file that holds no dataset."""
        return cls(f"{file} {why}; expected a file that `parcours datasets export` wrote. Nothing was brought in.")

    @classmethod
    def no_statement(cls, name: str, task: str, statement: str) -> DatasetError:
        """A statement that was not frozen, or is another by now."""
        return cls(
            f"dataset '{name}' has no answers to {statement} of {task} as it is written now. Datasets never change: "
            "freeze anew under another name, with `parcours freeze NAME2`."
        )

    @classmethod
    def no_answer(cls, name: str, query: str, values: str, kept: Sequence[str]) -> DatasetError:
        """Values that were not frozen; `kept` are the dates that were."""
        of = f" of {listed_ranges(kept)}" if kept else ""
        return cls(
            f"dataset '{name}' has no {query} for {values}; it has {query}{of}. Datasets never change: freeze anew under "
            f"another name, with `parcours freeze NAME2 --queries {query}` and dates that include it."
        )

    @classmethod
    def not_a_query(cls, name: str, known: Sequence[str]) -> DatasetError:
        """Something to freeze that is no query."""
        return cls(f"there is no query '{name}' to freeze. Queries: {listed(known)}.{nearest(name, known)}")

    @classmethod
    def needs(cls, query: str, parameter: str) -> DatasetError:
        """A query's parameter without a value."""
        return cls(
            f"{query} needs a value for '{parameter}' to be frozen, none is given; "
            f"expected --parameters '{{\"{parameter}\": ...}}'."
        )

    @classmethod
    def no_such_parameter(cls, parameter: str, known: Sequence[str]) -> DatasetError:
        """A value for a parameter that no query has."""
        return cls(
            f"--parameters names '{parameter}', which no query to freeze has besides its date; "
            f"expected one of {listed(known)}.{nearest(parameter, known)}"
        )

    @classmethod
    def nothing(cls, queries: Sequence[str], dates: str) -> DatasetError:
        """A range in which there are no data."""
        return cls(f"{listed(queries)} have no data of {dates}; expected dates with data. Nothing was frozen.")

    @classmethod
    def moved(cls, query: str, values: str) -> DatasetError:
        """Rows that changed while they were frozen."""
        return cls(
            f"{query} for {values} changed in the database while it was frozen; nothing was stored. "
            "Run the command again, with dates that are settled."
        )

    @classmethod
    def not_kept(cls, query: str, column: str, found: str) -> DatasetError:
        """A value that no file can hold exactly."""
        return cls(
            f"{query}: column '{column}' has a value of type {found}, which a dataset cannot keep exactly; "
            "expected numbers, texts, bytes, dates and times: cast it in the statement."
        )


class DamagedDataset(DatasetError):
    """A dataset that is not as it was frozen."""

    exit_code = 1

    @classmethod
    def file(cls, name: str, path: str, found: str, expected: str) -> DamagedDataset:
        """A file with other bytes."""
        return cls(
            f"dataset '{name}' is damaged: {path} is {found[:16]}, recorded was {expected[:16]}. Import it again with "
            "`parcours datasets import FILE`, or freeze anew under another name."
        )

    @classmethod
    def record(cls, name: str, path: str, why: str) -> DamagedDataset:
        """A record that nothing can be relied on of."""
        return cls(
            f"dataset '{name}' is damaged: {path} {why}; expected the record as it was written. Import it again with "
            "`parcours datasets import FILE`, or freeze anew under another name."
        )


class SchedulerError(ParcoursError):
    """A central scheduler that does not answer."""

    @classmethod
    def unreachable(cls, url: str, why: str) -> SchedulerError:
        """Nobody answers at the scheduler's address."""
        return cls(
            f"no central scheduler answers at {url} ({why}). Start one with `luigid --address 127.0.0.1`, "
            "or add --local-scheduler to run without."
        )


class CommitError(ParcoursError):
    """A commit that cannot be found or put through a suite; the fault is not the commit's code."""

    exit_code = 4

    @classmethod
    def no_git(cls, why: str) -> CommitError:
        """git cannot be run."""
        return cls(f"git cannot be run: {why}. Evaluating commits needs git; install it.")

    @classmethod
    def no_repository(cls, folder: str) -> CommitError:
        """No repository."""
        return cls(f"{folder} lies in no git repository; evaluation compares its commits. `git init` makes one.")

    @classmethod
    def unknown(cls, ref: str, is_empty: bool) -> UnknownCommit:
        """A name that means no commit."""
        if is_empty:
            return UnknownCommit("the repository has no commits yet; commit something first.")
        return UnknownCommit(
            f"git knows no commit '{ref}'. Name one by its hash, a branch or a tag; "
            "a clone that lacks older commits gets them with `git fetch --unshallow`."
        )

    @classmethod
    def clean(cls, head: str) -> UnknownCommit:
        """No uncommitted work."""
        return UnknownCommit(
            f"nothing differs from commit {head}: there is no uncommitted work to evaluate. Leave --dirty out."
        )

    @classmethod
    def no_range(cls, found: str) -> UnknownCommit:
        """A range that is none."""
        return UnknownCommit(f"--range is '{found}'; expected A..B: the commits after A up to B.")

    @classmethod
    def refused(cls, command: str, told: str) -> CommitError:
        """git failed."""
        return cls(f"`git {command}` failed: {' '.join(told.split()) or 'it said nothing'}")

    @classmethod
    def shallow(cls, commit: str, trunk: str) -> CommitError:
        """Too few commits to find the base."""
        return cls(
            f"commit {commit} has no base here: the clone lacks the commits that it shares with {trunk}. "
            "Get them with `git fetch --unshallow`, or name a base with --base."
        )

    @classmethod
    def no_trunk(cls, name: str | None) -> UnknownCommit:
        """No branch to compare with."""
        found = (
            f"[evaluation] trunk names '{name}', which git does not know"
            if name
            else "there is no branch main or master"
        )
        return UnknownCommit(
            f"{found}. Set [evaluation] trunk in luigi.cfg to the branch that commits are compared with, or give --base."
        )

    @classmethod
    def unwritable(cls, place: str | None, why: str) -> CommitError:
        """The file system says no."""
        return cls(
            f"{place or 'a file'} cannot be written: {why}. Make room or grant write access, and evaluate it again."
        )

    @classmethod
    def no_submodule(cls, place: str, sha: str) -> CommitError:
        """A submodule that was not fetched."""
        return cls(
            f"the submodule {place} is not here at commit {sha}. Fetch it with `git submodule update --init --recursive`."
        )

    @classmethod
    def no_lock(cls, commit: str, name: str) -> CommitError:
        """A commit that does not say what it runs in."""
        return cls(
            f"commit {commit} has no {name}, so the environment to run it in is not known. "
            "[evaluation] lock in luigi.cfg names the file; empty, it stands for the environment that runs now."
        )

    @classmethod
    def no_environment(cls, commit: str, told: str) -> CommitError:
        """A lock that cannot be installed."""
        return cls(f"the environment of commit {commit} cannot be built from its lock: {told}")

    @classmethod
    def ended(cls, commit: str, how: str, told: str) -> CommitError:
        """The process that ran the commit ended without an answer."""
        return cls(f"the run of commit {commit} ended before its time, {how}: {told or 'it said nothing'}")


class UnknownCommit(CommitError, BadInput):
    """A commit that does not exist: nothing was run."""

    exit_code = 2


class NoSuite(BadInput):
    """There is nothing to evaluate a commit with."""

    exit_code = 3

    @classmethod
    def nowhere(cls, file: str, commit: str, trunk: str | None) -> NoSuite:
        """Neither the commit nor the trunk has suites."""
        others = f" nor {trunk}" if trunk else ""
        return cls(
            f"neither commit {commit}{others} has {file}, which says what to evaluate; docs/suites.md has one to start from."
        )


class SuiteError(BadInput):
    """A file of suites that is none, or a suite that is missing."""

    @classmethod
    def not_toml(cls, where: str, why: str) -> SuiteError:
        """A file that cannot be read."""
        return cls(f"{where} is no TOML: {why}; expected suites such as `[default]`, each with a dataset and reports.")

    @classmethod
    def not_readable(cls, where: str, why: str) -> SuiteError:
        """A file that the system does not give."""
        return cls(f"{where} cannot be read ({why}); expected a file of suites.")

    @classmethod
    def report(cls, place: str, report: str, why: str) -> SuiteError:
        """A report that its template does not make."""
        return cls(f"{place}, report '{report}': {why}")

    @classmethod
    def empty(cls, where: str) -> SuiteError:
        """A file without any suite."""
        return cls(f"{where} has no suite; expected at least one, such as `[default]` with a dataset and reports.")

    @classmethod
    def wrong(cls, place: str, key: str, found: object, expected: str) -> SuiteError:
        """A value that is none for its key; `place` is the file, the suite and the entry."""
        text = repr(found)
        shown = text if len(text) <= 80 else f"{text[:80]}..."
        return cls(f"{place}: {key} is {shown}; expected {expected}.")

    @classmethod
    def missing(cls, place: str, key: str, expected: str) -> SuiteError:
        """A key that is needed."""
        return cls(f"{place} has no {key}; expected {expected}.")

    @classmethod
    def unknown_key(cls, place: str, key: str, known: Sequence[str]) -> SuiteError:
        """A key that nothing is known by."""
        return cls(f"{place} has an unknown key '{key}'. Known keys: {listed(known)}.{nearest(key, known)}")

    @classmethod
    def twice(cls, place: str, what: str) -> SuiteError:
        """A report or a limit that stands there twice."""
        return cls(f"{place}: {what} is there already; expected it once.")

    @classmethod
    def too_many(cls, place: str, found: int, most: int) -> SuiteError:
        """More reports than anybody means."""
        return cls(f"{place} asks for {found:,} reports; expected at most {most:,}: a shorter range of dates.")

    @classmethod
    def unknown(cls, name: str, known: Sequence[str]) -> SuiteError:
        """A suite that no file has."""
        return cls(f"there is no suite '{name}'. Suites: {listed(known)}.{nearest(name, known)}")


class QueueError(ParcoursError):
    """A queue that cannot take commits."""

    exit_code = 4

    @classmethod
    def unwritable(cls, folder: str, why: str) -> QueueError:
        """The file system says no."""
        return cls(f"the queue in {folder} cannot be written ({why}). Make room there, or set `cache` in luigi.cfg.")


class RequestError(ParcoursError):
    """A request of the web page that cannot be kept, found or asked for again."""

    @classmethod
    def unusable(cls, place: str, why: str) -> RequestError:
        """The database or the file system says no."""
        return cls(
            f"the requests in {place} cannot be read or written ({why}). Make room there, or grant access to it and its "
            "folder, which luigi.cfg names in [workflows] web."
        )

    @classmethod
    def damaged(cls, place: str, why: str) -> RequestError:
        """A file that SQLite cannot read."""
        return cls(
            f"the requests in {place} are damaged ({why}). Stop `parcours serve` and its workers, and put a copy of the file there, "
            "or move it and its -wal and -shm away, to begin without requests; reports are not affected."
        )

    @classmethod
    def later(cls, place: str, found: int, expected: int) -> RequestError:
        """The database of a later release."""
        return cls(
            f"the requests in {place} are of format {found}, which a later Parcours wrote; expected at most {expected}. "
            "Install that release, or set another folder as [workflows] web."
        )

    @classmethod
    def unknown(cls, name: str) -> RequestError:
        """An id that no request has."""
        return cls(f"there is no request '{name}'; expected the id of one that was asked for.")

    @classmethod
    def not_ended(cls, label: str, state: str) -> RequestError:
        """One that is asked for again too early."""
        return cls(
            f"the request {label} is still {state}; expected one that has ended. Wait for its end, or cancel it."
        )

    @classmethod
    def too_many(cls, found: int, most: int) -> RequestError:
        """More requests at once than anybody means."""
        return cls(f"{found:,} reports are asked for at once; expected at most {most:,}. Ask for fewer dates.")


class ServerError(BadInput):
    """The web page cannot be opened as it was asked for."""

    @classmethod
    def taken(cls, host: str, port: int, why: str) -> ServerError:
        """An address that cannot be had."""
        return cls(f"the page cannot be opened at {host}:{port} ({why}). Stop what is there, or give another --port.")

    @classmethod
    def no_port(cls, port: int) -> ServerError:
        """A number that is none of a port."""
        return cls(f"--port is {port}; expected 1 to 65535, or 0 for any that is free.")

    @classmethod
    def no_host(cls, host: str, why: str) -> ServerError:
        """A name that is no address of this machine."""
        return cls(f"--host is '{host}', which is no address of this machine ({why}); expected one, such as 127.0.0.1.")

    @classmethod
    def unwritable(cls, folder: str, why: str) -> ServerError:
        """Nowhere to keep what the page keeps."""
        return cls(f"{folder} cannot be written ({why}). Grant write access, or set another folder as [workflows] web.")

    @classmethod
    def nobody(cls) -> ServerError:
        """Opened to others, without anybody who could sign in."""
        return cls(
            "the page would be open to more than this machine, and nobody can sign in. Add people with `parcours user add "
            "NAME --role admin`, or name a proxy that says who somebody is: proxy and proxy_header in luigi.cfg, [web]."
        )

    @classmethod
    def foreign_scheduler(cls, address: str) -> ServerError:
        """Another program where the scheduler should be."""
        return cls(
            f"{address} is answered by another program than Luigi's scheduler. "
            "Stop it, or set [core] scheduler_port in luigi.cfg to a free port."
        )

    @classmethod
    def left(cls, folder: str, seconds: float) -> ServerError:
        """Processes of one that was killed."""
        return cls(
            f"parts of an earlier `parcours serve` for {folder} still run {seconds:g} s after its end. "
            "End them (`ps` shows them as workflows.web and workflows.cli), and start it again."
        )

    @classmethod
    def running(cls, folder: str) -> ServerError:
        """A second one for the same project."""
        return cls(
            f"`parcours serve` runs already for {folder}. Stop it first, or set another folder as [workflows] web."
        )


class AccountError(BadInput):
    """An account that cannot be as it was asked for."""

    @classmethod
    def name(cls, name: str) -> AccountError:
        """A name that is none."""
        return cls(f"{name!r} is no name for an account; expected up to 64 letters, digits and any of . _ @ + -")

    @classmethod
    def exists(cls, name: str) -> AccountError:
        """A name that is given away."""
        return cls(
            f"there is an account '{name}' already. Change it with `parcours user role` or `parcours user password`."
        )

    @classmethod
    def unknown(cls, name: str, known: Sequence[str]) -> AccountError:
        """A name that nobody has."""
        return cls(f"there is no account '{name}'. Accounts: {listed(known)}.{nearest(name, known)}")

    @classmethod
    def password(cls, least: int, most: int) -> AccountError:
        """A password that is too short, or too long to be one."""
        return cls(f"the password is too short or too long; expected {least} to {most} characters.")

    @classmethod
    def old_password(cls, is_too_often: bool) -> AccountError:
        """Somebody who does not know their own password."""
        return cls(
            "the old password is wrong." if not is_too_often else "there were too many tries; wait for 15 minutes."
        )

    @classmethod
    def differ(cls) -> AccountError:
        """A password that was mistyped."""
        return cls("the two passwords differ; expected the same one twice.")

    @classmethod
    def no_terminal(cls) -> AccountError:
        """Nobody to ask for a password."""
        return cls("there is no terminal to ask for the password; give it with --password-stdin.")


class AccountsUnusable(ParcoursError):
    """The file of accounts cannot be read or written."""

    @classmethod
    def found(cls, place: str, why: str) -> AccountsUnusable:
        """The database or the file system says no."""
        return cls(
            f"the accounts in {place} cannot be read or written ({why}). Make room there, or set [workflows] web."
        )


class AgainError(ParcoursError):
    """A report that cannot be made again exactly as it was."""

    @classmethod
    def missing(cls, label: str, what: Sequence[str]) -> AgainError:
        """The store lacks something of then."""
        return cls(
            f"{label} cannot be made exactly as then, for want of {'; '.join(what)}. Make it with today's code, or bring that "
            "back into the store."
        )

    @classmethod
    def environment(cls, label: str, what: Sequence[str]) -> AgainError:
        """Another environment than then."""
        return cls(
            f"{label} cannot be made exactly as then, in another environment: {listed(what)}. Make it with today's code, or run "
            "`parcours worker` in an environment with those versions."
        )

    @classmethod
    def failed(cls, label: str, cell: int, of: int, why: str) -> AgainError:
        """The notebook of then does not come to its end."""
        return cls(f"{label}, made exactly as then, failed in cell {cell} of {of}: {why}")
