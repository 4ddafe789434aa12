"""Arrow tables of a database's values, typed as pandas types them when a driver gives them one by one."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

# Dates outside are refused, or shifted beyond what Python can hold, when a driver makes them one by one.
_FIRST, _LAST = datetime.date(2, 1, 1), datetime.date(9998, 12, 31)
_EPOCH = datetime.date(1970, 1, 1)
_DAY = 24 * 3600 * 1_000_000  # microseconds


def typed(found: pa.Table, zone: str) -> pa.Table:
    """A table with the types that it would have by way of DataFrame.from_records, and pandas' own notes on them.

    Times with a zone come in `zone`. Raises ValueError for dates that the other way refuses.
    """
    import pyarrow as pa

    # In one piece, as pandas has it: where the pieces end shows in the bytes of a Parquet file.
    columns = [_whole(_widest(column, zone)) for column in found.combine_chunks().columns]
    table = pa.table(columns, names=found.column_names)
    return table.replace_schema_metadata(_notes(table))


def _widest(column: pa.ChunkedArray, zone: str) -> pa.ChunkedArray:
    """A column in the widest type of its kind, as Python's values have it."""
    import pyarrow as pa
    from pyarrow import types

    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type).cast(pa.float64())
    if types.is_float32(kind):
        # By its digits: 0.1 is 0.1.
        return column.cast(pa.string()).cast(pa.float64())
    if types.is_integer(kind):
        return column.cast(pa.int64())
    if types.is_string(kind):
        return column.cast(pa.large_string())
    if types.is_date(kind):
        return _bounded(column, pa.int32(), 1)
    if types.is_timestamp(kind):
        return _bounded(column, pa.int64(), _DAY).cast(pa.timestamp("us", kind.tz and zone))
    return column


def _bounded(column: pa.ChunkedArray, number: pa.DataType, day: int) -> pa.ChunkedArray:
    """A column of dates or times, whose numbers are of a type, so many a day."""
    import pyarrow.compute as pc

    found = pc.min_max(column.cast(number)).as_py()
    first, last = ((bound - _EPOCH).days * day for bound in (_FIRST, _LAST))
    if found["min"] is not None and not first <= found["min"] <= found["max"] <= last:
        raise ValueError("a date before the year 2 or after the year 9998")
    return column


def _whole(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column in the type that depends on what is missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.null_count == len(column):
        return pa.chunked_array([pa.nulls(len(column))])
    if pa.types.is_integer(column.type) and column.null_count:
        return column.cast(pa.float64(), safe=False)
    if pa.types.is_floating(column.type) and pc.any(pc.is_nan(column)).as_py():
        return pc.if_else(pc.is_nan(column), None, column)
    return column


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
    import pyarrow.compute as pc

    missing = pa.nulls(1, column.type)
    place = pc.index(column.is_valid(), True).as_py()
    value = missing if place < 0 else column.slice(place, 1).combine_chunks()
    return pa.concat_arrays([value, missing if column.null_count else value])
