"""What Vega is asked to draw of a series: numbers, and the names of commits and dates; never what people wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from workflows.web.trends.series import Series

NOWHERE = "https://chart.invalid/"
"""Where the points lead until they get their own addresses."""
_NAME = re.compile(r"[0-9a-f-]{1,40}")
_COLOURS = {"better": "var(--good)", "worse": "var(--bad)"}
_LETTER = 0.62
"""The width of a character, as a share of the size of its font."""


@dataclass(frozen=True)
class Size:
    """How large a chart is drawn, in CSS pixels."""

    width: int
    height: int
    font: int
    ticks: int
    """Names below the chart, at most."""
    name: str


WIDE = Size(1000, 260, 12, 9, "wide")
NARROW = Size(330, 220, 12, 3, "narrow")
WALL = Size(800, 270, 21, 4, "wall")


def spec(series: Series, size: Size) -> dict[str, Any]:
    """The specification; each point leads to NOWHERE, followed by its place in the series."""
    rows = [
        {
            "at": series.points[at].place,
            "value": float(series.values[at] or 0),
            "piece": piece,
            "href": f"{NOWHERE}{at}",
        }
        for piece, places in enumerate(series.pieces)
        for at in places
    ]
    x = {"field": "at", "type": "quantitative", "axis": _names(series, size), "scale": {"nice": False, "zero": False}}
    y = {"field": "value", "type": "quantitative", "axis": _values(size), "scale": _scale(series)}
    both = {"x": x, "y": y}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": size.width,
        "height": size.height,
        "autosize": {"type": "fit", "contains": "padding"},
        "padding": {"left": 2, "right": 2, "top": 4, "bottom": 2},
        "layer": [
            *_rules(series, size, x),
            {"data": {"values": rows}, "mark": {"type": "line", "color": "var(--accent)", "strokeWidth": size.font / 7},
             "encoding": {**both, "detail": {"field": "piece"}}},
            {"data": {"values": rows}, "mark": {"type": "point", "filled": True, "color": "var(--accent)", "opacity": 1,
             "size": size.font * 2.6}, "encoding": {**both, "href": {"field": "href"}}},
        ],
        "config": {"background": None, "view": {"stroke": None}},
    }  # fmt: skip


def _names(series: Series, size: Size) -> dict[str, Any]:
    """The axis of commits or dates."""
    points = series.points
    apart = max(1, -(-len(points) // size.ticks))
    shown = points[::-apart][::-1]
    names = {str(point.place): point.name for point in shown if _NAME.fullmatch(point.name)}
    return {
        "title": None, "grid": False, "domainColor": "var(--line)", "tickColor": "var(--line)", "labelColor": "var(--soft)",
        "labelFont": "inherit", "labelFontSize": size.font, "labelPadding": size.font / 2, "labelFlush": False, "labelOverlap": True,
        "values": [point.place for point in shown], "labelExpr": f"({json.dumps(names)})[datum.value]",
    }  # fmt: skip


def _values(size: Size) -> dict[str, Any]:
    return {
        "title": None, "domain": False, "ticks": False, "gridColor": "var(--line)", "labelColor": "var(--soft)",
        "labelFont": "inherit", "labelFontSize": size.font, "labelPadding": size.font / 2, "tickCount": 4,
    }  # fmt: skip


def _scale(series: Series) -> dict[str, Any]:
    known = [value for value in series.values if value is not None]
    if known and min(known) == max(known):
        # Of one value alone Vega would name the axis by a guess.
        around = abs(known[0]) / 10 or 1
        return {"zero": False, "domain": [known[0] - around, known[0] + around]}
    return {"zero": bool(known) and 0 <= min(known) < max(known) / 2}


def _rules(series: Series, size: Size, x: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A line for each step and break, with its word on top where there is room for it."""
    span = (series.points[-1].place - series.points[0].place) or 1
    free = float("-inf")
    for mark in sorted(series.marks, key=lambda mark: mark.at):
        colour = _COLOURS.get(mark.verdict, "var(--soft)")
        place = series.points[mark.at].place
        encoding = {"x": x, "y": {"value": 0}}
        data = {"values": [{"at": place}]}
        dash = {"strokeDash": [4, 4]} if mark.kind == "break" else {}
        yield {
            "data": data,
            "mark": {"type": "rule", "color": colour, "strokeWidth": size.font / 9, **dash},
            "encoding": {"x": x},
        }
        left = (place - series.points[0].place) / span * size.width
        word = mark.verdict if mark.kind == "break" else f"{series.points[mark.at].name} {mark.verdict}"
        wide = len(word) * size.font * _LETTER
        at_end = left + wide > size.width
        start = left - wide if at_end else left
        if start < free:
            continue
        free = start + wide + size.font
        yield {"data": data, "mark": {"type": "text", "text": word, "color": colour, "font": "inherit", "fontSize": size.font, "baseline": "bottom",
               "align": "right" if at_end else "left", "dy": -4, "fontWeight": 600}, "encoding": encoding}  # fmt: skip
