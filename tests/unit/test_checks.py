"""What counts as a check in an executed notebook."""

from __future__ import annotations

from typing import Any

import pytest

from workflows.evaluation.checks import Checked, Stop, in_notebook


def cell(source: str, html: str | None = None) -> dict[str, Any]:
    outputs = [{"data": {"text/html": html}}] if html else []
    return {"cell_type": "code", "source": source, "outputs": outputs}


def table(*rows: tuple[str, ...]) -> str:
    return (
        "<p>Before</p><TABLE>"
        + "".join(f"<tr>{''.join(f'<td>{c}</td>' for c in row)}</tr>" for row in rows)
        + "</TABLE>"
    )


def checks(*cells: dict[str, Any], stop: Stop | None = None) -> list[tuple[str, str]]:
    return [(found.name, found.outcome) for found in in_notebook(cells, stop)]


def test_the_first_column_that_calls_each_row_differently_names_the_checks() -> None:
    html = table(
        ("", "Subject", "Check", "Result"), ("0", "day", "a &amp; b", "Pass"), ("1", "day", "<b>c</b>  d", "fail")
    )
    assert checks(cell("x", html)) == [("a & b", "pass"), ("c d", "fail")]


@pytest.mark.parametrize(
    "rows",
    [
        [("check", "result"), ("a", "pass"), ("b", "won")],
        [("check", "outcome"), ("a", "pass")],
        [("check", "result"), ("a", "pass"), ("a", "fail")],
        [("check", "result"), ("a", "pass", "more")],
        [("check", "result")],
    ],
)
def test_a_table_of_anything_else_holds_no_checks(rows: list[tuple[str, ...]]) -> None:
    assert checks(cell("x", table(*rows))) == []


def test_assertions_that_may_never_be_reached_are_left_out() -> None:
    source = "if x:\n    assert y\ndef f():\n    assert z\nfor i in []:\n    assert i\nwith a:\n    assert b, 'message'"
    assert checks(cell(source)) == [("b", "pass")]


def test_of_a_failed_cell_the_assertion_that_failed_is_known() -> None:
    stop = Stop(2, "AssertionError: message", "  assert b, 'message'")
    cells = [cell("assert a"), cell("assert a1\nassert b, 'message'\nassert c"), cell("assert d")]
    assert checks(*cells, stop=stop) == [("a", "pass"), ("a1", "pass"), ("b", "fail")]


def test_of_a_cell_that_failed_otherwise_nothing_is_known() -> None:
    assert checks(cell("assert a"), stop=Stop(1, "KeyError: 'a'", "assert a")) == []


def test_what_a_failed_cell_had_shown_counts() -> None:
    html = table(("check", "result"), ("a", "fail"))
    assert checks(cell("x", html), stop=Stop(1, "ValueError", "x")) == [("a", "fail")]


def test_a_cell_that_is_no_plain_python_hinders_nothing() -> None:
    assert checks(cell("%matplotlib inline\nassert a"), cell("assert b")) == [("b", "pass")]


def test_cells_are_counted_without_text_cells() -> None:
    text = {"cell_type": "markdown", "source": "assert"}
    assert in_notebook([text, cell("1"), text, cell("assert a")]) == [Checked(2, "a", "pass")]
