"""`parcours used-by` and `parcours reindex` as a user types them."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance

DAY, NEXT = "2020-01-01", "2020-01-02"


def git(place: Any, *arguments: str) -> str:
    identity = ["-c", "user.name=me", "-c", "user.email=me@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=place.folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(place: Any) -> str:
    git(place, "add", "acme.py")
    git(place, "commit", "--allow-empty", "-m", "A change")
    return git(place, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def made(shared: Any) -> Any:
    """The shared project as a repository, with a report at its first commit and one of the next day at its second.

    The first commit has the tag `first`, the third, which made nothing, the branch `idle`.
    """
    git(shared, "init", "-q", "-b", "main")
    commit(shared)
    git(shared, "tag", "first")
    assert shared.report("small", DAY).code == 0
    commit(shared)
    done = shared.report("small", NEXT)
    assert (done.code, "catalog" in done.err) == (0, False)
    git(shared, "checkout", "-q", "-b", "idle")
    commit(shared)
    git(shared, "checkout", "-q", "main")
    return shared


def used_by(place: Any, *arguments: str | Path, **environment: str) -> Any:
    return place.run("parcours", "used-by", *map(str, arguments), **environment)


def days(done: Any) -> list[str]:
    """The dates of the reports that an answer lists."""
    assert (done.code, done.err) == (0, "")
    return [line.split()[1] for line in done.out.splitlines()[1:]]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (["Events"], [NEXT, DAY]),
        (["Cleaned"], [NEXT, DAY]),
        (["Events", DAY], [DAY]),
        (["Events", "--date", NEXT], [NEXT]),
        (["Events", "2019-12-31"], []),
        (["HEAD"], [NEXT]),
        (["main"], [NEXT]),
        (["first"], [DAY]),
        (["idle"], []),
    ],
)
def test_it_lists_the_reports_newest_first(made: Any, asked: list[str], expected: list[str]) -> None:
    assert days(used_by(made, *asked)) == expected


def test_a_line_says_what_was_made_when_at_which_commit_and_where(made: Any) -> None:
    [path] = (made.store / "ReportTask" / DAY).glob("*/report.html")
    summary, line = used_by(made, "first").out.splitlines()
    name, day, word, *when = line.split()[:6]
    assert (name, day, word, when[2]) == ("small", DAY, "made", "UTC")
    short = git(made, "rev-parse", "first")[:7]
    assert line.split("  ")[2] == f"commit {short} (with uncommitted changes)"
    assert line.split("  ")[3] == str(path.relative_to(made.folder))
    assert summary == f"1 report used commit {git(made, 'rev-parse', 'first')[:12]}:"


def test_a_commit_is_known_by_its_first_digits_without_git(made: Any) -> None:
    digits = git(made, "rev-parse", "first")[:7]
    assert days(used_by(made, digits, GIT_DIR="/nonexistent")) == [DAY]
    assert days(used_by(made, digits.upper())) == [DAY]


def test_what_nothing_used_is_said_in_a_sentence(made: Any) -> None:
    assert used_by(made, "Events", "2019-12-31").out == "No report used Events 2019-12-31.\n"
    [report] = (made.store / "ReportTask" / DAY).glob("*/report.html")
    done = used_by(made, report)
    assert (done.code, done.out.startswith(f"No report used ReportTask {DAY} ")) == (0, True)


@pytest.mark.parametrize("spelled", ["folder", "table.parquet", "provenance.json", "version", "digits", "relative"])
def test_an_artefact_is_known_by_its_path_and_by_its_version(made: Any, spelled: str) -> None:
    [folder] = made.artefacts(f"Events/{DAY}")
    asked = {
        "folder": folder,
        "version": json.loads((folder / "provenance.json").read_text())["version"],
        "digits": folder.name[:8],
        "relative": folder.relative_to(made.store),
    }
    assert days(used_by(made, asked.get(spelled, folder / spelled))) == [DAY]


def test_json_has_the_results_in_between(made: Any) -> None:
    found = json.loads(used_by(made, "Events", DAY, "--json").out)
    assert found["subject"] == {"name": f"Events {DAY}", "task": "Events", "date": DAY}
    assert [(user["task"], user["date"], user["template"]) for user in found["reports"]] == [
        ("ReportTask", DAY, "small")
    ]
    assert [(user["task"], user["date"], user["template"]) for user in found["between"]] == [("Cleaned", DAY, None)]
    assert Path(made.folder / found["reports"][0]["path"]).is_file()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["Evnts"], "Queries and stages: Cleaned, Events. Did you mean 'Events'?"),
        (["ffffffffffff"], "'ffffffffffff' is no path of an artefact, no query or stage, no version"),
        (["nowhere/at-all"], "nowhere/at-all does not exist; expected a report's HTML file"),
        (["acme.py"], "acme.py holds no provenance; expected a report's HTML file"),
        (["Events", "soon"], "'soon' is not a date; expected YYYY-MM-DD"),
        (["first", DAY], "a date was given, but 'first' is no query or stage"),
        (["--", "--help"], "'--help' is no path of an artefact"),
        ([""], "'' is no path of an artefact"),
    ],
)
def test_what_is_unknown_is_refused_in_one_line(made: Any, asked: list[str], told: str) -> None:
    done = used_by(made, *asked)
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert told in done.err


def test_a_name_that_means_two_things_is_refused_with_both(made: Any) -> None:
    git(made, "branch", "Events", "first")
    done = used_by(made, "Events")
    dated = used_by(made, "Events", DAY)
    git(made, "branch", "-D", "Events")
    commit_made = git(made, "rev-parse", "first")[:12]
    assert (done.code, done.err) == (
        2, f"'Events' could be Events, commit {commit_made}; expected one of them: give more digits, or the path.\n",
    )  # fmt: skip
    assert days(dated) == [DAY]


def test_what_the_pipelines_have_and_nothing_has_used_is_known(light: Any) -> None:
    for asked in (["Events"], ["Events", DAY]):
        done = used_by(light, *asked)
        assert (done.code, done.out) == (0, f"No report used {' '.join(asked)}.\n")
    done = used_by(light, "Evnts")
    assert (done.code, done.err.splitlines()[-1].partition("Queries and stages: ")[2]) == (
        2, "Cleaned, Events. Did you mean 'Events'?",
    )  # fmt: skip


def test_a_pipeline_that_cannot_be_imported_leaves_the_names_of_the_results(made: Any) -> None:
    done = used_by(made, "Evnts", PARCOURS_PIPELINES="nowhere")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert "Queries and stages: Cleaned, Events. Did you mean 'Events'?" in done.err


def test_a_pipeline_that_cannot_be_imported_is_not_asked(made: Any) -> None:
    assert days(used_by(made, "Events", PARCOURS_PIPELINES="nowhere")) == [NEXT, DAY]


def test_a_catalog_that_is_missing_is_filled_and_that_is_said(made: Any) -> None:
    (made.folder / "data" / "catalog.db").unlink()
    done = used_by(made, "Events")
    assert done.err == "There is no catalog at data/catalog.db; it is filled from the store.\n"
    assert days(used_by(made, "Events")) == [NEXT, DAY]


def test_a_catalog_that_is_damaged_is_moved_aside_and_filled(made: Any) -> None:
    (made.folder / "data" / "catalog.db").write_bytes(b"\0" * 5000)
    done = used_by(made, "Events")
    [aside] = (made.folder / "data").glob("catalog.db.damaged-*")
    assert (done.code, len(done.err.splitlines())) == (0, 1)
    assert f"This is done now; the damaged one is kept as data/{aside.name}." in done.err
    assert days(used_by(made, "Events")) == [NEXT, DAY]


def test_reindex_says_what_it_read_and_names_what_it_left_out(made: Any, tmp_path: Path) -> None:
    shutil.copytree(made.store, tmp_path / "store")
    [folder] = (tmp_path / "store" / "Events" / DAY).iterdir()
    (folder / "provenance.json").write_text('{"format": 2}')
    elsewhere = {"PARCOURS_STORE": str(tmp_path / "store"), "PARCOURS_CATALOG": f"sqlite:///{tmp_path}/catalog.db"}
    done = made.run("parcours", "reindex", **elsewhere)
    first, *skipped = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert first.startswith(f"The catalog {tmp_path}/catalog.db has 5 results of {tmp_path}/store, read in ")
    assert skipped == [
        "Left out, because it cannot be read: 1",
        f"  Events/{DAY}/{folder.name}: has provenance of format 2, not 1",
    ]
    assert days(used_by(made, "Events", **elsewhere)) == [NEXT, DAY]


def test_reindex_as_json(made: Any) -> None:
    found = json.loads(made.run("parcours", "reindex", "--json").out)
    assert found.pop("seconds") >= 0
    assert found == {
        "catalog": "data/catalog.db", "store": "data/store", "results": 6, "skipped": {}, "damaged": None,
    }  # fmt: skip


def test_a_catalog_that_cannot_be_written_fails_no_run(light: Any) -> None:
    (light.folder / "data" / "catalog.db").mkdir(parents=True)
    for day in (DAY, NEXT):
        done = light.report("light", day)
        assert done.code == 0
        assert [line for line in done.err.splitlines() if line.startswith("WARNING")] == [
            "WARNING: the catalog data/catalog.db cannot be read or written: unable to open database file. Grant access to it "
            "and its folder, or name another in PARCOURS_CATALOG: it is filled from the store. The run goes on; the next "
            "question to the catalog adds what is missing."
        ]
    done = used_by(light, "ReportTask")
    assert (done.code, done.out, len(done.err.splitlines())) == (1, "", 1)
    (light.folder / "data" / "catalog.db").rmdir()
    assert used_by(light, "ReportTask").code == 0


@pytest.mark.parametrize("made", [1, 2])
def test_the_catalog_lacks_nothing_of_a_run_that_was_killed(small: Any, made: int) -> None:
    run = small.start("luigi", "--module", "workflows", "ReportTask", "--date", DAY, "--template", "small",
                      "--local-scheduler")  # fmt: skip
    until = time.monotonic() + 60
    while len(small.artefacts()) < made and time.monotonic() < until:
        time.sleep(0.01)
    run.kill()
    run.communicate()
    assert small.processes() == []
    found = json.loads(used_by(small, "Events", "--json").out)
    rows = {Path(user["path"]).parent.name for user in found["between"] + found["reports"]}
    assert {folder.parent.name for folder in small.artefacts() if folder.parent.parent.name != "Events"} == rows
    done = small.run("parcours", "reindex", "--json")
    assert json.loads(done.out)["results"] == len(small.artefacts())


def test_two_workers_warn_once_of_a_catalog_that_cannot_be_written(small: Any) -> None:
    (small.folder / "data" / "catalog.db").mkdir(parents=True)
    done = small.report("small", DAY, "--workers", "2")
    assert (done.code, done.err.count("WARNING")) == (0, 1)
    assert len(list((small.store / "uncatalogued").rglob("*"))) == 1 + 3


def test_two_workers_write_one_catalog(small: Any) -> None:
    done = small.report("small", DAY, "--workers", "2")
    assert (done.code, done.err.count("WARNING")) == (0, 0)
    assert days(used_by(small, "Events")) == [DAY]
    assert not (small.store / "uncatalogued").exists()


def test_a_report_that_took_over_the_bytes_of_another_says_so(small: Any) -> None:
    """The rows change and what is computed from them does not."""
    import sqlite3
    from contextlib import closing

    small.module("acme", (small.folder / "acme.py").read_text().replace(
        "return events.assign(value=events.value * self.factor)", "return events[['id']]"
    ))  # fmt: skip
    small.template("ids", SMALL, "import pandas as pd\nlen(pd.read_parquet(cleaned))")
    assert small.report("ids", DAY).code == 0
    [events] = small.artefacts("Events")
    with closing(sqlite3.connect(small.folder / "acme.db")) as connection, connection:
        connection.execute("UPDATE events SET kind = 'c'")
    assert small.report("ids", DAY).code == 0
    done = used_by(small, events)
    lines = done.out.splitlines()
    assert lines[0].startswith("2 reports used Events")
    assert [line.endswith("(took over the bytes of an earlier result that did)") for line in lines[1:]] == [
        True,
        False,
    ]


SMALL = """import datetime
date: datetime.date = datetime.date(2020, 1, 1)  # the day
cleaned: "Cleaned" = "samples/cleaned.parquet"
"""
