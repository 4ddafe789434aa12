"""The version of a task: computed, the same everywhere, of what was loaded, and nobody's to type."""

from __future__ import annotations

import datetime
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from stages import CLEANED

from workflows.errors import PipelineError, PlanError
from workflows.tasks import project
from workflows.tasks.plan import tree

pytestmark = pytest.mark.integration

DAY = datetime.date(2020, 1, 1)
ALL_KINDS = """
class Kinds(Stage):
    whole = luigi.IntParameter(default=1)
    number = luigi.FloatParameter(default=1)
    flag = luigi.BoolParameter(default=True)
    text = luigi.Parameter(default="ü 'x'")
    day = luigi.DateParameter(default=datetime.date(2020, 2, 29))
    many = luigi.ListParameter(default=[1, [2, "a"]])
    named = luigi.DictParameter(default={"b": 1, "a": [2]})
    one = luigi.ChoiceParameter(choices=["a", "b"], default="a")
    maybe = luigi.OptionalParameter(default=None)
"""


def test_the_version_is_computed_and_has_64_hex_digits(pipeline: Any) -> None:
    acme = pipeline.load(CLEANED)
    task = acme.Cleaned(date=DAY)
    assert re.fullmatch("[0-9a-f]{64}", task.version)
    assert task.version != acme.Events(date=DAY).version


def test_the_version_is_significant_and_so_part_of_luigis_task_id(pipeline: Any) -> None:
    acme = pipeline.load(CLEANED)
    before = acme.Cleaned(date=DAY)
    pipeline.change("UPDATE events SET value = 9 WHERE id = 1")
    after = pipeline.again().Cleaned(date=DAY)
    assert before.to_str_params(only_significant=True)["version"] == before.version
    assert before.task_id != after.task_id


def test_the_version_is_the_same_in_another_process_and_in_another_folder(pipeline: Any, tmp_path: Path) -> None:
    task = pipeline.load(CLEANED).Cleaned(date=DAY)
    elsewhere = tmp_path / "else where"
    shutil.copytree(pipeline.folder, elsewhere)
    ask = "import luigi, datetime, workflows, acme; print(acme.Cleaned(date=datetime.date(2020, 1, 1)).version)"
    found = subprocess.run([sys.executable, "-c", ask], cwd=elsewhere, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == task.version


def test_a_typed_version_is_refused_and_nothing_is_stored(pipeline: Any) -> None:
    acme = pipeline.load(CLEANED)
    task = acme.Cleaned(date=DAY, version="0" * 64)
    with pytest.raises(PlanError, match=r"Cleaned 2020-01-01 was planned as version 0{16}, but .* never typed"):
        pipeline.run(task)
    assert not pipeline.artefacts("Cleaned")


def test_the_version_cannot_be_given_as_a_positional_argument(pipeline: Any) -> None:
    acme = pipeline.load(CLEANED)
    assert acme.Cleaned(DAY, 3.0).factor == 3.0
    with pytest.raises(Exception, match="takes at most 2 parameters"):
        acme.Cleaned(DAY, 3.0, "0" * 64)


def test_a_float_given_as_a_whole_number_is_the_same_task(pipeline: Any) -> None:
    acme = pipeline.load(CLEANED)
    assert acme.Cleaned(date=DAY, factor=1).task_id == acme.Cleaned(date=DAY, factor=1.0).task_id
    assert type(acme.Cleaned(date=DAY, factor=1).factor) is float


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"whole": -7},
        {"number": 3},
        {"number": 1e300},
        {"number": 0.1},
        {"flag": False},
        {"text": 'line\nbreak \\ " ,'},
        {"text": ""},
        {"day": datetime.date(1000, 1, 1)},
        {"many": []},
        {"many": (1, 2.5, None, {"a": 1})},
        {"named": {}},
        {"one": "b"},
        {"maybe": "x"},
    ],
    ids=str,
)
def test_a_task_survives_being_written_and_read_back(pipeline: Any, given: dict[str, Any]) -> None:
    """As Luigi sends it to another process: as text."""
    kinds = pipeline.load(ALL_KINDS).Kinds
    task = kinds(**given)
    texts = task.to_str_params()
    project.forget()
    back = kinds.from_str_params(texts)
    assert back is not task
    assert back.task_id == task.task_id
    assert back.identity.version == task.version


def test_two_values_of_a_parameter_are_two_versions(pipeline: Any) -> None:
    kinds = pipeline.load(ALL_KINDS).Kinds
    given = [
        {},
        {"whole": 2},
        {"number": 2},
        {"flag": False},
        {"text": "y"},
        {"many": [2]},
        {"named": {}},
        {"one": "b"},
    ]
    assert len({kinds(**values).version for values in given}) == len(given)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [("whole", True, "int"), ("whole", "one", "int"), ("number", "much", "float"), ("number", None, "float"),
     ("day", "2020-02-30", "date"), ("day", 5, "date"), ("one", "c", "choice")],
)  # fmt: skip
def test_a_value_that_its_parameter_cannot_hold_is_refused(pipeline: Any, name: str, value: Any, expected: str) -> None:
    kinds = pipeline.load(ALL_KINDS).Kinds
    with pytest.raises(PipelineError, match=rf"Kinds got {name} = {value!r}; expected {expected}"):
        kinds(**{name: value})


def test_values_that_python_takes_for_equal_are_told_apart(pipeline: Any) -> None:
    """As another process would, which meets only one of them."""
    kinds = pipeline.load(ALL_KINDS).Kinds
    tasks = [kinds(many=[value]) for value in (1, 1.0, True)]
    assert [type(task.many[0]) for task in tasks] == [int, float, bool]
    assert len({task.version for task in tasks}) == 3


