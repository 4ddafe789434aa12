"""A finished drawing: sharp, of fixed size, the same bytes for the same data, described in words."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from workflows.flights import colours

WIDTH = 9.5  # inches
DPI = 96  # at which an inch is an inch on the page
LOW = 0.5  # inches: a picture no higher is a sentence, which may shrink
SHARPNESS = 2  # pixels of the picture per pixel of the page, for screens of high resolution

STYLE: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same picture on every machine
    "font.size": 9,
    "text.color": colours.INK,
    "axes.edgecolor": colours.MUTED,
    "axes.labelcolor": colours.MUTED,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.titlepad": 8,
    "axes.labelsize": 8.5,
    "axes.unicode_minus": True,
    "axes.axisbelow": True,
    "xtick.color": colours.MUTED,
    "ytick.color": colours.MUTED,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "grid.color": colours.LINE,
    "grid.linewidth": 0.7,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
}


class Picture:
    """A drawing as PNG with its description, for a notebook to show when it is the last line of a cell."""

    def __init__(self, png: bytes, height: float, description: str) -> None:
        self.png = png
        self.height = height  # inches
        self.description = description

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        shown = {"width": round(WIDTH * DPI), "height": round(self.height * DPI), "alt": self.description}
        if self.height > LOW:
            shown["unconfined"] = True  # page.CSS keeps it legible on narrow screens: it scrolls
        return {"image/png": self.png, "text/plain": self.description}, {"image/png": shown}

    def __repr__(self) -> str:
        return self.description


def drawn(draw: Callable[[Figure], None], height: float, description: str) -> Picture:
    """The picture that `draw` makes of an empty figure of `height` inches.

    No figure is shared or left open: neither pyplot nor the notebook's own way of showing figures is involved.
    """
    height = round(height * DPI) / DPI  # whole pixels, or the picture would be cut off by a part of one
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=DPI * SHARPNESS, metadata={"Software": None})
    return Picture(buffer.getvalue(), height, description)


def blank(message: str) -> Picture:
    """A low picture with nothing but a sentence, where there is nothing to draw."""

    def draw(figure: Figure) -> None:
        figure.text(0.005, 0.5, message, color=colours.MUTED, va="center", fontsize=10)

    return drawn(draw, LOW, message)


def hours(axes: Axes, first: int = 5, last: int = 23) -> None:
    """Make the x axis the local hours of the day."""
    axes.set_xlim(first - 0.6, last + 0.6)
    ticks = [hour for hour in range(first + 1, last + 1) if hour % 3 == 0]
    axes.set_xticks(ticks, [f"{hour}:00" for hour in ticks])


def level(axes: Axes, height: float, text: str = "", colour: str = colours.MUTED) -> None:
    """A thin line across at `height`, its meaning written above its right end."""
    axes.axhline(height, color=colour, linewidth=0.8, zorder=1)
    axes.annotate(
        text, (1, height), xycoords=("axes fraction", "data"), xytext=(0, 2), textcoords="offset points",
        ha="right", va="bottom", color=colour, fontsize=8,
    )  # fmt: skip
