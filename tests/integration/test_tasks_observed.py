"""What a run shows beyond what its code names: counted from then on, and nothing is made without need."""

from __future__ import annotations

import datetime
import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workflows.errors import PlanError

pytestmark = pytest.mark.integration

DAY = datetime.date(2020, 1, 1)
NEXT = datetime.date(2020, 1, 2)

# What it opens and imports depends on a table of its inputs, on a date and on computed names.
CLEANED = """
import importlib
from pathlib import Path

class Cleaned(Stage):
    date = luigi.DateParameter()

    def requires(self):
        return {"events": Events(date=self.date)}

    def compute(self, events):
        called()
        %s

class Summed(Stage):
    date = luigi.DateParameter()

    def requires(self):
        return {"cleaned": Cleaned(date=self.date)}

    def compute(self, cleaned):
        called()
        return cleaned[["value"]].sum().to_frame().T
"""
LIMITS = CLEANED % 'name = "lim" + "its"; return events.assign(value=float(Path(f"rules/{name}.csv").read_text()))'
LOOKED = CLEANED % 'return events.assign(value=float(Path("over" + "ride").exists()))'
LISTED = CLEANED % 'return events.assign(value=float(len(list(Path("ru" + "les").iterdir()))))'
PLUGIN = CLEANED % 'return importlib.import_module("plugins." + "north").clean(events)'


@pytest.fixture
def place(pipeline: Any) -> Iterator[Any]:
    """The pipeline with a folder of rules and a package of plugins that no code names."""
    for name, text in {
        "rules/limits.csv": "5",
        "rules/other.csv": "6",
        "plugins/__init__.py": "",
        "plugins/north.py": "def clean(events):\n    return events.assign(value=1.0)\n",
        "plugins/south.py": "def clean(events):\n    return events.assign(value=2.0)\n",
    }.items():
        write(pipeline.folder / name, text)
    yield pipeline
    for name in [name for name in sys.modules if name.partition(".")[0] == "plugins"]:
        del sys.modules[name]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def value(place: Any, task: Any) -> float:
    import pandas as pd

    return float(pd.read_parquet(place.files(task) / "table.parquet").value.iloc[0])


