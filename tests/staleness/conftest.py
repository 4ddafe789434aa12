"""Where the cases of staleness are tried."""

from __future__ import annotations

import pytest
from harness import warm_up
from trial import Trial


@pytest.fixture(scope="session")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """Where the cases are tried."""
    folder = tmp_path_factory.mktemp("staleness")
    warm_up(folder / "warm")
    return Trial(folder)
