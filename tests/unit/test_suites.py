"""Suites read from TOML, and what is said of a file that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflows.errors import SuiteError
from workflows.evaluation.entries import read
from workflows.evaluation.suites import FILE, Asked, Limit, Suite

ROOT = Path(__file__).resolve().parents[2]
REPORT = '[default]\ndataset = "march"\n[[default.reports]]\ntemplate = "daily"\n'
HEAD = f'{REPORT}dates = ["2013-01-15"]\n'
AT = "suites.toml, suite 'default'"
FIRST = f"{AT}, report 1"


def one(text: str) -> Suite:
    """The only suite in a text."""
    [suite] = read(text.encode(), "suites.toml").values()
    return suite


def refusal(text: str | bytes) -> str:
    """What is said of a file that is refused."""
    with pytest.raises(SuiteError) as refused:
        read(text if isinstance(text, bytes) else text.encode(), "suites.toml")
    assert refused.value.exit_code == 2
    return str(refused.value)


def test_a_suite_has_a_dataset_reports_and_limits() -> None:
    text = f"""{HEAD}parameters = {{ threshold = 4 }}
    [default.measures]
    anomalies = {{ better = "lower", absolute = 2, relative = 0.05 }}
    "daily.late_share" = {{ absolute = 0.01 }}
    """
    assert one(text) == Suite(
        "default",
        "march",
        (Asked("daily", "2013-01-15", {"threshold": 4}),),
        {"anomalies": Limit("lower", 2.0, 0.05), "daily.late_share": Limit(None, 0.01, 0.0)},
    )


def test_a_file_may_have_several_suites() -> None:
    assert list(read((HEAD + HEAD.replace("default", "long")).encode(), "x")) == ["default", "long"]


@pytest.mark.parametrize(
    "dates",
    [
        "dates = [2013-01-31, 2013-02-01]",
        'dates = ["2013-01-31", 2013-02-01]',
        "start = 2013-01-31\nstop = '2013-02-01'",
    ],
)
def test_dates_are_dates_or_texts_or_a_range(dates: str) -> None:
    assert [asked.date for asked in one(REPORT + dates).reports] == ["2013-01-31", "2013-02-01"]


def test_a_template_and_its_measure_need_no_quotes() -> None:
    assert one(f"{HEAD}[default.measures]\ndaily.late_share.absolute = 0.5").measures == {
        "daily.late_share": Limit(None, 0.5, 0.0)
    }


def test_the_limit_for_a_template_comes_before_that_for_all() -> None:
    suite = one(f'{HEAD}[default.measures]\nx.absolute = 1\n"daily.x" = {{ absolute = 2 }}')
    assert [suite.limit(template, "x").absolute for template in ("daily", "other")] == [2, 1]


def test_a_date_among_parameters_is_a_text_as_in_json() -> None:
    [asked] = one(f"{HEAD}parameters = {{ until = 2013-01-20, days = [2013-01-01] }}").reports
    assert asked.parameters == {"until": "2013-01-20", "days": ["2013-01-01"]}


def test_the_mark_of_an_encoding_is_no_part_of_a_suite() -> None:
    assert list(read(b"\xef\xbb\xbf" + HEAD.encode(), "x")) == ["default"]


def test_the_projects_own_suites_are_read() -> None:
    suite = read((ROOT / "templates" / FILE).read_bytes(), FILE)["default"]
    assert {asked.template for asked in suite.reports} == {"anomaly_report", "daily", "sanity_check"}
    assert all("2013-01-10" <= asked.date <= "2013-01-16" for asked in suite.reports)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "suites.toml has no suite; expected at least one"),
        ("[default", "suites.toml is no TOML: Expected ']'"),
        (b"[\xff]", "suites.toml is no TOML: it is not in UTF-8"),
        ("a = " + "[" * 100_000, "suites.toml is no TOML: "),
        ("dataset = 'x'", "suites.toml: 'dataset' is 'x'; expected a suite, which begins with a line `[dataset]`."),
        ('["a/b"]', "suites.toml: a suite's name is 'a/b'; expected a name of letters"),
        ("[default]", f"{AT} has no dataset; expected the name of a dataset."),
        ("[default]\ndataset = 3", f"{AT}: dataset is 3; expected the name of a dataset"),
        ("[default]\ndatasett = 'x'", f"{AT} has an unknown key 'datasett'. Known keys: dataset, reports, measures. Did you mean 'dataset'?"),
        ("[default]\ndataset = 'x'", f"{AT} has no reports; expected at least one report"),
        ("[default]\ndataset = 'x'\nreports = []", f"{AT}: reports is []; expected at least one report"),
        ("[default]\ndataset = 'x'\n[default.reports]\ntemplate = 'y'", "beginning with a line `[[default.reports]]`."),
        (f"{HEAD}parameter = {{}}", f"{FIRST} has an unknown key 'parameter'. "),
        (f"{HEAD}[[default.reports]]\ndates = []", f"{AT}, report 2 has no template; "),
        ("[default]\ndataset = 'x'\n[[default.reports]]\ntemplate = 1", f"{FIRST}: template is 1; "),
        (REPORT, f"{FIRST} has no dates; expected `dates`, or both `start` and `stop`."),
        (f"{REPORT}start = 2013-01-01", f"{FIRST} has no stop; expected a date"),
        (f"{HEAD}start = 2013-01-01", f"{FIRST}: the time is ['dates', 'start']; expected `dates`, or both"),
        (f"{REPORT}start = 2013-01-02\nstop = 2013-01-01", f"{FIRST}: stop is '2013-01-01'; expected a date not before start, 2013-01-02."),
        (f"{REPORT}start = 0001-01-01\nstop = 9999-12-31", f"{FIRST} asks for 3,652,059 reports; expected at most 10,000"),
        (f"{REPORT}dates = []", f"{FIRST}: dates is []; expected a list such as"),
        (f"{REPORT}dates = 2013-01-15", f"{FIRST}: dates is datetime.date(2013, 1, 15); expected a list such as"),
        (f"{REPORT}dates = ['2013-02-30']", f"{FIRST}: dates is '2013-02-30'; expected a date such as 2013-01-15."),
        (f"{REPORT}dates = ['20130130']", f"{FIRST}: dates is '20130130'; expected a date such as 2013-01-15."),
        (f"{REPORT}dates = [2013-01-15T08:00:00]", f"{FIRST}: dates is '2013-01-15T08:00:00'; expected a date"),
        (f"{HEAD}parameters = 3", f"{FIRST}: parameters is 3; expected a table such as"),
        (f"{HEAD}parameters = {{ a = [nan] }}", f"{FIRST}: parameters.a is nan; expected a finite number."),
        (f"{HEAD}parameters = {{ date = 2013-01-15 }}", f"{FIRST}: parameters.date is "),
        (f"{REPORT}dates = [2013-01-15, 2013-01-15]", f"{FIRST}: the report daily 2013-01-15 is there already; expected it once."),
        (f"{HEAD}[[default.reports]]\ntemplate = 'daily'\ndates = [2013-01-15]", f"{AT}, report 2: the report daily 2013-01-15 is"),
        (f"{HEAD}[default]", "suites.toml is no TOML: Cannot declare"),
        (f"{HEAD}[default.measures]\nx = 3", f"{AT}: measure 'x' is 3; expected a table such as"),
        (f"{HEAD}[default.measures.x]\nrelativ = 1", f"{AT}, measure 'x' has an unknown key 'relativ'. Known keys: better, absolute, relative. Did you mean 'relative'?"),
        (f"{HEAD}[default.measures.x]\nbetter = 'low'", f"{AT}, measure 'x': better is 'low'; expected 'lower' or 'higher'."),
        (f"{HEAD}[default.measures.x]\nabsolute = -1", f"{AT}, measure 'x': absolute is -1; expected a number that is finite and not negative."),
        (f"{HEAD}[default.measures.x]\nrelative = nan", f"{AT}, measure 'x': relative is nan; expected a number that is finite and not negative, a share"),
        (f"{HEAD}[default.measures.x]\nabsolute = inf", "absolute is inf; expected"),
        (f"{HEAD}[default.measures.x]\nabsolute = true", "absolute is True; expected"),
        (f"{HEAD}[default.measures.x]\nabsolute = '1'", "absolute is '1'; expected"),
        (f"{HEAD}[default.measures.x]\nabsolute = 1{'0' * 400}", "absolute is 1000"),
        (f'{HEAD}[default.measures]\n"a.b".absolute = 1\na.b.absolute = 2', f"{AT}: the measure 'a.b' is there already"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(text: str | bytes, said: str) -> None:
    assert said in refusal(text)
