"""The pages of one report: while it grows, when it is made, and when it failed."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from workflows.evaluation.measures import MIME, Measure
from workflows.store.provenance import Provenance
from workflows.tasks.project import current

WRITERS = frozenset(("latex2mathml", "nbconvert"))
"""The modules that write a report's page, which count as what its template imports does."""


@contextlib.contextmanager
def written_soon() -> Iterator[None]:
    """Make what writes pages while something else is waited for: it takes a process's first page a second."""
    thread = threading.Thread(target=_prepare, name="page")
    thread.start()
    try:
        yield
    finally:
        thread.join()


@dataclass(frozen=True)
class Pages:
    """What all pages of a report say."""

    title: str
    """The template's title and the date."""
    shows_code: bool
    """Whether the code is open from the start."""

    def growing(self, notebook: Any, label: str, done: int, of: int) -> str:
        """The page of a report whose cells are still running."""
        from workflows.notebooks.facts import PageFacts

        banner = [f"This report is being made: cell {done} of {of}."]
        return _page(notebook, PageFacts(title=label, state="running", shows_code=self.shows_code, banner=banner))

    def made(self, notebook: Any, record: Provenance, measures: Sequence[Measure]) -> str:
        """The page of a report with its provenance and its measures."""
        told = [(measure.name, str(measure).removeprefix(f"{measure.name} ")) for measure in measures]
        return self._with_record(notebook, record, title=self.title, state="made", measures=told)

    def failed(self, notebook: Any, record: Provenance, banner: Sequence[str]) -> str:
        """The page of a report that failed, with what happened at its top."""
        return self._with_record(notebook, record, title=f"failed: {self.title}", state="failed", banner=list(banner))

    def _with_record(self, notebook: Any, record: Provenance, **others: Any) -> str:
        from workflows.notebooks.facts import PageFacts, sections, summary

        shown = json.loads(record.to_json())
        known = {"summary": summary(shown), "sections": sections(shown), "record": shown}
        return _page(notebook, PageFacts(shows_code=self.shows_code, **known, **others))


def _prepare() -> None:
    from workflows.notebooks.html import prepare

    prepare()


def _page(notebook: Any, facts: Any) -> str:
    from workflows.notebooks.html import render

    return render(notebook, current().settings.templates, facts, hidden=MIME)
