"""Values of parameters: to JSON and back, into a notebook and back, equal and of the same type."""

from __future__ import annotations

import ast
import datetime
import json
import math
import typing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.notebooks.types import ParameterType, UnknownType
from workflows.notebooks.values import Names, NotLiteral, as_json, literal, read_literal

IMPORTS = [
    "import datetime",
    "import datetime as dt",
    "from datetime import date, datetime, timedelta, timezone",
    "from datetime import date as D, datetime as M, timedelta as T, timezone as Z",
    "import datetime as dt\nfrom datetime import date",
    "import os",
    "",
]


def names_of(imports: str) -> Names:
    return Names.imported(ast.parse(imports))


def kind(annotation: str, imports: str = "import datetime") -> ParameterType:
    return ParameterType(annotation, ast.parse(annotation, mode="eval").body, names_of(imports))


def same(one: Any, other: Any) -> bool:
    """Equal, of the same types all the way down, and as far apart from UTC."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return (math.isnan(one) and math.isnan(other)) or (
            one == other and math.copysign(1, one) == math.copysign(1, other)
        )
    if isinstance(one, datetime.datetime):
        return bool(one.replace(tzinfo=None) == other.replace(tzinfo=None) and one.utcoffset() == other.utcoffset())
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(map(repr, one)) == list(map(repr, other)) and all(same(one[k], other[k]) for k in one if k == k)
    return bool(one == other)


OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(
    lambda minutes: datetime.timezone(datetime.timedelta(minutes=minutes))
)
ODD_OFFSETS = st.timedeltas(datetime.timedelta(hours=-23), datetime.timedelta(hours=23)).map(datetime.timezone)
MOMENTS = st.datetimes() | st.datetimes(timezones=st.just(datetime.UTC) | OFFSETS)
TEXTS = st.text() | st.sampled_from(
    ["", "'", '"', '"""', "'''", "\\", "\n", "\r\n", "#", "{x}", "%s", "ü", "\u2028", "\U0001f600", "None", "1", "\0"]
)
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "int": st.integers(),
    "float": st.floats(),
    "str": TEXTS,
    "bool": st.booleans(),
    "None": st.none(),
    "datetime.date": st.dates(),
    "datetime.datetime": MOMENTS,
    "Literal['all', 'ü', 3, True, None]": st.sampled_from(["all", "ü", 3, True, None]),
    "Annotated[int, Field(ge=0, le=9)]": st.integers(0, 9),
    "Annotated[str, 'what it means']": TEXTS,
}  # fmt: skip
EXACT_KEYS = {"int": st.integers(), "str": TEXTS, "datetime.date": st.dates()}


@st.composite
def typed(draw: st.DrawFn, depth: int = 2) -> tuple[str, st.SearchStrategy[Any]]:
    """An annotation with the values that fit it."""
    shapes = ["scalar", "list", "dict", "tuple", "endless tuple", "optional", "union"] if depth else ["scalar"]
    shape = draw(st.sampled_from(shapes))
    if shape == "scalar":
        name = draw(st.sampled_from(sorted(SCALARS)))
        return name, SCALARS[name]
    name, values = draw(typed(depth - 1))
    if shape == "list":
        return f"list[{name}]", st.lists(values, max_size=3)
    if shape == "dict":
        key = draw(st.sampled_from(sorted(EXACT_KEYS)))
        return f"dict[{key}, {name}]", st.dictionaries(EXACT_KEYS[key], values, max_size=3)
    if shape == "tuple":
        other, others = draw(typed(depth - 1))
        return f"tuple[{name}, {other}]", st.tuples(values, others)
    if shape == "endless tuple":
        return f"tuple[{name}, ...]", st.lists(values, max_size=3).map(tuple)
    return (f"Optional[{name}]" if shape == "optional" else f"{name} | None"), st.none() | values


