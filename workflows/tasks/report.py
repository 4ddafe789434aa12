"""Reports: a template filled with values and data, executed, rendered."""

from __future__ import annotations

import datetime
import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import luigi
from luigi.task_register import Register

from workflows.errors import ParameterError, ReportError, TemplateError
from workflows.evaluation.measures import MIME, from_json, in_notebook, to_json
from workflows.identity.canonical import canonical_json, digest_bytes
from workflows.identity.closure import Code
from workflows.notebooks.template import Template
from workflows.notebooks.values import as_json
from workflows.store.address import MEASURES, NOTEBOOK, REPORT, TABLE
from workflows.store.artefacts import Address, Artefact, Provenance, described
from workflows.store.plans import Planned
from workflows.tasks import command
from workflows.tasks.plan import Recipe
from workflows.tasks.progress import Progress
from workflows.tasks.project import current
from workflows.tasks.query import Query
from workflows.tasks.result import DateParameter, Made, Result
from workflows.tasks.stage import Stage

if TYPE_CHECKING:
    from workflows.notebooks.execution import Execution, Failure

FAILURE = "failure.json"


class ReportTask(Result):
    """A template filled with the values and the data of a date, executed and rendered to HTML."""

    date = DateParameter(description="the day of the report, YYYY-MM-DD")
    template = luigi.Parameter(description="the name of a notebook in the templates folder")
    parameters = luigi.Parameter(
        default="{}", description="other values for the template, as JSON: '{\"threshold\": 4}'"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        command.expect(self)

    @classmethod
    def settled(cls, values: dict[str, Any]) -> dict[str, Any]:
        """The parameters checked by the template, canonical, without those that are its defaults."""
        template = read_template(values["template"])
        given = template.validated(_object(values["parameters"]))
        if "date" in given and _day(given.pop("date")) != values["date"]:
            raise ParameterError.date_twice(template.name, _object(values["parameters"])["date"], values["date"])
        others = {
            name: as_json(value)
            for name, value in given.items()
            if name not in template.values or template.values[name] != value
        }
        missing = [
            name
            for name, p in template.parameters.items()
            if p.table is None and name not in {**template.values, **given, "date": 0}
        ]
        for name in missing:
            raise ParameterError.wrong(template.name, name, "not given", template.parameters[name].type.expected)
        return {**values, "parameters": canonical_json(others)}

    @property
    def source(self) -> Template:
        """The template."""
        return read_template(self.template)

    @property
    def label(self) -> str:
        """The template and the date."""
        return f"{self.template} {self.date}"

    @property
    def address(self) -> Address:
        """Where the report lies in the store."""
        return Address(self.get_task_family(), self.date.isoformat(), self.version, self.template)

    @property
    def values(self) -> dict[str, Any]:
        """The values of all parameters that hold no table."""
        template = self.source
        given = template.validated(_object(self.parameters))
        values = {**template.values, **given}
        if "date" in template.parameters:
            values["date"] = self.date
        return {name: values[name] for name in template.parameters if name in values}

    def requires(self) -> dict[str, Result]:
        """The tasks whose tables the template's annotations name."""
        template, values = self.source, self.values
        return {name: self._table(template, name, table, values) for name, table in template.tables.items()}

    def recipe(self, planned: Planned | None = None) -> Recipe:
        """The template's code, its values, and how the page opens."""
        texts = {
            "date": self.date.isoformat(),
            "template": self.template,
            "values": canonical_json(as_json(self.values)),
        }
        if self._shows_code:
            texts["code"] = "shown"
        return Recipe(texts, template_code(self.template))

    def read_when_planned(self) -> list[str]:
        """The template."""
        return [current().label(self.source.path)]

    def template_record(self) -> dict[str, Any]:
        """The template with the values it was filled with."""
        return {"name": self.template, "digest": self.source.digest, "values": as_json(self.values)}

    def make(self, folder: Path, inputs: Sequence[Artefact], progress: Progress, draft: Provenance) -> Made:
        """Execute the filled template in a kernel of its own, and render it."""
        from workflows.notebooks.execution import Limits, execute

        project = current()
        tables = {
            name: str(project.store.file(a, TABLE).resolve())
            for name, a in zip(self.source.tables, inputs, strict=True)
        }
        progress.link((folder / REPORT).resolve().as_uri())

        def watch(notebook: Any, done: int, of: int) -> None:
            progress.step(f"cell {min(done + 1, of)} of {of}", done, of)
            if progress.is_time_to_show():
                self._show_growing(notebook, folder, done, of)

        execution = execute(
            self.source.filled({**self._changed, **tables}),
            folder=project.settings.templates,
            root=project.settings.root,
            limits=Limits(project.settings.cell_timeout, project.settings.report_timeout),
            watcher=watch,
            seed=canonical_json([self.get_task_family(), self._texts()]),
            scope=project.scope,
        )
        self._settle(execution.notebook, inputs)
        if execution.failure:
            raise self._failed(folder, execution, execution.failure, draft, progress)
        (folder / MEASURES).write_text(to_json(in_notebook(execution.notebook.cells)), encoding="utf-8")
        _write_notebook(folder, execution.notebook)
        draft, recipe = self.learned(draft, execution.observed, inputs)
        return replace(self._rendered(folder, execution.notebook, draft), draft=draft, recipe=recipe)

    def take(self, folder: Path, twin: Artefact, inputs: Sequence[Artefact], draft: Provenance) -> Made:
        """Take over an equal report's outputs and measures; the inputs it names and the page's provenance are its own."""
        import nbformat

        store = current().store
        store.reuse(twin, MEASURES, folder)
        notebook = nbformat.reads(store.file(twin, NOTEBOOK).read_text(encoding="utf-8"), as_version=4)
        self._settle(notebook, inputs)
        _write_notebook(folder, notebook)
        return self._rendered(folder, notebook, replace(draft, reused_from=twin.provenance.maker))

    def _rendered(self, folder: Path, notebook: Any, draft: Provenance) -> Made:
        from workflows.notebooks.facts import PageFacts, sections, summary
        from workflows.notebooks.html import content

        outputs = described(folder, {NOTEBOOK: None, MEASURES: None})
        record = replace(draft, outputs=outputs, seconds=_seconds_since(draft.started))
        shown = json.loads(record.to_json())
        measures = from_json((folder / MEASURES).read_bytes())
        facts = PageFacts(
            title=f"{self.source.title} · {self.date}",
            state="made",
            shows_code=self._shows_code,
            summary=summary(shown),
            sections=sections(shown),
            measures=[(m.name, str(m).removeprefix(f"{m.name} ")) for m in measures],
            record=shown,
        )
        page = self._page(notebook, facts)
        (folder / REPORT).write_text(page, encoding="utf-8")
        return Made(
            {REPORT: None, NOTEBOOK: None, MEASURES: None},
            template=self.template_record(),
            shown=f"{len(measures)} measure{'' if len(measures) == 1 else 's'}",
            seconds=record.seconds,
            contents={REPORT: digest_bytes(content(page).encode())},
        )

    def _failed(
        self, folder: Path, execution: Execution, failure: Failure, draft: Provenance, progress: Progress
    ) -> ReportError:
        """Keep what there is of a failed report, and say where it is and how to make it again."""
        from workflows.notebooks.facts import PageFacts, sections, summary

        record_text = replace(draft, failure=asdict(failure), seconds=_seconds_since(draft.started)).to_json()
        record = json.loads(record_text)
        where = f"cell {failure.cell} of {failure.of}" if failure.cell <= failure.of else "the end"
        sentence = f"{self.label} failed in {where}: {failure.reason}"
        facts = PageFacts(
            title=f"failed: {self.source.title} · {self.date}",
            state="failed",
            shows_code=self._shows_code,
            summary=summary(record),
            sections=sections(record),
            record=record,
        )
        store, code = current().store, self.identity.recipe.code

        def finish(kept: str) -> None:
            ways = [f"again: {self.command}", f"try it: {_reproducing(kept)}"]
            banner = [sentence, *filter(None, [failure.line]), *ways]
            (folder / REPORT).write_text(
                self._page(execution.notebook, replace(facts, banner=banner)), encoding="utf-8"
            )

        _write_notebook(folder, execution.notebook)
        (folder / FAILURE).write_text(record_text, encoding="utf-8")
        store.keep_code(code.record(), code.sources)
        now = datetime.datetime.now(datetime.UTC)
        kept = store.keep_failed(folder, self.template, self.date.isoformat(), now, finish)
        progress.link(store.link(f"{kept}/{REPORT}"))
        lines = [
            sentence,
            *([f"  {failure.line}"] if failure.line else []),
            f"read      {store.shown(f'{kept}/{REPORT}')}",
            f"again     {self.command}",
            f"try it    {_reproducing(kept)}",
        ]
        return ReportError("\n".join(lines))

    @property
    def command(self) -> str:
        """The command that makes this report."""
        words = [
            "luigi",
            "--module",
            "workflows",
            "ReportTask",
            "--date",
            self.date.isoformat(),
            "--template",
            self.template,
        ]
        if self.parameters != "{}":
            words += ["--parameters", self.parameters]
        return shlex.join([*words, "--local-scheduler"])

    @property
    def _shows_code(self) -> bool:
        return self.source.shows_code or current().settings.code

    @cached_property
    def _changed(self) -> dict[str, Any]:
        """The values that differ from the template's defaults, and the date."""
        defaults = self.source.values
        return {name: value for name, value in self.values.items() if name not in defaults or defaults[name] != value}

    def _settle(self, notebook: Any, inputs: Sequence[Artefact]) -> None:
        """Name the tables in the stored notebook relative to the report, so that it says the same in every store."""
        here = Path(self.address.path)
        tables = {
            name: os.path.relpath(f"{artefact.path}/{TABLE}", here)
            for name, artefact in zip(self.source.tables, inputs, strict=True)
        }
        cell = notebook.cells[self.source.index]
        cell.source = self.source.cell.filled({**self._changed, **tables})

    def _show_growing(self, notebook: Any, folder: Path, done: int, of: int) -> None:
        from workflows.notebooks.facts import PageFacts

        banner = [f"This report is being made: cell {done} of {of}."]
        facts = PageFacts(title=self.label, state="running", shows_code=self._shows_code, banner=banner)
        beside = folder / f".{REPORT}"
        beside.write_text(self._page(notebook, facts), encoding="utf-8")
        beside.replace(folder / REPORT)

    def _page(self, notebook: Any, facts: Any) -> str:
        from workflows.notebooks.html import render

        return render(notebook, current().settings.templates, facts, hidden=MIME)

    def _table(self, template: Template, name: str, table: str, values: dict[str, Any]) -> Result:
        """The task behind a table's parameter, with the template's values for the parameters that both know."""
        cls = current().once((template.name, name, table, "table"), lambda: table_class(template, name, table))
        given = {**values, "date": self.date}
        params = [known for known, _ in cls.get_params() if known != "version"]
        found: Result = cls(**{known: given[known] for known in params if known in given})
        return found


def table_class(template: Template, parameter: str, table: str) -> type[Result]:
    """The query or stage that an annotation names; raises TemplateError where it cannot be made from the template."""
    if Register._get_reg().get(table) == Register.AMBIGUOUS_CLASS:
        raise TemplateError.ambiguous_table(template.name, parameter, table)
    cls = tables().get(table)
    if cls is None:
        raise TemplateError.unknown_table(template.name, parameter, table, sorted(tables()))
    for known, param in cls.get_params():
        # What the template has no default for, the report is given; its date is always there.
        if known not in {*template.parameters, "version", "date"} and not param.has_task_value(table, known):
            raise TemplateError.unset(template.name, parameter, table, known)
    return cls


def tables() -> dict[str, type[Result]]:
    """Every query and stage of the loaded pipelines, by the name that templates use."""
    # Looked for anew where tasks were defined since, as in a notebook.
    return current().once(("tables", len(Register._reg)), _find_tables)


def _find_tables() -> dict[str, type[Result]]:
    found: dict[str, type[Result]] = {}
    for name in Register.task_names():
        cls = Register._get_reg()[name]
        if isinstance(cls, type) and issubclass(cls, Query | Stage) and cls not in (Query, Stage):
            found[name] = cls
    return found


def read_template(name: str) -> Template:
    """A template of the project, read once in this process."""
    return current().once(("template", name), lambda: current().templates.read(name))


def template_code(name: str) -> Code:
    """The code closure of a template's cells."""
    return current().once(("template code", name), lambda: _read_template_code(name))


def _read_template_code(name: str) -> Code:
    template = read_template(name)
    project = current()
    samples = [str(template.parameters[name].default) for name in template.tables]
    name = project.label(template.path)
    return project.code.of_notebook(template.path, name, template.outline, template.source, samples)


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text, object_pairs_hook=_unique)
    except ValueError as error:
        raise ParameterError.not_json(text, str(error)) from error
    if not isinstance(found, dict):
        raise ParameterError.not_json(text, f"it is a JSON {type(found).__name__}")
    return found


def _reproducing(kept: str) -> str:
    """The command that lays a failed report for work by hand."""
    return shlex.join(["parcours", "reproduce", current().store.shown(kept), "--into", "try"])


def _seconds_since(started: str) -> float:
    passed = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(started)
    return round(passed.total_seconds(), 3)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; one that names a key twice means two things at once."""
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"'{name}' is given twice")
    return dict(pairs)


def _day(value: Any) -> Any:
    return value.date() if isinstance(value, datetime.datetime) else value


def _write_notebook(folder: Path, notebook: Any) -> None:
    import nbformat

    (folder / NOTEBOOK).write_text(nbformat.writes(notebook, version=4) + "\n", encoding="utf-8")
