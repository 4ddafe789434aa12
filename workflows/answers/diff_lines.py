"""The difference of two results as a few lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workflows.answers.diff import Difference
    from workflows.answers.steps import Step
    from workflows.answers.texts import TextChange

_SOURCE = 12
"""Lines of source shown of each change."""
_CHANGES = 10
"""Changes shown with their source in each part."""
_MANY = 5
"""Results and values named in each part."""
_INDENT = 15


def lines(found: Difference) -> list[str]:
    """Where they part, then each part that differs, what is the same, and what both show."""
    rows = [*_parts(found), *_outcome(found), *_unknown(found)]
    return [found.headline, *_laid(rows), *([f"page: {found.page}"] if found.page else [])]


def causes(found: Difference) -> list[str]:
    """The same without what both show."""
    return [found.headline, *_laid([*_parts(found), *_unknown(found)])]


def _laid(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    before = ""
    for name, text in rows:
        yield f"  {'' if name == before else name:<{_INDENT - 2}}{text}".rstrip()
        before = name


def _unknown(found: Difference) -> Iterator[tuple[str, str]]:
    yield from (("not known", sentence) for sentence in found.unknown)


def _parts(found: Difference) -> Iterator[tuple[str, str]]:
    for side, record in zip("AB", found.records, strict=True):
        if record.failure:
            yield "failed", f"{side} failed in cell {record.failure['cell']}: {record.failure['reason']}"
    for step in found.random:
        yield "random", step.randomness
        if step.table:
            yield "random", f"  {step.table.sentence}"
    for name, changes in (("code", found.code), ("template", found.template)):
        yield from ((name, line) for change in changes[:_CHANGES] for line in _source(change))
        if len(changes) > _CHANGES:
            yield name, f"and {len(changes) - _CHANGES} more, on the page of --html"
    yield from (("data", line) for line in _first(_rows(found.data)))
    yield from (("parameters", line) for line in _first([change.sentence for change in found.parameters]))
    yield from (("environment", line) for line in _first([change.sentence for change in found.environment]))
    yield from (("inputs", line) for line in _first(found.inputs))
    if found.parting and found.same:
        yield "same", ", ".join(found.same) + ("" if found.is_certain else ", as far as it is known")


def _outcome(found: Difference) -> Iterator[tuple[str, str]]:
    """What the two show."""
    yield from (("results", line) for line in _first(_rows([s for s in found.results if not s.is_random])))
    if found.measures:
        differing = [change for change in found.measures if not change.is_same]
        yield from (("measures", line) for line in _first([change.sentence for change in differing]))
        if found.parting and len(differing) < len(found.measures):
            yield "measures", f"{len(found.measures) - len(differing)} the same"
    if found.shown and found.shown.figures and found.parting:
        pictures = [figure for figure in found.shown.figures if figure.verdict != "same"]
        verdicts = dict.fromkeys(figure.verdict for figure in pictures)
        cells = "; ".join(f"{v} in {_cells([f.cell for f in pictures if f.verdict == v])}" for v in verdicts)
        yield "figures", f"{len(pictures)} of {len(found.shown.figures)} differ: {cells}" if pictures else "the same"
    if found.shown and found.shown.cells:
        yield "outputs", f"of {_cells(found.shown.cells)}"


def _source(change: TextChange) -> Iterator[str]:
    yield change.sentence
    marked = [line for line in change.lines if line[:1] in "+-" and line[1:].strip()]
    yield from (f"  {line}" for line in marked[:_SOURCE])
    if len(marked) > _SOURCE:
        left = len(marked) - _SOURCE
        yield f"  and {left} more line{'' if left == 1 else 's'}"


def _cells(names: Sequence[str]) -> str:
    """'cell 3', 'cell 4', 'cell 5 of A' as 'cell 3, 4, 5 of A'."""
    return ", ".join(dict.fromkeys(names)).replace(", cell ", ", ")


def _rows(steps: Sequence[Step]) -> list[str]:
    return [step.rows for step in steps]


def _first(sentences: Sequence[str]) -> list[str]:
    more = len(sentences) - _MANY
    return [*sentences[:_MANY], *([f"and {more} more"] if more > 0 else [])]
