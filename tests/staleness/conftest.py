"""Where the cases of staleness are tried."""

from __future__ import annotations

from typing import Any

import pytest
from harness import warm_up
from trial import Trial


@pytest.fixture(scope="session")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """Where the cases are tried."""
    folder = tmp_path_factory.mktemp("staleness")
    warm_up(folder / "warm")
    return Trial(folder)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many random edits were checked."""
    properties = [found for report in terminalreporter.getreports("passed") for found in report.user_properties]
    for name, count in properties:
        if name == "random edits":
            terminalreporter.line(f"{count} {name} checked against runs from scratch")
