"""Early cut-off: what is made from the same bytes is not made again, over chains, back and forth, and never from damage."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workflows import ReportTask

pytestmark = pytest.mark.integration

DAY = datetime.date(2020, 1, 1)
CHAIN = """
class Rows(Query):
    date = luigi.DateParameter()
    sql = "rows.sql"

class First(Stage):
    date = luigi.DateParameter()

    def requires(self):
        return {"events": Rows(date=self.date)}

    def compute(self, events):
        called()
        return events.round(0)

class Second(First):
    def requires(self):
        return {"events": First(date=self.date)}

class Third(First):
    def requires(self):
        return {"events": Second(date=self.date)}

    def compute(self, events):
        called()
        measure("rows", len(events))
        return events
"""
PARAMETERS = """import datetime
date: datetime.date = datetime.date(2020, 1, 1)
third: "Third" = "samples/third.parquet"
"""
RUN = "open('ran', 'a').write('x')\nlen(open(third, 'rb').read())"


@pytest.fixture
def planned(pipeline: Any) -> Callable[..., Any]:
    """The third stage, or a task above it, with the query's statement spelled in one of several ways: the rows stay."""
    pipeline.template("quick", PARAMETERS, RUN)
    spellings = {"A": ":date = date", "B": "date = :date", "C": "date = :date AND 1"}

    def plan(spelling: str, name: str = "Third") -> Any:
        (pipeline.folder / "rows.sql").write_text(f"SELECT * FROM events WHERE {spellings[spelling]} ORDER BY id")
        acme = pipeline.load(CHAIN)
        return ReportTask(date=DAY, template="quick") if name == "quick" else getattr(acme, name)(date=DAY)

    return plan


def record(pipeline: Any, task: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((pipeline.files(task) / "provenance.json").read_text())
    return found


def kernels(pipeline: Any) -> int:
    return len((pipeline.folder / "templates" / "ran").read_text())


def test_a_chain_of_three_stages_is_taken_over_whole(pipeline: Any, planned: Callable[..., Any]) -> None:
    assert pipeline.build(planned("A"))
    assert pipeline.calls == 3
    second = planned("B")
    assert not second.complete()
    assert pipeline.build(second)
    assert pipeline.calls == 3


def test_a_result_taken_over_twice_names_the_version_that_computed_it(
    pipeline: Any, planned: Callable[..., Any]
) -> None:
    versions = []
    for spelling in "ABC":
        task = planned(spelling)
        assert pipeline.build(task)
        versions.append(task.version)
    assert len(set(versions)) == 3
    assert record(pipeline, task)["reused_from"] == versions[0]


def test_going_back_finds_the_results_again(pipeline: Any, planned: Callable[..., Any]) -> None:
    first = planned("A")
    assert pipeline.build(first)
    assert pipeline.build(planned("B"))
    back = planned("A")
    assert back.version == first.version
    assert back.complete()
    assert pipeline.calls == 3


def test_going_back_after_other_bytes_finds_the_results_again(pipeline: Any, planned: Callable[..., Any]) -> None:
    first = planned("A")
    assert pipeline.build(first)
    pipeline.change("UPDATE events SET value = value + 7")
    assert pipeline.build(planned("A"))
    assert pipeline.calls == 6
    pipeline.change("UPDATE events SET value = value - 7")
    assert planned("A").complete()
    assert pipeline.build(planned("B"))
    assert pipeline.calls == 6


def test_a_report_over_a_chain_is_not_executed_again(pipeline: Any, planned: Callable[..., Any]) -> None:
    """Nor after going back; and its record names the version that was."""
    first = planned("A", "quick")
    for spelling in "ABCA":
        report = planned(spelling, "quick")
        assert pipeline.build(report)
    assert report.version == first.version
    assert kernels(pipeline) == 1
    last = planned("C", "quick")
    assert record(pipeline, last)["reused_from"] == first.version
    page = (pipeline.files(last) / "report.html").read_text()
    assert f'"reused_from": "{first.version}"' in page


def test_a_report_of_other_bytes_is_executed(pipeline: Any, planned: Callable[..., Any]) -> None:
    assert pipeline.build(planned("A", "quick"))
    pipeline.change("UPDATE events SET value = 5")
    assert pipeline.build(planned("A", "quick"))
    assert kernels(pipeline) == 2


def flip(path: Path) -> None:
    """Change one byte, and neither size nor time."""
    state, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def without_outputs(path: Path) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), "outputs": {}}))


def without_table(path: Path) -> None:
    found = json.loads(path.read_text())
    del found["outputs"]["table.parquet"]
    path.write_text(json.dumps(found))


def by_somebody_else(path: Path) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), "user": "somebody else"}))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("table.parquet", flip),
        ("measures.json", flip),
        ("table.parquet", Path.unlink),
        ("provenance.json", lambda path: path.write_text(path.read_text()[:-20])),
        ("provenance.json", without_outputs),
        ("provenance.json", without_table),
        ("provenance.json", by_somebody_else),
    ],
    ids=[
        "rotten table",
        "rotten measures",
        "missing table",
        "truncated record",
        "no outputs",
        "no table in record",
        "edited record",
    ],
)
def test_what_is_damaged_is_never_taken_over(
    pipeline: Any, planned: Callable[..., Any], name: str, damage: Callable[[Path], Any]
) -> None:
    first = planned("A")
    assert pipeline.build(first)
    expected = (pipeline.files(first) / "table.parquet").read_bytes()
    damage(pipeline.files(first) / name)
    second = planned("B")
    assert pipeline.build(second)
    assert record(pipeline, second)["reused_from"] is None
    assert (pipeline.files(second) / "table.parquet").read_bytes() == expected
    assert sorted(path.name for path in pipeline.files(second).iterdir()) == [
        "measures.json",
        "provenance.json",
        "table.parquet",
    ]
