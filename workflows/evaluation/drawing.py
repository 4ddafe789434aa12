"""An evaluation drawn for a notebook: its verdict, tables, causes and pictures, each shown by the last line of a cell."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflows.evaluation import wording
from workflows.evaluation.reading import Evaluated, Pictures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame
    from PIL.Image import Image

COLOURS = {"worse": "#a8323a", "missing": "#8a5a00", "better": "#2b7a4b", "new": "#2f6f8f", "same": "#5b6675"}
_OTHER = "#5b6675"
_BAND = "#dfe4ea"
_WIDTH = 9.5
_DPI = 96
_ROWS = 30
_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,  # names may hold dollar signs
}


class Piece:
    """A part of a page, with the words to show where HTML cannot be shown."""

    def __init__(self, html: str, text: str) -> None:
        self._html, self._text = html, text

    def _repr_html_(self) -> str:
        return self._html

    def __repr__(self) -> str:
        return self._text


class Drawing:
    """A picture with its description."""

    def __init__(self, png: bytes, height: float, description: str) -> None:
        self._png, self._height, self._description = png, height, description

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        shown = {"width": round(_WIDTH * _DPI), "height": round(self._height * _DPI), "alt": self._description}
        return {"image/png": self._png, "text/plain": self._description}, {"image/png": shown}

    def __repr__(self) -> str:
        return self._description


def verdict(found: Evaluated) -> Piece:
    """The headline, and which commits were compared."""
    evaluation = found.evaluation
    sides = [
        f"commit {_commit(evaluation.commit)}",
        f"base {_commit(evaluation.base)}" if evaluation.base else "no base",
    ]
    about = f"{', '.join(sides)}. Suite {evaluation.suite}, dataset {evaluation.run.dataset}, {wording.made(evaluation.run)}."
    colour = COLOURS.get(
        {"failed": "worse", "nothing measured": "missing"}.get(evaluation.verdict, evaluation.verdict), _OTHER
    )
    style = f"padding: 12px 16px; border-left: 5px solid {colour}; font-size: 18px; font-weight: 600; color: {colour}"
    sign = wording.SIGNS[evaluation.verdict]
    html = f'<div style="{style}">{sign} {escape(found.headline)}</div><p>{escape(about)}</p>'
    return Piece(html, f"{sign} {found.headline}\n{about}")


def table(frame: DataFrame, nothing: str, show: Mapping[str, Callable[[Any], str]] | None = None) -> Piece:
    """A table as it is, or the sentence `nothing` if it has no rows; `show` says how the values of a column are spelled."""
    if frame.empty:
        return Piece(f"<p>{escape(nothing)}</p>", nothing)
    spelled = [
        [(show or {}).get(column, _value)(value) for column, value in zip(frame.columns, row, strict=True)]
        for row in frame.itertuples(index=False)
    ]
    head = "".join(f"<th>{escape(str(column))}</th>" for column in frame.columns)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in spelled)
    html = f'<div style="overflow-x: auto"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    return Piece(html, "\n".join("  ".join(row) for row in spelled))


def causes(found: Evaluated) -> Piece:
    """Why each report differs, its lines folded."""
    told = found.causes()
    parts = [
        f"<details><summary><b>{escape(report)}</b>: {escape(lines[0])}</summary><pre>{escape(chr(10).join(lines))}</pre></details>"
        for report, lines in told.items()
    ]
    nothing = "No report differs for a reason that is known."
    text = "\n".join(f"{report}: {lines[0]}" for report, lines in told.items())
    return Piece("".join(parts) or f"<p>{nothing}</p>", text or nothing)


def changes(found: Evaluated) -> Drawing:
    """How far each measure moved from the base, in percent of it; the grey bar is its tolerance."""
    frame = found.measures()
    known = frame[frame["base"].notna() & frame["value"].notna() & (frame["base"] != 0)].head(_ROWS)
    if known.empty:
        return _drawn(
            lambda figure: _sentence(figure, "No measure can be compared."), 0.5, "No measure can be compared."
        )

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for height, row in enumerate(known.itertuples()):
            _moved(axes, -height, row)
        names = [f"{_short(str(row.measure))}\n{_short(str(row.report))}" for row in known.itertuples()]
        axes.set_yticks([-height for height in range(len(names))], names)
        axes.set_xlabel("change, % of the base's value")
        axes.axvline(0, color=_OTHER, linewidth=0.8)
        axes.margins(x=0.18, y=0.5 / len(names))

    return _drawn(draw, 0.8 + 0.42 * len(known), "How far each measure moved from the base, with its tolerance.")


def side_by_side(pictures: Pictures) -> Drawing:
    """A figure at the base, at the commit, and where they differ."""
    shown = {side: picture for side, path in pictures.files.items() if (picture := _opened(path))}
    if not shown:
        words = f"{pictures.title}; its pictures cannot be shown here."
        return _drawn(lambda figure: _sentence(figure, _short(words, 120)), 0.5, words)

    def draw(figure: Figure) -> None:
        for axes, (side, picture) in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown.items(), strict=True):
            axes.imshow(picture, interpolation="antialiased", aspect="equal")
            axes.set_title(side, loc="left", fontweight="bold")
            axes.set_axis_off()
        figure.suptitle(_short(pictures.title, 120), x=0.005, ha="left", fontsize=10)

    tallest = max(picture.height / picture.width for picture in shown.values())
    return _drawn(draw, min(0.6 + tallest * _WIDTH / len(shown), 12.0), pictures.title)


def _opened(path: Path) -> Image | None:
    """A picture's pixels; None for a drawing, which has none, and for what is no picture."""
    import PIL.Image

    try:
        with PIL.Image.open(path) as found:
            return found.convert("RGB")
    except (OSError, ValueError):
        return None


