"""The pictures that an evaluation shows: those of two reports side by side, with what differs, as small files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workflows.answers.figures import SVG, Figure, FigureChange

MOST = 20
"""Figures of one evaluation."""
_LARGEST = 1_000_000
"""Bytes of a drawing that is kept as it is."""


@dataclass
class Pictures:
    """The pictures of one evaluation."""

    files: dict[str, bytes] = field(default_factory=dict)
    """By name."""
    shown: int = 0
    left_out: int = 0
    """Figures that differ beyond those that are shown."""

    def add(self, change: FigureChange) -> dict[str, Any] | None:
        """A figure as verdicts tell it, its files kept; None where every pixel is the same, and where it is left out."""
        if self.shown >= MOST:
            self.left_out += 1
            return None
        share, files = _drawn(change)
        if share == 0:
            return None
        self.shown += 1
        names = dict.fromkeys(("old", "new", "difference"))
        for name, (ending, data) in files.items():
            names[name] = f"{self.shown}-{name}.{ending}"
            self.files[f"{self.shown}-{name}.{ending}"] = data
        return {**change.as_json(), "share": share, **names}


def _drawn(change: FigureChange) -> tuple[float | None, Mapping[str, tuple[str, bytes]]]:
    """The share of the pixels that differ, where both have any, and the files, each with its ending."""
    from workflows.evaluation.pixels import NoPicture, compare

    old, new = change.old, change.new
    if old and new and SVG not in (old.kind, new.kind):
        try:
            found = compare(old.content, new.content)
        except NoPicture:
            return None, {}
        drawn = {"old": found.old, "new": found.new, "difference": found.difference}
        return found.share, {name: ("png", data) for name, data in drawn.items()}
    sides = {"old": _alone(old), "new": _alone(new)}
    return None, {name: file for name, file in sides.items() if file}


def _alone(figure: Figure | None) -> tuple[str, bytes] | None:
    """A picture that is not compared by its pixels: a drawing as it is, others made small."""
    from workflows.evaluation.pixels import NoPicture, opened, small

    if figure is None:
        return None
    data = figure.content
    if figure.kind == SVG:
        return ("svg", data) if len(data) <= _LARGEST else None
    try:
        return "png", small(opened(data))
    except NoPicture:
        return None
