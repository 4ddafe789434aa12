"""Tables and measures compared."""

from __future__ import annotations

import json
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.evaluation.changes import CellChange
from workflows.evaluation.comparison import compare_measures, compare_tables
from workflows.evaluation.measures import Measure


def events(*rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["id", "kind", "value"])


OLD = events((1, "a", 1.0), (2, "b", 2.5), (3, "a", 4.0))


def test_a_table_is_the_same_as_itself() -> None:
    found = compare_tables(OLD, OLD.copy())
    assert (found.is_same, found.sentence, found.key) == (True, "the same rows", ("id",))


def test_rows_are_told_apart_by_an_id_that_is_found() -> None:
    found = compare_tables(OLD, events((1, "a", 1.0), (3, "a", 5.0), (4, "c", 0.0)))
    assert found.sentence == "1 row added (4), 1 removed, 1 changed in value"
    assert (found.old_rows, found.new_rows, found.added_rows, found.removed_rows) == (3, 3, ((4,),), ((2,),))
    assert found.examples == (CellChange((3,), "value", 4.0, 5.0),)
    assert found.changed_columns == {"value": 1}


def test_a_row_with_two_changed_values_counts_once() -> None:
    found = compare_tables(OLD, events((1, "z", 9.0), (2, "b", 2.5), (3, "a", 4.0)))
    assert (found.changed, found.changed_columns) == (1, {"kind": 1, "value": 1})
    assert found.sentence == "1 row changed in kind, value"


FLIGHTS = pd.DataFrame({
    "date": pd.Timestamp("2013-01-15"), "carrier": ["UA", "UA", "DL"], "flight": [1545, 1, 1], "dep_delay": [2.0, np.nan, 3.0],
})  # fmt: skip


def test_the_smallest_leading_columns_that_tell_rows_apart_are_the_key() -> None:
    found = compare_tables(FLIGHTS, FLIGHTS.iloc[1:].reset_index(drop=True))
    assert found.key == ("carrier", "flight")
    assert found.sentence == "1 row removed (UA 1545)"


def test_a_declared_key_comes_first() -> None:
    new = events((1, "a", 1.0), (2, "b", 2.5), (4, "c", 4.0))
    assert compare_tables(OLD, new, ["value"]).sentence == "1 row changed in id, kind"
    assert compare_tables(OLD, new, ["id"]).sentence == "1 row added (4), 1 removed"


@pytest.mark.parametrize("key", [["kind"], ["nothing"]])
def test_a_declared_key_that_does_not_tell_rows_apart_is_passed_over(key: list[str]) -> None:
    assert compare_tables(OLD, OLD.iloc[:2], key).key == ("id",)


def test_measurements_and_missing_values_are_no_key() -> None:
    numbers = pd.DataFrame({"x": [1.0, 2.0], "name": ["a", None]})
    assert compare_tables(numbers, numbers.iloc[:1]).key == ()


def test_without_a_key_whole_rows_are_counted() -> None:
    old = pd.DataFrame({"x": [1.0, 1.0, 1.0, 2.0]})
    found = compare_tables(old, pd.DataFrame({"x": [1.0, 3.0, 1.0]}))
    assert (found.key, found.added, found.removed, found.changed) == ((), 1, 2, 0)
    assert (found.added_rows, found.removed_rows) == (((3.0,),), ((1.0,), (2.0,)))
    assert found.sentence == "1 row added, 2 removed"


@pytest.mark.parametrize(
    "dtype", ["float64", "Float64", "object", "str", "datetime64[us]", "datetime64[ns, UTC]", "Int64"]
)
def test_no_value_is_the_same_as_no_value(dtype: str) -> None:
    table = pd.DataFrame({"id": [1, 2], "value": pd.Series([None, None], dtype=dtype)})
    assert compare_tables(table, table.copy()).is_same


def test_numbers_are_compared_exactly() -> None:
    found = compare_tables(OLD, OLD.assign(value=[1.0, np.nextafter(2.5, 3), 4.0]))
    assert found.changed == 1
    big = pd.DataFrame({"id": [1], "value": [2**60]})
    assert compare_tables(big, big.assign(value=2**60 + 1)).changed == 1


def test_a_column_of_another_type_with_equal_values_changes_no_row() -> None:
    found = compare_tables(OLD, OLD.astype({"id": "float64"}))
    assert (found.changed, found.is_same, found.sentence) == (0, False, "column id int64 -> float64")


def test_columns_that_come_and_go_are_named() -> None:
    found = compare_tables(OLD, OLD.drop(columns="kind").assign(more=1))
    assert found.sentence == "column kind removed, column more added"


def test_another_order_of_the_same_rows_is_said() -> None:
    kinds = OLD[["kind"]]
    assert compare_tables(kinds, kinds.iloc[[1, 0, 2]].reset_index(drop=True)).is_reordered
    assert not compare_tables(OLD, OLD.iloc[1:].reset_index(drop=True)).is_reordered
    assert compare_tables(OLD, OLD.iloc[::-1].reset_index(drop=True)).sentence == "rows in another order"


