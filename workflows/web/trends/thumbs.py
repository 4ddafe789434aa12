"""Charts of a thumb's size, which are lines and nothing else."""

from __future__ import annotations

from workflows.web.trends.series import Series

_SIZE = (160, 36)
"""Width and height."""


def thumb(series: Series) -> list[str]:
    """The lines of a chart of a thumb's size, as the points of polylines."""
    known = [float(value) for value in series.values if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    first, last = series.points[0].place, series.points[-1].place
    across = _SIZE[0] / ((last - first) or 1)
    return [
        " ".join(
            f"{(series.points[at].place - first) * across:.1f},{_height(float(series.values[at] or 0), low, high):.1f}"
            for at in piece
        )
        for piece in series.pieces
    ]


def place(series: Series, at: int) -> str:
    """Where a point stands in a chart of a thumb's size."""
    first, last = series.points[0].place, series.points[-1].place
    return f"{(series.points[at].place - first) * _SIZE[0] / ((last - first) or 1):.1f}"


def _height(value: float, low: float, high: float) -> float:
    """How far from the top a value stands; in the middle where all are the same."""
    return _SIZE[1] * (1 - (value - low) / (high - low)) if high > low else _SIZE[1] / 2