def made(place: Any, date: datetime.date = DAY, family: str = "Cleaned") -> float:
    """What a process that starts now makes or finds."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "plugins"]:
        del sys.modules[name]
    acme = place.again()
    task = getattr(acme, family)(date=date)
    assert place.build(task)
    return value(place, task)


@pytest.mark.parametrize("source", [LIMITS, PLUGIN], ids=["file", "module"])
def test_a_run_again_finds_the_result_complete_and_so_does_what_is_made_from_it(place: Any, source: str) -> None:
    place.load(source)
    made(place, family="Summed")
    assert place.calls == 2
    acme = place.again()
    assert acme.Cleaned(date=DAY).complete()
    assert acme.Summed(date=DAY).complete()
    made(place, family="Summed")
    assert place.calls == 2


def test_a_changed_file_makes_the_result_anew_and_going_back_finds_it(place: Any) -> None:
    place.load(LIMITS)
    assert made(place) == 5
    write(place.folder / "rules/limits.csv", "7")
    assert made(place) == 7
    write(place.folder / "rules/limits.csv", "5")
    assert made(place) == 5
    assert place.calls == 2


def test_a_changed_plugin_makes_the_result_anew_and_going_back_finds_it(place: Any) -> None:
    place.load(PLUGIN)
    assert made(place) == 1
    source = (place.folder / "plugins/north.py").read_text()
    write(place.folder / "plugins/north.py", source.replace("1.0", "3.0"))
    assert made(place) == 3
    write(place.folder / "plugins/north.py", f"# A comment.\n{source}")
    assert made(place) == 1
    assert place.calls == 2


@pytest.mark.parametrize("name", ["rules/other.csv", "plugins/south.py"])
def test_a_file_that_was_not_opened_does_not_matter(place: Any, name: str) -> None:
    place.load(LIMITS)
    made(place)
    write(place.folder / name, "x = 9")
    made(place)
    assert place.calls == 1


def test_what_a_plugin_imports_counts_with_it(place: Any) -> None:
    write(
        place.folder / "plugins/north.py", "from plugins.base import X\ndef clean(e):\n    return e.assign(value=X)\n"
    )
    write(place.folder / "plugins/base.py", "X = 1.0")
    place.load(PLUGIN)
    assert made(place) == 1
    write(place.folder / "plugins/base.py", "X = 4.0")
    assert made(place) == 4


def test_a_plugin_that_an_earlier_task_of_the_process_loaded_counts_too(place: Any) -> None:
    acme = place.load(PLUGIN)
    assert place.build(acme.Cleaned(date=NEXT), acme.Cleaned(date=DAY))
    write(place.folder / "plugins/north.py", "def clean(events):\n    return events.assign(value=3.0)\n")
    assert made(place, DAY) == made(place, NEXT) == 3


def test_a_removed_file_makes_the_result_anew_and_a_new_one_that_was_looked_for_too(place: Any) -> None:
    place.load(
        CLEANED
        % """
        try:
            value = float(Path("over" + "ride.csv").read_text())
        except FileNotFoundError:
            value = 0.0
        return events.assign(value=value)"""
    )
    assert made(place) == 0
    write(place.folder / "override.csv", "8")
    assert made(place) == 8
    (place.folder / "override.csv").unlink()
    assert made(place) == 0
    assert place.calls == 2


def test_a_new_file_in_a_folder_that_was_listed_makes_the_result_anew(place: Any) -> None:
    source = CLEANED % 'return events.assign(value=float(len([*Path("ru" + "les").glob("*.csv")])))'
    place.load(source)
    assert made(place) == 2
    write(place.folder / "rules/third.csv", "")
    assert made(place) == 3
    (place.folder / "rules/third.csv").unlink()
    assert made(place) == 2
    assert place.calls == 2


def test_a_file_chosen_by_another_counts_as_long_as_it_is_chosen(place: Any) -> None:
    """North, south, north: the first result is found; and a change of what is no longer chosen makes nothing."""
    source = (
        'which = Path("rules/" + "which").read_text(); return importlib.import_module(f"plugins.{which}").clean(events)'
    )
    write(place.folder / "rules/which", "north")
    place.load(CLEANED % source)
    assert made(place) == 1
    write(place.folder / "rules/which", "south")
    assert made(place) == 2
    write(place.folder / "rules/which", "north")
    assert made(place) == 1
    assert place.calls == 2
    write(place.folder / "plugins/south.py", "def clean(events):\n    return events.assign(value=9.0)\n")
    assert made(place) == 1
    assert place.calls == 2
    write(place.folder / "rules/which", "south")
    assert made(place) == 9


def test_what_is_opened_while_a_module_is_imported_counts_for_what_reaches_it(place: Any) -> None:
    write(
        place.folder / "levels.py",
        "from pathlib import Path\nLEVEL = float(Path('rules/' + 'limits.csv').read_text())\n",
    )
    place.load("import levels" + CLEANED % "return events.assign(value=levels.LEVEL)")
    assert made(place) == 5
    write(place.folder / "rules/limits.csv", "7")
    assert made(place) == 7
    write(place.folder / "rules/limits.csv", "5")
    assert made(place) == 5
    assert place.calls == 2


def test_files_of_other_dates_do_not_count(place: Any) -> None:
    write(place.folder / f"rules/{DAY}", "1")
    write(place.folder / f"rules/{NEXT}", "2")
    place.load(CLEANED % 'return events.assign(value=float(Path(f"rules/{self.date}").read_text()))')
    assert (made(place, DAY), made(place, NEXT)) == (1, 2)
    write(place.folder / f"rules/{NEXT}", "3")
    assert (made(place, DAY), made(place, NEXT)) == (1, 3)
    assert place.calls == 3


def test_the_warning_names_what_was_seen_once(place: Any, caplog: pytest.LogCaptureFixture) -> None:
    source = 'open("rules/" + "limits.csv").close(); return importlib.import_module("plugins." + "north").clean(events)'
    place.load(CLEANED % source)
    made(place)
    write(place.folder / "rules/limits.csv", "7")
    made(place)
    said = [record.getMessage() for record in caplog.records if record.name == "workflows"]
    assert said == [
        "Cleaned 2020-01-01 opened rules/limits.csv and imported plugins.north, which its code does not name; "
        "from now on a change there makes it anew."
    ]


def test_the_provenance_names_what_was_seen(place: Any) -> None:
    acme = place.load(LIMITS)
    made(place)
    record = json.loads((place.files(acme.Cleaned(date=DAY)) / "provenance.json").read_text())
    assert list(record["code"]["observed"]) == ["rules/limits.csv"]


def test_a_file_that_the_run_wrote_does_not_count(place: Any) -> None:
    place.load(
        CLEANED % 'Path("scratch").write_text("1"); return events.assign(value=float(Path("scratch").read_text()))'
    )
    made(place)
    write(place.folder / "scratch", "2")
    made(place)
    assert place.calls == 1


def test_a_file_that_changes_while_the_run_reads_it_is_refused(place: Any) -> None:
    import subprocess  # noqa: F401 - what the stage uses

    acme = place.load(
        CLEANED
        % """
        import subprocess
        value = float(Path("rules/" + "limits.csv").read_text())
        subprocess.run(["sh", "-c", "echo 9 > rules/limits.csv"], check=True)
        return events.assign(value=value)"""
    )
    with pytest.raises(PlanError, match=r"rules/limits.csv (was )?changed while the run"):
        place.run(acme.Cleaned(date=DAY))
    assert place.artefacts("Cleaned") == []


def test_a_failed_run_is_simply_run_again(place: Any) -> None:
    write(place.folder / "rules/limits.csv", "five")
    acme = place.load(LIMITS)
    assert not place.build(acme.Cleaned(date=DAY))
    write(place.folder / "rules/limits.csv", "5")
    assert made(place) == 5


def test_forked_workers_see_the_same(place: Any) -> None:
    acme = place.load(PLUGIN)
    assert place.build(acme.Summed(date=DAY), acme.Summed(date=NEXT), workers=2)
    again = place.again()
    assert again.Summed(date=DAY).complete()
    assert again.Summed(date=NEXT).complete()
    write(place.folder / "plugins/north.py", "def clean(events):\n    return events.assign(value=3.0)\n")
    assert made(place, DAY) == made(place, NEXT) == 3


def test_what_forked_processes_of_a_stage_open_counts(place: Any) -> None:
    place.load(
        CLEANED
        % """
        import multiprocessing
        with multiprocessing.get_context("fork").Pool(1) as pool:
            return events.assign(value=float(pool.map(read, ["limits"])[0]))

