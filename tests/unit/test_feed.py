"""The Atom feed of verdicts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from workflows.commits import feed
from workflows.evaluation.runs import Commit, Run
from workflows.evaluation.suites import Asked
from workflows.evaluation.verdict import Evaluation, MeasureVerdict, ReportVerdict
from workflows.store.artefacts import Store
from workflows.store.evaluations import EVALUATION

ATOM = {"a": "http://www.w3.org/2005/Atom"}


def evaluation(number: int, subject: str = "Tidy up", **other: Any) -> Evaluation:
    """One of a commit that made a measure worse."""
    commit = Commit(f"{number:040x}", subject, "Ada", f"2026-01-{number + 1:02}T10:00:00+01:00")
    run = Run(
        commit=commit, suite="default", work="w", suite_from="commit", dataset="jan", dataset_digest="d", lock="l",
        python="3.11.7", packages={}, reports=(), results_made=0, results_reused=0,
        started=f"2026-02-{number + 1:02}T00:00:00+00:00", seconds=1.0, host="h", user="u",
    )  # fmt: skip
    measure = MeasureVerdict("late", "min", "lower", 1.0, 2.5, "worse")
    asked = Asked("daily", "2013-01-15")
    report = ReportVerdict(asked, "p", "q", "made", "made", None, (measure,), False)
    found = Evaluation(commit, replace(commit, sha="b" * 40), "default", "worse", (report,), run, None)
    return replace(found, **other)


def read(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text.encode())


def entries(text: str) -> list[ElementTree.Element]:
    return read(text).findall("a:entry", ATOM)


def test_feed_and_entries_have_what_atom_requires() -> None:
    text = feed.atom([evaluation(0), evaluation(1)])
    root = read(text)
    assert root.tag == f"{{{ATOM['a']}}}feed"
    for element in (root, *entries(text)):
        for name in ("id", "title", "updated", "author/a:name"):
            found = element.find(f"a:{name}", ATOM)
            assert found is not None
            assert found.text
    assert root.findtext("a:updated", "", ATOM) == "2026-02-02T00:00:00+00:00"


def test_the_newest_comes_first_and_ids_stay() -> None:
    text = feed.atom([evaluation(n) for n in (1, 3, 2)])
    ids = [entry.findtext("a:id", "", ATOM) for entry in entries(text)]
    assert ids == [f"urn:parcours:evaluation:default:{n:040x}" for n in (3, 2, 1)]
    assert feed.atom([evaluation(n) for n in (2, 1, 3)]) == text


def test_an_entry_says_the_verdict_and_what_changed() -> None:
    [entry] = entries(feed.atom([evaluation(0)]))
    assert entry.findtext("a:title", "", ATOM) == "worse: Tidy up (000000000, suite default)"
    assert entry.findtext("a:published", "", ATOM) == "2026-01-01T09:00:00+00:00"
    assert "daily 2013-01-15: late 1 -> 2.5 (worse)" in entry.findtext("a:content", "", ATOM)
    assert entry.find("a:category", ATOM).get("term") == "worse"  # type: ignore[union-attr]


def test_links_lead_to_the_page_beside_the_feed_or_where_it_is_said() -> None:
    [entry] = entries(feed.atom([evaluation(0)]))
    link = entry.find("a:link", ATOM)
    assert link is not None
    assert link.get("href") == f"default/{0:040x}/evaluation.html"
    assert 'href="https://example.org/&amp;"' in feed.atom([evaluation(0)], lambda found: "https://example.org/&")


def test_texts_are_escaped_and_what_xml_cannot_hold_is_replaced() -> None:
    subject = "<b>&\"' \x00\x1b \ud800 ok"
    [entry] = entries(feed.atom([evaluation(0, subject)]))
    assert entry.findtext("a:title", "", ATOM).startswith("worse: <b>&\"' \ufffd\ufffd \ufffd ok")


def test_a_feed_of_nothing_is_a_feed() -> None:
    assert entries(feed.atom([])) == []


def test_a_feed_has_the_newest_hundred() -> None:
    many = [replace(evaluation(0), commit=replace(evaluation(0).commit, sha=f"{n:040x}")) for n in range(130)]
    assert len(entries(feed.atom(many))) == 100


def test_the_feed_of_a_store_has_its_commits_without_uncommitted_work(tmp_path: Path) -> None:
    store = Store.at(str(tmp_path / "store"), tmp_path / "cache")
    dirty = replace(evaluation(1), commit=replace(evaluation(1).commit, dirty="d" * 40))
    for found in (evaluation(0), dirty):
        store.evaluations.put("default", found.commit.state, {EVALUATION: json.dumps(found.as_json()).encode()})
    store.evaluations.put("default", "c" * 40, {EVALUATION: b"{}"})
    feed.write(store)
    text = (tmp_path / "store" / "evaluations" / "feed.xml").read_text()
    assert [entry.findtext("a:id", "", ATOM)[-40:] for entry in entries(text)] == ["0" * 40]
    assert store.evaluations.suites() == ["default"]
