"""A plan made once: stored before the first task runs, gone at the end, and never mixed with a later state of the code."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from workflows.errors import PlanError, StageError
from workflows.tasks import handover, project

pytestmark = pytest.mark.integration

DAY = datetime.date(2020, 1, 1)
CLEANED = """
class Cleaned(Stage):
    date = luigi.DateParameter()

    def requires(self):
        return {"events": Events(date=self.date)}

    def compute(self, events):
        return events
"""
# What the algorithm does in place of an engineer who saves a file while it runs.
EDITS_ITSELF = CLEANED.replace(
    "        return events\n",
    """        from pathlib import Path
        path = Path("acme.py")
        path.write_text(path.read_text().replace("return events", "return Events"))
        return events
""",
)
EDITS_A_HELPER = CLEANED.replace(
    "        return events\n",
    """        from pathlib import Path
        Path("helper.py").write_text("FACTOR = 3\\n")
        import helper
        return events.assign(value=events.value * helper.FACTOR)
""",
)


def edits_a_helper(found: str) -> str:
    """The same with another edit, of a file that the code does not name."""
    return EDITS_A_HELPER.replace('"helper.py"', '"helper" + ".py"').replace('"FACTOR = 3\\n"', repr(found))


def plans(pipeline: Any) -> list[dict[str, Any]]:
    return [json.loads(path.read_text())["tasks"] for path in sorted((pipeline.store / "plans").glob("*.json"))]


def test_what_luigi_is_about_to_make_is_stored_first_with_all_it_is_made_from(pipeline: Any) -> None:
    task = pipeline.load(CLEANED).Cleaned(date=DAY)
    [events] = task.deps()
    [plan] = plans(pipeline)
    assert set(plan) == {task.version, events.version}
    assert plan[task.version]["inputs"] == [events.version]
    assert plan[events.version]["parameters"] == {"date": "2020-01-01"}
    assert (plan[events.version]["fingerprint"], plan[events.version]["rows"]) == (
        events.identity.recipe.fingerprint,
        2,
    )


def test_a_plan_is_written_once_however_often_luigi_asks(pipeline: Any) -> None:
    task = pipeline.load(CLEANED).Cleaned(date=DAY)
    for _ in range(3):
        [events] = task.deps()
        events.deps()
    assert len(plans(pipeline)) == 1


def test_the_plan_of_a_run_that_ends_complete_is_removed(pipeline: Any) -> None:
    assert pipeline.build(pipeline.load(CLEANED).Cleaned(date=DAY))
    assert len(plans(pipeline)) == 1
    handover.end()
    assert plans(pipeline) == []


def test_the_plan_of_what_others_may_still_make_is_kept(pipeline: Any) -> None:
    pipeline.load(CLEANED).Cleaned(date=DAY).deps()
    handover.end()
    assert len(plans(pipeline)) == 1


def test_a_plan_of_more_than_a_week_ago_is_swept_when_the_next_is_written(pipeline: Any) -> None:
    acme = pipeline.load(CLEANED)
    acme.Cleaned(date=DAY).deps()
    [old] = (pipeline.store / "plans").iterdir()
    old.rename(old.with_name(f"2020-01-01T00-00-00-000000-{'0' * 16}.json"))
    acme.Cleaned(date=datetime.date(2020, 1, 2)).deps()
    [left] = (pipeline.store / "plans").iterdir()
    assert not left.name.startswith("2020")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 2, "tasks": {}}', '{"format": 1, "tasks": {"a": 1}}'])
def test_a_plan_that_is_none_is_not_followed(pipeline: Any, text: str) -> None:
    task = as_another_process_sees(pipeline, "Cleaned")
    [path] = (pipeline.store / "plans").iterdir()
    path.write_text(text)
    assert not task.identity.is_followed
    assert task.identity.version == task.version


def as_another_process_sees(pipeline: Any, name: str, change: str = "") -> Any:
    """A planned task in a process that planned nothing and gets it as text, after a change of the data."""
    planned = getattr(pipeline.load(CLEANED), name)(date=DAY)
    planned.deps()
    texts = planned.to_str_params()
    if change:
        pipeline.change(change)
    return getattr(pipeline.again(), name).from_str_params(texts)


def test_a_planned_task_is_followed_down_to_the_data(pipeline: Any) -> None:
    task = as_another_process_sees(pipeline, "Cleaned", "UPDATE events SET value = 9")
    assert task.identity.is_followed
    [events] = task.deps()
    assert events.identity.is_followed
    task.check_version()
    assert events.version != type(events)(date=DAY).version


def test_what_requires_reads_of_the_database_is_followed_too(pipeline: Any) -> None:
    """Days that came after planning are not inputs."""
    acme = pipeline.load("""
class Total(Stage):
    def requires(self):
        return [Events(date=day) for day in Events.available(datetime.date(2020, 1, 1), datetime.date(2020, 2, 1))]

    def compute(self, days):
        return pd.concat(days)
