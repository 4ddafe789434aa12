"""What a run would make, and the one cause that is named for each result; nothing is run, nothing is stored."""

from __future__ import annotations

import datetime
import shutil
from pathlib import Path
from typing import Any

import pytest

from workflows.answers.plan import Outlook, Step, plan
from workflows.errors import NoData, ParameterError, UsageError
from workflows.tasks import project

pytestmark = pytest.mark.integration

DAY = datetime.date(2020, 1, 1)
HELPER = """\
def scaled(values, factor):
    return values * factor
"""
CLEANED = """
from helper import scaled

class Cleaned(Stage):
    date = luigi.DateParameter()
    factor = luigi.FloatParameter(default=2.0)

    def requires(self):
        return {"events": Events(date=self.date)}

    def compute(self, events):
        return events.assign(value=scaled(events.value, self.factor))
"""
PARAMETERS = 'import datetime\ndate = datetime.date(2020, 1, 1)\ncleaned: "Cleaned" = "x.parquet"\nfactor = 2.0'


@pytest.fixture
def made(pipeline: Any) -> Any:
    """The project with everything made of 2020-01-01."""
    from workflows import ReportTask

    pipeline.load(CLEANED, helper=HELPER)
    pipeline.template("light", PARAMETERS, "print(factor)")
    assert pipeline.build(ReportTask(date=DAY, template="light"))
    return pipeline


def asked(pipeline: Any, name: str = "light", day: datetime.date = DAY, **given: Any) -> Outlook:
    """The plan as a process that starts now makes it."""
    pipeline.again()
    return plan(name, [day], **given)


def steps(outlook: Outlook) -> dict[str, Step]:
    return {step.task: step for step in outlook.steps}


def test_what_is_complete_leaves_nothing_to_do(made: Any) -> None:
    outlook = asked(made)
    assert outlook.lines() == ["complete, nothing to do"]
    assert [step.action for step in outlook.steps] == ["reuse"]
    assert outlook.exit_code == 0


def test_nothing_is_run_and_nothing_is_stored(made: Any) -> None:
    before = sorted(made.store.rglob("*"))
    asked(made, day=datetime.date(2020, 1, 2)).lines()
    assert sorted(made.store.rglob("*")) == before


def test_what_was_never_made_is_said_so(made: Any) -> None:
    found = steps(asked(made, day=datetime.date(2020, 1, 2)))
    assert [step.cause.text for step in found.values() if step.cause] == ["never made"] * 3


def test_a_changed_helper_is_named_with_its_lines_and_what_follows_names_its_input(made: Any) -> None:
    made.load(CLEANED, helper=HELPER.replace("* factor", "+ factor"))
    found = steps(asked(made))
    cause = found["Cleaned"].cause
    assert cause
    assert cause.kind == "code"
    assert "helper.py changed" in cause.sentence
    assert cause.diff == ("-    return values * factor", "+    return values + factor")
    assert found["ReportTask"].cause
    assert found["Cleaned"].action == found["ReportTask"].action == "run"


def test_a_result_whose_input_would_be_made_names_that_input(made: Any) -> None:
    made.change("UPDATE events SET value = 9 WHERE id = 1")
    found = steps(asked(made))
    assert found["Cleaned"].cause.text == "input: Events (would be made)"
    assert found["ReportTask"].cause.text == "input: Cleaned (would be made)"


def test_changed_rows_are_counted_and_shown(made: Any) -> None:
    made.change("UPDATE events SET value = 9 WHERE id = 1")
    cause = steps(asked(made))["Events"].cause
    assert cause.text == "data: 1 row changed in value"
    assert any("1.0 -> 9.0" in line for line in cause.diff)


