"""`parcours audit`: what comes out again, what does not, and what cannot be asked."""

from __future__ import annotations

import datetime
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from stages import CLEANED

from workflows import ReportTask
from workflows.answers.audit import audit
from workflows.errors import UsageError

pytestmark = pytest.mark.integration

DAY, NEXT = datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)
STAGES = (
    CLEANED
    + """
class Noisy(Stage):
    date = luigi.DateParameter()

    def requires(self):
        return {"cleaned": Cleaned(date=self.date)}

    def compute(self, cleaned):
        with open("calls") as file:
            noise = len(file.read())
        called()
        measure("noise", noise)
        return cleaned.assign(value=noise)
"""
)
PARAMETERS = """import datetime
date: datetime.date = datetime.date(2020, 1, 1)
cleaned: "Cleaned" = "samples/cleaned.parquet"
"""
STEADY = "from workflows import measure\nmeasure('bytes', len(open(cleaned, 'rb').read()))\n{'a', 'b', 'c'}, object()"
RESTLESS = "import time\nprint(time.time_ns())"


@pytest.fixture
def made(pipeline: Any) -> Any:
    """The module with both stages; those of the day are made, and the second's table depends on when it is made."""
    acme = pipeline.load(STAGES)
    assert pipeline.build(acme.Noisy(date=DAY))
    return acme


def files_of(store: Path) -> dict[str, tuple[int, bytes]]:
    return {str(p): (p.stat().st_mtime_ns, p.read_bytes()) for p in sorted(store.rglob("*")) if p.is_file()}


def test_queries_and_stages_that_come_out_again_are_the_same(pipeline: Any, made: Any) -> None:
    for task in ("Events", "Cleaned"):
        found = audit(1, task)
        assert (found.computed, found.same, found.exit_code, found.skipped) == (1, 1, 0, {})
        assert found.lines() == [f"1 of 1 results re-computed: 1 same  (seed {found.seed})"]


def test_a_stage_that_is_not_deterministic_is_named_with_what_differs(pipeline: Any, made: Any) -> None:
    found = audit(1, "Noisy")
    path = made.Noisy(date=DAY).address.path
    assert found.exit_code == 1
    assert found.lines() == [
        f"Noisy 2020-01-01  is not deterministic, or {path} was altered: measure noise 7 -> 14, column 'value'",
        f"1 of 1 results re-computed: 0 same, 1 not  (seed {found.seed})",
    ]


def test_the_store_stays_as_it_is(pipeline: Any, made: Any) -> None:
    before = files_of(pipeline.store)
    audit(1)
    assert files_of(pipeline.store) == before


def test_reports_are_executed_again(pipeline: Any) -> None:
    pipeline.template("steady", PARAMETERS, STEADY)
    pipeline.template("restless", PARAMETERS, "1", RESTLESS)
    pipeline.load(STAGES)
    assert pipeline.build(*(ReportTask(date=DAY, template=name) for name in ("steady", "restless")))
    found = audit(1, "ReportTask")
    assert (found.computed, found.same) == (2, 1)
    assert [(unequal.name, unequal.differences) for unequal in found.unequal] == [
        ("restless 2020-01-01", ["report.html", "cell 3"])
    ]


def test_a_report_that_was_taken_over_comes_out_again(pipeline: Any) -> None:
    pipeline.template("steady", PARAMETERS, STEADY, "import uuid\nuuid.uuid4()")
    pipeline.load(STAGES)
    assert pipeline.build(ReportTask(date=DAY, template="steady"))
    pipeline.load(STAGES.replace("events.value * self.factor", "self.factor * events.value"))
    taken = ReportTask(date=DAY, template="steady")
    assert pipeline.build(taken)
    record = json.loads((pipeline.files(taken) / "provenance.json").read_text())
    assert record["reused_from"]
    found = audit(1, "ReportTask")
    assert (found.same, found.computed, sum(found.skipped.values())) == (1, 1, 1)


def test_a_report_that_fails_this_time_is_named_and_leaves_nothing(pipeline: Any) -> None:
    pipeline.template("once", PARAMETERS, "import os\nassert not os.path.exists('ran')\nopen('ran', 'w').close()")
    pipeline.load(STAGES)
    assert pipeline.build(ReportTask(date=DAY, template="once"))
    found = audit(1, "ReportTask")
    assert found.exit_code == 1
    assert (
        found.lines()[0]
        == "once 2020-01-01  cannot be made again: once 2020-01-01 failed in cell 2 of 2: AssertionError"
    )
    assert not (pipeline.store / "failed").exists()


