"""Stages as tasks: what compute() gets, what is stored, what is reused, what is refused."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from workflows.errors import PipelineError, SchemaError, StageError, StoreError

pytestmark = pytest.mark.integration

DAY = datetime.date(2020, 1, 1)
NEXT = datetime.date(2020, 1, 2)
CLEANED = '''
class Cleaned(Stage):
    """Events, rounded."""
    date = luigi.DateParameter()

    def requires(self):
        return {"events": Events(date=self.date)}

    def compute(self, events):
        called()
        return events.round(0)

class Counted(Stage):
    date = luigi.DateParameter()

    def requires(self):
        return Cleaned(date=self.date)

    def compute(self, cleaned):
        called()
        measure("rows", len(cleaned), unit="1")
        return cleaned.groupby("kind", as_index=False).size()
'''


ROWS = """
class Rows(Query):
    date = luigi.DateParameter()
    sql = "rows.sql"
"""


def stage(requires: str, arguments: str, result: str) -> str:
    """A stage Shaped that requires this and returns that."""
    return f"""
class Shaped(Stage):
    def events(self, day=1):
        return Events(date=datetime.date(2020, 1, day))

    def requires(self):
        {requires}

    def compute(self, {arguments}):
        return {result}
"""


def table(pipeline: Any, task: Any) -> pd.DataFrame:
    return pd.read_parquet(pipeline.files(task) / "table.parquet")


def record(pipeline: Any, task: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((pipeline.files(task) / "provenance.json").read_text())
    return found


@pytest.mark.parametrize(
    ("requires", "arguments", "result"),
    [
        ("return self.events()", "events", "events"),
        ("return [self.events(2), self.events(1)]", "frames", "frames[1]"),
        ("return (self.events(2), self.events(1))", "frames", "frames[1]"),
        ("return {'b': self.events(2), 'a': self.events(1)}", "a, b", "a"),
        ("return {'b': [self.events(2), self.events(1)], 'a': {'c': self.events(2)}}", "a, b", "b[1]"),
        ("yield self.events(2); yield self.events(1)", "frames", "frames[1]"),
    ],
    ids=["one", "list", "tuple", "dict", "nested", "generator"],
)
def test_compute_gets_the_tables_in_the_shape_of_requires(
    pipeline: Any, requires: str, arguments: str, result: str
) -> None:
    task = pipeline.load(stage(requires, arguments, result)).Shaped()
    assert pipeline.build(task)
    assert table(pipeline, task).id.tolist() == [1, 2]


def test_a_stage_without_requirements_gets_nothing(pipeline: Any) -> None:
    task = pipeline.load("""
class Alone(Stage):
    def compute(self):
        return pd.DataFrame({"x": [1]})