""")
    assert pipeline.build(*acme.Total().deps())
    texts = acme.Total().to_str_params()
    acme.Total().deps()
    pipeline.change("INSERT INTO events VALUES (4, '2020-01-03', 'a', 1.0)")
    task = pipeline.again().Total.from_str_params(texts)
    assert [events.date.day for events in task.deps()] == [1, 2]
    task.run()
    assert task.complete()


def test_other_packages_than_planned_are_refused_by_name(pipeline: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    task = as_another_process_sees(pipeline, "Events")
    installed = {**project.current().installed, "pandas": {"pandas": "9.9"}}
    monkeypatch.setattr(project.current(), "installed", installed)
    with pytest.raises(
        PlanError, match=r"Events 2020-01-01 was planned .* other code than this worker's: pandas .* -> 9\.9\."
    ):
        task.run()
    assert pipeline.artefacts() == []


def test_code_edited_while_a_stage_computes_is_not_stored(pipeline: Any) -> None:
    task = pipeline.load(EDITS_ITSELF).Cleaned(date=DAY)
    with pytest.raises(
        PlanError, match=r"Cleaned 2020-01-01: acme\.py was changed while the run was going on.* Run the command again"
    ):
        pipeline.run(task)
    assert pipeline.artefacts("Cleaned") == []


def test_a_helper_edited_before_it_is_imported_late_is_not_stored(pipeline: Any) -> None:
    task = pipeline.load(EDITS_A_HELPER, helper="FACTOR = 2\n").Cleaned(date=DAY)
    with pytest.raises(PlanError, match=r"helper\.py was changed while the run"):
        pipeline.run(task)
    assert pipeline.artefacts("Cleaned") == []


def test_a_helper_edited_to_and_fro_within_a_tick_leaves_what_was_planned(pipeline: Any) -> None:
    """Bytes count, not times."""
    task = pipeline.load(EDITS_A_HELPER.replace("= 3", "= 2"), helper="FACTOR = 2\n").Cleaned(date=DAY)
    pipeline.run(task)
    assert task.complete()


@pytest.mark.parametrize(
    "found",
    ["FACTOR = 2\n\ndef other():\n    return 1\n", "# Two.\nFACTOR = 2\nOTHER = 3\n"],
    ids=["another function", "another constant"],
)
def test_a_definition_that_is_not_reached_may_be_edited_meanwhile(pipeline: Any, found: str) -> None:
    task = pipeline.load(edits_a_helper(found), helper="FACTOR = 2\n\nOTHER = 1\n").Cleaned(date=DAY)
    pipeline.run(task)
    assert task.complete()
    assert pipeline.again().Cleaned(date=DAY).complete()


@pytest.mark.parametrize(
    "found",
    ["FACTOR = 2\n\ndef other(:\n", "FACTOR = 2\n\nfrom other import *\n", "FACTOR = 2\nimport os\nos.environ['X'] = '1'\n"],
    ids=["no Python", "a star import", "a statement that runs"],
)  # fmt: skip
def test_an_edit_meanwhile_that_is_reached_is_refused(pipeline: Any, found: str) -> None:
    task = pipeline.load(edits_a_helper(found), helper="FACTOR = 2\n", other="FACTOR = 2\n").Cleaned(date=DAY)
    with pytest.raises((PlanError, StageError)):
        pipeline.run(task)
    assert pipeline.artefacts("Cleaned") == []


def test_an_unrelated_definition_edited_during_a_report_does_not_matter(pipeline: Any) -> None:
    from workflows import ReportTask

    pipeline.load(CLEANED, helper="WORD = 'old'\n")
    edit = "import pathlib\npathlib.Path('../helper' + '.py').write_text('WORD = \\'old\\'\\nOTHER = 1\\n')"
    pipeline.template("light", "import datetime\ndate = datetime.date(2020, 1, 1)", edit, "import helper\nhelper.WORD")
    task = ReportTask(date=DAY, template="light")
    pipeline.run(task)
    assert task.complete()


def test_a_helper_of_a_template_edited_during_the_report_is_not_stored(pipeline: Any) -> None:
    from workflows import ReportTask

    pipeline.load(CLEANED, helper="WORD = 'old'\n")
    edit = "import pathlib\npathlib.Path('../helper.py').write_text('WORD = 1234\\n')"
    pipeline.template("light", "import datetime\ndate = datetime.date(2020, 1, 1)", edit, "import helper")
    task = ReportTask(date=DAY, template="light")
    with pytest.raises(PlanError, match=r"light 2020-01-01: helper\.py was changed while the run"):
        pipeline.run(task)
    assert pipeline.artefacts("ReportTask") == []


def test_a_template_edited_during_its_own_report_does_not_matter(pipeline: Any) -> None:
    """It was read whole when it was planned."""
    from workflows import ReportTask

    pipeline.load(CLEANED)
    edit = "import pathlib\npath = pathlib.Path('light.ipynb')\npath.write_text(path.read_text() + ' ')"
    path: Path = pipeline.template("light", "import datetime\ndate = datetime.date(2020, 1, 1)", edit)
    task = ReportTask(date=DAY, template="light")
    pipeline.run(task)
    assert path.read_text().endswith(" ")
    assert task.complete()
