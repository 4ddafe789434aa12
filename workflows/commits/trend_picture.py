"""A trend as a picture: a panel for each line, with its steps and breaks."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from workflows.errors import TrendError
from workflows.evaluation.lines import Line

if TYPE_CHECKING:
    from workflows.commits.trend import Axis, Trend

_INK, _BETTER, _WORSE, _BREAK = "#1f4e79", "#2a7f4f", "#b3261e", "#8a8a8a"
_MANY = 16
"""Points from which on not every one is named below the picture."""


def drawn(trend: Trend, kind: str) -> bytes:
    """The picture's file, 'svg' or 'png'; the same trend gives the same bytes. Raises TrendError without matplotlib."""
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise TrendError.no_matplotlib() from error
    with matplotlib.rc_context({"svg.hashsalt": "parcours", "svg.fonttype": "none"}):
        figure = Figure(figsize=(9, 1 + 2.2 * len(trend.lines_)), layout="constrained")
        panels = figure.subplots(len(trend.lines_), 1, squeeze=False)[:, 0]
        figure.suptitle(f"{trend.measure} over {trend.over}, suite {trend.suite}", fontsize=11)
        for panel, line in zip(panels, trend.lines_, strict=True):
            _draw(panel, line, trend.over)
        file = io.BytesIO()
        metadata = {"Date": None} if kind == "svg" else {"Software": None}
        figure.savefig(file, format=kind, dpi=120, metadata=metadata)
    return file.getvalue()


def _draw(panel: Any, line: Line, over: Axis) -> None:
    places = [at for at, value in enumerate(line.values) if value is not None]
    panel.set_title(line.report, fontsize=9, loc="left")
    panel.set_ylabel(line.unit or "value", fontsize=8)
    for piece in _pieces(line):
        panel.plot(piece, [line.values[at] for at in piece], color=_INK, marker="o", markersize=3, linewidth=1)
    for at in dict.fromkeys(found.at for found in line.breaks):
        kinds = ", ".join(found.kind for found in line.breaks if found.at == at)
        panel.axvline(at - 0.5, color=_BREAK, linestyle=":", linewidth=1)
        panel.annotate(
            kinds,
            (at - 0.5, 1),
            xycoords=("data", "axes fraction"),
            fontsize=7,
            color=_BREAK,
            rotation=90,
            va="top",
            ha="right",
        )
    for change in line.changes:
        colour = {"better": _BETTER, "worse": _WORSE}.get(change.verdict, _INK)
        panel.plot([change.at], [line.values[change.at]], marker="D", color=colour, markersize=6, linestyle="none")
    shown = places[:: max(1, len(places) // _MANY)]
    names = [line.points[at].date if over == "dates" else line.points[at].commit.sha[:7] for at in shown]
    panel.set_xticks(shown, names, rotation=60, fontsize=7, ha="right")
    panel.tick_params(axis="y", labelsize=8)
    panel.margins(y=0.15)


def _pieces(line: Line) -> Iterator[list[int]]:
    """The points with a value, parted where the line breaks."""
    piece: list[int] = []
    breaks = {found.at for found in line.breaks}
    for at, value in enumerate(line.values):
        if at in breaks and piece:
            yield piece
            piece = []
        if value is not None:
            piece.append(at)
    if piece:
        yield piece
