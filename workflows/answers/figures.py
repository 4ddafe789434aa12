"""What two reports show, cell by cell: figures side by side, and the cells whose outputs differ."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from workflows.answers.texts import Cells, cell_name, cell_pairs
from workflows.evaluation.measures import MIME

SVG = "image/svg+xml"
_IMAGES = (SVG, "image/png", "image/jpeg")


@dataclass(frozen=True)
class Figure:
    """A picture among a cell's outputs."""

    kind: str
    """Its media type."""
    data: str
    """SVG as text, other kinds in base64."""

    @property
    def content(self) -> bytes:
        """Its bytes; none where it is not what a notebook holds."""
        if self.kind == SVG:
            return self.data.encode("utf-8", "replace")
        try:
            return base64.b64decode(self.data)
        except ValueError:
            return b""


@dataclass(frozen=True)
class FigureChange:
    """A figure of one report with its counterpart in the other."""

    cell: str
    old: Figure | None
    """None where only the second report has it."""
    new: Figure | None

    @property
    def verdict(self) -> str:
        """'same', 'changed', 'added' or 'removed'."""
        if self.old is None:
            return "added"
        if self.new is None:
            return "removed"
        return "same" if self.old == self.new else "changed"

    def as_json(self) -> dict[str, Any]:
        """The comparison for a program, without the pictures."""
        return {"cell": self.cell, "verdict": self.verdict}


@dataclass(frozen=True)
class Shown:
    """What two reports show, side by side."""

    figures: tuple[FigureChange, ...]
    cells: tuple[str, ...]
    """The cells whose outputs differ, measures apart."""


def compare_outputs(old: Path, new: Path) -> Shown:
    """The outputs of two executed notebooks; raises ValueError for what is none."""
    before, after = _cells(old), _cells(new)
    figures: list[FigureChange] = []
    differing = []
    for at, to in cell_pairs(before, after):
        name = cell_name(before, after, at, to)
        outputs = [_outputs(cells, index) for cells, index in ((before, at), (after, to))]
        if outputs[0] != outputs[1]:
            differing.append(name)
        pictures = zip_longest(*(list(map(_figure, filter(_figure, found))) for found in outputs))
        figures += [FigureChange(name, *both) for both in pictures]
    return Shown(tuple(figures), tuple(differing))


def figures_in(notebook: Path) -> list[Figure]:
    """The figures that an executed notebook shows, in order; raises ValueError for what is none."""
    cells = _cells(notebook)
    return [figure for at in range(len(cells)) for figure in map(_figure, _outputs(cells, at)) if figure]


def _cells(path: Path) -> Cells:
    notebook = json.loads(path.read_bytes())
    # A failed report's notebook carries no digest, so it may be anything.
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise ValueError(f"{path} is no notebook")
    cells: Cells = notebook["cells"]
    if not all(isinstance(cell, dict) and "cell_type" in cell for cell in cells):
        raise ValueError(f"{path} has cells that are none")
    return cells


def _outputs(cells: Cells, index: int | None) -> list[Mapping[str, Any]]:
    """What a cell shows, without the count of executions and without measures, which are compared as numbers."""
    found = [] if index is None else cells[index].get("outputs", [])
    return [
        {name: value for name, value in output.items() if name != "execution_count"}
        for output in found
        if MIME not in output.get("data", {})
    ]


def _figure(output: Mapping[str, Any]) -> Figure | None:
    data = output.get("data", {})
    kind = next((kind for kind in _IMAGES if kind in data), None)
    if kind is None:
        return None
    text = data[kind] if isinstance(data[kind], str) else "".join(data[kind])
    return Figure(kind, text if kind == "image/svg+xml" else "".join(text.split()))
