"""Tables: DataFrames in memory, Parquet files at rest, schemas between."""

from __future__ import annotations

import importlib
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflows.data.rows import Found, Rows
from workflows.errors import PipelineError, SchemaError, StageError
from workflows.store.files import write_new

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


_SMALL = 2_000
"""Bytes up to which a table gains nothing from being compressed, which takes as long as the rest of writing it."""


def read_table(path: Path) -> pd.DataFrame:
    """The DataFrame in a Parquet file."""
    import pandas as pd

    return pd.read_parquet(path)


def write_table(task: str, table: pd.DataFrame | pa.Table, path: Path) -> bytes:
    """Write a table as Parquet, and return the file's bytes: those of the same table are the same.

    Raises StageError for what Parquet cannot hold.
    """
    data = table_bytes(task, table)
    write_new(path, data)
    return data


def table_bytes(task: str, table: pd.DataFrame | pa.Table) -> bytes:
    """A table as the bytes of a Parquet file. Raises StageError for what Parquet cannot hold."""
    import pyarrow as pa

    try:
        if isinstance(table, pa.Table) or not table.attrs:
            return _bytes(table if isinstance(table, pa.Table) else _as_arrow(table))
        return bytes(table.to_parquet(compression="zstd"))
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise StageError.not_storable(task, error) from error


def _bytes(table: pa.Table) -> bytes:
    """The bytes that pandas writes, without the detours of its own, which take longer than a small table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
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


def as_stored(task: str, frame: pd.DataFrame) -> pd.DataFrame:
    """A DataFrame as it comes back from the store. Raises StageError for what Parquet cannot hold."""
    import pandas as pd

    return pd.read_parquet(io.BytesIO(table_bytes(task, frame)))


def as_frame(result: Found) -> pd.DataFrame:
    """A query's result as a DataFrame; types as pandas infers them from the driver's values."""
    import pandas as pd

    if isinstance(result, Rows):
        return pd.DataFrame.from_records(result.rows, columns=list(result.columns), coerce_float=True)
    frame: pd.DataFrame = result.to_pandas()
    return frame


def as_table(result: Found, schema: Any) -> pd.DataFrame | pa.Table:
    """A query's result as a table that a schema can check; what is Arrow already, and needs no check, stays it."""
    return result if schema is None and not isinstance(result, Rows) else as_frame(result)


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


def checked(task: str, frame: Any, schema: Any) -> Any:
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