def test_an_insignificant_parameter_does_not_enter_the_version(pipeline: Any) -> None:
    acme = pipeline.load("class Quiet(Stage):\n    jobs = luigi.IntParameter(default=1, significant=False)\n")
    assert acme.Quiet(jobs=1).version == acme.Quiet(jobs=4).version


def test_a_clone_has_its_own_version(pipeline: Any) -> None:
    acme = pipeline.load(CLEANED)
    task = acme.Cleaned(date=DAY)
    other = task.clone(factor=5.0)
    assert other.version == acme.Cleaned(date=DAY, factor=5.0).version != task.version
    assert task.clone(acme.Events).version == acme.Events(date=DAY).version


def test_luigis_requires_and_inherits_do_not_hand_the_version_on(pipeline: Any) -> None:
    acme = pipeline.load("""
@requires(Events)
class Required(Stage):
    def compute(self, events):
        return events

@inherits(Events)
class Inherited(Stage):
    def requires(self):
        return [self.clone_parent()]

    def compute(self, frames):
        return frames[0]
""")
    for task in (acme.Required(date=DAY), acme.Inherited(date=DAY)):
        assert task.deps()[0].version == acme.Events(date=DAY).version != task.version
        assert pipeline.build(task)


def test_code_edited_after_it_was_loaded_does_not_change_the_version(pipeline: Any) -> None:
    """Neither of a task that was planned before the edit nor of one that is planned after it."""
    acme = pipeline.load(CLEANED)
    before = acme.Cleaned(date=DAY).version
    (pipeline.folder / "acme.py").write_text((pipeline.folder / "acme.py").read_text().replace("* self", "+ self"))
    assert acme.Cleaned(date=DAY).version == before
    late = acme.Cleaned(date=DAY, factor=3.0).version
    (pipeline.folder / "acme.py").write_text((pipeline.folder / "acme.py").read_text().replace("+ self", "* self"))
    assert pipeline.again().Cleaned(date=DAY, factor=3.0).version == late


def test_code_edited_before_the_first_task_is_planned_is_stamped_as_it_was_loaded(pipeline: Any) -> None:
    acme = pipeline.load(CLEANED)
    (pipeline.folder / "acme.py").write_text((pipeline.folder / "acme.py").read_text().replace("* self", "+ self"))
    early = acme.Cleaned(date=DAY).version
    assert pipeline.load(CLEANED).Cleaned(date=DAY).version == early


def test_a_process_that_forgets_loads_edited_code_anew(pipeline: Any) -> None:
    """The new version is stamped on what the new code makes, and Luigi knows each task once."""
    old = pipeline.load(CLEANED).Cleaned(date=DAY)
    new = pipeline.load(CLEANED.replace("* self", "+ self")).Cleaned(date=DAY)
    assert new.version != old.version
    assert pipeline.build(new)
    import pandas as pd

    assert pd.read_parquet(pipeline.files(new) / "table.parquet").value.tolist() == [3.0, 4.5]


def test_a_process_that_forgets_keeps_what_did_not_change(pipeline: Any) -> None:
    acme = pipeline.load(CLEANED)
    assert pipeline.again() is acme


def test_a_chain_of_400_stages_is_planned(pipeline: Any) -> None:
    """Each requires the day before, as running totals do."""
    acme = pipeline.load("""
class Total(Stage):
    date = luigi.DateParameter()

    def requires(self):
        before = self.date - datetime.timedelta(days=1)
        return [Total(date=before)] if before >= datetime.date(2020, 1, 1) else []
""")
    last = acme.Total(date=DAY + datetime.timedelta(days=399))
    order = [task.date for task in tree(last)]
    assert order == [DAY + datetime.timedelta(days=n) for n in range(400)]
    assert last.version == _alone(pipeline, last)


def _alone(pipeline: Any, task: Any) -> str:
    """The version of the last task of a chain where those before it were planned one by one."""
    project.forget()
    project.current()
    found = [type(task)(date=DAY + datetime.timedelta(days=n)).version for n in range(400)]
    return found[-1]


@pytest.mark.parametrize("length", [1, 2, 90])
def test_a_circle_is_an_error(pipeline: Any, length: int) -> None:
    acme = pipeline.load(f"""
class Round(Stage):
    n = luigi.IntParameter()

    def requires(self):
        return Round(n=(self.n + 1) % {length})
""")
    with pytest.raises(PipelineError, match="Round requires itself, directly or through its inputs"):
        acme.Round(n=0)


def test_a_chain_without_an_end_is_an_error(pipeline: Any) -> None:
    acme = pipeline.load("""
class On(Stage):
    n = luigi.IntParameter()

    def requires(self):
        return On(n=self.n + 1)
""")
    with pytest.raises(PipelineError, match=r"On: requires\(\) failed: .*10,000"):
        acme.On(n=0)


def test_a_requirement_without_an_identity_is_refused(pipeline: Any) -> None:
    acme = pipeline.load("""
class Foreign(luigi.Task):
    pass

class Needy(Stage):
    def requires(self):
        return Foreign()
""")
    with pytest.raises(PipelineError, match=r"Needy requires Foreign\(\); expected a Query or a Stage"):
        acme.Needy()


def test_an_error_in_requires_names_its_line(pipeline: Any) -> None:
    acme = pipeline.load("""
class Broken(Stage):
    def requires(self):
        return {}["events"]
""")
    with pytest.raises(
        PipelineError, match=r"Broken: requires\(\) failed: KeyError: 'events' \(acme.py, line \d+: .*\)"
    ):
        acme.Broken()
