"""Large results of PostgreSQL as Arrow tables, copied in binary by ADBC; only what comes out as it does row by row."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from workflows.data.arrow import typed
from workflows.data.dialects import BEGIN
from workflows.data.statement import Statement

if TYPE_CHECKING:
    import pyarrow as pa

LARGE = 10_000
"""Rows from which on a second connection and its driver cost less (30 ms, 50 ms the first time) than they save."""

# By their numbers in every PostgreSQL: bool, bytea, name, bigint, smallint, integer, text, real, double precision, bpchar,
# varchar, date, timestamp, timestamptz, numeric.
_READ = frozenset({16, 17, 19, 20, 21, 23, 25, 700, 701, 1042, 1043, 1082, 1114, 1184, 1700})
_BOUND = {
    16: "boolean", 20: "bigint", 21: "smallint", 23: "integer", 25: "text", 700: "real", 701: "double precision",
    1042: "bpchar", 1043: "varchar", 1082: "date", 1114: "timestamp", 1184: "timestamptz", 1700: "numeric", 2950: "uuid",
}  # fmt: skip


def copied(connection: Any, statement: Statement, values: Mapping[str, Any]) -> pa.Table | None:
    """The rows that a statement gives in this transaction of SQLAlchemy, or None where they are to be fetched.

    None if ADBC is not installed, cannot do it or fails, or if it might give other types or values. Raises
    SQLAlchemyError or ValueError, with a transaction that is lost, if the database refuses what prepares it.
    """
    import pyarrow as pa

    try:
        import adbc_driver_manager as adbc
        import adbc_driver_postgresql  # noqa: F401 - what cannot be copied from is not to be prepared
    except ImportError:
        return None
    server = connection.connection.dbapi_connection
    if server.info.parameter_status("server_encoding") != "UTF8":
        return None
    bound = {name: values[name] for name in sorted(statement.binds)}
    texts, types = _dumped(server, list(bound.values()))
    kinds = _kinds(server, statement, list(bound), types)
    if kinds is None or None in texts:
        return None
    begin = _begin(connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one())
    stand_ins = map(_stand_in, range(1, len(kinds) + 1), kinds)
    sql = statement.placed(dict(zip(bound, stand_ins, strict=True)))
    try:
        return typed(_copy(_address(server.info), begin, texts, sql), str(server.info.timezone))
    except (adbc.Error, pa.ArrowException, OSError, ValueError):
        # What is wrong is said, if it is, when the rows are fetched.
        return None


def _copy(address: str, begin: list[str], texts: list[str | None], sql: str) -> pa.Table:
    """The rows of a statement in a transaction that begins so, with these values bound; raises adbc.Error."""
    import adbc_driver_manager as adbc
    import pyarrow as pa

    with adbc.AdbcConnection(_database(address)) as connection:
        connection.set_autocommit(False)
        for beginning in begin:
            _run(connection, beginning)
        for place, text in enumerate(texts, 1):
            bound = pa.record_batch([pa.array([text], pa.string())], ["text"])
            _run(connection, f"SELECT set_config('parcours.bound_{place}', $1, true)", bound)
        return _run(connection, sql)


def _run(connection: Any, sql: str, bound: pa.RecordBatch | None = None) -> pa.Table:
    import adbc_driver_manager as adbc
    import pyarrow as pa

    with adbc.AdbcStatement(connection) as statement:
        statement.set_sql_query(sql)
        if bound is not None:
            statement.prepare()
            statement.bind(bound)
        stream, _ = statement.execute_query()
        with pa.RecordBatchReader.from_stream(stream) as batches:
            return batches.read_all()


@cache
def _database(address: str) -> Any:
    """What ADBC knows of a database's types, which takes it 25 ms to ask for; no connection, so that processes may share it."""
    import adbc_driver_postgresql

    return adbc_driver_postgresql.connect(address)


def _dumped(server: Any, values: list[Any]) -> tuple[list[str | None], Any]:
    """Values as the text that the driver would send, and what it would say of their types."""
    from psycopg.adapt import PyFormat, Transformer

    dumper = Transformer(server)
    texts = dumper.dump_sequence(values, [PyFormat.TEXT] * len(values))
    return [None if text is None else bytes(text).decode() for text in texts], dumper.types


def _kinds(server: Any, statement: Statement, names: list[str], types: Any) -> list[str] | None:
    """The types of what a statement binds, as the database resolves them; None if one, or one of a column, is not ours."""
    sent = statement.placed({name: f"${place}" for place, name in enumerate(names, 1)})
    server.pgconn.prepare(b"", sent.encode(), types)
    told = server.pgconn.describe_prepared(b"")
    columns = [told.fname(n) for n in range(told.nfields)]
    bound = [_BOUND.get(told.param_type(n)) for n in range(told.nparams)]
    if not columns or len(columns) != len(set(columns)) or len(bound) != len(names):
        return None
    if None in bound or not _READ.issuperset(told.ftype(n) for n in range(told.nfields)):
        return None
    return [kind for kind in bound if kind]


def _begin(snapshot: str) -> list[str]:
    """What begins a transaction that cannot write and sees what another one sees."""
    first, *others = BEGIN["postgresql"]
    return [first, f"SET TRANSACTION SNAPSHOT '{snapshot}'", *others]


def _stand_in(place: int, kind: str) -> str:
    """A bound value in a COPY, which binds none: in a SELECT of its own, so that it is read once and not for each row."""
    return f"(SELECT CAST(current_setting('parcours.bound_{place}') AS {kind}))"


def _address(info: Any) -> str:
    """How to reach the very server that a connection is to."""
    from psycopg.conninfo import make_conninfo

    place = {"host": info.host, "port": info.port, "password": info.password, "client_encoding": "UTF8"}
    return str(make_conninfo(info.dsn, **{name: value for name, value in place.items() if value}))
