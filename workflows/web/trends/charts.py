"""Charts: a series drawn as SVG by Vega on the server, in the colours of the page's style, each point a link.

What people wrote (subjects of commits, names of measures) never goes into the drawing: Vega is given numbers and the names of
commits and dates, and the texts and addresses are put onto its points afterwards, as attributes.
"""

from __future__ import annotations

import functools
import json
import re
import threading
from itertools import pairwise
from xml.etree import ElementTree

from markupsafe import Markup

from workflows.evaluation.wording import number
from workflows.web.trends.series import Point, Series
from workflows.web.trends.vega import NOWHERE, Size, spec

_SVG = "http://www.w3.org/2000/svg"
_OURS = re.compile(r"/(?![/\\])[^\s\\]*")
_FINGER = 24
"""Pixels that a finger needs."""
_KEPT = frozenset((
    "d", "fill", "font-family", "font-size", "font-weight", "height", "opacity", "stroke", "stroke-dasharray", "stroke-linecap",
    "stroke-linejoin", "stroke-miterlimit", "stroke-width", "text-anchor", "transform", "width", "x", "x1", "x2", "y", "y1", "y2",
))  # fmt: skip
"""Attributes that draw; none of them can run or load anything."""


def chart(series: Series, size: Size) -> Markup:
    """A series as an inline SVG."""
    return Markup(_linked(_drawn(json.dumps(spec(series, size))), series, size))  # noqa: S704 - attributes are escaped


def brief(value: float | int | None) -> str:
    """A value in four digits, where it is read from afar."""
    if value is None or isinstance(value, int) or abs(value) >= 10_000:
        return number(value if value is None or isinstance(value, int) else round(value))
    return f"{value:.4g}"


_drawing = threading.Lock()


@functools.lru_cache(maxsize=256)
def _drawn(asked: str) -> str:
    """The drawing of a specification, which Vega makes in 50 ms."""
    import vl_convert

    # One at a time: each thread that draws would hold an engine of its own.
    with _drawing:
        found: str = vl_convert.vegalite_to_svg(asked, allowed_base_urls=[])
    return found


def _linked(svg: str, series: Series, size: Size) -> str:
    """The drawing with what is needed of it only, and the points' texts and addresses."""
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(svg)  # noqa: S314 - Vega's, of numbers
    drawing = ElementTree.Element("svg", {"class": f"chart {size.name}", "role": "group", "aria-label": _title(series)})
    drawing.set("viewBox", root.get("viewBox", ""))
    for child in root:
        _copy(child, drawing, series)
    _widen(drawing, series, size)
    return ElementTree.tostring(drawing, encoding="unicode")


def _copy(element: ElementTree.Element, into: ElementTree.Element, series: Series) -> None:
    tag = element.tag.rpartition("}")[2]
    if tag not in ("g", "path", "line", "text", "a", "rect") or element.get("display") == "none":
        return
    kept = {name: value for name, value in element.attrib.items() if name in _KEPT}
    own = ElementTree.SubElement(into, tag, kept)
    own.text = element.text
    if tag == "a":
        _link(own, next(value for name, value in element.attrib.items() if name.endswith("href")), series)
    elif tag == "text":
        own.set("aria-hidden", "true")
    for child in element:
        _copy(child, own, series)


def _widen(drawing: ElementTree.Element, series: Series, size: Size) -> None:
    """What can be pressed of a point is larger than what is seen of it, but never part of the next one's."""
    places = [point.place for point in series.points]
    apart = min((after - before for before, after in pairwise(places)), default=0)
    span = places[-1] - places[0] if places else 0
    wide = min(_FINGER, size.width * apart / span) if span else _FINGER
    for link in drawing.iter("a"):
        seen = link.find("path")
        at = seen.get("transform", "") if seen is not None else ""
        box = {"x": f"{-wide / 2:.1f}", "y": f"{-_FINGER / 2}", "width": f"{wide:.1f}", "height": f"{_FINGER}"}
        ElementTree.SubElement(link, "rect", {**box, "fill": "none", "pointer-events": "all", "transform": at})


def _link(own: ElementTree.Element, href: str, series: Series) -> None:
    at = int(href.removeprefix(NOWHERE))
    point = series.points[at]
    if _OURS.fullmatch(point.address):
        own.set("href", point.address)
    told = _told(series, point)
    own.set("aria-label", told)
    ElementTree.SubElement(own, "title").text = told


def _told(series: Series, point: Point) -> str:
    unit = f" {series.unit}" if series.unit else ""
    return f"{point.name}: {number(point.value)}{unit}{f', {point.about}' if point.about else ''}"


def _title(series: Series) -> str:
    return f"{series.measure} of {series.report} over {len(series.points)} {series.over}"
