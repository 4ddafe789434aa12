"""Measures: named numbers that reports and stages record."""

from __future__ import annotations

import contextlib
import json
import math
import operator
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import Any, Literal

from workflows.errors import MeasureError

MIME = "application/vnd.parcours.measure+json"
FORMAT = 1

Better = Literal["lower", "higher"]


@dataclass(frozen=True)
class Measure:
    """One number under a name."""

    name: str
    value: float | int | None
    """None where there was nothing to measure."""
    unit: str
    """A unit's symbol; "1" for shares and counts."""
    better: Better | None
    """Which direction is better, if either is."""

    def __str__(self) -> str:
        value = "nothing" if self.value is None else f"{self.value:.6g}"
        unit = "" if self.unit == "1" else f" {self.unit}"
        return f"{self.name} {value}{unit}" + (f" ({self.better} is better)" if self.better else "")

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """How a notebook shows a measure: to people as a line, to Parcours as data."""
        return {"text/plain": str(self), MIME: asdict(self)}


_recorded: ContextVar[list[Measure] | None] = ContextVar("recorded", default=None)


def measure(name: str, value: Any, *, unit: str = "1", better: Better | None = None) -> None:
    """Record a number under a name, in a template or in a stage; by hand it is just shown.

    `value` is a number, or None or NaN where there was nothing to measure. `better` is "lower", "higher" or None.
    Raises MeasureError for anything else.
    """
    found = Measure(_named(name), _number(name, value), str(unit), better)
    if better not in ("lower", "higher", None):
        raise MeasureError.wrong(name, "better", better, "'lower', 'higher' or None")
    recorded = _recorded.get()
    if recorded is not None:
        recorded.append(found)
        return
    if "IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None:
        from IPython.display import display

        display(found)
    else:
        print(found)  # noqa: T201 - by hand, in a plain interpreter, showing is all there is to do


@contextlib.contextmanager
def recording() -> Iterator[list[Measure]]:
    """Collect what is measured in this block, as a stage's run does."""
    measures: list[Measure] = []
    token = _recorded.set(measures)
    try:
        yield measures
    finally:
        _recorded.reset(token)


def in_notebook(cells: Iterable[Mapping[str, Any]]) -> list[Measure]:
    """The measures among the outputs of an executed notebook's cells, in order."""
    bundles = [
        output["data"][MIME] for cell in cells for output in cell.get("outputs", []) if MIME in output.get("data", {})
    ]
    return [Measure(b["name"], b["value"], b["unit"], b["better"]) for b in bundles]


def to_json(measures: Iterable[Measure]) -> str:
    """The text of `measures.json`; raises MeasureError where a name occurs twice."""
    rows: dict[str, dict[str, Any]] = {}
    for found in measures:
        if found.name in rows:
            raise MeasureError.twice(found.name)
        rows[found.name] = asdict(found)
    return json.dumps({"format": FORMAT, "measures": list(rows.values())}, indent=1, ensure_ascii=False) + "\n"


def from_json(text: str | bytes) -> list[Measure]:
    """The measures in the text of a `measures.json`."""
    return [Measure(**row) for row in json.loads(text)["measures"]]


def _named(name: Any) -> str:
    if not isinstance(name, str) or not name.strip():
        raise MeasureError.wrong(str(name), "its name", name, "a text that is not empty")
    return name


def _number(name: str, value: Any) -> float | int | None:
    # pandas' own words for nothing, told without importing pandas.
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return None
    # numpy's numbers convert themselves; a text that reads as a number is none, nor is a table that holds one.
    if isinstance(value, str | bytes) or not hasattr(value, "__float__") or getattr(value, "shape", ()) != ():
        raise MeasureError.wrong(name, "its value", value, "a number, or None where there was nothing to measure")
    try:
        number = float(value)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise MeasureError.wrong(name, "its value", value, "a finite number") from error
    if math.isnan(number):
        return None
    if math.isinf(number):
        raise MeasureError.wrong(name, "its value", value, "a finite number")
    with contextlib.suppress(TypeError):
        return number if isinstance(value, bool) else operator.index(value)
    return number
