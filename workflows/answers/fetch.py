"""The tables that a template needs, laid beside it or in a folder of their own, for work by hand."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from workflows.answers.laying import check_free, laid, write, write_notebook
from workflows.answers.modules import Modules, imports_of
from workflows.errors import PathError
from workflows.identity.canonical import digest_bytes
from workflows.notebooks.template import Template
from workflows.store.address import TABLE
from workflows.store.artefacts import Artefact
from workflows.tasks.build import built
from workflows.tasks.project import current
from workflows.tasks.report import ReportTask
from workflows.tasks.templates import template_code


@dataclass(frozen=True)
class Fetched:
    """One table where the template looks for it."""

    parameter: str
    place: str
    """Relative to the template."""
    path: Path
    """As people see it."""
    artefact: Artefact
    was: str = ""
    """What was there before."""

    @property
    def size(self) -> int:
        """The file's bytes."""
        return int(self.artefact.provenance.outputs[TABLE]["bytes"])

    @property
    def told(self) -> str:
        """The table in a line."""
        date = self.artefact.provenance.parameters.get("date", "-")
        size = f"{self.size / 1000:,.0f} kB" if self.size >= 1000 else f"{self.size} bytes"
        was = f"   (was {self.was})" if self.was else ""
        return f"{_rows(self.artefact)}{'' if date == '-' else f' of {date}'}, {size}  {self.path}{was}"


@dataclass(frozen=True)
class Fetching:
    """What was laid."""

    template: Template
    date: datetime.date
    tables: Sequence[Fetched]
    notebook: Path | None
    """The copy of the template, where one was laid."""

    exit_code = 0

    def as_json(self) -> dict[str, Any]:
        """Each table with its place."""
        return {
            "template": self.template.name,
            "date": self.date.isoformat(),
            "notebook": self.notebook and str(self.notebook),
            "tables": [
                {
                    "parameter": table.parameter,
                    "path": str(table.path),
                    "task": table.artefact.provenance.task,
                    "version": table.artefact.provenance.version,
                    **table.artefact.provenance.outputs[TABLE],
                }
                for table in self.tables
            ],
        }

    def lines(self) -> list[str]:
        """A line for each table, and how to go on."""
        width = max((len(table.parameter) for table in self.tables), default=0)
        lines = [f"{table.parameter:<{width}}  {table.told}" for table in self.tables]
        if self.notebook:
            return [*lines, f"open it: jupyter lab {self.notebook}"]
        if not self.tables:
            return [f"{self.template.name} needs no tables"]
        if self.template.values.get("date", self.date) != self.date:
            lines.append(f"the date in {self.template.name} is still {self.template.values['date']}")
        return lines


def fetch(name: str, date: datetime.date, parameters: str, into: Path | None, force: bool) -> Fetching:
    """Lay the tables of a template for a date where its defaults point to, or, with a copy of it, in a new folder.

    Raises PathError before anything is made where a file would be lost, unless `force` is given.
    """
    if into:
        check_free(into)
    report = ReportTask(date=date, template=name, parameters=parameters)
    template, tasks = report.source, report.requires()
    places = _places(template)
    if into is None and not force:
        _check_samples(template, places)
    artefacts = dict(zip(tasks, built(list(tasks.values())), strict=True))
    current().save()
    if into is None:
        return Fetching(template, date, _lay_samples(template, places, artefacts), None)
    with laid(into) as folder:
        for parameter, artefact in artefacts.items():
            write(folder / places[parameter], _bytes(artefact))
        code, label = template_code(name), current().label(template.path)
        modules = Modules(folder, imports_of(template), str(PurePosixPath(label).parent))
        modules.lay({file: data for file, data in code.sources.items() if file != label})
        modules.complete(current().settings.root)
        moved = {p: place for p, place in places.items() if template.parameters[p].default != place}
        write_notebook(folder / template.path.name, template, report.template_record()["values"], moved)
    tables = [Fetched(name, places[name], into / places[name], artefact) for name, artefact in artefacts.items()]
    return Fetching(template, date, tables, into / template.path.name)


def _places(template: Template) -> dict[str, str]:
    """Where each table lies, relative to the template: where its default says, else among the samples."""
    places: dict[str, str] = {}
    for name in template.tables:
        default = template.parameters[name].default
        place = PurePosixPath(default if isinstance(default, str) and default else f"samples/{name}.parquet")
        is_inside = not place.is_absolute() and ".." not in place.parts and "\0" not in str(place)
        if not is_inside or str(place) in places.values() or (template.path.parent / place).is_dir():
            raise PathError.sample_outside(template.name, name, str(default))
        places[name] = str(place)
    return places


def _check_samples(template: Template, places: Mapping[str, str]) -> None:
    """Refuse to overwrite what could not be had back."""
    files = [template.path.parent / place for place in places.values()]
    lost = [file for file in files if file.exists() and not _is_known(file) and not current().checkout.has(file)]
    if lost:
        raise PathError.sample_lost([str(_shown(file)) for file in lost])


def _lay_samples(template: Template, places: Mapping[str, str], artefacts: Mapping[str, Artefact]) -> list[Fetched]:
    """Lay the tables beside the template; all of them are written before the first takes its place."""
    found, moves = [], []
    try:
        for parameter, artefact in artefacts.items():
            target = template.path.parent / places[parameter]
            beside = target.with_name(f".{target.name}-{uuid.uuid4().hex}")
            moves.append((beside, target))
            write(beside, _bytes(artefact))
            was = _was(target, artefact)
            found.append(Fetched(parameter, places[parameter], _shown(target), artefact, was))
        for beside, target in moves:
            beside.replace(target)
    except OSError as error:
        raise PathError.not_laid(target, error.strerror or str(error)) from error
    finally:
        for beside, _ in moves:
            beside.unlink(missing_ok=True)
    for artefact in artefacts.values():
        record = artefact.provenance
        current().fetched.put(record.outputs[TABLE]["sha256"], record.parameters.get("date", "-"))
    current().save()
    return found


def _is_known(file: Path) -> bool:
    """Whether a file is a table that was fetched, and so can be fetched again."""
    return file.is_file() and current().fetched.get(digest_bytes(file.read_bytes())) is not None


def _was(file: Path, artefact: Artefact) -> str:
    """What is at a place that a table is to take: nothing to say where it is the same."""
    if not file.is_file():
        return ""
    digest = digest_bytes(file.read_bytes())
    if digest == artefact.provenance.outputs[TABLE]["sha256"]:
        return "the same"
    import pyarrow as pa
    import pyarrow.parquet as pq

    date = current().fetched.get(digest)
    try:
        return f"{pq.read_metadata(file).num_rows:,} rows{f' of {date}' if date not in (None, '-') else ''}"
    except (pa.ArrowException, OSError):
        return "no table"


def _rows(artefact: Artefact) -> str:
    rows = artefact.provenance.outputs[TABLE].get("rows", 0)
    return f"{rows:,} row{'' if rows == 1 else 's'}"


def _bytes(artefact: Artefact) -> bytes:
    return current().store.file(artefact, TABLE).read_bytes()


def _shown(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
