"""A report laid for work by hand: its notebook as it was, with its values, data, modules and environment."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from workflows import settings
from workflows.answers.found import Found, find, store
from workflows.answers.laying import check_free, laid, write, write_notebook
from workflows.answers.modules import Modules, imports_of
from workflows.answers.tree import when_and_who
from workflows.errors import PathError, StoreError, listed
from workflows.identity.environment import engine_version
from workflows.identity.memo import Memo
from workflows.identity.surroundings import FIXED
from workflows.notebooks.template import Template, Templates
from workflows.store.address import NOTEBOOK, PROVENANCE, TABLE
from workflows.store.provenance import Provenance, commit_of

_SAID = ("TZ", "LC_ALL", "PYTHONHASHSEED")


@dataclass
class Reproduction:
    """What was laid, and what it differs in from the report."""

    found: Found
    folder: Path
    tables: dict[str, int | None] = field(default_factory=dict)
    """The rows of each table that was laid."""
    modules: list[str] = field(default_factory=list)
    """The files of the project's own code."""
    differences: list[str] = field(default_factory=list)
    """What is not here as it was there."""
    missing: list[str] = field(default_factory=list)
    """What the store no longer has, in sentences."""

    @property
    def exit_code(self) -> int:
        """1 where something is missing."""
        return 1 if self.missing else 0

    @property
    def notebook(self) -> Path:
        """The notebook."""
        return self.folder / f"{_template(self.found.record)['name']}.ipynb"

    def as_json(self) -> dict[str, Any]:
        """What was laid."""
        return {
            "notebook": str(self.notebook),
            "version": self.found.record.version,
            "tables": self.tables,
            "modules": self.modules,
            "differences": self.differences,
            "missing": self.missing,
        }

    def lines(self) -> list[str]:
        """What was laid, where it differs, and how to go on."""
        told = [("laid", f"{self.notebook}, {_made(self.found.record)}"), ("tables", self.told_tables)]
        told += [("modules", f"{len(self.modules)} file{'' if len(self.modules) == 1 else 's'}")]
        told += [("differs", text) for text in self.differences] + [("missing", text) for text in self.missing]
        failure = self.found.record.failure
        if failure:
            told.append(("failed", _failed(failure)))
        return [f"{word:<10}{text}" for word, text in [*told, ("open it", f"jupyter lab {self.notebook}")]]

    @property
    def told_tables(self) -> str:
        """The tables with their rows."""
        return listed(f"{name} {rows} rows" for name, rows in self.tables.items())


def reproduce(path: str, folder: Path) -> Reproduction:
    """Lay the report at a path into a new folder; raises PathError where that is no report, or would be of no use."""
    found = find(path)
    if found.record.template is None:
        raise PathError.no_report(path, f"{found.record.task} {found.date}")
    check_free(folder)
    code = store().code.record(found.record.code["digest"])
    sources = {name: store().code.source(sha256) for name, sha256 in code["sources"].items()} if code else {}
    template, label = _notebook(found, sources)
    if len(template.tables) != len(found.record.inputs):
        raise PathError.no_artefact(path, f"has inputs that are not those of {template.name}")
    made = Reproduction(found, folder)
    with laid(folder) as beside:
        _lay_tables(made, template, beside)
        _lay_modules(made, template, {name: data for name, data in sources.items() if name != label}, label, beside)
        if label is None:
            made.missing.append("the code of the report, so that the modules are those of today")
        made.differences += _differences(found.record, sources)
        tables = {name: f"data/{name}.parquet" for name in template.tables}
        write_notebook(beside / made.notebook.name, template, _template(found.record)["values"], tables)
        write(beside / PROVENANCE, found.record.to_json().encode())
        write(beside / "requirements.txt", _requirements(found.record).encode())
        write(beside / "README.md", _readme(made).encode())
    return made


def _template(record: Provenance) -> dict[str, Any]:
    assert record.template is not None
    return record.template


def _notebook(found: Found, sources: dict[str, bytes | None]) -> tuple[Template, str | None]:
    """The template as it was, with its name in the closure; or the report's own notebook, where that is all there is."""
    name = _template(found.record)["name"]
    read = Templates(Path(), Memo(settings.load().cache, "unsaved")).of_bytes
    for label, data in sources.items():
        if PurePosixPath(label).name == f"{name}.ipynb" and data is not None:
            return read(name, Path(label), data), label
    data = _own_notebook(found)
    if data is None:
        raise PathError.no_notebook(found.shown, name)
    return read(name, Path(NOTEBOOK), data), None