@settings(max_examples=300)
@given(st.data())
def test_every_value_of_every_type_survives_json(data: st.DataObject) -> None:
    annotation, values = data.draw(typed())
    value = data.draw(values)
    text = json.dumps(as_json(value))
    assert same(kind(annotation).validated(json.loads(text)), value)


@settings(max_examples=300)
@given(st.data())
def test_every_value_of_every_type_survives_the_notebook(data: st.DataObject) -> None:
    _, values = data.draw(typed())
    value, imports = data.draw(values), data.draw(st.sampled_from(IMPORTS))
    spelled = literal(value, names_of(imports))
    assert same(read_literal(ast.parse(spelled, mode="eval").body, names_of(imports)), value)
    scope: dict[str, Any] = {}
    exec(f"{imports}\nvalue = {spelled}", scope)
    assert same(scope["value"], value)


@given(st.datetimes(timezones=ODD_OFFSETS), st.sampled_from(IMPORTS))
def test_offsets_down_to_the_microsecond_survive_the_notebook(value: datetime.datetime, imports: str) -> None:
    scope: dict[str, Any] = {}
    exec(f"{imports}\nvalue = {literal(value, names_of(imports))}", scope)
    assert same(scope["value"], value)


@given(
    st.datetimes(timezones=st.integers(-86399, 86399).map(lambda n: datetime.timezone(datetime.timedelta(seconds=n))))
)
def test_offsets_down_to_the_second_survive_json(value: datetime.datetime) -> None:
    assert same(kind("datetime.datetime").validated(as_json(value)), value)


@given(st.characters(categories=["Cs"]), TEXTS)
def test_lone_surrogates_are_spelled_so_that_a_file_can_hold_them(surrogate: str, text: str) -> None:
    spelled = literal(text + surrogate, Names())
    assert spelled.encode("utf-8")
    assert ast.literal_eval(spelled) == text + surrogate


@pytest.mark.parametrize("imports", IMPORTS)
@pytest.mark.parametrize(
    "value",
    [
        datetime.date(2013, 1, 15),
        datetime.datetime(2013, 1, 15, 12, 30),
        datetime.datetime(2013, 1, 15, 12, 30, tzinfo=datetime.UTC),
        datetime.datetime(2013, 1, 15, 12, 30, 1, 5, tzinfo=datetime.timezone(datetime.timedelta(hours=-5, minutes=-30))),
        datetime.datetime(2013, 11, 3, 1, 30, fold=1),
    ],
)  # fmt: skip
def test_dates_are_spelled_with_the_names_that_the_notebook_imports(value: datetime.date, imports: str) -> None:
    scope: dict[str, Any] = {}
    exec(f"{imports}\nvalue = {literal(value, names_of(imports))}", scope)
    assert same(scope["value"], value)
    assert getattr(scope["value"], "fold", 0) == getattr(value, "fold", 0)


@pytest.mark.parametrize(
    "value", [b"x", 1 + 2j, {1}, object(), datetime.time(1), datetime.timedelta(1), type("S", (str,), {})("x")]
)
def test_what_has_no_literal_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="has no literal"):
        literal(value, Names())


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1", 1), ("-1", -1), ("+1.5", 1.5), ("--1", 1), ("'a' 'b'", "ab"), ("True", True), ("None", None), ("()", ()),
        ("[1, [2]]", [1, [2]]), ("(1,)", (1,)), ("{'a': {1: 2}}", {"a": {1: 2}}), ("float('inf')", math.inf),
        ("1_000", 1000), ("datetime.date(2020, 1, month := 1) if 0 else 1", NotLiteral), ("datetime.date(year=2020, month=1, day=1)", datetime.date(2020, 1, 1)),
        ("x", NotLiteral), ("f'{x}'", NotLiteral), ("1 + 1", NotLiteral), ("[*x]", NotLiteral), ("{**x}", NotLiteral), ("b'x'", NotLiteral),
        ("1j", NotLiteral), ("...", NotLiteral), ("{1, 2}", NotLiteral), ("-True", NotLiteral), ("not 1", NotLiteral), ("lambda: 1", NotLiteral),
        ("datetime.date(2020, 13, 1)", NotLiteral), ("datetime.date.today()", NotLiteral), ("date(2020, 1, 1)", NotLiteral),
        ("float('x')", NotLiteral), ("float([])", NotLiteral), ("{[]: 1}", NotLiteral), ("__import__('os').getcwd()", NotLiteral),
        ("datetime.timezone.utc", datetime.UTC), ("datetime.date(*x)", NotLiteral), ("datetime.date(**x)", NotLiteral),
    ],
)  # fmt: skip
def test_a_literal_is_read_and_anything_else_is_computed(source: str, value: object) -> None:
    node = ast.parse(source, mode="eval").body
    if value is NotLiteral:
        with pytest.raises(NotLiteral):
            read_literal(node, names_of("import datetime"))
    else:
        assert same(read_literal(node, names_of("import datetime")), value)


