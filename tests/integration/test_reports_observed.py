"""What a report's notebook shows beyond what its code names, seen in real kernels."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from workflows import ReportTask

pytestmark = pytest.mark.integration

DAY = datetime.date(2020, 1, 1)
PARAMETERS = """import datetime
date: datetime.date = datetime.date(2020, 1, 1)  # the day
"""
OPENING = 'import importlib\nname = "lim" + "its"\nlimit = float(open(f"{name}.csv").read())\nlimit'
IMPORTING = 'plugin = importlib.import_module("plugins." + "north")\nplugin.X'


@pytest.fixture
def place(pipeline: Any) -> Any:
    """The pipeline with a template that opens a file beside it and imports a plugin, neither of which it names."""
    (pipeline.folder / "plugins").mkdir()
    write(pipeline, "plugins/__init__.py", "")
    write(pipeline, "plugins/north.py", "from plugins.base import X\n")
    write(
        pipeline, "plugins/base.py", "from pathlib import Path\nX = Path(__file__).with_name('base.txt').read_text()\n"
    )
    write(pipeline, "plugins/base.txt", "base")
    write(pipeline, "templates/limits.csv", "5")
    write(pipeline, "templates/other.csv", "5")
    pipeline.template("quick", PARAMETERS, OPENING, IMPORTING)
    pipeline.load("")
    return pipeline


def write(place: Any, name: str, text: str) -> None:
    (place.folder / name).write_text(text)


def report(place: Any) -> ReportTask:
    """The report as a process plans it that starts now."""
    place.again()
    return ReportTask(date=DAY, template="quick")


def page(place: Any, task: ReportTask) -> str:
    return (Path(place.files(task)) / "report.html").read_text()


def test_what_a_notebook_opens_and_imports_counts_from_then_on(place: Any, caplog: pytest.LogCaptureFixture) -> None:
    """One kernel after the other, because each takes seconds: opened, complete, unrelated, changed, back, gone."""
    first = report(place)
    assert place.build(first)
    assert [record.getMessage() for record in caplog.records if record.name == "workflows"] == [
        "quick 2020-01-01 opened templates/limits.csv and imported plugins.north, "
        "which its code does not name; from now on a change there makes it anew."
    ]
    again = report(place)
    assert again.version != first.version
    assert again.complete()
    assert f'"version": "{again.version}"' in page(place, again)
    write(place, "templates/other.csv", "9")
    assert report(place).complete()
    for name, text in [("templates/limits.csv", "7"), ("plugins/base.txt", "other"), ("plugins/base.py", "X = 9\n")]:
        before = (place.folder / name).read_text()
        write(place, name, text)
        assert not report(place).complete(), name
        write(place, name, before)
        assert report(place).complete(), name
    write(place, "templates/limits.csv", "7")
    changed = report(place)
    assert place.build(changed)
    assert "7.0" in page(place, changed)
    (place.folder / "templates/limits.csv").unlink()
    assert not report(place).complete()


def test_the_page_and_the_record_name_what_was_seen(place: Any) -> None:
    place.build(report(place))
    found = report(place)
    record = json.loads((place.files(found) / "provenance.json").read_text())
    seen = ["plugins/base.py", "plugins/base.txt", "plugins/north.py", "templates/limits.csv"]
    assert sorted(record["code"]["observed"]) == seen
    assert "templates/limits.csv" in page(place, found)


def test_a_notebook_that_opens_nothing_is_as_before(place: Any) -> None:
    place.template("quick", PARAMETERS, "import acme\nfrom workflows import measure, Stage\nmeasure('one', 1)\n1/1")
    first = report(place)
    assert place.build(first)
    again = report(place)
    assert again.version == first.version
    assert not (place.store / "observed").exists()