def test_changed_code_is_passed_over(pipeline: Any, made: Any) -> None:
    pipeline.load(STAGES.replace("* self.factor", "* self.factor * 2"))
    found = audit(1, "Cleaned")
    assert (found.computed, found.exit_code) == (0, 0)
    assert found.lines() == [
        "skipped 1: code has changed since",
        f"0 of 1 results re-computed: 0 same  (seed {found.seed})",
    ]


def test_changed_data_is_passed_over(pipeline: Any, made: Any) -> None:
    pipeline.change("UPDATE events SET value = 9")
    pipeline.again()
    assert audit(1, "Events").skipped == {"data has changed since": 1}
    assert audit(1, "Cleaned").skipped == {"inputs have changed since": 1}


def test_a_task_that_is_gone_is_passed_over(pipeline: Any, made: Any) -> None:
    pipeline.load("class Other(Stage):\n    pass\n")
    found = audit(1)
    assert found.skipped["the task is gone"] == 2
    assert found.total == 3


def test_a_parameter_that_is_no_longer_taken_is_passed_over(pipeline: Any, made: Any) -> None:
    pipeline.load(
        STAGES.replace("factor = luigi.FloatParameter(default=2.0)", "factor = luigi.ChoiceParameter(choices=['a'])")
    )
    assert audit(1, "Cleaned").skipped == {"it cannot be planned any more": 1}


def test_a_result_whose_inputs_are_gone_is_passed_over(pipeline: Any, made: Any) -> None:
    shutil.rmtree(pipeline.store / "Events")
    assert audit(1, "Cleaned").skipped == {"an input is not in the store": 1}


def test_a_result_whose_bytes_rotted_is_named_and_moved_away(pipeline: Any, made: Any) -> None:
    table = pipeline.files(made.Cleaned(date=DAY)) / "table.parquet"
    state, data = table.stat(), bytearray(table.read_bytes())
    data[9] ^= 1
    table.write_bytes(data)
    os.utime(table, ns=(state.st_atime_ns, state.st_mtime_ns))
    found = audit(1, "Cleaned")
    assert found.exit_code == 1
    assert "was changed after it was made: table.parquet is" in found.lines()[0]
    assert not pipeline.artefacts("Cleaned")


def test_a_table_and_a_record_that_were_edited_together_are_noticed(pipeline: Any, made: Any) -> None:
    import hashlib

    import pandas as pd

    folder = pipeline.files(made.Cleaned(date=DAY))
    table, record = folder / "table.parquet", json.loads((folder / "provenance.json").read_text())
    pd.read_parquet(table).assign(kind="forged").to_parquet(table)
    data = table.read_bytes()
    record["outputs"]["table.parquet"].update(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
    del record["seal"]
    (folder / "provenance.json").write_text(json.dumps(record))
    assert audit(1, "Cleaned").unequal[0].differences == ["column 'kind'"]


def test_a_sample_is_at_least_one_and_the_same_for_the_same_seed(pipeline: Any, made: Any) -> None:
    assert pipeline.build(made.Cleaned(date=NEXT), *(made.Cleaned(date=DAY, factor=n) for n in range(3, 7)))
    before = pipeline.calls
    first = audit(0.001, "Cleaned")
    assert (first.computed, first.total, pipeline.calls) == (1, 6, before + 1)
    assert audit(0.5, "Cleaned").computed == 3
    assert audit(1, "Cleaned", limit=2).computed == 2
    drawn = [audit(0.001, None, seed=5).as_json() for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert drawn[0]["seed"] == 5


def test_a_result_that_cannot_be_computed_again_is_replaced_in_the_sample(pipeline: Any, made: Any) -> None:
    """A small share of an old store still finds one of the results that are of today."""
    assert pipeline.build(made.Cleaned(date=NEXT))
    pipeline.change("UPDATE events SET value = 9 WHERE date = '2020-01-01'")
    pipeline.again()
    assert [audit(0.01, seed=seed).computed for seed in range(4)] == [1, 1, 1, 1]


def test_an_empty_store_is_fine(pipeline: Any) -> None:
    pipeline.load(STAGES)
    found = audit(0.02)
    assert (found.exit_code, found.total, found.computed) == (0, 0, 0)


@pytest.mark.parametrize("share", [0, -0.5, 1.01, float("nan"), float("inf")])
def test_what_is_no_share_is_refused(pipeline: Any, share: float) -> None:
    pipeline.load(STAGES)
    with pytest.raises(UsageError, match=r"--share is .*; expected a number above 0 and up to 1"):
        audit(share)


def test_an_unknown_task_and_a_limit_of_nothing_are_refused(pipeline: Any) -> None:
    pipeline.load(STAGES)
    with pytest.raises(UsageError, match=r"there is no task 'Cleand'.*Did you mean 'Cleaned'"):
        audit(1, "Cleand")
    with pytest.raises(UsageError, match="--limit is 0; expected a whole number from 1 on"):
        audit(1, limit=0)
