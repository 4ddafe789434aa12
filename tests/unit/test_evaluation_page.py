"""The page of an evaluation: whole, closed to what it shows, and led by its verdict."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import evaluations as some
import pytest

from workflows.commits.page import EMBEDDED, page
from workflows.evaluation.verdict import Evaluation

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Parsed(HTMLParser):
    """A page read by a parser, which fails where an element is closed that is not open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.addresses: list[str] = []
        self.words = ""
        self.records: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.words += " " * (tag in ("td", "th", "br", "span", "dd", "div"))
        assert not [name for name, _ in attrs if name.startswith("on")]
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.records.append(data)
        elif self.open and self.open[-1] != "style":
            self.words += data


def parsed(evaluation: Evaluation) -> Parsed:
    return Parsed(page(evaluation, some.PICTURES.get))


def flat(text: str) -> str:
    return " ".join(text.split())


EVERY: list[Callable[[], Evaluation]] = [some.full, some.same, some.alone, some.hostile]


@pytest.mark.parametrize("make", EVERY)
def test_a_page_loads_nothing_and_holds_no_script_but_its_record(make: Callable[[], Evaluation]) -> None:
    found = parsed(make())
    assert found.seen.count("script") == 1
    for address in found.addresses:
        assert address.startswith(("data:", "#", "./", "../../../")), address
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in page(make(), some.PICTURES.get)


@pytest.mark.parametrize("make", EVERY)
def test_the_whole_evaluation_is_embedded(make: Callable[[], Evaluation]) -> None:
    [record] = parsed(make()).records
    assert json.loads(record) == json.loads(json.dumps(make().as_json()))
    assert Evaluation.from_json(json.loads(record)).commit == make().commit


def test_hostile_texts_are_shown_as_they_are() -> None:
    found = parsed(some.hostile())
    assert "img" in found.seen
    assert found.seen.count("img") == 1
    assert flat(found.words).count(flat(some.EVIL)) > 20


def test_the_page_leads_with_the_verdict_and_says_what_was_compared() -> None:
    words = flat(parsed(some.full()).words)
    for part in (
        "Worse: sanity_check failed, anomaly_share of anomaly_report 2013-01-15 rose from 0.214 to 0.231, and 1 more",
        "Score by the median of the hour 4be1d0c54 by Ada Lovelace, 2026-03-02 10:14 UTC",
        "Read only the columns that a stage names",
        "3 results made, 41 reused",
        "winter dddddddddddd",
        "Python 3.12.9, 2 packages",
        "numpy 2.3.5 2.4.1",
        "KeyError: 'origin'",
        "Anomalies 2013-01-15: 1 row removed (UA 1545), 31 changed in score",
        "+ return 1.2533 * mad",
        "cell 'score-chart': changed, 3.1 % of its pixels",
        "1 report of the same version as the base's",
    ):
        assert part in words, part


def test_every_measure_is_listed_with_its_verdict_in_words_and_as_a_sign() -> None:
    words = flat(parsed(some.full()).words)
    assert (
        "✗ worse anomaly_share anomaly_report 2013-01-15, lower is better 0.214 0.231 +0.017 (+7.9 %) 0.005 and 2 %"
        in words
    )
    assert "? missing anomalies anomaly_report 2013-01-15, lower is better 31 –" in words
    assert "+ new runtime anomaly_report 2013-01-15 – 1.25 s" in words
    assert "✓ better scored_share" in words
    assert "3 measures the same, or within their tolerance" in words


def test_links_to_reports_resolve_from_the_place_of_the_page_in_the_store(tmp_path: Path) -> None:
    evaluation = some.full()
    place = tmp_path / "evaluations" / "default" / evaluation.commit.state / "evaluation.html"
    reports = [found for found in parsed(evaluation).addresses if found.endswith("report.html")]
    # Three reports were made and are linked with their base's, unless that is the same; one failed.
    assert len(reports) == 7
    for address in reports:
        target = Path(os.path.normpath(place.parent / unquote(address)))
        assert target.relative_to(tmp_path).parts[0] in ("ReportTask", "failed")


def test_pictures_are_embedded_and_what_is_too_much_is_linked() -> None:
    found = parsed(some.full())
    assert len([address for address in found.addresses if address.startswith("data:image/png;base64,")]) == 3
    large = some.png() + b"\0" * EMBEDDED
    names = [address for address in Parsed(page(some.full(), lambda _: large)).addresses if address.startswith("./")]
    assert names == [f"./{name}" for name in some.PICTURES]


@pytest.mark.parametrize("data", [None, b"", b"<html><script>alert(1)</script>"])
def test_what_is_no_picture_is_linked_and_not_drawn(data: bytes | None) -> None:
    found = Parsed(page(some.full(), lambda _: data))
    assert "img" not in found.seen
    assert "is not embedded here" in found.words


def test_an_evaluation_that_could_not_be_made_says_why_in_full() -> None:
    problem = "its environment could not be built: no wheel\nfor numpy 1.0"
    words = parsed(replace(some.full(), verdict="failed", reports=(), problem=problem)).words
    assert "Failed: its environment could not be built: no wheel" in words
    assert "for numpy 1.0" in words


def test_the_suite_of_the_trunk_is_told() -> None:
    words = parsed(replace(some.full(), run=some.run(some.COMMIT, suite_from="trunk"))).words
    assert "the trunk's: the commit has none" in words


def test_a_subject_that_is_no_text_can_be_written() -> None:
    text = page(replace(some.full(), commit=replace(some.COMMIT, subject="caf\udce9")), some.PICTURES.get)
    assert r"caf\udce9" in text.encode().decode()


def test_the_page_follows_the_light_of_the_reader() -> None:
    assert re.search(r"@media \(prefers-color-scheme: dark\)", page(some.full(), some.PICTURES.get))
