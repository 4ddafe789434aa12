"""Tables: DataFrames in memory, Parquet files at rest, schemas between."""

from __future__ import annotations

import importlib
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflows.data.rows import Rows
from workflows.errors import PipelineError, SchemaError, StageError
from workflows.store.files import write_new

if TYPE_CHECKING:
    import pandas as pd


_FEW = 10_000
"""Rows up to which a table is put together here; the larger, the less it matters."""
_SMALL = 2_000
"""Bytes up to which a table gains nothing from being compressed, which takes as long as the rest of writing it."""
_NO_ROWS = b'"stop": 0'
_schemas: dict[tuple[object, ...], Any] = {}


def read_table(path: Path) -> pd.DataFrame:
    """The DataFrame in a Parquet file."""
    import pandas as pd

    return pd.read_parquet(path)


def write_table(task: str, frame: pd.DataFrame, path: Path) -> bytes:
    """Write a DataFrame as Parquet, and return the file's bytes: those of the same table are the same.

    Raises StageError for what Parquet cannot hold.
    """
    data = table_bytes(task, frame)
    write_new(path, data)
    return data


def table_bytes(task: str, frame: pd.DataFrame) -> bytes:
    """A DataFrame as the bytes of a Parquet file. Raises StageError for what Parquet cannot hold."""
    import pyarrow as pa

    try:
        return _plain_bytes(frame) if not frame.attrs else bytes(frame.to_parquet(compression="zstd"))
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise StageError.not_storable(task, error) from error


def _plain_bytes(frame: pd.DataFrame) -> bytes:
    """The bytes that pandas writes, without the detours of its own, which take longer than a small table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink, numbers = pa.BufferOutputStream(), _few_numbers(frame)
    table = _as_arrow(frame) if numbers is None else numbers
    pq.write_table(table, sink, compression="zstd" if table.nbytes > _SMALL else "none")
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _as_arrow(frame: pd.DataFrame) -> Any:
    import pyarrow as pa

    # What periods and intervals are to Arrow.
    importlib.import_module("pandas.core.arrays.arrow.extension_types")
    with warnings.catch_warnings():
        # As pandas does: pyarrow asks it for values in a way that it will drop.
        warnings.filterwarnings("ignore", r"\w+\.values returning an ndarray that drops timezone information")
        return pa.Table.from_pandas(frame)


def _few_numbers(frame: pd.DataFrame) -> Any:
    """A small table of numbers in rows that are counted from 0, as `_as_arrow` makes it in thrice the time; None for another."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    rows, header = len(frame), frame.columns
    if rows > _FEW or not frame.index.identical(pd.RangeIndex(rows)) or type(header) is not pd.Index or header.name:
        return None
    columns = [column.to_numpy() for _, column in frame.items() if isinstance(column.dtype, np.dtype)]
    names = tuple(header)
    kinds = "".join(column.dtype.kind for column in columns)
    if len(columns) < len(names) or kinds.strip("biuf") or not all(type(name) is str for name in names):
        return None
    key = (names, tuple(column.dtype.str for column in columns), str(header.dtype))
    if key not in _schemas:
        # What Arrow says of the columns depends on their names and types alone.
        _schemas[key] = _as_arrow(frame.head(0)).schema
    schema = _schemas[key]
    said = {name: text.replace(_NO_ROWS, b'"stop": %d' % rows, 1) for name, text in schema.metadata.items()}
    arrays = [pa.array(column, from_pandas=True) for column in columns]
    return pa.Table.from_arrays(arrays, schema=schema.with_metadata(said))


def as_stored(task: str, frame: pd.DataFrame) -> pd.DataFrame:
    """A DataFrame as it comes back from the store. Raises StageError for what Parquet cannot hold."""
    import pandas as pd

    return pd.read_parquet(io.BytesIO(table_bytes(task, frame)))


def as_frame(result: Rows) -> pd.DataFrame:
    """A query's result as a DataFrame; types as pandas infers them from the driver's values."""
    import pandas as pd

    return pd.DataFrame.from_records(result.rows, columns=list(result.columns), coerce_float=True)


def schema_name(schema: Any) -> tuple[str, str] | None:
    """The module and the name of a schema, whether it is given as a class or as 'module:Name'."""
    if schema is None:
        return None
    if isinstance(schema, str):
        module, _, name = schema.partition(":")
        return module, name
    return str(schema.__module__), str(schema.__qualname__)


def resolve_schema(task: str, schema: Any) -> Any:
    """The pandera model behind a task's `schema`; raises PipelineError when there is none."""
    found = schema
    if isinstance(schema, str):
        module, _, name = schema.partition(":")
        try:
            found = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError, ValueError) as error:
            raise PipelineError.bad_schema(task, schema) from error
    if not hasattr(found, "validate"):
        raise PipelineError.bad_schema(task, schema)
    return found


def checked(task: str, frame: pd.DataFrame, schema: Any) -> pd.DataFrame:
    """The table as its schema wants it (types coerced); raises SchemaError with column, check and the first rows."""
    if schema is None:
        return frame
    import pandera.errors

    model = resolve_schema(task, schema)
    try:
        result: pd.DataFrame = model.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        raise SchemaError.broken(task, model.__name__, _failures(error.failure_cases)) from error
    return result


# What pandera reports of the table as a whole: the column is the failing case.
_SHAPE = {"column_in_dataframe": "is missing", "column_in_schema": "is not in the schema"}


def _failures(cases: pd.DataFrame) -> str:
    """The first failing columns and checks, each with its first rows."""
    sentences = []
    groups = list(cases.groupby(["column", "check"], sort=False, dropna=False))
    for (column, check), rows in groups[:3]:
        if check in _SHAPE:
            sentences.append("; ".join(f"column '{name}' {_SHAPE[check]}" for name in rows["failure_case"].head(3)))
            continue
        found = [
            f"row {index}: {value!r}" if index == index and index is not None else str(value)
            for index, value in zip(rows["index"].head(3), rows["failure_case"].head(3), strict=True)
        ]
        more = f" (and {len(rows) - 3} more rows)" if len(rows) > 3 else ""
        sentences.append(f"column '{column}' fails {check}: {', '.join(found)}{more}")
    if len(groups) > 3:
        sentences.append(f"and {len(groups) - 3} more checks")
    return "; ".join(sentences)
