"""A code change that an engineer declared to be without effect: results are taken over, and say so."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from workflows.answers.accept import accept
from workflows.answers.explain import explain
from workflows.answers.plan import plan
from workflows.errors import AcceptanceError, UsageError

pytestmark = pytest.mark.integration

DAY = datetime.date(2020, 1, 1)
CLEANED = """
class Cleaned(Stage):
    date = luigi.DateParameter()

    def requires(self):
        return {"events": Events(date=self.date)}

    def compute(self, events):
        called()
        return events.assign(value=events.value * 2)
"""
REWRITTEN = CLEANED.replace("events.value * 2", "2 * events.value")
AGAIN = CLEANED.replace("events.value * 2", "events.value + events.value")


def made(pipeline: Any, source: str, day: datetime.date = DAY) -> Any:
    task = pipeline.load(source).Cleaned(date=day)
    assert pipeline.build(task)
    return task


def record(pipeline: Any, task: Any) -> dict[str, Any]:
    return dict(json.loads((pipeline.files(task) / "provenance.json").read_text()))


def test_results_of_the_earlier_code_are_taken_over_and_their_provenance_says_why(pipeline: Any) -> None:
    old = made(pipeline, CLEANED)
    pipeline.load(REWRITTEN)
    accept("Cleaned", "only the order of the factors")
    new = made(pipeline, REWRITTEN)
    found = record(pipeline, new)
    assert pipeline.calls == 1
    assert found["reused_from"] == old.version != new.version
    assert found["accepted"]["reason"] == "only the order of the factors"
    assert found["accepted"]["code"] == record(pipeline, old)["code"]["digest"]
    assert found["outputs"] == record(pipeline, old)["outputs"]


def test_without_an_acceptance_the_change_is_computed(pipeline: Any) -> None:
    made(pipeline, CLEANED)
    made(pipeline, REWRITTEN)
    assert pipeline.calls == 2


def test_a_later_change_is_not_accepted_with_it(pipeline: Any) -> None:
    made(pipeline, CLEANED)
    pipeline.load(REWRITTEN)
    accept("Cleaned", "only the order")
    made(pipeline, AGAIN)
    assert pipeline.calls == 2


def test_acceptances_follow_one_another(pipeline: Any) -> None:
    """A day that was last made two changes ago."""
    other = datetime.date(2020, 1, 2)
    made(pipeline, CLEANED)
    made(pipeline, CLEANED, other)
    pipeline.load(REWRITTEN)
    accept("Cleaned", "only the order")
    made(pipeline, REWRITTEN)
    pipeline.load(AGAIN)
    accept("Cleaned", "twice is the sum")
    made(pipeline, AGAIN)
    found = record(pipeline, made(pipeline, AGAIN, other))
    assert pipeline.calls == 2
    assert found["accepted"]["reason"] == "only the order"


def test_other_data_is_computed_all_the_same(pipeline: Any) -> None:
    made(pipeline, CLEANED)
    pipeline.load(REWRITTEN)
    accept("Cleaned", "only the order")
    pipeline.change("UPDATE events SET value = 9 WHERE id = 1")
    made(pipeline, REWRITTEN)
    assert pipeline.calls == 2


def query(pipeline: Any, text: str) -> Any:
    path = pipeline.folder / "acme.py"
    pipeline.load(CLEANED)
    path.write_text(path.read_text().replace('ORDER BY id"\n    dates', f'{text}"\n    dates'))
    return pipeline.again().Events(date=DAY)


def test_a_query_with_the_same_rows_is_taken_over(pipeline: Any) -> None:
    old = query(pipeline, "ORDER BY id")
    assert pipeline.build(old)
    new = query(pipeline, "ORDER BY id, kind")
    accept("Events", "ids are unique")
    assert pipeline.build(new)
    assert record(pipeline, new)["reused_from"] == old.version
    assert record(pipeline, new)["source"] == record(pipeline, old)["source"]


def test_a_query_with_other_rows_is_not_taken_over(pipeline: Any) -> None:
    assert pipeline.build(query(pipeline, "ORDER BY id"))
    new = query(pipeline, "ORDER BY id DESC")
    accept("Events", "the order does not matter")
    assert pipeline.build(new)
    assert record(pipeline, new)["reused_from"] is None


def two_pipelines(pipeline: Any, source: str) -> None:
    """The stage in a module of its own, so that a change of it is none of the query's."""
    settings = pipeline.folder / "luigi.cfg"
    settings.write_text(settings.read_text().replace("pipelines = acme\n", "pipelines = acme, later\n"))
    pipeline.load("", later=f"import luigi\nfrom acme import Events, called\nfrom workflows import Stage\n{source}")


def test_the_plan_says_who_accepted_and_why_and_what_follows_is_reused(pipeline: Any) -> None:
    from workflows import ReportTask

    parameters = 'import datetime\ndate = datetime.date(2020, 1, 1)\ncleaned: "Cleaned" = "x.parquet"'
    two_pipelines(pipeline, CLEANED)
    pipeline.template("light", parameters)
    assert pipeline.build(ReportTask(date=DAY, template="light"))
    two_pipelines(pipeline, REWRITTEN)
    accept("Cleaned", "only the order")
    pipeline.again()
    steps = {step.task: step for step in plan("light", [DAY]).steps}
    assert steps["Cleaned"].action == "take over"
    assert steps["Cleaned"].cause
    assert steps["Cleaned"].cause.sentence.endswith(": only the order")
    assert steps["ReportTask"].action == "take over"
    assert pipeline.build(ReportTask(date=DAY, template="light"))
    assert pipeline.calls == 1


