"""The `luigi` command as a user types it: one report, many, again, and what else can be asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance

DAY = "2020-01-01"


@pytest.fixture(scope="module")
def first(shared: Any) -> Any:
    """The first run of a report."""
    return shared.report("small", DAY)


def reports(done: Any) -> list[str]:
    """The paths that a command names on standard output, which holds nothing else."""
    lines = done.out.splitlines()
    assert all(line.startswith("report: ") for line in lines)
    return [line.removeprefix("report: ") for line in lines]


def test_a_run_ends_with_the_path_of_its_report(shared: Any, first: Any) -> None:
    assert first.code == 0
    [path] = reports(first)
    assert (shared.folder / path).read_text().startswith("<!DOCTYPE html>")


def test_a_run_says_what_it_makes_on_standard_error(first: Any) -> None:
    assert first.err.startswith("plan          3 results: 3 to make, 0 reused\n")
    assert "made          3 of 3  small 2020-01-01" in first.err


def test_a_run_that_finds_its_report_names_it_and_makes_nothing(shared: Any, first: Any) -> None:
    again = shared.report("small", DAY)
    assert (again.code, again.out) == (0, first.out)
    assert again.err == "plan          1 result: complete, nothing to do\n"


def test_other_parameters_make_another_report_with_the_stage_run_anew(shared: Any, first: Any) -> None:
    other = shared.report("small", DAY, "--parameters", '{"factor": 3}')
    assert reports(other) != reports(first)
    assert "2 to make, 1 reused" in other.err
    page = (shared.folder / reports(other)[0]).read_text()
    assert "10.5" in page


def test_parameters_that_are_the_defaults_are_the_same_report(shared: Any, first: Any) -> None:
    assert shared.report("small", DAY, "--parameters", '{"factor": "2.0"}').out == first.out


def test_the_template_comes_from_luigi_cfg_where_none_is_given(light: Any) -> None:
    path = light.folder / "luigi.cfg"
    path.write_text(path.read_text().replace("template = daily", "template = light"))
    done = light.run("luigi", "--module", "workflows", "ReportTask", "--date", DAY, "--local-scheduler")
    assert "/light-" in done.last_line


def test_a_run_does_without_luigi_cfg(light: Any) -> None:
    """Settings can be in the environment, and Luigi's own that matter have defaults: a failure is still a failure."""
    (light.folder / "luigi.cfg").unlink()
    light.template("broken", "1 / 0")
    settings = {"PARCOURS_PIPELINES": "acme", "PARCOURS_DATABASE": "sqlite:///acme.db"}
    assert light.report("light", DAY, **settings).last_line.startswith("report: data/store/ReportTask/")
    failed = light.report("broken", DAY, **settings)
    assert failed.code == 30
    assert "Traceback" not in failed.err


def test_a_backfill_covers_both_ends_newest_first_and_all_templates(light: Any) -> None:
    dates = ["--start", "2020-01-01", "--stop", "2020-01-02"]
    done = light.run("luigi", "--module", "workflows", "Backfill", *dates, "--local-scheduler")
    assert done.code == 0
    made = [path.split("/")[3] + path.split("/")[4].partition("-")[0] for path in reports(done)]
    assert made == ["2020-01-02light", "2020-01-02small", "2020-01-01light", "2020-01-01small"]


def test_a_backfill_takes_templates_separated_by_commas(light: Any) -> None:
    light.template("third", "1")
    options = ["--start", DAY, "--stop", DAY, "--template", "light, third", "--local-scheduler"]
    done = light.run("luigi", "--module", "workflows", "Backfill", *options)
    assert [path.split("/")[4].partition("-")[0] for path in reports(done)] == ["light", "third"]


def test_a_backfill_of_all_leaves_out_a_template_that_says_so_and_makes_it_by_its_name(light: Any) -> None:
    light.template("undated", "1", parcours={"all": False})

    def templates(*options: str) -> list[str]:
        command = ["Backfill", "--start", DAY, "--stop", DAY, "--local-scheduler", *options]
        paths = reports(light.run("luigi", "--module", "workflows", *command))
        return [path.split("/")[4].partition("-")[0] for path in paths]

    assert templates() == ["light", "small"]
    assert templates("--template", "undated") == ["undated"]


def test_a_backfill_makes_what_can_be_made_and_says_what_is_missing(shared: Any, first: Any) -> None:
    options = ["--start", "2020-01-01", "--stop", "2020-01-03", "--template", "small", "--local-scheduler"]
    done = shared.run("luigi", "--module", "workflows", "Backfill", *options, "--workers", "2")
    assert done.code == 30
    assert [path.split("/")[3] for path in reports(done)] == ["2020-01-02", "2020-01-01"]
    assert "ERROR: Events 2020-01-03 has no rows." in done.err
    assert done.err.endswith("missing       1 of 3 reports\n              small  2020-01-03\n")
    assert list(shared.store.glob("*/2020-01-03/*")) == [], "something was made for a date without data"
    assert shared.processes() == []


def a_range(*options: str) -> list[str]:
    of = ["--of", "ReportTask", "--of-params", json.dumps({"template": "light"})]
    dates = ["--start", "2020-01-01", "--stop", "2020-01-03"]
    return ["luigi", "--module", "workflows", "RangeDaily", *of, *dates, "--local-scheduler", *options]


def test_luigis_range_makes_the_reports_of_days_long_ago_and_then_finds_them(light: Any) -> None:
    done = light.run(*a_range("--reverse"))
    assert done.code == 0
    assert sorted(path.split("/")[3] for path in reports(done)) == ["2020-01-01", "2020-01-02"]
    again = light.run(*a_range("--workers", "2"))
    assert (again.code, sorted(reports(again))) == (0, sorted(reports(done)))
    assert "made" not in again.err


def test_a_range_of_a_template_that_does_not_exist_is_refused_in_one_line(shared: Any, refused: Any) -> None:
    of = ["--of", "ReportTask", "--of-params", '{"template": "lihgt"}']
    dates = ["--start", "2020-01-01", "--stop", "2020-01-03"]
    before = len(shared.artefacts("ReportTask"))
    done = shared.run("luigi", "--module", "workflows", "RangeDaily", *of, *dates, "--local-scheduler")
    assert refused(shared, done, before).endswith("Did you mean 'light'?")


@pytest.mark.parametrize("task", ["Events", "Cleaned"])
def test_a_query_or_a_stage_can_be_asked_for_by_itself(light: Any, task: str) -> None:
    done = light.run("luigi", "--module", "workflows", task, "--date", DAY, "--local-scheduler")
    assert (done.code, done.out) == (0, "")
    [artefact] = light.artefacts(task)
    assert (artefact / "table.parquet").is_file()


def test_one_number_is_one_task_however_it_is_typed(shared: Any, first: Any) -> None:
    def factor(text: str) -> Any:
        options = ["--date", DAY, "--factor", text, "--local-scheduler"]
        return shared.run("luigi", "--module", "workflows", "Cleaned", *options)

    assert [factor(text).err for text in ("2", "2.0", "2e0")] == [
        "plan          1 result: complete, nothing to do\n"
    ] * 3


def test_a_reader_that_stops_reading_is_no_failure(shared: Any, first: Any) -> None:
    command = f"luigi --module workflows ReportTask --date {DAY} --template small --local-scheduler | true; exit ${{PIPESTATUS[0]}}"
    done = shared.run("/bin/bash", "-c", command)
    assert (done.code, done.err) == (0, "plan          1 result: complete, nothing to do\n")
