"""The example, as the README shows it: all templates on ordinary and odd days, through the real command."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from workflows.evaluation.checks import in_notebook

pytestmark = pytest.mark.acceptance

# An ordinary day; the first of the data, without a day before it; a blizzard; the last.
DAYS = ["2013-01-15", "2013-01-01", "2013-02-08", "2013-12-31"]
TEMPLATES = ["anomaly_report", "daily", "sanity_check"]


class Made:
    """The reports of one day."""

    def __init__(self, place: Any, done: Any, day: str) -> None:
        self.done = done
        self.folders = {
            path.name.rpartition("-")[0]: path for path in place.artefacts("ReportTask") if day in path.parts
        }

    def measures(self, template: str) -> dict[str, Any]:
        rows = json.loads((self.folders[template] / "measures.json").read_text())["measures"]
        return {row["name"]: row["value"] for row in rows}


@pytest.fixture(scope="module")
def made(example_day: Callable[[str], tuple[Any, Any]]) -> Callable[[str], Made]:
    """The reports of a day."""
    return lambda day: Made(*example_day(day), day)


@pytest.mark.parametrize("day", DAYS)
def test_every_template_makes_a_report_with_measures(made: Any, verify: Any, day: str) -> None:
    reports = made(day)
    assert reports.done.code == 0, reports.done.err
    assert len(reports.done.out.splitlines()) == 3
    assert sorted(reports.folders) == TEMPLATES
    for template in TEMPLATES:
        values = reports.measures(template)
        assert values
        assert all(value is None or isinstance(value, int | float) for value in values.values())
        assert all(0 <= value <= 1 for name, value in values.items() if name.endswith("share") and value is not None)


@pytest.mark.parametrize("day", DAYS)
def test_no_report_shows_an_error_or_a_warning(made: Any, day: str) -> None:
    for folder in made(day).folders.values():
        outputs = [
            output
            for cell in json.loads((folder / "report.ipynb").read_text())["cells"]
            for output in cell.get("outputs", [])
        ]
        assert outputs
        assert not [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"]


@pytest.mark.parametrize("day", DAYS)
def test_a_report_asks_the_network_for_nothing(made: Any, day: str) -> None:
    for folder in made(day).folders.values():
        page = (folder / "report.html").read_text()
        assert not re.findall(r"""<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)=["'](?!data:)""", page)
        assert not re.findall(r"@import|url\((?!['\"]?data:)", page)


def test_the_rows_of_the_sanity_check_are_checks_and_called_alike_on_every_day(made: Any) -> None:
    def checks(day: str) -> dict[str, str]:
        notebook = json.loads((made(day).folders["sanity_check"] / "report.ipynb").read_text())
        return {found.name: found.outcome for found in in_notebook(notebook["cells"])}

    ordinary, blizzard = checks("2013-01-15"), checks("2013-02-08")
    assert len(ordinary) == 24
    assert ordinary.keys() == blizzard.keys()
    assert set(ordinary.values()) == {"pass"}
    assert blizzard["failed_checks is 0"] == "fail"
    assert checks("2013-12-31")["No wind above 253 mph"] == "not checked"


def test_the_templates_hold_no_copied_code_and_can_be_made_for_every_day_of_the_data(example_day: Any) -> None:
    place, _ = example_day("2013-01-15")
    assert place.run("parcours", "repeats").out.startswith("no code was copied, 4 templates")
    for template in TEMPLATES:
        told = place.run("parcours", "dates", template).out
        assert told == f"{template}  2013-01-01 to 2013-12-31, 365 dates, told by Flights\n"


def test_the_blizzard_shows_in_the_measures(made: Any) -> None:
    ordinary, blizzard = made("2013-01-15").measures("daily"), made("2013-02-08").measures("daily")
    assert blizzard["cancelled_share"] > 0.4 > 0.05 > ordinary["cancelled_share"]


def test_the_first_day_has_nothing_to_be_compared_with(made: Any) -> None:
    measures = made("2013-01-01").measures("anomaly_report")
    assert (measures["scored_share"], measures["anomaly_share"]) == (0, None)
