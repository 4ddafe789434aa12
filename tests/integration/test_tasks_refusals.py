"""What the task layer refuses, and that nothing of it is stored."""

from __future__ import annotations

import datetime
import shutil
from typing import Any

import pytest

from workflows.errors import DatabaseError, MeasureError, ParcoursError, PipelineError, StoreError

pytestmark = pytest.mark.integration
DAY = datetime.date(2020, 1, 1)


@pytest.mark.parametrize(
    ("sql", "error", "message"),
    [
        ("SELECT * FROM nowhere", DatabaseError, "no such table: nowhere"),
        ("SELECT nowhere FROM events", DatabaseError, "no such column: nowhere"),
        ("DELETE FROM events", DatabaseError, "readonly"),
        ("SELECT :nobody", PipelineError, "the SQL of Odd binds ':nobody', but Odd has no parameter 'nobody'"),
        ("odd.sql", PipelineError, r"Odd names the SQL file .*odd\.sql, which does not exist"),
        ("", PipelineError, "Odd has no 'sql'"),
    ],
)
def test_a_query_that_cannot_run_is_refused_when_it_is_planned(
    pipeline: Any, sql: str, error: type[ParcoursError], message: str
) -> None:
    module = pipeline.load(f"class Odd(Query):\n    date = luigi.DateParameter()\n    sql = {sql!r}\n")
    with pytest.raises(error, match=message):
        module.Odd(DAY)
    assert pipeline.artefacts() == []


@pytest.mark.parametrize(
    ("body", "message"),
    [("measure('m', 'x')", "measure 'm': its value is 'x'"), ("measure('m', 1); measure('m', 2)", "measure 'm' is recorded twice")],
)  # fmt: skip
def test_a_stage_with_a_bad_measure_is_not_stored(pipeline: Any, body: str, message: str) -> None:
    module = pipeline.load(
        f"class Odd(Stage):\n    def compute(self):\n        {body}\n        return pd.DataFrame()\n"
    )
    with pytest.raises(MeasureError, match=message):
        pipeline.run(module.Odd())
    assert pipeline.artefacts() == []
    assert list((pipeline.store / ".staging").iterdir()) == []


def test_an_input_that_went_away_is_said(pipeline: Any) -> None:
    module = pipeline.load(
        "class Late(Stage):\n    def requires(self):\n        return Events(datetime.date(2020, 1, 1))\n"
        "    def compute(self, events):\n        return events\n"
    )
    with pytest.raises(StoreError, match="there is no artefact Events/2020-01-01/"):
        module.Late().run()
    assert pipeline.artefacts() == []


def test_the_same_rows_in_another_place_are_the_same_version(pipeline: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the database is reached in another way."""
    version = pipeline.load("").Events(DAY).version
    shutil.copy(pipeline.folder / "acme.db", pipeline.folder / "copy.db")
    for url in ("sqlite:///copy.db", "sqlite:///copy.db?timeout=9"):
        monkeypatch.setenv("PARCOURS_DATABASE", url)
        assert pipeline.again().Events(DAY).version == version
