"""Parquet files as DataFrames, many in one go: each as pandas.read_parquet gives it, for half the time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflows.errors import StageError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

# pandas' notes on a frame that is counted from 0, with how many rows it has, and without attributes.
_RANGE = re.compile(
    rb'\{"index_columns": \[\{"kind": "range", "name": null, "start": 0, "stop": \d+, "step": 1\}\](?P<rest>.*"attributes": \{\}.*)',
    re.DOTALL,
)
_NULLABLE = frozenset({"boolean", *(f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))})
_MANY = 100_000
"""Rows from which on threads cost less than they save."""


def read_frames(
    task: str, paths: Sequence[Path], columns: Sequence[Sequence[str] | None] | None = None
) -> list[pd.DataFrame]:
    """The DataFrames in Parquet files. Those that are alike are made of one table, and share memory until one is changed.

    `columns` are what is read of each, in their order; None is for all. Raises StageError, in which `task` is who
    reads, where a file has no such column.
    """
    tables = [_table(task, path, wanted) for path, wanted in zip(paths, columns or [None] * len(paths), strict=True)]
    alike: dict[Any, list[int]] = {}
    for place, table in enumerate(tables):
        alike.setdefault(_kind(table.schema) or place, []).append(place)
    frames: dict[int, pd.DataFrame] = {}
    for places in alike.values():
        frames |= zip(places, _frames([tables[place] for place in places]), strict=True)
    return [frames[place] for place in range(len(paths))]


def _table(task: str, path: Path, columns: Sequence[str] | None) -> pa.Table:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        use_threads = file.metadata.num_rows > _MANY
        if columns is None:
            return file.read(use_threads=use_threads)
        found = file.schema_arrow.names
        missing = [name for name in columns if name not in found]
        if missing:
            raise StageError.no_columns(task, missing, str(path), found)
        # With those that are the frame's index.
        return file.read(columns=[*columns], use_threads=use_threads, use_pandas_metadata=True)


def _kind(schema: pa.Schema) -> Any:
    """What tables have in common that may be made frames together; None for one that has more than plain columns."""
    noted = schema.metadata or {}
    notes = _RANGE.match(noted.get(b"pandas", b""))
    return (schema.remove_metadata(), notes["rest"]) if notes and len(noted) == 1 else None


def _frames(tables: list[pa.Table]) -> list[pd.DataFrame]:
    """The frames of tables that are alike."""
    import pandas as pd
    import pyarrow as pa

    whole = pa.concat_tables(tables)
    if len(tables) == 1 or not _is_separable(whole):
        return [table.to_pandas(use_threads=len(table) > _MANY) for table in tables]
    together, frames, start = whole.to_pandas(use_threads=len(whole) > _MANY), [], 0
    for table in tables:
        frame = together.iloc[start : start + len(table)]
        frame.index = pd.RangeIndex(len(table))
        frames.append(frame)
        start += len(table)
    return frames


def _is_separable(whole: pa.Table) -> bool:
    """Whether each part of a table has the types of the whole: a missing value changes that of plain whole numbers and truths."""
    from pyarrow import types

    always = (types.is_floating, types.is_large_string, types.is_timestamp, types.is_date)
    noted = {note["field_name"]: note["numpy_type"] for note in whole.schema.pandas_metadata["columns"]}
    for name, column in zip(whole.column_names, whole.columns, strict=True):
        note = noted[name]
        if types.is_integer(column.type) or types.is_boolean(column.type):
            if column.null_count and note not in _NULLABLE:
                return False
        elif not any(is_plain(column.type) for is_plain in always):
            return False
    return True
