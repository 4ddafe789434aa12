"""How two records differ, part by part: code by definition, parameters, environment, template by cell."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

from workflows.answers.lineage import Node, Stores
from workflows.identity.sources import definition_text, source_diff
from workflows.store.provenance import Provenance

Cell = Mapping[str, Any]
Cells = Sequence[Cell]


@dataclass(frozen=True)
class TextChange:
    """A text that differs: a definition, a file of code, or a cell of a template."""

    name: str
    """The definition or the cell; empty for a whole file."""
    file: str
    """The file it is in."""
    what: str
    """'changed', 'added', 'removed', or 'in place of' another."""
    lines: tuple[str, ...] = ()
    """The unified difference."""
    note: str = ""
    """Why there is no difference to show."""

    @property
    def sentence(self) -> str:
        """The change in words: 'robust_scale in workflows/flights/robust.py changed'."""
        place = f"{self.name} in {self.file}" if self.name else self.file
        return f"{place} {self.what}" + (f" ({self.note})" if self.note else "")

    def as_json(self) -> dict[str, Any]:
        """The change for a program."""
        return asdict(self)


@dataclass(frozen=True)
class ValueChange:
    """A named value that differs: a parameter, or a package's version."""

    name: str
    old: Any
    """None where the first has no such name."""
    new: Any

    @property
    def sentence(self) -> str:
        """Both values: 'threshold 3.0 -> 4.0'."""
        return f"{self.name} {_shown(self.old)} -> {_shown(self.new)}"

    def as_json(self) -> dict[str, Any]:
        """The change for a program."""
        return asdict(self)


def environment_changes(a: Provenance, b: Provenance) -> list[ValueChange]:
    """The Python and the packages whose versions differ."""
    versions = [{"Python": r.environment["python"], **r.environment["packages"]} for r in (a, b)]
    # The last part of Python's version enters no identity.
    return [] if a.environment_key == b.environment_key else _values(*versions)


def parameter_changes(a: Provenance, b: Provenance) -> list[ValueChange]:
    """The significant parameters that differ; those of a report are the values of its template."""
    return _values(*map(_parameters, (a, b)))


def code_changes(a: Node, b: Node) -> list[TextChange]:
    """The definitions and whole files that differ, the templates apart."""
    old, new = _Code.of(a), _Code.of(b)
    if old.record.code["digest"] == new.record.code["digest"]:
        return []
    templates = {_template_file(code.record) for code in (old, new)}
    names = dict.fromkeys([*old.files, *new.files])
    differing = [name for name in names if old.files.get(name) != new.files.get(name) and name not in templates]
    return [change for name in differing for change in _file_changes(name, old, new)]


def template_changes(a: Node, b: Node) -> list[TextChange]:
    """The cells that differ."""
    codes = [_Code.of(node) for node in (a, b)]
    templates = [code.record.template for code in codes]
    if templates[0] is None or templates[1] is None or templates[0]["digest"] == templates[1]["digest"]:
        return []
    files = [_template_file(code.record) for code in codes]
    old, new = (_cells(code.text(file) if file else None) for code, file in zip(codes, files, strict=True))
    name = files[1] or f"{templates[1]['name']}.ipynb"
    if templates[0]["name"] != templates[1]["name"]:
        return [TextChange("", name, f"in place of {files[0] or templates[0]['name']}")]
    if old is None or new is None:
        return [TextChange("", name, "changed", note="no copy of it is in the store, so its cells cannot be compared")]
    found = [_cell_change(name, old, new, *both) for both in cell_pairs(old, new)]
    changes = [change for change in found if change]
    return changes or [TextChange("", name, "changed", note="the order, tags or options of its cells")]


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


@dataclass(frozen=True)
class _Code:
    """What is known of the code that made one side."""

    record: Provenance
    stores: Stores
    definitions: Mapping[str, Mapping[str, str]]
    """Nothing where the store has no copy of the code."""
    sources: Mapping[str, str]

    @property
    def files(self) -> Mapping[str, str]:
        found: dict[str, str] = self.record.code["files"]
        return found

    @classmethod
    def of(cls, node: Node) -> _Code:
        assert node.record
        kept = node.stores.code(node.record) or {}
        return cls(node.record, node.stores, kept.get("definitions", {}), kept.get("sources", {}))

    def text(self, file: str) -> str | None:
        return self.stores.text(self.sources[file]) if file in self.sources else None

    def names(self, file: str) -> Mapping[str, str]:
        """What of a file is reached; '' for all of it, also where nothing closer is known."""
        if file not in self.files:
            return {}
        return self.definitions.get(file) or {"": self.files[file]}


def _file_changes(file: str, old: _Code, new: _Code) -> Iterator[TextChange]:
    before, after = old.names(file), new.names(file)
    if before and after and ("" in before) != ("" in after):
        # It counts whole on one side only, so that only the whole can be compared.
        before, after = {"": "old"}, {"": "new"}
    texts = [code.text(file) for code in (old, new)]
    names = [name for name in dict.fromkeys([*before, *after]) if before.get(name) != after.get(name)]
    for name in names:
        what = "added" if name not in before else "removed" if name not in after else "changed"
        yield TextChange(name, file, what, *_text_difference(name, what, *texts))
    if not names:
        # The order of statements counts where several bind or change the same name.
        yield TextChange("", file, "changed", *_text_difference("", "changed", *texts))


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


def _parameters(record: Provenance) -> dict[str, Any]:
    if record.template:
        values = {name: value for name, value in record.template["values"].items() if name != "date"}
        return {"template": record.template["name"], "date": record.parameters.get("date"), **values}
    return {name: value for name, value in record.parameters.items() if name != "version"}


def _values(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[ValueChange]:
    names = dict.fromkeys([*old, *new])
    return [ValueChange(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)]


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
