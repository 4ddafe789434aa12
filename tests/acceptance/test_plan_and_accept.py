"""`parcours plan` and `parcours accept` as a user types them."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance

PLAN = ["parcours", "plan", "small", "--date", "2020-01-01"]


def edit(place: Any, old: str, new: str) -> None:
    path = place.folder / "acme.py"
    path.write_text(path.read_text().replace(old, new))


def test_a_change_is_planned_accepted_and_taken_over(small: Any) -> None:
    """What an engineer meets who rewrites an algorithm without changing what it computes."""
    assert small.report("small", "2020-01-01").code == 0
    done = small.run(*PLAN)
    assert (done.code, done.out) == (0, "complete, nothing to do\n")
    edit(small, "events.value * self.factor", "self.factor * events.value")
    done = small.run(*PLAN)
    assert done.code == 0, done.err
    changed = [line for line in done.out.splitlines() if line.startswith("would run  Cleaned 2020-01-01")]
    assert "   code: " in changed[0]
    assert changed[0].endswith("acme.py changed")
    assert "               +        return events.assign(value=self.factor * events.value)" in done.out
    assert len(small.artefacts("Cleaned")) == 1
    done = small.run("parcours", "accept", "Cleaned", "--reason", "multiplication commutes")
    assert (done.code, done.err) == (0, "")
    assert "reason     multiplication commutes" in done.out
    planned = small.run(*PLAN).out
    assert [line[:9] for line in planned.splitlines()] == ["take over", "take over", "reused   "]
    done = small.report("small", "2020-01-01")
    assert done.code == 0
    assert done.err.startswith("plan          3 results: 2 to take over, 1 reused\n              Cleaned, ReportTask\n")
    assert "\ntaken over    1 of 2  Cleaned 2020-01-01  from Cleaned/2020-01-01/" in done.err
    assert "\ntaken over    2 of 2  small 2020-01-01  from ReportTask/2020-01-01/small-" in done.err
    newest = max(small.artefacts("Cleaned"), key=lambda folder: (folder / "provenance.json").stat().st_mtime_ns)
    assert json.loads((newest / "provenance.json").read_text())["accepted"]["reason"] == "multiplication commutes"
    assert list((small.store / "plans").iterdir()) == []


def test_the_plan_of_a_report_is_json_for_programs(small: Any) -> None:
    done = small.run(*PLAN, "--json")
    steps = json.loads(done.out)
    assert [(step["task"], step["would_run"], step["cause"]["kind"]) for step in steps] == [
        ("Events", True, "never made"),
        ("Cleaned", True, "never made"),
        ("ReportTask", True, "never made"),
    ]
    assert not small.store.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plan", "smal", "--date", "2020-01-01"], "there is no template, query or stage 'smal'"),
        (["plan", "small", "--date", "2020-13-01"], "'2020-13-01' is not a date"),
        (["plan", "small", "--start", "2020-01-02", "--stop", "2020-01-01"], "ends before it starts"),
        (["plan", "small", "--date", "2020-01-01", "--parameters", "{"], "--parameters is '{'"),
        (["plan", "small", "--date", "2020-01-01", "--parameters", '{"facto": 2}'], "Did you mean 'factor'?"),
        (["accept", "Clened", "--reason", "x"], "Did you mean 'Cleaned'?"),
        (["accept", "Cleaned", "--reason", ""], "is empty"),
        (["accept", "Cleaned", "--reason", "x"], "the store has no result of Cleaned"),
    ],
)
def test_bad_input_is_refused_in_one_line(shared: Any, arguments: list[str], said: str) -> None:
    done = shared.run("parcours", *arguments)
    assert done.code == 2
    assert said in done.err
    assert len(done.err.splitlines()) == 1
    assert done.out == ""


def test_a_plan_whose_code_is_gone_says_what_is_missing(small: Any) -> None:
    (small.folder / "acme.py").unlink()
    done = small.run(*PLAN)
    assert done.code == 2
    assert "pipeline 'acme' cannot be imported" in done.err
    assert len(done.err.splitlines()) == 1
