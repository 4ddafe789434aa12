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

from workflows.errors import ParameterError, ReportError
from workflows.evaluation.measures import from_json, in_notebook, to_json
from workflows.identity.canonical import canonical_json, digest_bytes
from workflows.identity.closure import Code
from workflows.notebooks.template import Template
from workflows.notebooks.values import as_json
from workflows.store.address import FAILURE, MEASURES, NOTEBOOK, REPORT, TABLE
from workflows.store.artefacts import Address, Artefact, Provenance, described
from workflows.store.plans import Planned
from workflows.store.timing import Stopwatch
from workflows.tasks import command
from workflows.tasks.growing import growing
from workflows.tasks.kernels import environment, imported_ahead
from workflows.tasks.listener import listener
from workflows.tasks.pages import Pages, written_soon
from workflows.tasks.parameters import DateParameter, json_object
from workflows.tasks.plan import Recipe
from workflows.tasks.production import Made
from workflows.tasks.progress import Progress
from workflows.tasks.project import current
from workflows.tasks.result import Result
from workflows.tasks.sightings import learned
from workflows.tasks.templates import read_template, table_class, template_code

if TYPE_CHECKING:
    from workflows.notebooks.execution import Execution, Failure


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
        name, text = values["template"], values["parameters"]
        # A template's values are read once for all its dates.
        date, parameters = current().once((name, text, "given"), lambda: _given(read_template(name), text))
        if date not in (None, values["date"]):
            raise ParameterError.date_twice(name, json_object(text)["date"], values["date"])
        return {**values, "parameters": parameters}

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

    @cached_property
    def values(self) -> dict[str, Any]:
        """The values of all parameters that hold no table."""
        template = self.source
        given = template.validated(json_object(self.parameters))
        values = {**template.values, **given}
        if "date" in template.parameters:
            values["date"] = self.date
        return {name: values[name] for name in template.parameters if name in values}

    def requires(self) -> dict[str, Result]:
        """The tasks whose tables the template's annotations name."""
        template, values = self.source, self.values
        return {name: self._table(template, name, table, values) for name, table in template.tables.items()}

    def named_code(self) -> Code:
        """The code of the template's cells."""
        return template_code(self.template)

    def recipe(self, planned: Planned | None = None) -> Recipe:
        """The template's code, its values, and how the page opens."""
        texts = {
            "date": self.date.isoformat(),
            "template": self.template,
            "values": canonical_json(as_json(self.values)),
        }
        if self._shows_code:
            texts["code"] = "shown"
        return Recipe(texts, self.named_code())

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
            grown(notebook, done, of)
            progress.timing.lap("preview")

        def show(notebook: Any, done: int, of: int) -> None:
            self._show_growing(notebook, folder, done, of)

        with written_soon(), growing(show, progress.shows_every) as grown:
            execution = execute(
                self.source.filled({**self._changed, **tables}),
                folder=project.settings.templates,
                root=project.settings.root,
                limits=Limits(project.settings.cell_timeout, project.settings.report_timeout),
                watcher=watch,
                seed=canonical_json([self.get_task_family(), self.significant_texts()]),
                scope=project.scope,
                ahead=imported_ahead([self]),
                environment=environment(),
                timing=progress.timing,
            )
        self._settle(execution.notebook, inputs)
        if execution.failure:
            raise self._failed(folder, execution, execution.failure, draft, progress)
        (folder / MEASURES).write_text(to_json(in_notebook(execution.notebook.cells)), encoding="utf-8")
        _write_notebook(folder, execution.notebook)
        progress.timing.lap("write")
        draft, recipe = learned(self, draft, execution.observed, inputs)
        progress.timing.lap("check")
        made = self._rendered(folder, execution.notebook, draft, progress.timing)
        return replace(made, draft=draft, recipe=recipe)

    def take(
        self,
        folder: Path,
        twin: Artefact,
        inputs: Sequence[Artefact],
        draft: Provenance,
        timing: Stopwatch | None = None,
    ) -> Made:
        """Take over an equal report's outputs and measures; the inputs it names and the page's provenance are its own."""
        import nbformat

        store = current().store
        store.reuse(twin, MEASURES, folder)
        notebook = nbformat.reads(store.file(twin, NOTEBOOK).read_text(encoding="utf-8"), as_version=4)
        self._settle(notebook, inputs)
        _write_notebook(folder, notebook)
        if timing:
            timing.lap("take")
        return self._rendered(folder, notebook, draft, timing)

    def _rendered(self, folder: Path, notebook: Any, draft: Provenance, timing: Stopwatch | None) -> Made:
        from workflows.notebooks.html import content, with_record

        outputs = described(folder, {NOTEBOOK: None, MEASURES: None})
        if timing:
            timing.lap("store")
            draft = replace(draft, timing=timing.record(current().run))
        record = replace(draft, outputs=outputs, seconds=_seconds_since(draft.started))
        measures = from_json((folder / MEASURES).read_bytes())
        page = self._pages.made(notebook, record, measures)
        if timing:
            timing.lap("html")
            record = replace(record, timing=timing.record(current().run))
            page = with_record(page, json.loads(record.to_json()))
        (folder / REPORT).write_text(page, encoding="utf-8")
        return Made(
            {REPORT: None, NOTEBOOK: None, MEASURES: None},
            template=self.template_record(),
            shown=f"{len(measures)} measure{'' if len(measures) == 1 else 's'}",
            seconds=record.seconds,
            timing=record.timing,
            contents={REPORT: digest_bytes(content(page).encode())},
        )

    def _failed(
        self, folder: Path, execution: Execution, failure: Failure, draft: Provenance, progress: Progress
    ) -> ReportError:
        """Keep what there is of a failed report, and say where it is and how to make it again."""
        seconds, timing = _seconds_since(draft.started), progress.timing.record(current().run)
        record = replace(draft, failure=asdict(failure), seconds=seconds, timing=timing)
        where = f"cell {failure.cell} of {failure.of}" if failure.cell <= failure.of else "the end"
        sentence = f"{self.label} failed in {where}: {failure.reason}"
        store, code = current().store, self.identity.recipe.code

        def finish(kept: str) -> None:
            ways = [f"again: {self.command}", f"try it: {_reproducing(kept)}"]
            page = self._pages.failed(execution.notebook, record, [sentence, *filter(None, [failure.line]), *ways])
            (folder / REPORT).write_text(page, encoding="utf-8")

        _write_notebook(folder, execution.notebook)
        (folder / FAILURE).write_text(record.to_json(), encoding="utf-8")
        store.code.keep(code.record(), code.sources)
        now = datetime.datetime.now(datetime.UTC)
        kept = store.failures.keep(folder, self.template, self.date.isoformat(), now, finish)
        progress.link(store.link(f"{kept}/{REPORT}"))
        listener().kept(kept)
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
        beside = folder / f".{REPORT}"
        page = self._pages.growing(notebook, self.label, done, of)
        beside.write_text(page, encoding="utf-8")
        beside.replace(folder / REPORT)
        listener().grown(page)

    @property
    def _pages(self) -> Pages:
        return Pages(f"{self.source.title} · {self.date}", self._shows_code)

    def _table(self, template: Template, name: str, table: str, values: dict[str, Any]) -> Result:
        """The task behind a table's parameter, with the template's values for the parameters that both know."""
        cls = current().once((template.name, name, table, "table"), lambda: table_class(template, name, table))
        given = {**values, "date": self.date}
        params = [known for known, _ in cls.get_params() if known != "version"]
        found: Result = cls(**{known: given[known] for known in params if known in given})
        return found


def _given(template: Template, text: str) -> tuple[datetime.date | None, str]:
    """The date among the values in a JSON text, if there is one, and the others, canonical, without the template's defaults."""
    given = template.validated(json_object(text))
    date = _day(given.pop("date", None))
    for name, parameter in template.parameters.items():
        if parameter.table is None and name not in {**template.values, **given, "date": date}:
            raise ParameterError.wrong(template.name, name, "not given", parameter.type.expected)
    defaults = template.values
    others = {name: value for name, value in given.items() if name not in defaults or defaults[name] != value}
    return date, canonical_json(as_json(others))


def _reproducing(kept: str) -> str:
    """The command that lays a failed report for work by hand."""
    return shlex.join(["parcours", "reproduce", current().store.shown(kept), "--into", "try"])


def _seconds_since(started: str) -> float:
    passed = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(started)
    return round(passed.total_seconds(), 3)


def _day(value: Any) -> Any:
    return value.date() if isinstance(value, datetime.datetime) else value


def _write_notebook(folder: Path, notebook: Any) -> None:
    import nbformat

    (folder / NOTEBOOK).write_text(nbformat.writes(notebook, version=4) + "\n", encoding="utf-8")