def read(name):
    return Path(f"rules/{name}.csv").read_text()
"""
    )
    assert made(place) == 5
    write(place.folder / "rules/limits.csv", "7")
    assert made(place) == 7


def test_without_what_the_store_knew_of_runs_nothing_stale_is_used(place: Any) -> None:
    """Any folder of the store can be deleted."""
    place.load(LIMITS)
    made(place)
    shutil.rmtree(place.store / "observed")
    write(place.folder / "rules/limits.csv", "7")
    assert made(place) == 7
    assert made(place) == 7
    assert place.calls == 2


def test_without_what_the_store_knew_of_runs_nothing_made_from_what_is_stale_is_used(place: Any) -> None:
    place.load(LIMITS)
    first = made(place, family="Summed")
    shutil.rmtree(place.store / "observed")
    write(place.folder / "rules/limits.csv", "7")
    assert made(place, family="Summed") == first / 5 * 7
    assert made(place, family="Summed") == first / 5 * 7
    assert place.calls == 4


@pytest.mark.parametrize("source", [LIMITS, PLUGIN, LOOKED, LISTED], ids=["file", "module", "look", "folder"])
def test_without_what_the_store_knew_of_runs_nothing_good_is_set_aside(
    place: Any, source: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The record of a result says what its run opened."""
    place.load(source)
    made(place, family="Summed")
    shutil.rmtree(place.store / "observed")
    caplog.clear()
    made(place)
    made(place, family="Summed")
    assert place.calls == 2
    assert not (place.store / "damaged").exists()
    assert not caplog.records


