"""SQL statements, fingerprints and tables, without a database."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pytest
from pandera.typing import Series

from workflows.data.database import connect
from workflows.data.rows import Rows, fingerprint
from workflows.data.server import SqlAlchemyDatabase
from workflows.data.sqlite import SqliteFile
from workflows.data.statement import Statement
from workflows.data.tables import as_frame, as_stored, checked, read_table, schema_name, table_bytes, write_table
from workflows.errors import DatabaseError, PipelineError, SchemaError, StageError


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT :a", {"a"}),
        ("SELECT :a, :b, :a", {"a", "b"}),
        ("SELECT x::date, :a::text, CAST(:b AS date)", {"a", "b"}),
        ("SELECT ':a', :b", {"b"}),
        ("SELECT 'it''s :a', :b", {"b"}),
        ('SELECT ":a", :b', {"b"}),
        ("SELECT `:a`, :b", {"b"}),
        ("SELECT $$ :a $$, $x$ :c $x$, :b", {"b"}),
        ("SELECT E'\\' :a', :b", {"b"}),
        ("SELECT 1 -- at 12:30 :a\n, :b", {"b"}),
        ("SELECT 1 /* :a */ , :b", {"b"}),
        ("SELECT ARRAY[:a, :b]", {"a", "b"}),
        ("SELECT x[1:n]", set()),
        ("SELECT '12:30'", set()),
        ("SELECT (:a)", {"a"}),
        ("SELECT -:a", {"a"}),
        ("SELECT 1", set()),
    ],
)
def test_a_statement_binds_the_names_outside_of_quotes_and_comments(sql: str, names: set[str]) -> None:
    assert Statement(sql, "sql").binds == names


def test_a_statement_is_read_from_the_file_beside_the_module(tmp_path: Path) -> None:
    (tmp_path / "events.sql").write_text("SELECT 'ü'")
    statement = Statement.of("Events", " events.sql\n", tmp_path, "sql")
    assert (statement.text, statement.name, statement.path) == ("SELECT 'ü'", "events.sql", tmp_path / "events.sql")


def test_a_statement_that_is_no_file_is_itself(tmp_path: Path) -> None:
    assert Statement.of("Events", "SELECT 1", tmp_path, "sql") == Statement("SELECT 1", "sql", None)


@pytest.mark.parametrize("given", ["none.sql", "folder.sql"])
def test_a_missing_file_is_named(tmp_path: Path, given: str) -> None:
    (tmp_path / "folder.sql").mkdir()
    with pytest.raises(PipelineError, match=f"Events names the SQL file .*/{given}, which does not exist"):
        Statement.of("Events", given, tmp_path, "sql")


@pytest.mark.parametrize(
    ("sql", "inner"),
    [
        ("SELECT 1", "SELECT 1"),
        ("SELECT 1;", "SELECT 1"),
        ("SELECT 1 ; ;\n -- end; of 'it\n/* all */\n", "SELECT 1"),
        ("SELECT ';' -- ;", "SELECT ';'"),
        ("SELECT '-- ;'", "SELECT '-- ;'"),
        ("SELECT 1 -- one\n, 2", "SELECT 1 -- one\n, 2"),
        ("SELECT 1; SELECT 2;", "SELECT 1; SELECT 2"),
        ('SELECT 1 AS "a;"', 'SELECT 1 AS "a;"'),
        ("SELECT $$;$$;", "SELECT $$;$$"),
        ("-- only\n", ""),
        ("", ""),
    ],
)
def test_what_ends_a_statement_is_no_part_of_it(sql: str, inner: str) -> None:
    assert Statement(sql, "sql").inner == inner


def test_a_numbered_statement_has_names_to_bind_of_its_own() -> None:
    statement = Statement("SELECT :day, ':day', x::date, :day__1 -- :day\n FROM y;", "sql")
    assert statement.numbered(7).text == "SELECT :day__7, ':day', x::date, :day__1__7 -- :day\n FROM y"
    assert not statement.numbered(0).binds & statement.numbered(1).binds


def one(value: Any) -> str:
    return fingerprint(Rows(("x",), [(value,)])).digest


DIFFERENT = [
    1, 1.0, "1", True, None, "", "None", 0, 0.0, -0.0, False, b"1", b"", Decimal(1), Decimal("1.0"),
    float("inf"), float("-inf"), float("nan"), "inf", "-inf", "nan", 2**63, 1e300, "\ud800", "ü",
    datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1), "2020-01-01", memoryview(b"12"), bytearray(b"13"),
    [], [None], ["None"], ["a, b"], ["a", "b"], [["a"], "b"], ("a", "b"), {}, {"a": 1}, {"a": "1"}, [b"1"], [memoryview(b"1")],
]  # fmt: skip


def test_a_fingerprint_tells_every_value_from_every_other() -> None:
    assert len({one(value) for value in DIFFERENT}) == len(DIFFERENT)


@pytest.mark.parametrize("value", [*DIFFERENT, memoryview(b"12")])
def test_a_fingerprint_is_the_same_again(value: Any) -> None:
    assert one(value) == one(value)


def test_a_fingerprint_is_the_same_on_every_python_and_machine() -> None:
    rows = [(1, 1.0, "é'\\\n\x7f\u2028\U0001f600", b"\x00\xff", None), (-(2**62), 0.1, "", b"", True)]
    found = fingerprint(Rows(("a", "b", "ü", "d", "e"), rows))
    assert found.digest == "f9a4e5f6732fffc863b6eff8c0fc7120687a9ead79ea34985f3a74e21594aeb9"
    assert found.rows == 2


def test_bytes_count_however_the_driver_holds_them() -> None:
    assert one(memoryview(b"12")) == one(memoryview(b"12"[:]))
    assert one(memoryview(b"12")) != one(memoryview(b"13"))


@pytest.mark.parametrize(
    "other",
    [
        Rows(("a", "b"), [(3, 4), (1, 2)]),
        Rows(("b", "a"), [(1, 2), (3, 4)]),
        Rows(("a", "c"), [(1, 2), (3, 4)]),
        Rows(("a", "b"), [(1, 2)]),
        Rows(("a", "b"), [(1, 2), (3, 4), (3, 4)]),
        Rows(("a", "b"), [(2, 1), (3, 4)]),
        Rows(("a", "b"), []),
        Rows((), []),
    ],
)
def test_a_fingerprint_sees_order_columns_and_rows(other: Rows) -> None:
    assert fingerprint(Rows(("a", "b"), [(1, 2), (3, 4)])) != fingerprint(other)


def test_a_result_becomes_a_frame_with_its_columns_even_without_rows() -> None:
    assert list(as_frame(Rows(("a", "b"), [])).columns) == ["a", "b"]
    frame = as_frame(Rows(("a", "b"), [(1, "x"), (None, "y")]))
    assert frame["b"].tolist() == ["x", "y"]
    assert frame["a"].isna().tolist() == [False, True]


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        write_table("T", pd.DataFrame({"x": [1, 2], "y": ["a", None]}), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert read_table(tmp_path / "a")["x"].tolist() == [1, 2]


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": [1, 2], "b": [1.5, None], "c": [True, False], "d": pd.Series([1, 2], dtype="uint8")}),
        pd.DataFrame({"a": []}, dtype="int64"),
        pd.DataFrame({"a": range(3)}).iloc[::2],
        pd.DataFrame({"a": [1]}, index=[7]),
        pd.DataFrame({"a": [1]}, index=pd.RangeIndex(1, name="row")),
        pd.DataFrame([[1]], columns=pd.Index(["a"], dtype=object)),
        pd.DataFrame([[1]], columns=pd.Index(["a"], name="names")),
        pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])),
        pd.DataFrame({"a": ["x"], "when": pd.to_datetime(["2020-01-01"], utc=True), "p": [pd.Period("2020-01")]}),
        pd.DataFrame({"a": pd.Series([1, None], dtype="Int64"), "b": [datetime.date(2020, 1, 1), None]}),
    ],
)
def test_a_small_table_has_the_bytes_that_pandas_writes(frame: pd.DataFrame) -> None:
    for _ in range(2):
        assert table_bytes("T", frame) == frame.to_parquet(compression="none")


def test_what_is_attached_to_a_table_stays_with_it() -> None:
    frame = pd.DataFrame({"x": [1]})
    frame.attrs["unit"] = "m"
    assert as_stored("T", frame).attrs == {"unit": "m"}


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"x": [1, "a"]}),
        pd.DataFrame({"x": [object()]}),
        pd.DataFrame([[1, 2]], columns=["x", "x"]),
        pd.DataFrame({"x": [1 + 2j]}),
    ],
    ids=["two types", "objects", "one name twice", "complex numbers"],
)
def test_a_table_that_parquet_cannot_hold_is_said(tmp_path: Path, frame: pd.DataFrame) -> None:
    with pytest.raises(StageError, match="T: the table cannot be stored as Parquet: "):
        write_table("T", frame, tmp_path / "t")


class Events(pa.DataFrameModel):
    id: Series[int] = pa.Field(unique=True)
    value: Series[float] = pa.Field(ge=0, nullable=True)
    kind: Series[str] = pa.Field(isin=["a", "b"])

    class Config:
        strict = True


GOOD = pd.DataFrame({"id": [1, 2, 3, 4, 5], "value": [1.0, 2.0, 3.0, 4.0, 5.0], "kind": list("abaab")})


def test_a_table_that_keeps_its_schema_passes() -> None:
    assert checked("T", GOOD, Events).equals(GOOD)
    assert checked("T", GOOD, None) is GOOD
    assert checked("T", GOOD, f"{__name__}:Events").equals(GOOD)


BROKEN = {
    "a value out of bounds": (GOOD.assign(value=[1, -2.0, 3, -4, -5]), r"column 'value' fails greater_than_or_equal_to\(0\): row 1: -2.0, row 3: -4.0, row 4: -5.0"),
    "more rows than are shown": (GOOD.assign(value=-1.0), r"column 'value' .*row 0: -1.0, row 1: -1.0, row 2: -1.0 \(and 2 more rows\)"),
    "a choice": (GOOD.assign(kind=list("abazz")), r"column 'kind' fails isin\(.*: row 3: 'z', row 4: 'z'"),
    "a missing column": (GOOD.drop(columns="kind"), r"column 'kind' is missing"),
    "a column too many": (GOOD.assign(more=1), r"column 'more' is not in the schema"),
    "a type": (GOOD.assign(value=list("vwxyz")), r"column 'value' fails .*float64.*"),
    "a missing value": (GOOD.assign(kind=["a", "b", None, "a", "b"]), r"column 'kind' fails not_nullable: row 2: "),
    "a duplicate": (GOOD.assign(id=[1, 1, 3, 4, 5]), r"column 'id' fails field_uniqueness: row 0: 1, row 1: 1"),
}  # fmt: skip


@pytest.mark.parametrize(("frame", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_schema_names_column_check_and_rows(frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(SchemaError, match=f"^T: the table breaks Events: {message}"):
        checked("T", frame, Events)


def test_many_broken_checks_are_counted() -> None:
    frame = GOOD.assign(value=-1.0, kind="z", id=1).assign(more=1)
    with pytest.raises(SchemaError, match=r"; and 1 more checks$"):
        checked("T", frame, Events)


@pytest.mark.parametrize("schema", ["nowhere:Events", "json:Events", "Events", "json:loads", 3, ":", ""])
def test_a_schema_that_is_none_is_named(schema: Any) -> None:
    with pytest.raises(PipelineError, match=r"T has the schema .*; expected a pandera DataFrameModel"):
        checked("T", GOOD, schema)


def test_the_module_of_a_schema_is_known_however_it_is_given() -> None:
    assert schema_name(None) is None
    assert schema_name("acme.schemas:Events") == ("acme.schemas", "Events")
    assert schema_name(Events) == (__name__, "Events")


def test_a_sqlite_file_is_opened_without_sqlalchemy() -> None:
    assert isinstance(connect("sqlite:////x.db"), SqliteFile)
    for url in ("sqlite://", "sqlite:///:memory:", "sqlite:////x.db?mode=ro", "postgresql://u:p@h/d"):
        assert isinstance(connect(url), SqlAlchemyDatabase)


def test_a_password_is_not_shown() -> None:
    assert connect("postgresql://me:secret@host/db").place == "postgresql://me:***@host/db"


@pytest.mark.parametrize(
    "url", ["nosuch://me:secret@h/d", "postgresql+nosuch://me:secret@h/d", "postgresql://me:secret@h:port/d"]
)
def test_a_database_that_nobody_speaks_to_is_said_without_its_password(url: str) -> None:
    with pytest.raises(DatabaseError, match=r"cannot be used: .* named in luigi.cfg") as caught:
        connect(url).result("T", Statement("SELECT 1", "sql"), {})
    assert "secret" not in str(caught.value)
