"""The texts behind changes: of definitions, of files of code, and of the cells of a template."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

from workflows.answers.lineage import Node, Stores
from workflows.identity.changes import CodeChange, CodeState, code_changes
from workflows.identity.closure import Code
from workflows.identity.sources import definition_text, source_diff
from workflows.store.provenance import Provenance

Cell = Mapping[str, Any]
Cells = Sequence[Cell]


@dataclass(frozen=True)
class TextChange(CodeChange):
    """A text that differs: a definition, a file of code, or a cell of a template; `what` may be 'in place of' another."""

    lines: tuple[str, ...] = ()
    """The unified difference."""
    note: str = ""
    """Why there is no difference to show."""

    @property
    def sentence(self) -> str:
        """The change in words."""
        return super().sentence + (f" ({self.note})" if self.note else "")

    def as_json(self) -> dict[str, Any]:
        """The change for a program."""
        return asdict(self)


@dataclass(frozen=True)
class Texts:
    """A state of code with its texts, as far as they are at hand."""

    state: CodeState
    text: Callable[[str], str | None]
    """The text of a file."""

    @classmethod
    def of(cls, record: Provenance, stores: Stores) -> Texts:
        """The code that made a result, with the files that its run opened beyond."""
        kept = stores.code(record) or {"definitions": {}, "sources": {}}
        state = CodeState({**record.code["files"], **record.observed}, kept["definitions"])
        sources = kept["sources"]
        return cls(state, lambda file: stores.text(sources[file]) if file in sources else None)

    @classmethod
    def planned(cls, code: Code) -> Texts:
        """The code that would make a result."""
        return cls(
            code.state, lambda file: code.sources[file].decode("utf-8", "replace") if file in code.sources else None
        )


def texts_changed(a: Node, b: Node) -> list[TextChange]:
    """The definitions and whole files that differ, the templates apart."""
    if a.record is None or b.record is None:
        return []
    old, new = Texts.of(a.record, a.stores), Texts.of(b.record, b.stores)
    templates = {_template_file(a.record), _template_file(b.record)}
    return [
        with_text(change, old, new) for change in code_changes(old.state, new.state) if change.file not in templates
    ]


def marked(change: TextChange) -> Iterator[str]:
    """What went and what came, without the lines around it."""
    return (line for line in change.lines if line.startswith(("-", "+")))


def with_text(change: CodeChange, old: Texts, new: Texts) -> TextChange:
    """A change with the lines that differ."""
    texts = old.text(change.file), new.text(change.file)
    return TextChange(change.name, change.file, change.what, *_text_difference(change.name, change.what, *texts))


def template_changes(a: Node, b: Node) -> list[TextChange]:
    """The cells of the templates of two reports that differ."""
    records = [record for record in (a.record, b.record) if record and record.template]
    templates = [record.template for record in records if record.template]
    if len(templates) < 2 or templates[0]["digest"] == templates[1]["digest"]:
        return []
    files = [_template_file(record) for record in records]
    name = files[1] or f"{templates[1]['name']}.ipynb"
    if templates[0]["name"] != templates[1]["name"]:
        return [TextChange("", name, f"in place of {files[0] or templates[0]['name']}")]
    sides = zip(records, (a.stores, b.stores), files, strict=True)
    texts = [Texts.of(record, stores).text(file) if file else None for record, stores, file in sides]
    return cell_changes(name, *texts)


def cell_changes(file: str, before: str | None, after: str | None) -> list[TextChange]:
    """The cells that differ between two states of a notebook; the notebook itself where they cannot be told."""
    old, new = _cells(before), _cells(after)
    if old is None or new is None:
        return [TextChange("", file, "changed", note="no copy of it is in the store, so its cells cannot be compared")]
    found = [_cell_change(file, old, new, *both) for both in cell_pairs(old, new)]
    changes = [change for change in found if change]
    return changes or [TextChange("", file, "changed", note="the order, tags or options of its cells")]


def cell_pairs(old: Cells, new: Cells) -> Iterator[tuple[int | None, int | None]]:
    """The positions of cells that belong together: by id, then, of those that are left, by position among their kind."""
    places = {cell.get("id"): index for index, cell in enumerate(old) if cell.get("id")}
    taken = {index: places[cell["id"]] for index, cell in enumerate(new) if cell.get("id") in places}
    left = [index for index in range(len(old)) if index not in taken.values()]
    for index, cell in enumerate(new):
        kin = (at for at in left if at == index and old[at]["cell_type"] == cell["cell_type"])
        before = taken[index] if index in taken else next(kin, None)
        if before in left:
            left.remove(before)
        yield before, index
    yield from ((index, None) for index in left)


def cell_name(old: Cells, new: Cells, at: int | None, to: int | None) -> str:
    """How people call a cell, by its place in the new notebook where it is there: code cells are counted for themselves, as in
    the errors of reports."""
    cells, index = (old, at or 0) if to is None else (new, to)
    kind = cells[index]["cell_type"]
    number = sum(1 for cell in cells[: index + 1] if cell["cell_type"] == kind)
    return f"{'cell' if kind == 'code' else 'text cell'} {number}{' of A' if to is None else ''}"


def _text_difference(name: str, what: str, old: str | None, new: str | None) -> tuple[tuple[str, ...], str]:
    """The lines that differ in a definition, or in the file where it has no text of its own; or why there are none."""
    before, after = (None if what == "added" else old), (None if what == "removed" else new)
    if (before is None and what != "added") or (after is None and what != "removed"):
        return (), "no copy of its text is in the store"
    if name:
        own = [text and definition_text(text, name) for text in (before, after)]
        if any(own):
            before, after = own
    lines = tuple(source_diff(before, after))
    return lines, "" if lines else "its own text is the same"


def _cell_change(file: str, old: Cells, new: Cells, at: int | None, to: int | None) -> TextChange | None:
    kinds = (old[at]["cell_type"] if at is not None else None, new[to]["cell_type"] if to is not None else None)
    before, after = (old[at]["source"] if at is not None else None), (new[to]["source"] if to is not None else None)
    if kinds[0] == kinds[1] and before == after:
        return None
    name = cell_name(old, new, at, to)
    what = "added" if before is None else "removed" if after is None else "changed"
    lines = source_diff(before, after)
    return TextChange(name, file, what, tuple(lines), "" if lines else "its text is the same")


def _cells(text: str | None) -> list[dict[str, Any]] | None:
    """The cells of a notebook, with their sources joined."""
    try:
        cells = json.loads(text or "")["cells"]
        return [{**cell, "source": "".join(cell["source"])} for cell in cells]
    except (ValueError, KeyError, TypeError):
        return None


def _template_file(record: Provenance) -> str | None:
    """The template's file among the files of a report's code."""
    wanted = f"{record.template['name']}.ipynb" if record.template else None
    return next((name for name in record.code["files"] if PurePosixPath(name).name == wanted), None)