""").Alone()
    assert pipeline.build(task)
    assert table(pipeline, task).x.tolist() == [1]
    assert record(pipeline, task)["inputs"] == []


def test_a_list_that_happens_to_be_empty_is_still_a_list(pipeline: Any) -> None:
    task = pipeline.load(stage("return []", "frames", "pd.DataFrame({'n': [len(frames)]})")).Shaped()
    assert pipeline.build(task)
    assert table(pipeline, task).n.tolist() == [0]


def test_measures_of_a_stage_are_stored_beside_its_table(pipeline: Any) -> None:
    task = pipeline.load(CLEANED).Counted(date=DAY)
    assert pipeline.build(task)
    found = json.loads((pipeline.files(task) / "measures.json").read_text())["measures"]
    assert found == [{"name": "rows", "value": 2, "unit": "1", "better": None}]
    assert not (pipeline.files(task.requires()) / "measures.json").exists()


@pytest.fixture
def reworded(pipeline: Any) -> Callable[[], Any]:
    """Counted for the day, after a query in a file; each call rewords the statement, which gives the same rows."""
    source = CLEANED.replace("Events(date", "Rows(date") + ROWS
    wordings = iter([":date = date", "date = :date"])

    def load() -> Any:
        (pipeline.folder / "rows.sql").write_text(f"SELECT * FROM events WHERE {next(wordings)} ORDER BY id")
        return pipeline.load(source)

    return load


def test_changed_code_with_the_same_bytes_stops_the_change_there(pipeline: Any, reworded: Callable[[], Any]) -> None:
    """The stages after it have other versions, are not computed, and say whose bytes they have."""
    first = reworded().Counted(date=DAY)
    assert pipeline.build(first)
    assert pipeline.calls == 2
    folder = pipeline.files(first)
    second = reworded().Counted(date=DAY)
    assert second.version != first.version
    assert pipeline.build(second)
    assert pipeline.calls == 2
    was, now = json.loads((folder / "provenance.json").read_text()), record(pipeline, second)
    assert now["reused_from"] == first.version
    assert now["outputs"] == was["outputs"]
    assert [i["version"] for i in now["inputs"]] != [i["version"] for i in was["inputs"]]
    assert (pipeline.files(second) / "measures.json").read_bytes() == (folder / "measures.json").read_bytes()


def test_changed_rows_that_give_the_same_bytes_stop_there(pipeline: Any) -> None:
    first = pipeline.load(CLEANED).Counted(date=DAY)
    assert pipeline.build(first)
    pipeline.change("UPDATE events SET value = 1.1 WHERE id = 1")
    second = pipeline.again().Counted(date=DAY)
    assert pipeline.build(second)
    assert pipeline.calls == 3
    assert record(pipeline, second)["reused_from"] == first.version


def test_a_result_whose_twin_is_damaged_is_computed(pipeline: Any, reworded: Callable[[], Any]) -> None:
    first = reworded().Counted(date=DAY)
    assert pipeline.build(first)
    (pipeline.files(first) / "table.parquet").write_bytes(b"no table")
    second = reworded().Counted(date=DAY)
    assert pipeline.build(second)
    assert record(pipeline, second)["reused_from"] is None
    assert pipeline.calls == 3


def test_changed_bytes_go_through(pipeline: Any) -> None:
    assert pipeline.build(pipeline.load(CLEANED).Counted(date=DAY))
    pipeline.change("UPDATE events SET kind = 'b'")
    task = pipeline.again().Counted(date=DAY)
    assert pipeline.build(task)
    assert table(pipeline, task).to_dict("list") == {"kind": ["b"], "size": [2]}


def test_docstrings_comments_and_layout_make_nothing_again(pipeline: Any) -> None:
    first = pipeline.load(CLEANED).Counted(date=DAY)
    assert pipeline.build(first)
    other = CLEANED.replace("Events, rounded.", "Something else.").replace("called()", "called()  # so\n\n")
    again = pipeline.load(other).Counted(date=DAY)
    assert again.version == first.version
    assert again.complete()


@pytest.mark.parametrize("used", ["import helper as h\nfactor = h.factor", "from helper import factor"])
def test_a_changed_helper_makes_again_what_uses_it(pipeline: Any, used: str) -> None:
    source = f"{used}\n{CLEANED}\n    size = factor\n"
    first = pipeline.load(source, helper="factor = 1\n").Counted(date=DAY)
    again = pipeline.load(source, helper="factor = 2\n").Counted(date=DAY)
    assert again.version != first.version


def test_a_module_that_nobody_imports_does_not_count(pipeline: Any) -> None:
    first = pipeline.load(CLEANED, stray="x = 1\n").Counted(date=DAY)
    assert pipeline.load(CLEANED, stray="x = 2\n").Counted(date=DAY).version == first.version


def test_compute_that_returns_no_table_is_refused(pipeline: Any) -> None:
    task = pipeline.load(stage("return self.events()", "events", "events.value")).Shaped()
    with pytest.raises(StageError, match=r"Shaped: compute\(\) returned Series; expected a pandas DataFrame"):
        pipeline.run(task)
    assert not pipeline.artefacts("Shaped")


def test_compute_that_raises_is_named_with_module_and_line(pipeline: Any) -> None:
    task = pipeline.load(stage("return self.events()", "events", "events.none")).Shaped()
    line = (pipeline.folder / "acme.py").read_text().splitlines().index("        return events.none") + 1
    with pytest.raises(
        StageError, match=rf"Shaped failed: AttributeError: .*\(acme\.py, line {line}: return events\.none\)"
    ):
        pipeline.run(task)
    assert not pipeline.artefacts("Shaped")


def test_compute_that_exits_is_a_failure(pipeline: Any) -> None:
    task = pipeline.load("import sys\n" + stage("return self.events()", "events", "sys.exit(0)")).Shaped()
    with pytest.raises(StageError, match="Shaped failed: SystemExit: 0"):
        pipeline.run(task)


def test_compute_that_does_not_take_what_is_required_is_named(pipeline: Any) -> None:
    task = pipeline.load(stage("return {'events': self.events()}", "frame", "frame")).Shaped()
    with pytest.raises(
        PipelineError, match=r"Shaped: compute\(frame\) does not take what requires\(\) gives, events: "
    ):
        pipeline.run(task)


@pytest.mark.parametrize(
    ("requires", "columns", "arguments"),
    [
        ("return self.events()", "['value']", "events"),
        ("return [self.events(), self.events()]", "('value',)", "events"),
        ("return {'events': self.events(), 'more': self.events()}", "{'events': ['value']}", "events, more"),
        ("return {'events': [self.events(1), self.events(2)]}", "{'events': ['value']}", "events"),
    ],
)
def test_compute_gets_the_columns_that_are_named(pipeline: Any, requires: str, columns: str, arguments: str) -> None:
    seen = "pd.DataFrame({'columns': [' '.join(f) for f in (events if isinstance(events, list) else [events])]})"
    source = stage(requires, arguments, seen) + f"    columns = {columns}\n"
    task = pipeline.load(source).Shaped()
    assert pipeline.build(task)
    assert set(table(pipeline, task)["columns"]) == {"value"}


@pytest.mark.parametrize(
    ("columns", "error"),
    [
        ("['vlaue']", r"Shaped: columns names vlaue, which .*table\.parquet does not have\. It has .*value"),
        ("'value'", r"Shaped: columns names 'value', which is no list of names; expected one, such as \['value'\]"),
        ("5", r"Shaped: columns names 5, which is no list"),
        ("['value', 1]", r"Shaped: columns names \['value', 1\], which is no list"),
        # Their order would be another in each process.
        ("{'value', 'kind'}", r"Shaped: columns names \{.*\}, which is no list"),
        ("{'events': 'value'}", r"Shaped: columns names 'value', which is no list"),
        ("{'evnets': ['value']}", r"the input 'evnets'; expected one of events\. Did you mean 'events'\?"),
    ],
)
def test_columns_that_are_not_there_are_named(pipeline: Any, columns: str, error: str) -> None:
    source = stage("return {'events': self.events()}", "events", "events") + f"    columns = {columns}\n"
    with pytest.raises((StageError, PipelineError), match=error):
        pipeline.run(pipeline.load(source).Shaped())


def test_other_columns_are_another_version(pipeline: Any) -> None:
    source = stage("return self.events()", "events", "events[['value']]")
    first = pipeline.load(source + "    columns = ['value', 'kind']\n").Shaped().version
    assert pipeline.load(source + "    columns = ['value']\n").Shaped().version != first


def test_a_stage_without_compute_is_refused(pipeline: Any) -> None:
    task = pipeline.load("class Empty(Stage):\n    pass\n").Empty()
    with pytest.raises(PipelineError, match=r"Empty has no compute\(\)"):
        task.run()


def test_a_table_that_parquet_cannot_hold_is_refused(pipeline: Any) -> None:
    result = "events.assign(value=[1, 'a'])"
    task = pipeline.load(stage("return self.events()", "events", result)).Shaped()
    with pytest.raises(StageError, match="Shaped: the table cannot be stored as Parquet"):
        pipeline.run(task)
    assert not pipeline.artefacts("Shaped")


def test_a_broken_schema_names_column_check_and_first_rows(pipeline: Any) -> None:
    source = stage("return self.events()", "events", "events") + "    schema = Model\n"
    model = "import pandera.pandas as pa\n\nclass Model(pa.DataFrameModel):\n    kind: str = pa.Field(isin=['a'])\n"
    task = pipeline.load(f"{model}\n{source}").Shaped()
    with pytest.raises(SchemaError, match=r"Shaped: the table breaks Model: column 'kind' fails isin.*row 1: 'b'"):
        pipeline.run(task)
    assert not pipeline.artefacts("Shaped")


def test_a_damaged_input_is_detected_moved_away_and_made_again(pipeline: Any) -> None:
    task = pipeline.load(CLEANED).Cleaned(date=DAY)
    events = task.deps()[0]
    assert pipeline.build(events)
    (pipeline.files(events) / "table.parquet").write_bytes(b"no table")
    with pytest.raises(StoreError, match=r"Events/2020-01-01/\w{16} was changed after it was made: table.parquet"):
        task.run()
    assert not pipeline.artefacts()
    assert list((pipeline.store / "damaged" / "Events").rglob("table.parquet"))
    assert pipeline.build(pipeline.again().Cleaned(date=DAY))


def test_forked_workers_make_the_same_artefacts(pipeline: Any) -> None:
    acme = pipeline.load(CLEANED)
    tasks = [acme.Counted(date=DAY), acme.Counted(date=NEXT)]
    assert pipeline.build(*tasks, workers=2)
    forked = {path.relative_to(pipeline.store): (path / "table.parquet").read_bytes() for path in pipeline.artefacts()}
    pipeline.store.rename(pipeline.store.with_name("forked"))
    again = pipeline.again()
    assert pipeline.build(again.Counted(date=DAY), again.Counted(date=NEXT))
    assert len(forked) == 6
    assert forked == {
        path.relative_to(pipeline.store): (path / "table.parquet").read_bytes() for path in pipeline.artefacts()
    }


def test_two_processes_that_make_the_same_artefact_at_once_both_succeed(small: Any, pipeline: Any) -> None:
    pipeline.load(CLEANED.replace("called()", "called(); __import__('time').sleep(0.5)"))
    command = ["luigi", "--module", "workflows", "Cleaned", "--date", "2020-01-01", "--local-scheduler"]
    both = [small.start(*command) for _ in range(2)]
    for process in both:
        _, told = process.communicate(timeout=60)
        assert process.returncode == 0, told
    assert pipeline.calls == 2
    assert len(pipeline.artefacts("Cleaned")) == 1
    assert not list((pipeline.store / ".staging").iterdir())


def test_what_compute_prints_goes_to_standard_error(pipeline: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output is for the paths of reports, which programs read."""
    acme = pipeline.load(CLEANED.replace("called()\n        return", "print('hello')\n        return"))
    assert pipeline.build(acme.Cleaned(date=DAY))
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.count("hello") == 1
