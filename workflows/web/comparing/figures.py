"""Figures of two reports: each pair with the addresses of its pictures, and the pictures themselves."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from workflows.answers.diff import Difference
from workflows.answers.figures import SVG, Figure, FigureChange, figures_in
from workflows.answers.found import store
from workflows.answers.lineage import lineage
from workflows.errors import PathError
from workflows.identity.canonical import digest_bytes
from workflows.store.address import NOTEBOOK

_DIGITS = 24
_MOST = 60
"""Figures of one comparison."""


@dataclass(frozen=True)
class Side:
    """A figure in its report."""

    address: str
    size: tuple[int, int] | None
    """Width and height in pixels; None for drawings, and where the file does not say."""


@dataclass(frozen=True)
class Pair:
    """A figure of both reports, or of one of them."""

    cell: str
    verdict: str
    """'same', 'changed', 'added' or 'removed'."""
    a: Side | None
    b: Side | None
    pixels: str | None
    """The address of the picture of where they differ."""


def pairs(found: Difference, paths: tuple[str, str]) -> list[Pair]:
    """The figures of both reports, in order."""
    return [_pair(change, paths) for change in (found.shown.figures if found.shown else ())[:_MOST]]


def find(path: str, digest: str) -> Figure | None:
    """The figure of a report whose content has a digest that begins so."""
    if len(digest) != _DIGITS:
        return None
    return next((figure for figure in _of_report(path) if _digest(figure) == digest), None)


def difference(old: Figure | None, new: Figure | None) -> bytes | None:
    """A picture of where two differ; None where they cannot be compared so."""
    from workflows.evaluation.pixels import NoPicture, compare

    if old is None or new is None or SVG in (old.kind, new.kind):
        return None
    try:
        return compare(old.content, new.content).difference
    except NoPicture:
        return None


def _pair(change: FigureChange, paths: tuple[str, str]) -> Pair:
    old, new = (_side(figure, path) for figure, path in zip((change.old, change.new), paths, strict=True))
    return Pair(change.cell, change.verdict, old, new, _pixels(change, paths))


def _side(figure: Figure | None, path: str) -> Side | None:
    if figure is None:
        return None
    return Side(f"/compare/figure?{urlencode({'of': path, 'figure': _digest(figure)})}", _size(figure))


def _pixels(change: FigureChange, paths: tuple[str, str]) -> str | None:
    if not (change.verdict == "changed" and change.old and change.new) or SVG in (change.old.kind, change.new.kind):
        return None
    words = {"a": paths[0], "b": paths[1], "figure_a": _digest(change.old), "figure_b": _digest(change.new)}
    return f"/compare/pixels?{urlencode(words)}"


def _size(figure: Figure) -> tuple[int, int] | None:
    """What the head of a file says, so that the page keeps its room."""
    from PIL import Image

    if figure.kind == SVG:
        return None
    try:
        with Image.open(io.BytesIO(figure.content)) as picture:
            return picture.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _digest(figure: Figure) -> str:
    return digest_bytes(f"{figure.kind} {figure.data}".encode("utf-8", "replace"))[:_DIGITS]


def _of_report(path: str) -> Iterator[Figure]:
    try:
        notebook = lineage(store().shown(path)).file(NOTEBOOK)
        yield from figures_in(notebook) if notebook else ()
    except (PathError, OSError, ValueError, json.JSONDecodeError):
        return
