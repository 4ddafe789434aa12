"""Arrow tables of a database's values, typed as pandas types them when a driver gives them one by one."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

# Dates outside are refused, or shifted beyond what Python can hold, when a driver makes them one by one.
_FIRST, _LAST = datetime.datetime(2, 1, 1), datetime.datetime(9998, 12, 31)


def typed(found: pa.Table, zone: str) -> pa.Table:
    """A table with the types that it would have by way of DataFrame.from_records, and pandas' own notes on them.

    Times of one zone or another come in `zone`. Raises ValueError for values that the other way refuses.
    """
    import pyarrow as pa

    columns = [_column(column, zone) for column in found.combine_chunks().columns]
    table = pa.table(columns, names=found.column_names)
    return table.replace_schema_metadata(_notes(table))


def _column(column: pa.ChunkedArray, zone: str) -> pa.ChunkedArray:
    import pyarrow as pa
    from pyarrow import types

    kind = column.type
    if column.null_count == len(column):
        return column.cast(pa.null()) if types.is_null(kind) else pa.chunked_array([pa.nulls(len(column))])
    if types.is_integer(kind):
        return column.cast(pa.float64(), safe=False) if column.null_count else column.cast(pa.int64())
    if types.is_floating(kind) or isinstance(kind, pa.BaseExtensionType):
        return _floats(column)
    if types.is_string(kind):
        return column.cast(pa.large_string())
    if types.is_temporal(kind):
        return _times(column, zone)
    return column


def _floats(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Floats, where what is not a number is missing: of doubles, of single floats and decimals by their digits."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column.type, pa.BaseExtensionType):
        column = pa.chunked_array([chunk.storage for chunk in column.chunks])
    if pa.types.is_float32(column.type):
        column = column.cast(pa.string())
    column = column.cast(pa.float64())
    is_number = pc.invert(pc.is_nan(column))
    return column if pc.all(is_number).as_py() else pc.if_else(is_number, column, None)


def _times(column: pa.ChunkedArray, zone: str) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    day = pa.types.is_date(kind)
    first, last = (pa.scalar(each.date() if day else each, pa.date32() if day else pa.timestamp("us")).cast(
        pa.int32() if day else pa.int64()
    ) for each in (_FIRST, _LAST))  # fmt: skip
    found = pc.min_max(column.cast(first.type))
    if found["min"].as_py() < first.as_py() or found["max"].as_py() > last.as_py():
        raise ValueError("a date before the year 2 or after the year 9998")
    return column if day or kind.tz is None else column.cast(pa.timestamp("us", zone))


def _notes(table: pa.Table) -> dict[bytes, bytes]:
    """What pandas notes of a frame's types in a Parquet file, as it notes it of a frame with two such rows."""
    import pyarrow as pa

    sample = pa.table([_pair(column) for column in table.columns], names=table.column_names)
    notes = pa.Schema.from_pandas(sample.to_pandas()).pandas_metadata
    notes["index_columns"][0]["stop"] = len(table)
    return {b"pandas": json.dumps(notes).encode()}


def _pair(column: pa.ChunkedArray) -> pa.Array:
    """Two values that make pandas choose the type that the whole column has: a value, and a missing one if there are some."""
    import pyarrow as pa

    missing = pa.nulls(1, column.type)
    value = column.drop_null().slice(0, 1).combine_chunks() if column.null_count < len(column) else missing
    return pa.concat_arrays([value, missing if column.null_count else value])
