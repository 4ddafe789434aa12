"""The same results for different users in different places: byte for byte, but for the record of how they came to be."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workflows.notebooks.html import content

pytestmark = pytest.mark.acceptance

DAY = "2020-01-01"
FRAMES = '''
import datetime
import locale
import os
import time

import luigi
import pandas as pd
from workflows import Query, Stage

class Events(Query):
    """Events of one day."""
    date = luigi.DateParameter()
    sql = "SELECT id, kind, value FROM events WHERE date = :date ORDER BY id"

class Odd(Stage):
    """What could come out otherwise: sets, categories, time zones, an index of its own, numbers in the user's language."""
    date = luigi.DateParameter()

    def requires(self):
        return {"events": Events(date=self.date)}

    def compute(self, events):
        names = list({"winter", "spring", "summer", "autumn", "monsoon", "harmattan"})
        clock = pd.Timestamp(0, unit="s").tz_localize("UTC").tz_convert("America/New_York")
        frame = pd.DataFrame({
            "object": names,
            "set": [set(names)] * len(names),
            "category": pd.Categorical(names),
            "moment": [clock] * len(names),
            "local": time.strftime("%Y-%m-%d %H:%M %Z", time.localtime(0)),
            "month": datetime.date(2020, 3, 1).strftime("%B"),
            "locale": str(locale.setlocale(locale.LC_ALL)),
            "variables": f"{os.environ.get('LANG')} {os.environ['MPLBACKEND']} {os.environ.get('PANDAS_X')}",
        }, index=pd.MultiIndex.from_product([names, [0]], names=["name", None]))
        frame.attrs = {name: 1 for name in set(names)}
        return frame
