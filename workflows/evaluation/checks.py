"""Checks: what a report says of itself that passed or failed, as its executed notebook shows it.

Three things that templates do are checks: an `assert` in a cell; each row of a table with a column `result` that holds `pass`,
`fail` or `not checked` throughout; a measure whose name begins with `failed_`, which passes at 0.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any, Literal

from workflows.evaluation.measures import MIME

Outcome = Literal["pass", "fail", "not checked"]

_OUTCOMES: dict[str, Outcome] = {"pass": "pass", "fail": "fail", "not checked": "not checked"}
_COLUMN = "result"
_COUNT = "failed_"
_TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL | re.IGNORECASE)
_LONGEST = 200
"""Characters of a check's name."""


@dataclass(frozen=True)
class Checked:
    """One check of one report, and what came of it."""

    cell: int
    """The number of the code cell, from 1."""
    name: str
    """What must hold: an assertion's text, a row's name, a measure's name."""
    outcome: Outcome


@dataclass(frozen=True)
class Stop:
    """Where a failed report ended."""

    cell: int
    """The code cell, from 1; 0 where none ran."""
    reason: str
    line: str
    """The line that failed, if one did."""


def in_notebook(cells: Iterable[Mapping[str, Any]], stop: Stop | None = None) -> list[Checked]:
    """The checks in an executed notebook's code cells, each name once; of a failed report, those that were reached."""
    code = [cell for cell in cells if cell.get("cell_type") == "code"]
    found: dict[str, Checked] = {}
    for number, cell in enumerate(code, 1):
        if stop and number > stop.cell:
            break
        is_last = stop is not None and number == stop.cell
        for name, outcome in (*_asserted(_joined(cell["source"]), stop if is_last else None), *_shown(cell)):
            found.setdefault(name, Checked(number, name[:_LONGEST], outcome))
    return list(found.values())


def _asserted(source: str, stop: Stop | None) -> Iterator[tuple[str, Outcome]]:
    """The assertions of a cell that ended, or up to the one that ended it."""
    if "assert" not in source:
        return
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        # IPython's own syntax; nothing is known of such a cell.
        return
    made = list(_assertions(tree.body))
    if stop is None:
        yield from ((ast.unparse(one.test), "pass") for one in made)
        return
    place = next((n for n, one in enumerate(made) if _is_at(source, one, stop.line)), None)
    if place is not None and stop.reason.startswith("AssertionError"):
        yield from ((ast.unparse(one.test), "pass") for one in made[:place])
        yield ast.unparse(made[place].test), "fail"


def _assertions(body: Sequence[ast.stmt]) -> Iterator[ast.Assert]:
    """The assertions that a cell makes itself, whatever it finds: none within functions, conditions and loops."""
    for statement in body:
        if isinstance(statement, ast.Assert):
            yield statement
        elif isinstance(statement, ast.With):
            yield from _assertions(statement.body)


def _is_at(source: str, statement: ast.stmt, line: str) -> bool:
    lines = source.splitlines()[statement.lineno - 1 : statement.end_lineno]
    return line.strip() in map(str.strip, lines)


def _shown(cell: Mapping[str, Any]) -> Iterator[tuple[str, Outcome]]:
    """The checks in what a cell shows."""
    for output in cell.get("outputs", ()):
        data = output.get("data", {})
        if MIME in data:
            yield from _counted(data[MIME])
        html = _joined(data.get("text/html", ""))
        for table in _TABLE.findall(html) if _COLUMN in html.lower() else ():
            yield from _rows(table)


def _counted(measure: Mapping[str, Any]) -> Iterator[tuple[str, Outcome]]:
    """The check that a count of failures is."""
    name, value = str(measure.get("name", "")), measure.get("value")
    if name.startswith(_COUNT):
        yield f"{name} is 0", "not checked" if value is None else "pass" if value == 0 else "fail"


def _rows(html: str) -> Iterator[tuple[str, Outcome]]:
    """The rows of a table of results, called by the first headed column that calls each row differently."""
    reader = _Table()
    reader.feed(html)
    head, *rows = reader.rows or [[]]
    heads = [text.lower() for text in head]
    if _COLUMN not in heads or not rows or any(len(row) != len(head) for row in rows):
        return
    columns = list(zip(*rows, strict=True))
    results = columns[heads.index(_COLUMN)]
    named = (
        c for h, c in zip(heads, columns, strict=True) if h not in ("", _COLUMN) and all(c) and len({*c}) == len(c)
    )
    names = next(named, None)
    if names and all(result.lower() in _OUTCOMES for result in results):
        yield from ((name, _OUTCOMES[result.lower()]) for name, result in zip(names, results, strict=True))


class _Table(HTMLParser):
    """The texts of a table's cells, row by row, the head first."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
            self._is_inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr"):
            self._is_inside = False

    def handle_data(self, data: str) -> None:
        if self._is_inside:
            self.rows[-1][-1] = " ".join(f"{self.rows[-1][-1]} {data}".split())


def _joined(text: Any) -> str:
    """A text of a notebook, which may be a list of lines."""
    return text if isinstance(text, str) else "".join(map(str, text))