def test_an_index_that_is_no_plain_count_is_compared_like_a_column() -> None:
    assert compare_tables(OLD.set_index("id"), OLD.assign(value=0.0).set_index("id")).key == ("id",)
    assert compare_tables(OLD, OLD.set_axis([5, 6, 7])).changed_columns == {"(index)": 3}


def test_lists_categories_and_times_are_compared() -> None:
    old = pd.DataFrame({"id": [1, 2], "many": [[1, 2], np.array([3])], "kind": pd.Categorical(["a", "b"]),
                        "at": pd.to_datetime(["2020-01-01 00:00", "2020-01-02 03:00"])})  # fmt: skip
    new = old.assign(many=[[1, 2], [4]], kind=pd.Categorical(["a", "c"]), at=pd.to_datetime(["2020-01-01", None]))
    found = compare_tables(old, new)
    assert found.changed == 1
    assert [(cell.column, cell.old, cell.new) for cell in found.examples] == [
        ("many", [3], [4]), ("kind", "b", "c"), ("at", "2020-01-02 03:00:00", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new"), [(OLD.iloc[:0], OLD), (OLD, OLD.iloc[:0]), (OLD[[]], OLD), (OLD.iloc[:0],) * 2]
)
def test_empty_tables_are_tables(old: pd.DataFrame, new: pd.DataFrame) -> None:
    found = compare_tables(old, new)
    assert found.new_rows - found.old_rows == found.added - found.removed


def test_the_comparison_is_json() -> None:
    table = pd.DataFrame({"id": [np.int64(1)], "at": [pd.Timestamp("2020-01-01")], "ok": [True], "x": [np.nan]})
    found = compare_tables(table, table.assign(ok=False, x=1.5)).as_json()
    assert json.loads(json.dumps(found, allow_nan=False))["examples"][1]["old"] is None


def test_at_most_five_examples_are_kept() -> None:
    old = pd.DataFrame({"id": range(20), "x": 0, "y": 0})
    new = pd.DataFrame({"id": range(10, 40), "x": 1, "y": 1})
    found = compare_tables(old, new)
    assert [len(some) for some in (found.added_rows, found.removed_rows, found.examples)] == [5, 5, 5]
    assert found.sentence == "20 rows added (20, 21, 22, ...), 10 removed, 10 changed in x, y"


ROWS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.floats(0, 2) | st.none()), max_size=6)


@given(ROWS, ROWS)
def test_what_is_added_and_removed_accounts_for_every_row(
    first: list[tuple[object, ...]], second: list[tuple[object, ...]]
) -> None:
    old, new = events(*first), events(*second)
    found, back = compare_tables(old, new), compare_tables(new, old)
    assert found.new_rows == found.old_rows + found.added - found.removed
    assert (found.added, found.removed, found.changed, found.key) == (back.removed, back.added, back.changed, back.key)


def test_four_hundred_thousand_rows_take_some_seconds() -> None:
    size, draw = 400_000, np.random.default_rng(0)
    table = pd.DataFrame({"carrier": np.array(["UA", "DL", "B6"])[np.arange(size) % 3], "flight": np.arange(size) // 3})
    numbers = pd.DataFrame(draw.normal(size=(size, 10))).add_prefix("x")
    texts = pd.DataFrame(draw.integers(0, 3000, (size, 7))).add_prefix("s").astype(str)
    table = pd.concat([table, numbers, texts], axis=1)
    began = time.monotonic()
    found = compare_tables(
        table, table.iloc[1:].assign(x3=table.x3.iloc[1:].where(table.flight != 9, 0.0)).reset_index(drop=True)
    )
    assert time.monotonic() - began < 10
    assert found.sentence == "1 row removed (UA 0), 3 changed in x3"


def test_measures_stand_side_by_side_with_their_direction() -> None:
    old = [Measure("late", 0.25, "1", "lower"), Measure("speed", 3, "m/s", None), Measure("gone", 1, "1", None)]
    new = [Measure("late", 0.5, "1", "lower"), Measure("speed", 4, "m/s", None), Measure("new", None, "1", "higher")]
    found = compare_measures(old, new)
    assert [(change.name, change.difference, change.verdict) for change in found] == [
        ("late", 0.25, "worse"), ("speed", 1, "changed"), ("new", None, "same"), ("gone", None, "changed"),
    ]  # fmt: skip
    assert [change.sentence for change in found][:2] == ["late 0.25 -> 0.5 (worse)", "speed 3 -> 4 m/s"]


@pytest.mark.parametrize(("better", "verdict"), [("lower", "better"), ("higher", "worse"), (None, "changed")])
def test_a_smaller_number_is_better_or_worse_by_its_direction(better: str | None, verdict: str) -> None:
    old, new = (Measure("m", value, "1", better) for value in (2, 1))  # type: ignore[arg-type]
    assert compare_measures([old], [new])[0].verdict == verdict
