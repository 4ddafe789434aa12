"""Many Parquet files read in one go: each frame is the one that pandas reads of its file."""

from __future__ import annotations

from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

from workflows.data.parquet import read_frames
from workflows.errors import StageError

pytestmark = pytest.mark.integration

# Columns by the way their type comes about: what is in one file changes the type there, and nowhere else.
COLUMNS = {
    "whole": [1, 2, -(2**62)],
    "whole with a missing one": [1, None, 2**40],
    "nullable": pd.array([1, None, 3], "Int64"),
    "nullable whole": pd.array([1, 2, 3], "Int64"),
    "nullable truth": pd.array([True, None, False], "boolean"),
    "nullable truth whole": pd.array([True, True, False], "boolean"),
    "small": np.array([1, 2, 3], "int8"),
    "float": [0.1, float("nan"), float("inf")],
    "single": np.array([0.1, 2, 3], "float32"),
    "truth": [True, False, True],
    "truth with a missing one": pd.Series([True, None, False], dtype=object),
    "text": ["a", "", "ü"],
    "text with a missing one": ["a", None, "ü"],
    "nothing": [None, None, None],
    "time": pd.date_range("2020-01-01", periods=3),
    "time with a missing one": pd.Series(["2020-01-01", None, "2020-01-03"], dtype="datetime64[us]"),
    "zoned": pd.date_range("2020-03-28", periods=3, tz="Europe/Berlin"),
    "zoned elsewhere": pd.date_range("2020-03-28", periods=3, tz="UTC"),
    "date": pd.date_range("2020-01-01", periods=3).date,
    "category": pd.Categorical(["x", "y", "x"]),
    "other category": pd.Categorical(["y", "z", None]),
    "bytes": [b"a", None, b""],
    "list": [[1], [], None],
    "duration": pd.to_timedelta([1, 2, None], unit="h"),
}
NAMES = st.sampled_from(sorted(COLUMNS))


@st.composite
def frames(draw: st.DrawFn) -> list[pd.DataFrame]:
    """A few frames with columns of the same names, some of them of other types; some empty."""
    usual = {name: draw(NAMES) for name in draw(st.lists(st.sampled_from("abc"), min_size=1, unique=True))}
    made = []
    for _ in range(draw(st.integers(1, 5))):
        kinds = usual | draw(st.just({}) | st.fixed_dictionaries({"a": NAMES}))
        frame = pd.DataFrame({name: COLUMNS[kind] for name, kind in kinds.items()})
        made.append(frame.head(draw(st.sampled_from([3, 3, 2, 0]))))
    return made


def stored(folder: Path, made: list[pd.DataFrame]) -> list[Path]:
    paths = [folder / f"{n}.parquet" for n in range(len(made))]
    for frame, path in zip(made, paths, strict=True):
        frame.to_parquet(path)
    return paths


def assert_as_pandas(paths: list[Path]) -> None:
    for found, path in zip(read_frames("Mine", paths), paths, strict=True):
        alone = pd.read_parquet(path)
        pd.testing.assert_frame_equal(
            found, alone, check_index_type="exact", check_column_type="exact", check_freq=True
        )
        assert found.attrs == alone.attrs


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frames())
def test_each_frame_is_the_one_of_its_file(tmp_path: Path, made: list[pd.DataFrame]) -> None:
    assert_as_pandas(stored(tmp_path, made))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frames(), st.data())
def test_some_columns_are_those_that_pandas_reads(
    tmp_path: Path, made: list[pd.DataFrame], data: st.DataObject
) -> None:
    paths = stored(tmp_path, made)
    own = (st.lists(st.sampled_from(sorted(frame)), unique=True, min_size=1) for frame in made)
    columns = [data.draw(st.none() | names) for names in own]
    for found, path, wanted in zip(read_frames("Mine", paths, columns), paths, columns, strict=True):
        pd.testing.assert_frame_equal(found, pd.read_parquet(path, columns=wanted))


def test_the_index_of_a_frame_stays_where_columns_are_named(tmp_path: Path) -> None:
    paths = stored(tmp_path, [pd.DataFrame({"a": [1], "b": [2]}, index=pd.Index(["x"], name="key"))])
    pd.testing.assert_frame_equal(read_frames("Mine", paths, [["b"]])[0], pd.read_parquet(paths[0])[["b"]])


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    paths = stored(tmp_path, [pd.DataFrame({"a": [1]})])
    with pytest.raises(StageError, match=r"Mine: columns names b, which .*0\.parquet does not have\. It has a\."):
        read_frames("Mine", paths, [["a", "b"]])


def test_an_index_and_notes_of_a_frame_stay_its_own(tmp_path: Path) -> None:
    plain = pd.DataFrame({"a": [1, 2, 3]})
    noted = plain.copy()
    noted.attrs = {"unit": "m"}
    indexed = [plain.set_index(pd.Index([7, 8, 9], name=name)) for name in (None, "a", "key")]
    later = plain.set_index(pd.RangeIndex(5, 8))
    named = plain.set_index(pd.RangeIndex(3, name="n"))
    assert_as_pandas(stored(tmp_path, [plain, noted, *indexed, later, named, plain, noted]))


def test_a_frame_that_is_changed_leaves_the_others_as_they_are(tmp_path: Path) -> None:
    paths = stored(tmp_path, [pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})] * 3)
    first, second, third = read_frames("Mine", paths)
    second.loc[0, "a"] = 9.0
    second["b"] = "z"
    second.iloc[1] = [8.0, "w"]
    second.index = pd.Index([5, 6])
    for frame in (first, third):
        pd.testing.assert_frame_equal(frame, pd.read_parquet(paths[0]))


def test_no_files_are_no_frames() -> None:
    assert read_frames("Mine", []) == []
