"""A report made again exactly as then: the code, values and data of the store, and nothing of today's."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from workflows.answers import reproduce
from workflows.errors import AgainError
from workflows.requests.again import Again, again
from workflows.requests.hearing import Hearing
from workflows.requests.queue import Requests
from workflows.requests.request import THEN, Ask

DAY = datetime.date(2020, 1, 1)


@pytest.fixture
def report(small: Any, inside: Callable[[Any], None]) -> str:
    """A report's path in the store, of a template with a module of its own."""
    small.module("scale", "def scaled(value):\n    return value * 10\n")
    small.template(
        "scaled",
        'cleaned: "Cleaned" = "x.parquet"\nfactor: float = 2.0',
        "import pandas as pd\nimport scale\ntable = pd.read_parquet(cleaned)",
        "scale.scaled(float(table.value.sum()))",
    )
    return made(small, inside)


def made(place: Any, inside: Callable[[Any], None]) -> str:
    """Make the report; returns its path in the store."""
    done = place.report("scaled", DAY.isoformat(), "--parameters", '{"factor": 3.0}')
    assert done.code == 0, done.err
    inside(place)
    (folder,) = place.artefacts("ReportTask")
    return str(folder.relative_to(place.store))


def made_again(place: Any, of: str) -> Again:
    requests = Requests(place.folder / "data" / "web")
    request = requests.ask([Ask("scaled", DAY, '{"factor": 3.0}', THEN, of)], "ada", "")[0]
    return again(request, requests.folder(request.id), Hearing(requests.events(request.id)))


def test_the_same_bytes_come_out_whatever_became_of_the_code_the_template_and_the_data(small: Any, report: str) -> None:
    small.module("scale", "def scaled(value):\n    return 0\n")
    small.module("acme", "1 / 0")
    (small.folder / "templates" / "scaled.ipynb").unlink()
    (small.folder / "acme.db").unlink()
    found = made_again(small, report)
    assert found.message == "every cell gave the same bytes as then"
    assert "105.0" in found.page
    assert "Made again exactly as then: every cell gave the same bytes as then." in found.page


def test_nothing_is_left_of_what_was_laid_for_it(small: Any, report: str) -> None:
    made_again(small, report)
    assert not list((small.folder / "data" / "web" / "requests").glob("*/then*"))


def test_data_that_is_gone_is_named(small: Any, report: str) -> None:
    shutil.rmtree(small.store / "Cleaned")
    with pytest.raises(AgainError, match="cannot be made exactly as then, for want of cleaned, the table of Cleaned"):
        made_again(small, report)


def test_another_environment_is_named(small: Any, report: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reproduce, "_installed", lambda name: "0.0.1")
    with pytest.raises(AgainError, match=r"in another environment: .*pandas \S+ then, 0.0.1 here"):
        made_again(small, report)


def test_an_output_that_differs_is_named_by_its_cell(small: Any, inside: Callable[[Any], None]) -> None:
    small.template("scaled", 'cleaned: "Cleaned" = "x.parquet"\nfactor: float = 2.0', "import time\ntime.time()", "1")
    assert made_again(small, made(small, inside)).message == "1 of 3 cells gave something else than then: 2"
