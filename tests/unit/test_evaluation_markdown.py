"""The comment of an evaluation: found again by a bot, short, and closed to what it tells."""

from __future__ import annotations

import re
from dataclasses import replace

import evaluations as some
import mistune

from workflows.evaluation.markdown import LONGEST, TINY, markdown, marker
from workflows.evaluation.verdict import Evaluation

LINK = "https://ci.example/store/evaluations/default/4be1"


def rendered(text: str) -> str:
    html = mistune.create_markdown(escape=False, plugins=["table"])(text)
    assert isinstance(html, str)
    return html


def many(count: int) -> Evaluation:
    """An evaluation with as many reports, all failed, with long texts."""
    failed = replace(some.full().reports[-1], failure="x" * 100_000, causes=("y" * 1_000,) * 1_000)
    measures = tuple(some.judged(f"m{n}", 1.0, 2.0, "worse") for n in range(200))
    return replace(some.full(), reports=(some.report(some.DAILY, *measures), *[failed] * count))


def test_the_first_line_is_a_hidden_mark_of_the_suite() -> None:
    assert markdown(some.full()).splitlines()[0] == "<!-- parcours evaluation default -->"
    assert marker("a --> <b>\nc") == "<!-- parcours evaluation a-b-c -->"


def test_the_comment_tells_the_headline_and_what_changed_before_the_rest() -> None:
    text = markdown(some.full())
    assert (
        "### ✗ Worse: sanity_check failed, anomaly_share of anomaly_report 2013-01-15 rose from 0.214 to 0.231" in text
    )
    assert (
        "| **✗ worse** | anomaly_share of anomaly_report 2013-01-15 | 0.214 | 0.231 | +0.017 (+7.9 %) | 0.005 and 2 % |"
        in text
    )
    assert text.index("✗ worse") < text.index("KeyError: 'origin'") < text.index("<summary>3 measures the same")
    assert "+    return 1.2533 * mad" in text
    assert "- Anomalies 2013-01-15: 1 row removed (UA 1545), 31 changed in score" in text
    assert "- numpy 2.3.5 -&gt; 2.4.1" in text


def test_reports_and_pictures_are_links_below_the_address_that_is_given() -> None:
    addresses = re.findall(r"\]\(([^)]*)\)", markdown(some.full(), LINK))
    assert f"{LINK}/evaluation.html" in addresses
    assert "https://ci.example/store/ReportTask/2013-01-15/anomaly_report-0123456789abcdef/report.html" in addresses
    assert {f"{LINK}/{name}" for name in some.PICTURES} <= set(addresses)


def test_without_an_address_tiny_pictures_are_embedded_and_the_others_counted() -> None:
    assert markdown(some.full(), pictures=some.PICTURES.get).count("](data:image/png;base64,") == 3
    large = markdown(some.full(), pictures=lambda _: some.png() + b"\0" * TINY)
    assert "data:" not in large
    assert "3 pictures left out" in large
    assert "3 pictures left out" in markdown(some.full())


def test_a_comment_is_never_longer_than_sites_take_and_says_what_it_leaves_out() -> None:
    text = markdown(many(50))
    assert len(text) < LONGEST
    assert re.search(r"\*\d+ parts left out: the comment would be too long\.\*", text)
    assert text.count("<details>") == text.count("</details>")
    assert len(markdown(replace(some.full(), commit=replace(some.COMMIT, subject="s" * 200_000)))) < LONGEST


def test_hostile_texts_mean_nothing_but_themselves() -> None:
    text = markdown(some.hostile(), f"{LINK}/a (b)<c>")
    html = rendered(text)
    tags = set(re.findall(r"</?([a-z0-9]+)", re.sub(r"<!--.*?-->", "", html)))
    assert tags <= {"h3", "p", "code", "a", "table", "thead", "tbody", "tr", "th", "td", "strong", "em", "pre", "details", "summary", "ul", "li", "img"}  # fmt: skip
    assert not re.findall(r'(?:src|href)="(?!https://ci\.example/|http://evil\.example/x\.png)', html)
    assert '<img src="http://evil' not in html


def test_the_lines_of_a_difference_begin_with_their_sign() -> None:
    report = replace(some.full().reports[1], causes=("code  x changed", "      -a = 1", "      +a = 2"))
    assert "\ncode  x changed\n-a = 1\n+a = 2\n" in markdown(replace(some.full(), reports=(report,)))


def test_nobody_is_called_by_a_comment() -> None:
    outside = re.sub(r"(`{3,})\w*\n.*?\n\1", "", markdown(some.hostile()), flags=re.DOTALL)
    assert not re.search(r"@\w", outside)
    assert "@\u200boctocat" in outside
    fenced = "".join(re.findall(r"(`{3,}\w*\n.*?\n`{3,})", markdown(some.hostile()), flags=re.DOTALL))
    assert fenced.startswith("````")


def test_a_row_of_the_table_has_its_cells_and_no_more() -> None:
    rows = [line for line in markdown(some.hostile()).splitlines() if line.startswith("| ")]
    assert {row.count("|") for row in rows} == {7}


def test_no_line_outside_of_a_fence_is_an_order_to_gitlab() -> None:
    outside = re.sub(r"(`{3,})\w*\n.*?\n\1", "", markdown(some.hostile()), flags=re.DOTALL)
    assert not [line for line in outside.splitlines() if line.startswith("/")]


def test_what_is_no_character_for_a_site_is_left_out() -> None:
    text = markdown(replace(some.full(), commit=replace(some.COMMIT, subject="a\x00b\x1b\udce9c")))
    assert "abc" in text
    text.encode()
