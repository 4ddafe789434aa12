"""What a state of the gauges' code measures, in plain Python: its functions and the cells of its templates, without Parcours.

This is what is known of a planted commit before Parcours evaluates it.
"""

from __future__ import annotations

import datetime
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import gauging
import pandas as pd

from workflows.evaluation.measures import recording

Found = Mapping[str, float | None]
"""Measures by 'TEMPLATE DATE MEASURE'; None where the template fails."""


class Plain:
    """The readings, and what was measured with code that was seen before."""

    def __init__(self, database: Path, dates: tuple[datetime.date, ...]) -> None:
        with closing(sqlite3.connect(database)) as connection:
            readings = pd.read_sql("SELECT * FROM readings ORDER BY id", connection)
        self._days = {datetime.date.fromisoformat(str(date)): day for date, day in readings.groupby("date")}
        self._dates = dates
        self._seen: dict[str, Found] = {}

    def measures(self, state: gauging.State) -> Found:
        """All measures of a state."""
        key = repr((gauging.modules(state), gauging.templates(state)))
        if key not in self._seen:
            self._seen[key] = dict(self._measured(state))
        return self._seen[key]

    def _measured(self, state: gauging.State) -> Iterator[tuple[str, float | None]]:
        names = {
            "levels": ("level_error", "spread_error", "kept"),
            "faults": ("recall", "false_alarms"),
            "forecast": ("forecast_error",),
        }
        with _imported(gauging.modules(state)) as module:
            for date in self._dates:
                for template, cells in gauging.templates(state).items():
                    try:
                        found = _recorded(cells, self._tables(module, template, date))
                    except Exception:  # whatever the broken code raises
                        found = dict.fromkeys(names[template])
                    yield from ((f"{template} {date} {name}", value) for name, value in found.items())

    def _tables(self, module: ModuleType, template: str, date: datetime.date) -> dict[str, pd.DataFrame]:
        cleaned: Callable[[pd.DataFrame], pd.DataFrame] = module.cleaned
        if template == "forecast":
            days = [date - datetime.timedelta(days=before) for before in range(gauging.DAYS_BEFORE, 0, -1)]
            made = module.forecast([cleaned(self._days[day]) for day in days])
        else:
            made = getattr(module, template)(cleaned(self._days[date]))
        return {template: made, "readings": self._days[date]}


def _recorded(cells: list[str], tables: Mapping[str, pd.DataFrame]) -> dict[str, float | None]:
    """What the code of a template measures."""
    with TemporaryDirectory() as folder, recording() as found:
        paths = {name: str(Path(folder) / f"{name}.parquet") for name in tables}
        for name, table in tables.items():
            table.to_parquet(paths[name])
        scope: dict[str, Any] = {**paths}
        for cell in cells[2:]:
            exec(cell, scope)
    return {measure.name: measure.value for measure in found}


@contextmanager
def _imported(sources: Mapping[str, str]) -> Iterator[ModuleType]:
    """Modules as they are imported, the last of them, forgotten afterwards."""
    hidden = {name.removesuffix(".py"): sys.modules.pop(name.removesuffix(".py"), None) for name in sources}
    try:
        for name, source in sources.items():
            module = sys.modules[name.removesuffix(".py")] = ModuleType(name.removesuffix(".py"))
            exec(compile(source, name, "exec"), module.__dict__)
        yield module
    finally:
        for name, before in hidden.items():
            sys.modules.pop(name, None)
            if before is not None:
                sys.modules[name] = before
