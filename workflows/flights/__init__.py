"""The example pipeline: which departures from New York were unusual, given the weeks before.

A notebook draws with what lies in here and needs no tasks, so they are loaded where Luigi is, or when they are asked for.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or "luigi" in sys.modules:
    from workflows.flights.queries import Flights, Weather
    from workflows.flights.stages import Anomalies, ExpectedDelays, Volumes

__all__ = ["Anomalies", "ExpectedDelays", "Flights", "Volumes", "Weather"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'workflows.flights' has no attribute {name!r}")
    return getattr(importlib.import_module("workflows.flights.stages"), name)