def test_a_result_that_is_set_aside_is_said_with_what_changed(place: Any, caplog: pytest.LogCaptureFixture) -> None:
    place.load(LIMITS)
    made(place)
    shutil.rmtree(place.store / "observed")
    write(place.folder / "rules/limits.csv", "7")
    caplog.clear()
    made(place)
    assert "was changed" not in caplog.text
    assert re.search(
        r"the artefact Cleaned/2020-01-01/\w{16} is outdated: its run opened rules/limits.csv, which changed since. "
        r"It was moved to .*damaged/Cleaned/\S*; ask again and it is made anew.",
        caplog.text,
    )


def test_a_file_that_was_asked_for_makes_the_result_anew_when_it_comes_and_when_it_goes(place: Any) -> None:
    place.load(CLEANED % 'return events.assign(value=float(Path("over" + "ride").exists()))')
    assert made(place) == 0
    write(place.folder / "override", "")
    assert made(place) == 1
    write(place.folder / "override", "Its content was not asked for.")
    assert made(place) == 1
    (place.folder / "override").unlink()
    assert made(place) == 0
    assert place.calls == 2


def test_a_table_that_arrow_reads_by_itself_counts(place: Any) -> None:
    import pandas as pd

    path = place.folder / "rules/factors.parquet"
    pd.DataFrame({"value": [5.0]}).to_parquet(path)
    place.load(CLEANED % 'return events.assign(value=pd.read_parquet("rules/" + "factors.parquet").value[0])')
    assert made(place) == 5
    pd.DataFrame({"value": [7.0]}).to_parquet(path)
    assert made(place) == 7


def test_a_file_whose_content_an_earlier_task_of_the_process_cached_counts_too(place: Any) -> None:
    acme = place.load(
        "import functools\n"
        + CLEANED % 'return events.assign(value=float(limits("limits")))'
        + """
@functools.cache
def limits(name):
    return Path(f"rules/{name}.csv").read_text()
"""
    )
    assert place.build(acme.Cleaned(date=NEXT), acme.Cleaned(date=DAY))
    acme.limits.cache_clear()
    write(place.folder / "rules/limits.csv", "7")
    again = place.again()
    assert not again.Cleaned(date=DAY).complete()
    assert not again.Cleaned(date=NEXT).complete()


def test_an_import_that_fails_is_named_with_the_line_of_the_stage(place: Any) -> None:
    from workflows.errors import StageError

    acme = place.load(CLEANED % "import absent_module")
    with pytest.raises(
        StageError, match=r"No module named 'absent_module' \(acme.py, line \d+: import absent_module\)"
    ):
        place.run(acme.Cleaned(date=DAY))


@pytest.mark.parametrize("source", ["import helper; return helper.clean(events)", PLUGIN], ids=["named", "computed"])
def test_code_that_changes_between_the_plan_and_its_loading_is_refused(place: Any, source: str) -> None:
    """Code of other states than the one that was planned makes nothing."""
    write(place.folder / "helper.py", "def clean(events):\n    return events.assign(value=1.0)\n")
    place.load(source if source == PLUGIN else CLEANED % source)
    name = "plugins/north.py" if source == PLUGIN else "helper.py"
    if source == PLUGIN:
        made(place, NEXT)
        made(place)
        place.change("UPDATE events SET value = 9")
    acme = place.again()
    sys.modules.pop("plugins.north", None)
    task = acme.Cleaned(date=DAY)
    before = (place.folder / name).read_text()
    write(place.folder / name, before.replace("1.0", "2.0"))
    with pytest.raises(PlanError, match=f"{name} was changed while the run was going on"):
        place.run(task)
    assert not task.complete()
    sys.modules.pop("helper", None)
    sys.modules.pop("plugins.north", None)
    write(place.folder / name, f"# Harmless.\n{before}")
    place.run(task)
