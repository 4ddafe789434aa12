"""Parameters that Luigi shows to nobody: they count as any other, and no record holds their values."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

pytestmark = pytest.mark.integration

DAY = datetime.date(2020, 1, 1)
SOURCE = """
from luigi.parameter import ParameterVisibility

class Cleaned(Stage):
    date = luigi.DateParameter()
    word = luigi.Parameter(visibility=ParameterVisibility.PRIVATE)

    def requires(self):
        return {"events": Events(date=self.date)}

    def compute(self, events):
        called()
        return events.assign(kind=self.word)
"""


def test_another_private_value_is_another_result_and_is_not_taken_over(pipeline: Any) -> None:
    acme = pipeline.load(SOURCE)
    tasks = [acme.Cleaned(date=DAY, word=word) for word in ("first", "other")]
    assert pipeline.build(*tasks)
    assert pipeline.calls == 2
    records = [(pipeline.files(task) / "provenance.json").read_text() for task in tasks]
    assert not [record for record in records if "first" in record or "other" in record]
    shown = [json.loads(record)["parameters"]["word"] for record in records]
    assert len(set(shown)) == 2