TYPES = {
    "int": int, "float": float, "str": str, "bool": bool, "None": None, "list": list, "dict": dict, "tuple": tuple, "Any": Any,
    "typing.Any": Any, "typing.List[int]": list[int], "List[str]": list[str], "Dict[str, int]": dict[str, int],
    "datetime.date": datetime.date, "datetime.datetime": datetime.datetime, "Optional[int]": typing.Optional[int],  # noqa: UP045
    "int | None": int | None, "Union[int, str]": int | str, "typing.Union[int, None]": int | None, "tuple[int, str]": tuple[int, str],
    "tuple[int, ...]": tuple[int, ...], "Literal['a', 1]": typing.Literal["a", 1], "typing.Literal[-1]": typing.Literal[-1],
}  # fmt: skip


@pytest.mark.parametrize(("annotation", "python"), TYPES.items())
def test_annotations_are_understood_without_being_run(annotation: str, python: Any) -> None:
    found = kind(annotation).python
    assert found == python or typing.get_args(found)[0] == python


@pytest.mark.parametrize(
    ("annotation", "imports"),
    [
        ("dt.date", "import datetime as dt"),
        ("date", "from datetime import date"),
        ("D", "from datetime import date as D"),
    ],
)
def test_dates_are_understood_however_they_are_imported(annotation: str, imports: str) -> None:
    assert kind(annotation, imports).python is datetime.date


@pytest.mark.parametrize(
    "annotation",
    ["Flights", "np.ndarray", "int()", "list[Flights]", "Optional[int, str]", "Literal[x]", "1", "set[int]", "date", "complex",
     "Annotated[int, x]", "Annotated[int, Field(5)]", "Annotated[int, Field(ge=x)]", "dict[int]", "os.int", "Callable[[int], int]",
     "__import__('os').system('true')", "Annotated[int, Field(nonsense=1)]", "Annotated[str, Field(ge='x', pattern='(')]"],
)  # fmt: skip
def test_any_other_annotation_is_refused_without_being_run(annotation: str) -> None:
    with pytest.raises(UnknownType):
        kind(annotation).validated(1)