def _own_notebook(found: Found) -> bytes | None:
    """The notebook of the report itself, if it is as it was written."""
    record = found.record
    if record.failure:
        return (found.folder / NOTEBOOK).read_bytes() if found.folder else None
    kept = store().by_version(record.task, found.date, record.version)
    try:
        return store().file(kept, NOTEBOOK).read_bytes() if kept else None
    except StoreError:
        return None


def _lay_tables(made: Reproduction, template: Template, folder: Path) -> None:
    for name, given in zip(template.tables, made.found.record.inputs, strict=True):
        task, date, digest = given["task"], given.get("date", "-"), given["digest"]
        what = f"{name}, the table of {task} {date}"
        artefact = store().by_version(task, date, given["version"])
        if artefact is None or artefact.provenance.outputs.get(TABLE, {}).get("sha256") != digest:
            artefact = store().with_bytes(task, date, TABLE, digest)
        if artefact is None:
            made.missing.append(f"{what}: version {given['version'][:16]} is not in the store")
            continue
        try:
            write(folder / "data" / f"{name}.parquet", store().file(artefact, TABLE).read_bytes())
        except StoreError as error:
            made.missing.append(f"{what}: {error}")
        else:
            made.tables[name] = artefact.provenance.outputs[TABLE].get("rows")


def _lay_modules(
    made: Reproduction, template: Template, sources: dict[str, bytes | None], label: str | None, folder: Path
) -> None:
    modules = Modules(folder, imports_of(template), str(PurePosixPath(label or "").parent))
    modules.lay({name: data for name, data in sources.items() if data is not None})
    made.missing += [f"{name}, as it was" for name, data in sources.items() if data is None]
    of_today, absent = modules.complete(settings.load().root)
    made.modules = sorted([*modules.laid.values(), *of_today])
    if of_today:
        made.differences.append(f"as here today, because nothing in it counted: {listed(of_today)}")
    made.missing += [f"the module {name}" for name in absent]


def _differences(record: Provenance, sources: dict[str, bytes | None]) -> Iterator[str]:
    """What of the environment and the code was otherwise."""
    pairs = {"Python": (record.environment["python"], platform.python_version())}
    pairs |= {name: (version, _installed(name)) for name, version in record.environment["packages"].items()}
    yield from (f"{name} {then} then, {here} here" for name, (then, here) in pairs.items() if then != here)
    root = settings.load().root
    for name, data in sources.items():
        file = root / name
        if data is not None and file.is_file() and file.read_bytes() != data:
            yield f"{name} has changed since"


def _installed(name: str) -> str:
    if name == "parcours":
        return engine_version(Memo(settings.load().cache, "distributions"))
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _requirements(record: Provenance) -> str:
    lines = [f"# Python {record.environment['python']}"]
    for name, version in record.environment["packages"].items():
        # The engine comes from its own checkout, not from an index of packages.
        lines.append(f"# {name} {version}" if name == "parcours" else f"{name}=={version}")
    return "\n".join([*lines, ""])


def _made(record: Provenance) -> str:
    return f"{'failed' if record.failure else 'made'} {when_and_who(record)}, {commit_of(record.code)}"


def _failed(failure: dict[str, Any]) -> str:
    return "in cell {cell} of {of}: {reason}".format(**failure)


def _readme(made: Reproduction) -> str:
    record, name = made.found.record, made.notebook.name
    parts = [f"# {_template(record)['name']} {made.found.date}\n"]
    parts.append(f"The report of version {record.version[:16]}, {_made(record)}, for work by hand.\n")
    if record.failure:
        line = f"\n\n    {record.failure['line']}" if record.failure["line"] else ""
        parts.append(f"It failed {_failed(record.failure)}{line}\n")
    start = " ".join(f"{variable}={value}" for variable, value in FIXED.items() if variable in _SAID)
    parts.append(
        f"Open it in this folder and run it from top to bottom; it needs no network and no database:\n\n    {start} jupyter lab {name}\n"
    )
    parts.append(
        f"- `{name}`: the template as it was, with the values of the report.\n"
        f"- `data/`: its tables ({made.told_tables}).\n"
        "- `requirements.txt`: the packages and the Python it ran with (`python -m pip install -r requirements.txt jupyterlab`).\n"
        f"- `{PROVENANCE}`: how it came to be.\n"
        "- everything else: the project's own modules as they were.\n"
    )
    for title, texts in (("What differs here", made.differences), ("What is missing", made.missing)):
        if texts:
            parts.append(f"## {title}\n\n" + "".join(f"- {text}\n" for text in texts))
    return "\n".join(parts)
