"""The parameters cell: what it takes, and what it is with other values in place."""

from __future__ import annotations

import ast
import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.notebooks.parameters import MISSING, ParametersCell
from workflows.notebooks.values import literal

D = datetime.date


def read(source: str, before: str = "") -> ParametersCell:
    return ParametersCell.read(source, before)


def run(source: str) -> dict[str, Any]:
    scope: dict[str, Any] = {}
    exec(source, scope)
    return scope


def test_top_level_assignments_are_the_parameters() -> None:
    cell = read(
        "a = 1\nb: float = 2.0\nc: int\nd: 'Cleaned' = 'x.parquet'\ndef f():\n    e = 1\nclass G:\n    h = 1\nimport os"
    )
    assert {name: p.default for name, p in cell.parameters.items()} == {
        "a": 1,
        "b": 2.0,
        "c": MISSING,
        "d": "x.parquet",
    }
    assert cell.derived == {}


def test_what_is_computed_is_derived() -> None:
    cell = read("a = 1\nb = a + 1\nc, d = 1, 2\ne = f = 3\n(g, [h]) = 1, [2]\ni = print\nj: int = len('x')")
    assert list(cell.parameters) == ["a"]
    assert cell.derived == {
        "b": "b = a + 1", "c": "c, d = (1, 2)", "d": "c, d = (1, 2)", "e": "e = f = 3", "f": "e = f = 3",
        "g": "g, [h] = (1, [2])", "h": "g, [h] = (1, [2])", "i": "i = print", "j": "j: int = len('x')",
    }  # fmt: skip


@pytest.mark.parametrize("again", ["a = 2", "a += 1", "a = a", "a: int = 2", "a, b = 1, 2"])
def test_a_name_that_is_assigned_twice_is_derived(again: str) -> None:
    assert list(read(f"a = 1\n{again}").parameters) == []
    assert "a" in read(f"a = 1\n{again}").derived


@pytest.mark.parametrize("target", ["a.b = 1", "a['b'] = 1", "a.b: int = 1"])
def test_what_is_no_name_is_no_parameter(target: str) -> None:
    assert read(target).parameters == {}


def test_a_string_annotation_names_a_table() -> None:
    parameter = read("events: 'Events' = 'samples/events.parquet'").parameters["events"]
    assert (parameter.table, parameter.default) == ("Events", "samples/events.parquet")


@pytest.mark.parametrize(
    ("source", "description"),
    [
        ("a = 1  # the a", "the a"),
        ("a = 1 #the a", "the a"),
        ("a = 1  ## the a #1", "the a #1"),
        ("a = [\n    1,  # one\n]  # the list", "the list"),
        ("a = '# no comment'", ""),
        ("# above\na = 1", ""),
        ("a = 1", ""),
        ("a = 'é' # ü", "ü"),
        ("a: int  # must be given", "must be given"),
    ],
)
def test_the_comment_behind_is_the_description(source: str, description: str) -> None:
    assert read(source).parameters["a"].description == description


@pytest.mark.parametrize(
    ("source", "values", "filled"),
    [
        ("a = 1", {}, "a = 1"),
        ("a = 1", {"a": 2}, "a = 2"),
        ("a   =   1   # one", {"a": 2}, "a   =   2   # one"),
        ("a: int = 1", {"a": -2}, "a: int = -2"),
        ("a: int", {"a": 2}, "a: int = 2"),
        ("a: int  # given", {"a": 2}, "a: int = 2  # given"),
        ("a: (int)", {"a": 2}, "a: (int) = 2"),
        ("a = (1)", {"a": 2}, "a = (2)"),
        ("a = (\n    1  # one\n)", {"a": 2}, "a = (\n    2  # one\n)"),
        ("a = 1, 2", {"a": (3,)}, "a = (3,)"),
        ("a = 'x' 'y'", {"a": "z"}, "a = 'z'"),
        ("a = ('x'\n     'y')", {"a": "z"}, "a = ('z')"),
        ("a = '''x\ny'''  # two lines\nb = 1", {"a": "z"}, "a = 'z'  # two lines\nb = 1"),
        ("a = [\n  1,\n  2,\n]\nb = 2", {"a": [], "b": 3}, "a = []\nb = 3"),
        ("a = 1; b = 2 ; c = 3", {"a": 10, "b": 20, "c": 30}, "a = 10; b = 20 ; c = 30"),
        ("a = 'äöü€😀'; b = 2", {"b": 3}, "a = 'äöü€😀'; b = 3"),
        ("ä = 'ü'; b = 2 # é", {"ä": "x", "b": "y"}, "ä = 'x'; b = 'y' # é"),
        ("a = 1\r\nb = 2\r\n", {"a": 3, "b": 4}, "a = 3\r\nb = 4\r\n"),
        ("a = 1\rb = 2", {"b": 4}, "a = 1\rb = 4"),
        ("\n\n  # comment\n\na = 1\n\n", {"a": 2}, "\n\n  # comment\n\na = 2\n\n"),
        ("a = 1\nb = a + 1  # follows", {"a": 2}, "a = 2\nb = a + 1  # follows"),
        ("a = 1 \\\n\nb = 2", {"a": 2}, "a = 2 \\\n\nb = 2"),
        ("import datetime\nd = datetime.date(2020, 1, 1)", {"d": D(2013, 1, 15)}, "import datetime\nd = datetime.date(2013, 1, 15)"),
        ("import datetime as dt\nd = dt.date(2020, 1, 1)", {"d": D(2013, 1, 15)}, "import datetime as dt\nd = dt.date(2013, 1, 15)"),
        ("from datetime import date\nd = date(2020, 1, 1)", {"d": D(2013, 1, 15)}, "from datetime import date\nd = date(2013, 1, 15)"),
        ("%matplotlib inline\na = 1  # one", {"a": 2}, "%matplotlib inline\na = 2  # one"),
        ("a = 1\n!ls\nb = 2\nlen?", {"a": 3, "b": 4}, "a = 3\n!ls\nb = 4\nlen?"),
    ],
)  # fmt: skip
def test_values_are_replaced_in_place_and_all_else_stays_to_the_letter(
    source: str, values: dict[str, Any], filled: str
) -> None:
    assert read(source).filled(values) == filled