def test_an_upgraded_package_is_named_with_both_versions(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made.again()
    installed = {**project.current().installed, "pandas": {"pandas": "99.1"}}
    monkeypatch.setattr(project.current(), "installed", installed)
    cause = steps(plan("light", [DAY]))["Events"].cause
    assert cause.kind == "environment"
    assert cause.sentence.startswith("pandas 3.")
    assert cause.sentence.endswith(" -> 99.1")


def test_another_value_is_named_with_both_values(made: Any) -> None:
    found = steps(asked(made, parameters='{"factor": 3}'))
    assert found["Cleaned"].cause.text == "parameters: factor 2.0 -> 3.0"
    assert found["ReportTask"].cause.text == "parameters: factor 2.0 -> 3.0"
    assert [cause.kind for cause in found["ReportTask"].causes] == ["parameters", "input"]


def test_an_edited_cell_of_the_template_is_named_by_its_number(made: Any) -> None:
    made.template("light", PARAMETERS, "print(factor + 1)")
    outlook = asked(made)
    assert [step.action for step in outlook.steps] == ["reuse", "run"]
    assert outlook.steps[1].cause.text == "template light: cell 2 changed"
    assert outlook.steps[1].cause.diff == ("-print(factor)", "+print(factor + 1)")


def test_a_result_that_others_were_made_from_and_is_gone_is_said_so(made: Any) -> None:
    shutil.rmtree(made.store / "Events")
    found = steps(asked(made, parameters='{"factor": 3}'))
    assert found["Events"].cause.text == "its artefact is gone"


def test_a_damaged_result_is_said_so_with_the_place_it_was_moved_to(made: Any) -> None:
    [folder] = made.artefacts("ReportTask")
    (folder / "measures.json").write_text("{}")
    cause = steps(asked(made))["ReportTask"].cause
    assert cause.kind == "lost"
    assert cause.text.startswith("its artefact was damaged or outdated, and moved to data/store/damaged/ReportTask/")


def test_what_was_made_already_by_an_earlier_state_is_found_again(made: Any) -> None:
    made.load(CLEANED, helper=HELPER.replace("* factor", "+ factor"))
    made.load(CLEANED, helper=HELPER)
    assert asked(made).lines() == ["complete, nothing to do"]


def test_the_nearest_stored_version_is_compared(made: Any) -> None:
    """Of two stored versions the one that differs in one definition only, though the other is newer."""
    from workflows import ReportTask

    made.load(CLEANED, helper=HELPER.replace("* factor", "- factor"))
    assert made.build(ReportTask(date=DAY, template="light", parameters='{"factor": 3}'))
    made.load(CLEANED, helper=HELPER.replace("* factor", "/ factor"))
    found = steps(asked(made))["Cleaned"]
    assert found.causes[0].kind == "code"
    assert "parameters" not in {cause.kind for cause in found.causes}


def test_a_result_whose_inputs_came_out_equal_would_be_taken_over(pipeline: Any) -> None:
    """The probe saw a change of another day."""
    probed = (
        f"class Probed(Events):\n    probe = 'SELECT count(*) FROM events'\n{CLEANED.replace('Events(', 'Probed(')}"
    )
    task = pipeline.load(probed, helper=HELPER).Cleaned(date=DAY)
    assert pipeline.build(task)
    pipeline.change("INSERT INTO events VALUES (4, '2020-01-03', 'a', 1.0)")
    assert [step.action for step in asked(pipeline, "Cleaned").steps] == ["run", "run"]
    assert pipeline.build(pipeline.again().Probed(date=DAY))
    outlook = asked(pipeline, "Cleaned")
    assert [step.action for step in outlook.steps] == ["reuse", "take over"]
    assert outlook.steps[1].cause
    assert outlook.steps[1].cause.text == f"same code, same bytes as {task.version[:16]}"


def test_many_equal_tasks_are_said_in_one_line(made: Any) -> None:
    made.load("""
class Total(Stage):
    def requires(self):
        return [Events(date=day) for day in Events.available(datetime.date(2020, 1, 1), datetime.date(2020, 2, 1))]

    def compute(self, days):
        return pd.concat(days)
""")
    shutil.rmtree(made.store)
    assert asked(made, "Total").lines() == [
        "would run  Events x2  2020-01-01, 2020-01-02   never made",
        "would run  Total                               never made",
    ]


def test_a_range_of_dates_is_planned_as_one(made: Any) -> None:
    made.again()
    outlook = plan("light", [DAY, datetime.date(2020, 1, 2)])
    assert {(step.task, step.date, step.action) for step in outlook.steps if step.task == "ReportTask"} == {
        ("ReportTask", "2020-01-01", "reuse"),
        ("ReportTask", "2020-01-02", "run"),
    }


def test_verbose_names_every_reused_result(made: Any) -> None:
    made.template("light", PARAMETERS, "print(factor + 1)")
    lines = asked(made, is_verbose=True).lines()
    assert any(line.startswith("reused     Cleaned 2020-01-01   ") for line in lines)


def test_the_answer_for_programs_has_each_task_with_its_cause(made: Any) -> None:
    made.change("UPDATE events SET value = 9 WHERE id = 1")
    [events, cleaned, report] = asked(made).as_json()
    assert (events["task"], events["would_run"], events["cause"]["kind"]) == ("Events", True, "data")
    assert (cleaned["parameters"], cleaned["date"]) == ({"date": "2020-01-01", "factor": "2.0"}, "2020-01-01")
    assert report["template"] == "light"
    assert len(report["version"]) == 64


def test_an_unknown_name_is_refused_with_the_nearest(made: Any) -> None:
    with pytest.raises(UsageError, match=r"no template, query or stage 'Clened'.* Did you mean 'Cleaned'\?"):
        asked(made, "Clened")


def test_a_parameter_that_a_stage_lacks_is_refused(made: Any) -> None:
    with pytest.raises(ParameterError, match=r"Cleaned has no parameter 'facto'. .* Did you mean 'factor'\?"):
        asked(made, "Cleaned", parameters='{"facto": 1}')


def test_a_day_without_data_is_the_answer(made: Any) -> None:
    with pytest.raises(NoData, match="Events 2021-01-01 has no rows"):
        asked(made, day=datetime.date(2021, 1, 1))


def test_without_a_copy_of_the_earlier_code_the_file_is_named(made: Any) -> None:
    shutil.rmtree(made.store / "code")
    made.load(CLEANED, helper=HELPER.replace("* factor", "+ factor"))
    cause = steps(asked(made))["Cleaned"].cause
    assert cause.kind == "code"
    assert Path("helper.py").name in cause.sentence
