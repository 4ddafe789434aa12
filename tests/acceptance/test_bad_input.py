"""What cannot be used is refused before anything runs: one line that names offender, found, expected and remedy."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance

DAY = "2020-01-01"
CHOICES = """from typing import Annotated, Literal
from pydantic import Field
carrier: Literal["all", "UA"] = "all"
share: Annotated[float, Field(ge=0, le=1)] = 0.5
window: int = 28
twice = window * 2
"""


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("lihgt", "there is no template 'lihgt' in {templates}. Templates: light, small. Did you mean 'light'?"),
        ("../small", "'../small' is no template name; expected the name of a notebook in the templates folder, "),
        ("{templates}/small", "'{templates}/small' is no template name; "),
        ("templates/small", "'templates/small' is no template name; "),
        ("small.ipynb", "'small.ipynb' is no template name; "),
        ("small\n", "'small\\n' is no template name; "),
        ("..", "'..' is no template name; "),
    ],
)
def test_a_template_that_is_none_is_refused(shared: Any, refused: Any, name: str, line: str) -> None:
    place = {"templates": shared.folder / "templates"}
    assert refused(shared, shared.report(name.format(**place), DAY)).startswith(line.format(**place))


def test_a_template_name_cannot_lead_out_of_its_folder_by_a_luigi_cfg_either(light: Any, refused: Any) -> None:
    path = light.folder / "luigi.cfg"
    path.write_text(path.read_text().replace("template = daily", "template = ../templates/light"))
    done = light.run("luigi", "--module", "workflows", "ReportTask", "--date", DAY, "--local-scheduler")
    assert refused(light, done).startswith("'../templates/light' is no template name; ")


def cells(*found: Any, **notebook: Any) -> str:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(found), **notebook})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("print('hello')", "it is no JSON (Expecting value: line 1 column 1 (char 0))"),
        ("[1, 2]", "it has no list of cells"),
        (cells(nbformat=3), "it is of format 3"),
        (cells({"cell_type": "code"}), "one of its cells has no type or no source, or its metadata are no table"),
    ],
)
def test_a_file_that_is_no_notebook_is_refused(shared: Any, refused: Any, text: str, why: str) -> None:
    path = shared.folder / "templates" / "other.ipynb"
    path.write_text(text)
    line = refused(shared, shared.report("other", DAY))
    assert (
        line == f"template 'other' ({path}) is not a notebook: {why}. Expected Jupyter's format 4, as Jupyter saves it."
    )


def test_a_notebook_without_a_code_cell_is_refused(shared: Any, refused: Any) -> None:
    text = cells({"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Only words"})
    (shared.folder / "templates" / "words.ipynb").write_text(text)
    line = refused(shared, shared.report("words", DAY))
    assert line.startswith("template 'words' has no parameters cell; expected a code cell tagged 'parameters', ")


def test_a_syntax_error_in_the_last_cell_is_found_before_anything_runs(shared: Any, refused: Any) -> None:
    ran = shared.folder / "ran"
    shared.template("broken", f"open({str(ran)!r}, 'w')", "x = 1", "y = 2\ndef f(:\n    pass")
    line = refused(shared, shared.report("broken", DAY))
    assert (
        line
        == "template 'broken' has a syntax error in cell 3, line 2: invalid syntax: 'def f(:'; expected valid Python."
    )
    assert not ran.exists()


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ('{"widow": 7}', "choices has no parameter 'widow'. It takes: carrier, share, window. Did you mean 'window'?"),
        ('{"window": "a week"}', "choices: parameter 'window' is 'a week'; expected int "),
        ('{"window": 2.5}', "choices: parameter 'window' is 2.5; expected int "),
        ('{"carrier": "XX"}', "choices: parameter 'carrier' is 'XX'; expected one of 'all', 'UA'."),
        (
            '{"share": 1.5}',
            "choices: parameter 'share' is 1.5; expected float (Input should be less than or equal to 1).",
        ),
        ('{"twice": 1}', "choices: 'twice' cannot be set, it follows from `twice = window * 2`; set what it is "),
        ('{"__import__(\\"os\\")": 1}', "choices has no parameter '__import__(\"os\")'. "),
        ("window=7", "--parameters is 'window=7': Expecting value: line 1 column 1 (char 0); expected a JSON object "),
        ("[7]", "--parameters is '[7]': it is a JSON list; expected a JSON object such as '{\"threshold\": 4}'."),
    ],
)
def test_parameters_that_do_not_fit_are_refused(shared: Any, refused: Any, parameters: str, line: str) -> None:
    shared.template("choices", CHOICES)
    assert refused(shared, shared.report("choices", DAY, "--parameters", parameters)).startswith(line)


def test_a_table_cannot_be_set_by_hand(shared: Any, refused: Any) -> None:
    line = refused(shared, shared.report("small", DAY, "--parameters", '{"cleaned": "/etc/passwd"}'))
    assert (
        line
        == "small: parameter 'cleaned' is the table of Cleaned, which the pipeline makes; it cannot be set by hand."
    )


def test_a_date_that_differs_from_the_reports_is_refused(shared: Any, refused: Any) -> None:
    line = refused(shared, shared.report("small", DAY, "--parameters", '{"date": "2020-01-02"}'))
    assert (
        line == "small: the parameters say date 2020-01-02, the report is for 2020-01-01; expected one date, in --date."
    )


def test_an_annotation_that_names_no_stage_is_refused(shared: Any, refused: Any) -> None:
    shared.template("stageless", 'table: "Cleand" = "samples/x.parquet"')
    line = refused(shared, shared.report("stageless", DAY))
    assert line == (
        "template 'stageless', parameter 'table': there is no stage or query 'Cleand'. "
        "Known: Cleaned, Events. Did you mean 'Cleaned'?"
    )


@pytest.mark.parametrize(
    "date", ["yesterday", "2020-02-30", "01/02/2020", "20200101", "2020-01-01T00:00", "99999-01-01"]
)
def test_a_date_that_is_none_is_refused(shared: Any, refused: Any, date: str) -> None:
    line = refused(shared, shared.report("light", date))
    assert line == f"'{date}' is not a date; expected YYYY-MM-DD, such as 2013-01-15."


@pytest.mark.parametrize("date", ["2020-01-03", "1066-10-14"])
def test_a_date_without_data_is_told_which_dates_have_some(shared: Any, refused: Any, date: str) -> None:
    line = refused(shared, shared.report("small", date))
    assert line.startswith(
        f"Events {date} has no rows. Dates with data: 2020-01-01, 2020-01-02. Expected a date with data"
    )


def test_a_version_is_not_typed(shared: Any, refused: Any) -> None:
    line = refused(shared, shared.report("light", DAY, "--version", "0" * 64))
    assert line.startswith("light 2020-01-01 was planned as version 0000000000000000, but ")
    assert "A version is computed, never typed" in line


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["ReportTsk"],
            "there is no task 'ReportTsk'. Tasks: Backfill, Cleaned, EvaluateCommit, Events, RangeDaily, ReportTask. ",
        ),
        (
            ["ReportTask", "--template", "light"],
            "ReportTask needs a value for 'date', none is given; expected --date DATE.",
        ),
        (["Backfill", "--stop", DAY], "Backfill needs a value for 'start', none is given; expected --start START."),
        (
            ["Backfill", "--start", DAY, "--stop", "2019-12-31"],
            "the range 2020-01-01 to 2019-12-31 ends before it starts; ",
        ),
        (["Backfill", "--start", DAY, "--stop", DAY, "--template", "light,lihgt"], "there is no template 'lihgt' in "),
        (["Backfill", "--start", DAY, "--stop", DAY, "--template", " , "], "there is no template ' , ' in "),
        (["Cleaned", "--date", DAY, "--factor", "two"], "--factor is 'two'; expected float (could not convert "),
        (["Cleaned", "--date", "yesterday"], "--date is 'yesterday'; expected date ("),
    ],
)
def test_a_command_that_cannot_be_run_is_refused(shared: Any, refused: Any, words: list[str], line: str) -> None:
    done = shared.run("luigi", "--module", "workflows", *words, "--local-scheduler")
    assert refused(shared, done).startswith(line)


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"stroe": "x"}, "luigi.cfg, [workflows] has an unknown key 'stroe'. Known keys: "),
        (
            {"cell_timeout": "soon"},
            "'cell_timeout' in luigi.cfg, [workflows] is 'soon'; expected a number of seconds, ",
        ),
        ({"code": "maybe"}, "'code' in luigi.cfg, [workflows] is 'maybe'; expected 'hidden' or 'shown'."),
        ({"database": "acme.db"}, "'database' in luigi.cfg, [workflows] is 'acme.db'; expected an SQLAlchemy URL, "),
        (
            {"pipelines": "nosuch"},
            "pipeline 'nosuch' cannot be imported: ModuleNotFoundError: No module named 'nosuch'. ",
        ),
        (
            {"database": "sqlite:///none.db"},
            "there is no database at {folder}/none.db. The example database is made by ",
        ),
        (
            {"database": "sqlite:///acme.py"},
            "Events 2020-01-01: the database {folder}/acme.py refuses 'sql': file is not a ",
        ),
        (
            {"database": "sqlite:///empty.db"},
            "Events 2020-01-01: the database {folder}/empty.db refuses 'sql': no such table: ",
        ),
        ({"database": "nosuch://a:secret@b/c"}, "the database nosuch://a:***@b/c cannot be used: "),
        ({"store": "nosuch://b/c"}, "the store nosuch://b/c cannot be used: "),
        (
            {"templates": "nowhere"},
            "there is no template 'small' in {folder}/nowhere. Templates: none. Commands are run in ",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(small: Any, refused: Any, settings: dict[str, str], line: str) -> None:
    (small.folder / "empty.db").touch()
    small.configure(**{"pipelines": "acme", "database": "sqlite:///acme.db", **settings})
    assert refused(small, small.report("small", DAY)).startswith(line.format(folder=small.folder))


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("PARCOURS_STROE", "x", "the environment has an unknown key 'PARCOURS_STROE'. Known keys: PARCOURS_"),
        (
            "PARCOURS_REPORT_TIMEOUT",
            "-1",
            "'report_timeout' in the environment variable PARCOURS_REPORT_TIMEOUT is '-1'; ",
        ),
        ("PARCOURS_STORE", "", "'store' in the environment variable PARCOURS_STORE is ''; expected a text "),
    ],
)
def test_variables_that_do_not_fit_are_refused(shared: Any, refused: Any, name: str, value: str, line: str) -> None:
    assert refused(shared, shared.report("light", DAY, **{name: value})).startswith(line)


def test_without_a_scheduler_the_command_says_within_ten_seconds_what_to_start(shared: Any, refused: Any) -> None:
    began = time.monotonic()
    command = ["luigi", "--module", "workflows", "ReportTask", "--date", DAY, "--template", "light"]
    done = shared.run(*command, "--scheduler-port", "1")
    assert time.monotonic() - began < 10
    line = refused(shared, done)
    assert line.startswith("no central scheduler answers at http://127.0.0.1:1/ (Connection refused). ")
    assert line.endswith("Start one with `luigid --address 127.0.0.1`, or add --local-scheduler to run without.")


def test_debug_shows_the_traceback_of_a_refusal(shared: Any) -> None:
    done = shared.report("lihgt", DAY, "--log-level", "DEBUG")
    assert "Traceback" in done.err
    assert "TemplateError: there is no template 'lihgt'" in done.err


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"PARCOURS_PIPELINES": "nosuch"}, "pipeline 'nosuch' cannot be imported: "),
        ({"PARCOURS_CODE": "maybe"}, "'code' in the environment variable PARCOURS_CODE is 'maybe'; "),
    ],
)
def test_a_project_that_cannot_be_opened_is_refused_by_parcours_too(
    shared: Any, settings: dict[str, str], line: str
) -> None:
    done = shared.run("parcours", "check", **settings)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith(line)


def test_a_luigi_cfg_that_is_none_is_refused_by_parcours(small: Any) -> None:
    (small.folder / "luigi.cfg").write_text("store: here\n")
    done = small.run("parcours", "check")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert done.err.startswith("luigi.cfg cannot be read: File contains no section headers.")


@pytest.mark.parametrize(
    ("right", "wrong", "line"),
    [
        (
            "[workflows]",
            "[workflow]",
            "luigi.cfg has an unknown key '[workflow]'. Known keys: [workflows]. Did you mean ",
        ),
        (
            "template = daily",
            "tempalte = x",
            "luigi.cfg, [ReportTask] has an unknown key 'tempalte'. Known keys: date, ",
        ),
    ],
)
def test_a_slip_of_the_pen_in_luigi_cfg_does_not_leave_defaults_in_force(
    small: Any, refused: Any, right: str, wrong: str, line: str
) -> None:
    path = small.folder / "luigi.cfg"
    path.write_text(path.read_text().replace(right, wrong))
    done = small.report("small", DAY)
    assert refused(small, done).startswith(line)
    assert done.code == 40


@pytest.mark.parametrize("words", [["Clened", "--date", DAY], ["ReportTask", "--date", DAY, "--template", "smal"]])
def test_what_is_refused_before_anything_runs_has_one_exit_code(shared: Any, words: list[str]) -> None:
    assert shared.run("luigi", "--module", "workflows", *words, "--local-scheduler").code == 40