ACCEPTED = [
    ("int", "4", 4), ("float", 4, 4.0), ("float", "4.5", 4.5), ("float", "inf", math.inf), ("bool", "true", True), ("str", "4", "4"),
    ("datetime.date", "2013-01-15", datetime.date(2013, 1, 15)),
    ("datetime.datetime", "2013-01-15T12:30", datetime.datetime(2013, 1, 15, 12, 30)),
    ("datetime.datetime", "2013-01-15 12:30:00", datetime.datetime(2013, 1, 15, 12, 30)),
    ("datetime.datetime", "2013-01-15T12:30:00Z", datetime.datetime(2013, 1, 15, 12, 30, tzinfo=datetime.UTC)),
    ("datetime.datetime", "2013-01-15", datetime.datetime(2013, 1, 15)),
    ("Optional[int]", None, None), ("int | str", "x", "x"), ("datetime.datetime | str", "soon", "soon"), ("list[int]", ["1", 2], [1, 2]),
    ("list[datetime.date]", ["2013-01-15"], [datetime.date(2013, 1, 15)]), ("tuple[int, str]", [1, "a"], (1, "a")), ("Any", {"a": [1]}, {"a": [1]}),
    ("Literal['a', 'b']", "a", "a"), ("Annotated[int, Field(ge=0)]", 0, 0), ("dict[str, list[float]]", {"a": [1, 2.5]}, {"a": [1.0, 2.5]}),
]  # fmt: skip
REFUSED = [
    ("int", 4.0), ("int", 4.5), ("int", "4.5"), ("int", True), ("int", "x"), ("int", None), ("int", [1]), ("int", ""),
    ("float", True), ("float", "x"), ("float", None), ("str", 4), ("str", None), ("str", ["a"]), ("bool", 1), ("bool", 0.0), ("bool", "maybe"),
    ("datetime.date", "2013-13-01"), ("datetime.date", "soon"), ("datetime.date", 0), ("datetime.date", "0"), ("datetime.date", "86400"),
    ("datetime.date", "2013-01-15T12:30:00"), ("datetime.date", True), ("datetime.datetime", "86400"), ("datetime.datetime", 86400), ("datetime.datetime", "12:30"),
    ("list[datetime.date]", ["86400"]), ("list[datetime.date]", [86400]), ("Optional[datetime.datetime]", "86400"),
    ("list[int]", [1, "x"]), ("list[int]", [True]), ("list[int]", [1.0]), ("list[int]", "1"), ("list[int]", {"a": 1}), ("dict[str, int]", [1]), ("dict[str, bool]", {"a": 1}),
    ("tuple[int, str]", [1]), ("tuple[int, str]", [1, "a", 2]), ("Literal['a', 'b']", "c"), ("Literal[1]", True), ("Literal[True]", 1),
    ("Annotated[int, Field(ge=0)]", -1), ("Annotated[str, Field(pattern='^a')]", "b"), ("None", 1), ("Optional[int]", "x"),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "given", "value"), ACCEPTED)
def test_a_fitting_value_is_taken(annotation: str, given: Any, value: Any) -> None:
    assert same(kind(annotation).validated(given), value)


@pytest.mark.parametrize(("annotation", "given"), REFUSED)
def test_a_value_of_another_type_is_refused(annotation: str, given: Any) -> None:
    with pytest.raises(ValueError) as caught:
        kind(annotation).validated(given)
    assert kind(annotation).expected in str(caught.value)


@pytest.mark.parametrize(
    ("default", "given", "value"),
    [(3, 4, 4), (3.0, 4, 4.0), ("a", "b", "b"), (True, False, False), (None, [1, "a", None], [1, "a", None]),
     (datetime.date(2020, 1, 1), "2013-01-15", datetime.date(2013, 1, 15)), ([1], ["x"], ["x"]), ((1,), [2, 3], (2, 3)), ({}, {"a": 1}, {"a": 1})],
)  # fmt: skip
def test_without_an_annotation_the_defaults_type_counts(default: Any, given: Any, value: Any) -> None:
    assert same(ParameterType("", None, Names(), default).validated(given), value)


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        ("int", {"type": "integer"}),
        ("datetime.date", {"type": "string", "format": "date"}),
        ("datetime.datetime", {"type": "string", "format": "date-time"}),
        ("Optional[str]", {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ("Literal['a', 'b']", {"type": "string", "enum": ["a", "b"]}),
        ("Annotated[int, Field(ge=0, le=9, description='d')]", {"type": "integer", "minimum": 0, "maximum": 9, "description": "d"}),
        ("list[float]", {"type": "array", "items": {"type": "number"}}),
    ],
)  # fmt: skip
def test_a_type_has_a_json_schema(annotation: str, schema: dict[str, Any]) -> None:
    assert kind(annotation).json_schema() == schema