def _commit(commit: Any) -> str:
    return f"{commit.short} ({commit.subject}, {commit.author})"


def _cell(text: str) -> str:
    """A cell; a verdict in its colour, with its sign."""
    if text not in COLOURS:
        return f"<td>{escape(text)}</td>"
    return f'<td style="color: {COLOURS[text]}; white-space: nowrap">{wording.SIGNS[text]} {text}</td>'


def _short(text: str, most: int = 45) -> str:
    """A text in one line that leaves room for the drawing."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _value(value: Any) -> str:
    if value is None or value != value:
        return "–"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _moved(axes: Axes, height: int, row: Any) -> None:
    """One measure's row: its tolerance as a bar, its change as a point."""
    change = 100 * (row.value - row.base) / abs(row.base)
    tolerance = 100 * max(row.relative, row.absolute / abs(row.base))
    axes.barh(height, 2 * tolerance, left=-tolerance, height=0.5, color=_BAND)
    axes.plot([0, change], [height, height], color=COLOURS[row.verdict], linewidth=1.6)
    axes.plot(change, height, "o", color=COLOURS[row.verdict], markersize=6)
    words = f"{wording.SIGNS[row.verdict]} {change:+.2g} %".replace("-", "−") if change else "="
    axes.annotate(
        words, (change, height), xytext=(8 if change >= 0 else -8, 0), textcoords="offset points",
        va="center", ha="left" if change >= 0 else "right", color=COLOURS[row.verdict],
    )  # fmt: skip


def _sentence(figure: Figure, words: str) -> None:
    figure.text(0.005, 0.5, words, color=_OTHER, va="center")


def _drawn(draw: Callable[[Figure], None], height: float, description: str) -> Drawing:
    """The picture that `draw` makes of an empty figure; pyplot, which keeps figures, is not involved."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, round(height * _DPI) / _DPI), dpi=_DPI, layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=2 * _DPI, metadata={"Software": None})
    return Drawing(buffer.getvalue(), height, description)
