"""What differs between two makings of one result, file by file, in a few words."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from workflows.data.tables import read_table
from workflows.evaluation.measures import from_json
from workflows.notebooks.html import content
from workflows.store.address import MEASURES, NOTEBOOK, REPORT, TABLE


def differences(stored: dict[str, Path], made: dict[str, Path]) -> list[str]:
    """What differs between the files of a stored result and of one just made: columns, cells, measures; none if equal."""
    found = [
        f"{name} was {'stored' if name in stored else 'made'} only" for name in sorted(stored.keys() ^ made.keys())
    ]
    for name in sorted(stored.keys() & made.keys()):
        if _bytes(stored[name]) != _bytes(made[name]):
            found += _words(name, stored[name], made[name])
    return found


def _bytes(path: Path) -> bytes:
    """A file's bytes, those of a page without what says when it was made."""
    data = path.read_bytes()
    return content(data.decode("utf-8", "replace")).encode() if path.name == REPORT else data


def _words(name: str, stored: Path, made: Path) -> list[str]:
    compare = {TABLE: _columns, NOTEBOOK: _cells, MEASURES: _measures}.get(name)
    try:
        said = list(compare(stored, made)) if compare else []
    except Exception as error:  # whatever a reader raises over bytes that nothing here wrote
        return [f"{name} ({type(error).__name__}: {error})"]
    return said or [name if name == REPORT else f"{name} (the same content, spelled otherwise)"]


def _columns(stored: Path, made: Path) -> Iterator[str]:
    was, now = read_table(stored), read_table(made)
    if len(was) != len(now):
        yield f"{len(was)} rows -> {len(now)} rows"
        return
    if list(was.columns) != list(now.columns):
        yield f"columns {', '.join(map(str, was.columns))} -> {', '.join(map(str, now.columns))}"
        return
    if not was.index.equals(now.index):
        yield "the index"
    for number, name in enumerate(was.columns):
        if not was.iloc[:, number].equals(now.iloc[:, number]):
            yield f"column '{name}'"


def _cells(stored: Path, made: Path) -> Iterator[str]:
    for number, (was, now) in enumerate(zip_longest(_code_cells(stored), _code_cells(made)), 1):
        if was != now:
            yield f"cell {number}"


def _code_cells(path: Path) -> list[dict[str, Any]]:
    import nbformat

    notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _measures(stored: Path, made: Path) -> Iterator[str]:
    was, now = ({m.name: m for m in from_json(path.read_bytes())} for path in (stored, made))
    for name in sorted(was.keys() | now.keys()):
        if was.get(name) != now.get(name):
            yield f"measure {name} {_value(was.get(name))} -> {_value(now.get(name))}"


def _value(measure: Any) -> str:
    if measure is None or measure.value is None:
        return "nothing"
    return f"{measure.value!r}" if measure.unit == "1" else f"{measure.value!r} {measure.unit}"
