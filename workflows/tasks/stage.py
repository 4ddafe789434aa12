"""Stages: one algorithm each, tables in, one table out."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from workflows.data.tables import checked, read_table, schema_module, write_table
from workflows.errors import ParcoursError, StageError
from workflows.evaluation.measures import recording, to_json
from workflows.store.address import MEASURES, TABLE
from workflows.store.artefacts import Artefact, Provenance
from workflows.tasks.plan import Recipe
from workflows.tasks.progress import Progress
from workflows.tasks.project import current
from workflows.tasks.result import Made, Result, class_code


class Stage(Result):
    """One algorithm: tables in, one table out.

    `requires()` names the inputs: one task, a list or a dict of tasks. `compute()` gets their tables in the same shape
    (a dict as keyword arguments) and returns one DataFrame.
    """

    schema: ClassVar[Any] = None
    """A pandera DataFrameModel, or 'module:Name' of one, which is then imported only when it is needed."""

    def compute(self, *args: Any, **kwargs: Any) -> Any:
        """The algorithm: DataFrames in, one DataFrame out."""
        raise TypeError(f"{type(self).__name__} has no compute()")

    def recipe(self) -> Recipe:
        """The algorithm's code."""
        return Recipe(self._texts(), class_code(type(self), schema_module(self.schema)))

    def make(self, folder: Path, inputs: Sequence[Artefact], progress: Progress, draft: Provenance) -> Made:
        """Run the algorithm on the inputs' tables and store what it returns."""
        arguments, named = self._arguments([read_table(current().store.file(a, TABLE)) for a in inputs])
        with recording() as measures:
            try:
                frame = self.compute(*arguments, **named)
            except ParcoursError:
                raise
            except Exception as error:
                raise StageError.raised(self.label, error, _place(error)) from error
        import pandas as pd

        if not isinstance(frame, pd.DataFrame):
            raise StageError.not_a_table(self.label, frame)
        frame = checked(self.label, frame, self.schema)
        write_table(self.label, frame, folder / TABLE)
        files: dict[str, int | None] = {TABLE: len(frame)}
        if measures:
            (folder / MEASURES).write_text(to_json(measures), encoding="utf-8")
            files[MEASURES] = None
        return Made(files, shown=f"{len(frame):,} rows")

    def _arguments(self, frames: list[Any]) -> tuple[list[Any], dict[str, Any]]:
        """The tables in the shape of requires()."""
        waiting = iter(frames)

        def shaped(required: Any) -> Any:
            if isinstance(required, dict):
                return {name: shaped(below) for name, below in required.items()}
            if isinstance(required, list | tuple):
                return [shaped(below) for below in required]
            return next(waiting)

        required = self.requires()
        if isinstance(required, dict):
            return [], shaped(required)
        return ([shaped(required)] if required is not None else []), {}


def _place(error: Exception) -> str:
    """Where in the algorithm an exception came from: the last frame of the project's own code, in a sentence's end."""
    frames = traceback.extract_tb(error.__traceback__)
    root = str(current().settings.root)
    own = [frame for frame in frames if frame.filename.startswith(root) and "site-packages" not in frame.filename]
    frame = (own or list(frames))[-1]
    name = frame.filename.removeprefix(root).lstrip("/")
    return f" ({name}, line {frame.lineno}: {frame.line})"
