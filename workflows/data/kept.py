"""What a database answered as a Parquet file, from which it is read back exactly: every value, of the type that the driver gave."""

from __future__ import annotations

import datetime
import io
import json
from typing import TYPE_CHECKING, Any

from workflows.data.rows import Found, Rows, fingerprint
from workflows.data.spelled import read, spelled
from workflows.errors import DatasetError

if TYPE_CHECKING:
    import pyarrow as pa

_NOTE = b"parcours"
"""The key of what is noted of rows: their columns' names, and which of them hold JSON. A table that was one has none."""


def kept_bytes(task: str, found: Found) -> bytes:
    """An answer as the bytes of a Parquet file. Raises DatasetError for a value that cannot be kept exactly."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = _table(task, found) if isinstance(found, Rows) else found
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", compression_level=9, write_statistics=False)
    data: bytes = sink.getvalue().to_pybytes()
    if not _is_same(found, kept_answer(data)):
        raise DatasetError.not_kept(task, "?", type(found).__name__)
    return data


def kept_answer(data: bytes) -> Found:
    """The answer in the bytes of a file."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(io.BytesIO(data)) as file:
        # In one piece, as it was: where the pieces end shows in the bytes of what is made of it.
        table = file.read(use_threads=False).combine_chunks()
    notes = (table.schema.metadata or {}).get(_NOTE)
    if notes is None:
        return table
    noted = json.loads(notes)
    columns = [column.to_pylist() for column in table.columns]
    for place in noted["json"]:
        columns[place] = [read(json.loads(text)) for text in columns[place]]
    rows = list(zip(*columns, strict=True)) if columns else [()] * noted["rows"]
    return Rows(tuple(noted["columns"]), rows)


def _table(task: str, rows: Rows) -> pa.Table:
    import pyarrow as pa

    columns = list(zip(*rows.rows, strict=True)) or [()] * len(rows.columns)
    arrays, as_json = [], []
    for place, (name, values) in enumerate(zip(rows.columns, columns, strict=True)):
        array = _array(values)
        if array is None:
            as_json.append(place)
            array = _json(task, name, values)
        arrays.append(array)
    noted = {"columns": list(rows.columns), "json": as_json, "rows": len(rows)}
    table = pa.table(arrays, names=_unique(rows.columns))
    return table.replace_schema_metadata({_NOTE: json.dumps(noted).encode()})


def _array(values: tuple[Any, ...]) -> pa.Array | None:
    """A column whose values are of one plain type, or missing; None for any other."""
    import pyarrow as pa

    types = {
        bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string(), bytes: pa.binary(),
        datetime.date: pa.date32(), type(None): pa.null(),
    }  # fmt: skip
    kinds = set(map(type, values)) - {type(None)} or {type(None)}
    [kind, *others] = kinds
    if others or kind not in types:
        return None
    try:
        return pa.array(values, types[kind])
    except (pa.ArrowException, ValueError, OverflowError):
        # A whole number that is too large, a text that is not Unicode.
        return None


def _json(task: str, name: str, values: tuple[Any, ...]) -> pa.Array:
    import pyarrow as pa

    try:
        return pa.array([json.dumps(spelled(value)) for value in values], pa.string())
    except TypeError as error:
        raise DatasetError.not_kept(task, name, str(error)) from error


def _unique(names: tuple[str, ...]) -> list[str]:
    """The columns' names, numbered where one comes twice."""
    return [name if names.count(name) == 1 else f"{name} ({place})" for place, name in enumerate(names, 1)]


def _is_same(found: Found, back: Found) -> bool:
    if isinstance(found, Rows):
        return isinstance(back, Rows) and fingerprint(found) == fingerprint(back)
    return not isinstance(back, Rows) and bool(back.equals(found, check_metadata=True))