'''
PARAMETERS = """import datetime
date: datetime.date = datetime.date(2020, 1, 1)
odd: "Odd" = "samples/odd.parquet"
"""
CELLS = [
    "import locale, os, subprocess, sys, tempfile, time, uuid, warnings\nimport pandas as pd\nimport matplotlib.pyplot as plt",
    "table = pd.read_parquet(odd)\ntable.style.bar(subset=[], color='red')",
    "{'winter', 'spring', 'summer'}, time.tzname, locale.format_string('%.2f', 1234.5, grouping=True)",
    "print(list({'winter', 'spring', 'summer', 'autumn'}))\nprint('then', file=sys.stderr)\nprint(object())",
    "plt.plot([1, 2])",
    "fig, ax = plt.subplots()\nax.plot([1, 2])\nfig.savefig('FILE', format='svg')\nprint(open('FILE').read())\nplt.close(fig)",
    "fig.savefig('FILE', format='pdf')\nprint(hash(open('FILE', 'rb').read()))",
    "warnings.warn('careful')\nprint(uuid.uuid4(), plt.get_backend(), plt.rcParams['lines.linewidth'])",
    "from workflows import measure\nmeasure('hash', hash('text') % 1000)",
    "for n in range(5):\n    print(n, flush=True)\n    time.sleep(n % 2 / 4)",
    'subprocess.run([sys.executable, \'-c\', \'import uuid; print(list({"a", "b", "c"}))\'], capture_output=True, text=True).stdout',
]
SVG = "%config InlineBackend.figure_formats = ['svg']\nplt.plot([1, 3, 2])"


def user(folder: Path, number: int) -> dict[str, str]:
    """The environment of a user with habits."""
    home, temporary = folder / f"home{number}", folder / f"tmp{number}"
    temporary.mkdir()
    (home / ".config" / "matplotlib").mkdir(parents=True)
    (home / ".config" / "matplotlib" / "matplotlibrc").write_text(f"lines.linewidth: {number + 4}\n")
    (home / "start.py").write_text("import sys\n")
    habits = [
        {"TZ": "Asia/Tokyo", "LANG": "de_DE.UTF-8", "PYTHONHASHSEED": "17", "MPLBACKEND": "pdf", "NO_COLOR": "1"},
        {"TZ": "America/Lima", "LC_ALL": "C", "COLUMNS": "40", "PANDAS_X": "1", "PYTHONWARNINGS": "ignore"},
    ]
    # The list of fonts, which takes matplotlib seconds to make, is nobody's habit.
    cache = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    return {**habits[number], "HOME": str(home), "TMPDIR": str(temporary), "XDG_CACHE_HOME": cache}


def results(store: Path) -> dict[str, bytes]:
    """Every file of the artefacts; of a page its content; of a record the digests of what it records."""
    found = {}
    for path in sorted(store.rglob("*")):
        if path.is_file() and path.name != "provenance.json":
            data = path.read_bytes()
            found[str(path.relative_to(store))] = (
                content(data.decode()).encode() if path.name == "report.html" else data
            )
    return found


def made(make: Callable[[Path], Any], folder: Path, command: list[str], environment: dict[str, str]) -> Any:
    """A place in which a user has made something."""
    place = make(folder)
    done = place.run("luigi", "--module", "workflows", *command, "--local-scheduler", **environment)
    assert done.code == 0, done.err
    return place


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory, make_small: Callable[[Path], Any]) -> list[Any]:
    def make(folder: Path) -> Any:
        place = make_small(folder)
        place.module("acme", FRAMES)
        place.template("odd", PARAMETERS, *[cell.replace("FILE", ".figure") for cell in CELLS], SVG)
        return place

    folder = tmp_path_factory.mktemp("odd")
    command = ["ReportTask", "--date", DAY, "--template", "odd"]
    return [made(make, folder / name, command, user(folder, n)) for n, name in enumerate(["one", "the other one"])]


def test_what_could_come_out_otherwise_has_the_same_bytes(odd: list[Any]) -> None:
    one, other = (results(place.store) for place in odd)
    assert sorted(one) == sorted(other)
    assert {name for name in one if one[name] != other[name]} == set()
    assert {Path(name).name for name in one} >= {"table.parquet", "report.html", "report.ipynb", "measures.json"}


def test_the_pages_themselves_differ_in_what_says_how_they_came_to_be(odd: list[Any]) -> None:
    one, other = (next(place.store.rglob("report.html")).read_text() for place in odd)
    assert one != other
    assert "Made 20" not in content(one)


def test_the_record_holds_the_digest_of_the_pages_content(odd: list[Any]) -> None:
    one, other = (json.loads((place.artefacts("ReportTask")[0] / "provenance.json").read_text()) for place in odd)
    digest = one["outputs"]["report.html"]["content"]
    assert re.fullmatch("[0-9a-f]{64}", digest)
    assert digest == other["outputs"]["report.html"]["content"]
    assert one["outputs"]["report.html"]["sha256"] != other["outputs"]["report.html"]["sha256"]


def test_a_stage_sees_utc_a_plain_locale_and_nothing_of_the_users(odd: list[Any]) -> None:
    import pandas as pd

    row = pd.read_parquet(odd[0].artefacts("Odd")[0] / "table.parquet").iloc[0]
    assert (row["local"], row["month"], row["variables"]) == ("1970-01-01 00:00 UTC", "March", "None agg None")
    assert "de_DE" not in row["locale"]


def test_what_is_shown_has_no_address_no_temporary_folder_and_the_order_in_which_it_was_printed(odd: list[Any]) -> None:
    text = next(odd[0].store.rglob("report.ipynb")).read_text()
    cells = json.loads(text)["cells"]
    assert "<object object at 0x…>" in text
    assert "[<matplotlib.lines.Line2D at 0x…>]" in text
    assert "<cell 9>:1: UserWarning: careful" in text
    assert "ipykernel_" not in text
    assert [output["name"] for output in cells[4]["outputs"]] == ["stdout", "stderr", "stdout"]
    assert ["".join(output["text"]) for output in cells[10]["outputs"]] == ["0\n1\n2\n3\n4\n"]


def test_plots_have_no_settings_of_the_users(odd: list[Any]) -> None:
    text = next(odd[0].store.rglob("report.ipynb")).read_text()
    assert "module://matplotlib_inline.backend_inline 1.5" in text


def test_the_example_has_the_same_bytes(
    tmp_path: Path, make_workplace: Callable[[Path], Any], example_day: Callable[[str], tuple[Any, Any]]
) -> None:
    """What a user with habits makes of one day is what another one made of it, beside other days."""
    day = "2013-01-15"
    command = ["Backfill", "--start", day, "--stop", day]
    one = results(made(make_workplace, tmp_path / "one", command, user(tmp_path, 0)).store)
    other = results(example_day(day)[0].store)
    assert {name for name in one if one[name] != other.get(name)} == set()
    assert len([name for name in one if name.endswith("report.html")]) == 3
