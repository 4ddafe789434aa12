"""The fields of forms: every type of parameter, from a value to a text and back, and what is said of it."""

from __future__ import annotations

import datetime
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.errors import ParameterError
from workflows.notebooks.parameters import ParametersCell
from workflows.notebooks.values import as_json
from workflows.web.starting.fields import NOTHING, Field


def field(declared: str) -> Field:
    """The field of a parameter, as a notebook declares it."""
    head = "import datetime\nfrom typing import Annotated, Any, Literal, Optional\nfrom pydantic import Field\n"
    (parameter,) = ParametersCell.read(f"{head}{declared}").parameters.values()
    return Field("daily", parameter)


# What browsers send of a text: the ends of its lines are as they like it, so they are not kept apart.
TEXT = st.text(st.characters(exclude_characters="\r\x00", exclude_categories=["Cs"]))
SHORT = st.text(st.sampled_from("ab1 -\"'<&é"), max_size=4)
JSON = st.recursive(st.none() | st.booleans() | st.integers(-99, 99) | SHORT, lambda one: st.lists(one, max_size=3))
ZONED = st.datetimes() | st.datetimes(timezones=st.just(datetime.UTC))
TYPES: dict[str, tuple[str, st.SearchStrategy[Any]]] = {
    "x: int = 1": ("integer", st.integers()),
    "x = 1": ("integer", st.integers()),
    "x: float = 1.0": ("number", st.floats()),
    "x: str = ''": ("text", TEXT),
    "x: bool = True": ("flag", st.booleans()),
    "x: datetime.date = datetime.date(2013, 1, 15)": ("date", st.dates()),
    "x: datetime.datetime = datetime.datetime(2013, 1, 15, 9, 30)": ("text", ZONED),
    "x: Literal['a', 'b', 3, None] = 'a'": ("choice", st.sampled_from(["a", "b", 3, None])),
    "x: Literal['1', 1] = 1": ("choice", st.sampled_from(["1", 1])),
    "x: Literal['only'] = 'only'": ("choice", st.just("only")),
    "x: Optional[int] = None": ("integer", st.none() | st.integers()),
    "x: float | None = None": ("number", st.none() | st.floats(allow_nan=False)),
    "x: Optional[str] = None": ("text", st.none() | TEXT),
    "x: Optional[bool] = None": ("choice", st.sampled_from([True, False, None])),
    "x: Optional[datetime.date] = None": ("date", st.none() | st.dates()),
    "x: Optional[Literal['a', 'b']] = 'a'": ("choice", st.sampled_from(["a", "b", None])),
    "x: list[int] = [1]": ("json", st.lists(st.integers())),
    "x: Optional[list[int]] = None": ("json", st.none() | st.lists(st.integers())),
    "x: dict[str, float] = {}": ("json", st.dictionaries(TEXT, st.floats(allow_nan=False))),
    "x: dict[str, list[bool]] = {}": ("json", st.dictionaries(SHORT, st.lists(st.booleans()))),
    "x: tuple[int, str] = (1, 'a')": ("json", st.tuples(st.integers(), TEXT)),
    "x: int | str = 1": ("json", st.integers() | TEXT),
    "x = None": ("json", JSON),
}


@pytest.mark.parametrize("declared", TYPES)
@given(data=st.data())
def test_a_value_of_every_type_comes_back_from_its_spelling(declared: str, data: st.DataObject) -> None:
    """Through the text of its control, as a browser sends it."""
    one, value = field(declared), data.draw(TYPES[declared][1])
    sent = {"x": [one.text(value).replace("\n", "\r\n") if one.kind == "text" else one.text(value)]}
    if one.has_nothing and value is None:
        sent[f"x{NOTHING}"] = ["1"]
    text, is_none = one.found(sent)
    read = one.parameter.type.validated(None if is_none else one.read(text))
    assert type(read) is type(value)
    assert read == value or (isinstance(value, float) and math.isnan(value) and math.isnan(read))


@pytest.mark.parametrize(("declared", "kind"), [(declared, kind) for declared, (kind, _) in TYPES.items()])
def test_the_type_says_which_control_there_is(declared: str, kind: str) -> None:
    """One of seven kinds."""
    assert field(declared).kind == kind


@pytest.mark.parametrize("declared", TYPES)
def test_the_default_is_what_a_form_says_that_says_nothing(declared: str) -> None:
    """It is shown, and it is used."""
    one = field(declared)
    text, is_none = one.found({})
    assert one.parameter.type.validated(None if is_none else one.read(text)) == one.parameter.default


@pytest.mark.parametrize(
    ("declared", "hint"),
    [
        ("x: Annotated[int, Field(ge=7, le=90)] = 28", "7 to 90"),
        ("x: Annotated[float, Field(gt=0, le=100)] = 3.5", "above 0, at most 100"),
        ("x: Annotated[str, Field(max_length=3)] = ''", "at most 3 characters"),
        ("x: Annotated[list[int], Field(min_length=1)] = [1]", "at least 1 items"),
        ("x: Optional[int] = None", "may be empty"),
        ("x: int = 1", ""),
    ],
)
def test_bounds_are_said_in_words(declared: str, hint: str) -> None:
    """Beside the name of the field."""
    assert field(declared).hint == hint


def test_a_box_that_is_not_ticked_is_no() -> None:
    """What precedes it in the form is sent then alone, and else comes first."""
    one = field("x: bool = True")
    assert one.read(one.found({"x": ["false"]})[0]) == "false"
    assert one.read(one.found({"x": ["false", "true"]})[0]) == "true"


def test_a_choice_is_found_by_its_plain_spelling_in_an_address() -> None:
    """As people write addresses."""
    assert field("x: Literal['all', 'AA', 7] = 'all'").read("AA") == "AA"
    assert field("x: Literal['all', 'AA', 7] = 'all'").read("7") == 7


def test_json_that_is_none_is_refused_with_what_is_expected() -> None:
    """By the sentence that everything else has that is wrong with a value."""
    with pytest.raises(ParameterError, match=r"daily: parameter 'x' is '\[1,'; expected list\[int\] as JSON"):
        field("x: list[int] = [1]").read("[1,")


def test_long_json_has_a_line_for_each_item() -> None:
    """So that it can be read in a form."""
    one = field("x: list[str] = []")
    value = [f"item number {n}" for n in range(9)]
    assert len(one.text(value).splitlines()) == 11
    assert json.loads(one.text(value)) == as_json(value)