def test_a_magic_over_several_lines_does_not_move_the_values() -> None:
    filled = read("!echo a \\\n  b\na = 1\nb = a").filled({"a": 2})
    assert filled.splitlines()[-2:] == ["a = 2", "b = a"]


def test_what_a_shell_or_a_magic_gives_is_derived() -> None:
    cell = read("files = !ls\nhome = %env HOME\na = 1")
    assert list(cell.parameters) == ["a"]
    assert set(cell.derived) == {"files", "home"}


def test_dates_follow_the_imports_of_the_cells_above() -> None:
    cell = read(
        "d: dt.date = dt.date(2020, 1, 1)",
        before="%matplotlib inline\nimport datetime as dt".replace("%matplotlib inline\n", ""),
    )
    assert cell.parameters["d"].default == D(2020, 1, 1)
    assert cell.filled({"d": D(2013, 1, 15)}) == "d: dt.date = dt.date(2013, 1, 15)"


def test_derived_values_follow() -> None:
    source = "import datetime\nstart = datetime.date(2020, 1, 1)\nend = start + datetime.timedelta(days=7)"
    assert run(read(source).filled({"start": D(2013, 1, 15)}))["end"] == D(2013, 1, 22)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.dates() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
LAYOUTS = [
    "import datetime\n{a}\n{b}",
    "import datetime as dt\n{a}; {b}  # both",
    "from datetime import date, datetime\nä = 'ö'; {a}; ü = 'é'; {b}",
    "import datetime\r\n{a}\r\n{b}\r\n",
    "{a}\n\n# between {{}}\n{b}",
]


@given(st.sampled_from(LAYOUTS), VALUES, VALUES, VALUES, VALUES)
def test_the_filled_cell_executes_to_the_given_values(layout: str, a: Any, b: Any, new_a: Any, new_b: Any) -> None:
    names = read(layout.split("{a}")[0].rstrip("; ").replace("ä = 'ö'", "")).names
    source = layout.format(a=f"a = {literal(a, names)}", b=f"b = (\n{literal(b, names)}  # b\n)")
    filled = read(source).filled({"a": new_a, "b": new_b})
    scope = run(filled)
    assert (scope["a"], scope["b"]) == (new_a, new_b)
    assert (type(scope["a"]), type(scope["b"])) == (type(new_a), type(new_b))
    assert read(filled).filled({"a": a, "b": b}) == source


EVIL = [
    "'); import os; os.system('touch pwned') #",
    '"""\nraise SystemExit\n"""',
    "\\",
    "\\'",
    "{os.getcwd()}",
    "\n!touch pwned",
    "%system touch pwned",
    "\u2028import os",
    "\r\nimport os",
]


@pytest.mark.parametrize("text", EVIL)
@pytest.mark.parametrize("shape", ["{}", "['{}']", "key"])
def test_no_text_in_a_value_becomes_code(text: str, shape: str) -> None:
    value: Any = {"key": {text: 1}, "['{}']": [text]}.get(shape, text)
    filled = read("a: str = 'x'  # the text\nb = 1").filled({"a": value})
    statements = ast.parse(filled).body
    assert [type(statement) for statement in statements] == [ast.AnnAssign, ast.Assign]
    assert len(filled.splitlines()) == 2
    assert run(filled)["a"] == value


@pytest.mark.parametrize("name", ["x = 1; import os", "a\nimport os", "a.b", "", "import", "b"])
def test_no_name_that_the_cell_does_not_have_is_filled(name: str) -> None:
    with pytest.raises(KeyError):
        read("a = 1").filled({name: 2})


@pytest.mark.parametrize("source", ["a = ", "a = 1\n  b = 2", "def f(:", "'"])
def test_a_cell_that_is_no_python_is_refused(source: str) -> None:
    with pytest.raises(SyntaxError):
        read(source)
