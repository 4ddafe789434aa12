"""Stages: one algorithm each, tables in, one table out."""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import luigi

from workflows.data.tables import checked, schema_name, write_table
from workflows.errors import ParcoursError, PipelineError, StageError, listed
from workflows.evaluation.measures import recording, to_json
from workflows.identity import observation
from workflows.identity.closure import Code
from workflows.identity.surroundings import fixed_surroundings
from workflows.store.address import MEASURES, TABLE
from workflows.store.artefacts import Artefact, Provenance
from workflows.tasks.code import class_code, place_of
from workflows.tasks.production import Made
from workflows.tasks.progress import Progress
from workflows.tasks.project import current
from workflows.tasks.result import Result
from workflows.tasks.sightings import learned


class Stage(Result):
    """One algorithm: tables in, one table out.

    `requires()` names the inputs: one task, a list or a dict of tasks. `compute()` gets their tables in the same shape
    (a dict as keyword arguments) and returns one DataFrame.
    """

    schema: ClassVar[Any] = None
    """A pandera DataFrameModel, or 'module:Name' of one, which is then imported only when it is needed."""
    columns: ClassVar[Sequence[str] | Mapping[str, Sequence[str]] | None] = None
    """The columns that compute() gets, of every input, or of some by their names in requires(); all where nothing is said."""

    def compute(self, *args: Any, **kwargs: Any) -> Any:
        """The algorithm: DataFrames in, one DataFrame out."""
        raise PipelineError.no_compute(self.get_task_family())

    @classmethod
    def code_closure(cls) -> Code:
        """The code of the class, with its schema."""
        return class_code(cls, schema_name(cls.schema))

    @fixed_surroundings()
    def make(self, folder: Path, inputs: Sequence[Artefact], progress: Progress, draft: Provenance) -> Made:
        """Run the algorithm on the inputs' tables and store what it returns."""
        with contextlib.suppress(Exception):
            # Luigi asks a task what it requires before it runs it, and what is set on the way may be used in compute().
            self.requires()
        # Not for a run that finds everything complete.
        from workflows.data.parquet import read_frames

        paths = [current().store.file(artefact, TABLE) for artefact in inputs]
        arguments, named = self._arguments(read_frames(self.label, paths, self._columns(len(paths))))
        self._bind(arguments, named)
        progress.timing.lap("read")
        # Standard output belongs to the report's path; what an algorithm prints is for whoever watches.
        spool = folder.with_name(f"{folder.name}.observed")
        with observation.recording(spool) as seen, recording() as measures, contextlib.redirect_stdout(sys.stderr):
            try:
                frame = self.compute(*arguments, **named)
            except ParcoursError:
                raise
            except (Exception, SystemExit) as error:
                raise StageError.raised(self.label, error, place_of(error)) from error
        progress.timing.lap("compute")
        import pandas as pd

        if not isinstance(frame, pd.DataFrame):
            raise StageError.not_a_table(self.label, frame)
        frame = checked(self.label, frame, self.schema)
        progress.timing.lap("schema")
        written = {TABLE: write_table(self.label, frame, folder / TABLE)}
        files: dict[str, int | None] = {TABLE: len(frame)}
        if measures:
            written[MEASURES] = to_json(measures).encode()
            (folder / MEASURES).write_bytes(written[MEASURES])
            files[MEASURES] = None
        progress.timing.lap("write")
        draft, recipe = learned(self, draft, seen.sights, inputs)
        progress.timing.lap("check")
        return Made(files, written=written, shown=f"{len(frame):,} rows", draft=draft, recipe=recipe)

    def check_arguments(self) -> None:
        """Refuse a compute() that does not take what requires() gives, and columns of inputs that are not there."""
        number = len(self.identity.inputs)
        self._bind(*self._arguments([None] * number))
        self._columns(number)

    def _columns(self, number: int) -> list[Sequence[str] | None]:
        """The columns to read of each input; None for all."""
        if not isinstance(self.columns, Mapping):
            return [self._names(self.columns)] * number
        shape = self.identity.shape
        found: list[Sequence[str] | None] = [None] * number
        for name, columns in self.columns.items():
            if not isinstance(shape, dict) or name not in shape:
                raise PipelineError.columns_of_nothing(self.label, name, shape if isinstance(shape, dict) else ())
            for place in _places(shape[name]):
                found[place] = self._names(columns)
        return found

    def _names(self, columns: Any) -> Sequence[str] | None:
        if columns is None or (isinstance(columns, list | tuple) and all(isinstance(name, str) for name in columns)):
            return columns
        raise PipelineError.no_columns_list(self.label, columns)

    def _bind(self, arguments: list[Any], named: dict[str, Any]) -> None:
        """Tell a compute() that cannot be called from one that fails."""
        signature = inspect.signature(self.compute)
        try:
            signature.bind(*arguments, **named)
        except TypeError as error:
            given = listed(named) if named else f"{len(arguments)} argument{'' if len(arguments) == 1 else 's'}"
            raise PipelineError.compute_arguments(
                self.label, given, f"({listed(signature.parameters, '')})", error
            ) from error

    def _arguments(self, frames: list[Any]) -> tuple[list[Any], dict[str, Any]]:
        """The tables in the shape of requires()."""

        def shaped(place: Any) -> Any:
            if isinstance(place, dict):
                return {name: shaped(below) for name, below in place.items()}
            if isinstance(place, list):
                return [shaped(below) for below in place]
            return None if place is None else frames[place]

        shape = self.identity.shape
        if isinstance(shape, dict):
            return [], shaped(shape)
        # Luigi's own requires() returns an empty list: there the author said nothing, and compute() gets nothing.
        is_silent = shape is None or type(self).requires is luigi.Task.requires
        return ([] if is_silent else [shaped(shape)]), {}


def _places(shape: Any) -> Iterator[int]:
    """The numbers of the inputs in a part of the shape of requires()."""
    if isinstance(shape, dict | list):
        for below in shape.values() if isinstance(shape, dict) else shape:
            yield from _places(below)
    elif shape is not None:
        yield shape
