"""The dates for which a template can be made: told by the queries that it needs, whatever lies between."""

from __future__ import annotations

import json
from typing import Any

import pytest

from workflows.answers.dates import Dates, dates
from workflows.errors import PipelineError, TemplateError

pytestmark = pytest.mark.integration

PARAMETERS = "import datetime\ndate = datetime.date(2020, 1, 2)\n"
CLEANED = """
class Cleaned(Stage):
    date = luigi.DateParameter()
    def requires(self): return {"events": Events(date=self.date)}
    def compute(self, events): return events
"""
DAY_BEFORE = """
class Compared(Stage):
    date = luigi.DateParameter()
    def requires(self): return [Events(date=self.date), Events(date=self.date - datetime.timedelta(days=1))]
    def compute(self, events): return events[0]
"""
WINDOW = """
class History(Stage):
    date = luigi.DateParameter()
    def requires(self):
        before = Events.available(self.date - datetime.timedelta(days=28), self.date)
        return [Events(date=self.date), *(Events(date=day) for day in before)]
    def compute(self, events): return events[0]
"""
OTHER = """
class Others(Query):
    date = luigi.DateParameter()
    sql = "SELECT id FROM events WHERE date = :date ORDER BY id"
    dates = "SELECT DISTINCT date FROM events WHERE kind = 'b' ORDER BY date"
"""


def asked(pipeline: Any, table: str, code: str, *more: str) -> Dates:
    """What is said of a template that needs these tables."""
    pipeline.load(code)
    wanted = "\n".join(f't{n}: "{name}" = "x.parquet"' for n, name in enumerate([table, *more]))
    pipeline.template("wanting", PARAMETERS + wanted)
    pipeline.again()
    return dates("wanting")


def told(found: Dates) -> list[str]:
    return [date.isoformat() for date in found.dates]


def test_a_query_tells_its_dates(pipeline: Any) -> None:
    found = asked(pipeline, "Events", "")
    assert told(found) == ["2020-01-01", "2020-01-02"]
    assert found.lines() == ["wanting  2020-01-01 to 2020-01-02, 2 dates, told by Events"]


def test_a_query_tells_them_through_a_stage(pipeline: Any) -> None:
    assert told(asked(pipeline, "Cleaned", CLEANED)) == ["2020-01-01", "2020-01-02"]


def test_a_date_whose_stage_needs_a_day_without_data_is_none(pipeline: Any) -> None:
    assert told(asked(pipeline, "Compared", DAY_BEFORE)) == ["2020-01-02"]


def test_a_stage_that_takes_the_days_that_there_are_hinders_no_date(pipeline: Any) -> None:
    assert told(asked(pipeline, "History", WINDOW)) == ["2020-01-01", "2020-01-02"]


def test_a_stage_that_insists_on_data_is_asked_for_a_date_with_data(pipeline: Any) -> None:
    code = WINDOW.replace("return [Events", "before[-1:] or 1 / 0\n        return [Events").replace(
        "self.date)\n", "self.date + datetime.timedelta(1))\n"
    )
    assert told(asked(pipeline, "History", code)) == ["2020-01-01", "2020-01-02"]


def test_where_a_stage_takes_only_the_days_that_there_are_these_are_told(pipeline: Any) -> None:
    found = asked(pipeline, "History", WINDOW.replace("Events(date=self.date), *", "*"))
    assert told(found) == ["2020-01-01", "2020-01-02"]


def test_a_stage_that_cannot_say_what_it_requires_is_an_error(pipeline: Any) -> None:
    with pytest.raises(PipelineError, match="ZeroDivisionError"):
        asked(pipeline, "Cleaned", CLEANED.replace("return {", "1 / 0; return {"))


def test_of_two_queries_only_the_common_dates_count(pipeline: Any) -> None:
    found = asked(pipeline, "Events", OTHER, "Others")
    assert told(found) == ["2020-01-01"]
    assert found.queries == ["Events", "Others"]


def test_a_query_that_may_be_empty_hinders_no_date(pipeline: Any) -> None:
    found = asked(pipeline, "Events", OTHER + "    allow_empty = True\n", "Others")
    assert told(found) == ["2020-01-01", "2020-01-02"]
    assert found.queries == ["Events"]


def test_days_without_data_between_the_first_and_the_last_are_named(pipeline: Any) -> None:
    pipeline.change("INSERT INTO events VALUES (4, '2020-01-05', 'a', 1.0)")
    found = asked(pipeline, "Events", "")
    assert found.lines()[1] == "without 2020-01-03, 2020-01-04"


def test_where_no_query_lists_its_dates_that_is_said(pipeline: Any) -> None:
    found = asked(pipeline, "Others", OTHER.replace("    dates =", "    probe ="))
    assert found.lines() == ["Nothing tells the dates with data: Others has no statement `dates`."]
    assert found.exit_code == 0
    assert found.as_json()["dates"] == []


def test_a_template_without_tables_can_be_made_for_any_date(pipeline: Any) -> None:
    pipeline.template("plain", PARAMETERS)
    assert dates("plain").lines() == ["plain needs no tables, so it can be made for any date."]


def test_a_table_with_a_parameter_that_only_a_report_is_given_does_not_hinder_the_others(pipeline: Any) -> None:
    code = OTHER.replace("    sql", "    kind = luigi.Parameter()\n    sql")
    pipeline.load(code)
    pipeline.template("wanting", PARAMETERS + 'kind: str\nt0: "Others" = "x.parquet"\nt1: "Events" = "y.parquet"')
    pipeline.again()
    assert told(dates("wanting")) == ["2020-01-01", "2020-01-02"]


def test_an_unknown_table_is_an_error_that_names_it(pipeline: Any) -> None:
    with pytest.raises(TemplateError, match="Evnts"):
        asked(pipeline, "Evnts", "")


def test_nothing_is_planned_and_nothing_stored(pipeline: Any) -> None:
    asked(pipeline, "Cleaned", CLEANED)
    assert not pipeline.store.exists()


def test_the_command_prints_json(small: Any) -> None:
    done = small.run("parcours", "dates", "small", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert (found["template"], found["first"], found["last"], found["count"]) == (
        "small",
        "2020-01-01",
        "2020-01-02",
        2,
    )
    assert found["queries"] == ["Events"]
