"""An Atom feed of verdicts (RFC 4287), newest first, for whoever watches the results of commits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree

from workflows.evaluation.verdict import Evaluation
from workflows.store.artefacts import Store
from workflows.store.evaluations import EVALUATION, PAGE

FILE = "feed.xml"
_ATOM = "http://www.w3.org/2005/Atom"
_ENTRIES = 100
"""The newest verdicts, which a reader takes each time."""
_ID = "urn:parcours:evaluation"
# What XML 1.0 cannot hold, not even escaped.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Link = Callable[[Evaluation], str]
"""Where the page of an evaluation is."""


def atom(evaluations: Sequence[Evaluation], link: Link | None = None) -> str:
    """The feed's text, by default with links to the pages beside it; ids are those of suite and commit, and stay."""
    newest = sorted(evaluations, key=_updated, reverse=True)[:_ENTRIES]
    ElementTree.register_namespace("", _ATOM)
    feed = ElementTree.Element(f"{{{_ATOM}}}feed")
    _add(feed, "id", _ID)
    _add(feed, "title", "Verdicts on commits")
    _add(feed, "updated", _updated(newest[0]) if newest else "1970-01-01T00:00:00+00:00")
    _add(_add(feed, "author"), "name", "Parcours")
    for evaluation in newest:
        _add_entry(feed, evaluation, (link or _beside)(evaluation))
    ElementTree.indent(feed, " ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(feed, encoding="unicode") + "\n"


def write(store: Store) -> None:
    """Write the feed of the evaluated commits of a store, `evaluations/feed.xml`, anew; uncommitted work is left out."""
    text = atom([found for found in _stored(store) if not found.commit.dirty])
    store.evaluations.put_beside(FILE, text.encode())


def _stored(store: Store) -> Iterator[Evaluation]:
    for suite in store.evaluations.suites():
        for record in store.evaluations.records(suite, EVALUATION):
            try:
                yield Evaluation.from_json(record)
            except ValueError:
                continue


def _add_entry(feed: ElementTree.Element, found: Evaluation, link: str) -> None:
    entry = _add(feed, "entry")
    _add(entry, "id", f"{_ID}:{found.suite}:{found.commit.state}")
    _add(entry, "title", f"{found.verdict}: {found.commit.subject} ({found.commit.short}, suite {found.suite})")
    _add(entry, "updated", _updated(found))
    _add(entry, "published", _instant(found.commit.committed))
    _add(_add(entry, "author"), "name", found.commit.author or "unknown")
    _add(entry, "link").set("href", link)
    _add(entry, "category").set("term", found.verdict)
    _add(entry, "content", "\n".join(_told(found)))


def _told(found: Evaluation) -> Iterator[str]:
    """What changed, a line each."""
    if found.problem:
        yield found.problem
    yield f"compared with {found.base.short} {found.base.subject}" if found.base else "compared with nothing: no base"
    for report in found.reports:
        if report.failure:
            yield f"{report.asked.key} failed: {report.failure}"
        for measure in report.measures:
            if measure.verdict != "same":
                values = " -> ".join("nothing" if v is None else f"{v:.6g}" for v in (measure.base, measure.value))
                yield f"{report.asked.key}: {measure.name} {values} ({measure.verdict})"


def _add(parent: ElementTree.Element, name: str, text: str | None = None) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, f"{{{_ATOM}}}{name}")
    if text is not None:
        element.text = _UNWRITABLE.sub("�", text)
    return element


def _updated(found: Evaluation) -> str:
    return _instant(found.run.started)


def _instant(text: str) -> str:
    """A time as Atom has it; in UTC, so that texts sort as times do."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat(timespec="seconds")
    except ValueError:
        return "1970-01-01T00:00:00+00:00"


def _beside(found: Evaluation) -> str:
    return f"{found.suite}/{found.commit.state}/{PAGE}"