def test_explain_shows_the_acceptance(pipeline: Any) -> None:
    made(pipeline, CLEANED)
    pipeline.load(REWRITTEN)
    accept("Cleaned", "only the order")
    lines = explain(str(pipeline.files(made(pipeline, REWRITTEN)))).lines()
    assert any("change accepted by " in line and ": only the order" in line for line in lines)


def test_the_answer_names_what_changed_and_how_many_results_stand(pipeline: Any) -> None:
    made(pipeline, CLEANED)
    pipeline.load(REWRITTEN)
    found = accept("Cleaned", "only the order")
    assert found.results == 1
    assert found.lines()[0].startswith("accepted   ")
    assert "acme.py changed" in found.lines()[0]
    assert found.as_json()["reason"] == "only the order"


def with_other_packages(pipeline: Any, task: Any) -> None:
    """As if the environment had changed since."""
    path = pipeline.files(task) / "provenance.json"
    found = record(pipeline, task)
    found["environment"]["packages"]["pandas"] = "2.0.0"
    del found["seal"]
    path.write_text(json.dumps(found))


def test_results_of_other_packages_are_not_counted_because_they_are_computed_again(pipeline: Any) -> None:
    with_other_packages(pipeline, made(pipeline, CLEANED))
    pipeline.load(REWRITTEN)
    found = accept("Cleaned", "only the order")
    assert found.results == 0
    assert found.lines()[-1] == (
        "so         no stored result of Cleaned can be taken over: they were made with other packages, or opened files that "
        "the code does not name"
    )
    made(pipeline, REWRITTEN)
    assert pipeline.calls == 2


def test_results_of_the_present_packages_stand_before_those_of_others(pipeline: Any) -> None:
    other = datetime.date(2020, 1, 2)
    made(pipeline, CLEANED)
    with_other_packages(pipeline, made(pipeline, CLEANED, other))
    pipeline.load(REWRITTEN)
    found = accept("Cleaned", "only the order")
    assert found.results == 1
    assert "1 stored result of Cleaned will be taken over" in found.lines()[-1]
    made(pipeline, REWRITTEN)
    assert pipeline.calls == 2


def test_an_unknown_task_is_refused_with_the_nearest(pipeline: Any) -> None:
    pipeline.load(CLEANED)
    with pytest.raises(UsageError, match=r"there is no query or stage 'Clened'\. .* Did you mean 'Cleaned'\?"):
        accept("Clened", "why")


def test_an_empty_reason_is_refused(pipeline: Any) -> None:
    made(pipeline, CLEANED)
    pipeline.load(REWRITTEN)
    with pytest.raises(AcceptanceError, match="the reason for accepting the change of Cleaned is empty"):
        accept("Cleaned", " ")


def test_a_task_without_results_has_nothing_to_accept(pipeline: Any) -> None:
    pipeline.load(CLEANED)
    with pytest.raises(AcceptanceError, match="the store has no result of Cleaned"):
        accept("Cleaned", "why")


def test_a_task_whose_code_is_unchanged_has_nothing_to_accept(pipeline: Any) -> None:
    made(pipeline, CLEANED)
    with pytest.raises(AcceptanceError, match="the code of Cleaned is the one that made its stored results"):
        accept("Cleaned", "why")


@pytest.mark.parametrize("text", ["", "{}", '{"format": 2}', "[]"])
def test_an_acceptance_that_cannot_be_read_declares_nothing(pipeline: Any, text: str) -> None:
    made(pipeline, CLEANED)
    pipeline.load(REWRITTEN)
    accept("Cleaned", "only the order")
    [path] = (pipeline.store / "accepted" / "Cleaned").iterdir()
    path.write_text(text)
    made(pipeline, REWRITTEN)
    assert pipeline.calls == 2


def test_going_back_to_code_that_made_results_leaves_nothing_to_accept(pipeline: Any) -> None:
    made(pipeline, CLEANED)
    made(pipeline, CLEANED.replace("* 2", "* 3"))
    pipeline.load(CLEANED)
    with pytest.raises(AcceptanceError, match="nothing to accept"):
        accept("Cleaned", "went back")


def test_a_change_is_accepted_against_the_code_that_it_changes_and_shows_its_lines(pipeline: Any) -> None:
    """Not against what was made last, which may be an attempt that was taken back."""
    made(pipeline, CLEANED)
    made(pipeline, CLEANED.replace("return events.a", "events = events.head(0)\n        return events.a"))
    pipeline.load(REWRITTEN)
    lines = "\n".join(accept("Cleaned", "the same numbers").lines())
    assert "-        return events.assign(value=events.value * 2)" in lines
    assert "+        return events.assign(value=2 * events.value)" in lines
    assert "head" not in lines


def test_a_change_that_ran_for_one_day_can_still_be_accepted_for_the_others(pipeline: Any) -> None:
    made(pipeline, CLEANED)
    made(pipeline, CLEANED, datetime.date(2020, 1, 2))
    made(pipeline, REWRITTEN)
    accept("Cleaned", "the same numbers")
    made(pipeline, REWRITTEN, datetime.date(2020, 1, 2))
    assert pipeline.calls == 3
