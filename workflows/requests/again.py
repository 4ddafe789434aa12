"""A report made again exactly as then: its notebook, values, tables and modules from the store, in the environment it names."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflows import settings
from workflows.answers.found import store
from workflows.answers.reproduce import Reproduction, reproduce
from workflows.errors import AgainError
from workflows.evaluation.measures import MIME
from workflows.identity.canonical import canonical_json
from workflows.identity.surroundings import fixed
from workflows.requests.hearing import Hearing
from workflows.requests.request import Request
from workflows.store.address import NOTEBOOK

FOLDER = "then"


@dataclass(frozen=True)
class Again:
    """What came of it."""

    message: str
    page: str


def again(request: Request, folder: Path, hearing: Hearing) -> Again:
    """Make the report of a request again below its folder; raises AgainError where something of then is not to be had."""
    place = folder / FOLDER
    shutil.rmtree(place, ignore_errors=True)
    try:
        then = reproduce(store().shown(request.of), place)
        _check(then, request.label)
        return _executed(then, request.label, hearing)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _check(then: Reproduction, label: str) -> None:
    if then.missing:
        raise AgainError.missing(label, then.missing)
    others = [text for text in then.differences if " then, " in text]
    if others:
        raise AgainError.environment(label, others)


def _executed(then: Reproduction, label: str, hearing: Hearing) -> Again:
    from workflows.notebooks.execution import Limits, execute

    notebook, record, given = json.loads(then.notebook.read_bytes()), then.found.record, settings.load()
    values = {name: text for name, text in record.parameters.items() if name != "version"}
    hearing.started(label)
    execution = execute(
        notebook,
        folder=then.folder,
        root=then.folder,
        limits=Limits(given.cell_timeout, given.report_timeout),
        watcher=lambda _, done, of: hearing.step(label, f"cell {min(done + 1, of)} of {of}", done, of),
        seed=canonical_json([record.task, values]),
        environment=fixed(os.environ),
    )
    if execution.failure:
        raise AgainError.failed(label, execution.failure.cell, execution.failure.of, execution.failure.reason)
    message = _compared(_outputs(_stored(then)), _outputs(execution.notebook))
    hearing.done("made", label, message)
    return Again(message, _page(then, execution.notebook, message))


def _stored(then: Reproduction) -> Any:
    """The report's own notebook, with what came out then."""
    import nbformat

    folder = then.found.folder
    if folder is None or not (folder / NOTEBOOK).is_file():
        raise AgainError.missing(then.found.shown, ["the report's own notebook"])
    return nbformat.reads((folder / NOTEBOOK).read_text(encoding="utf-8"), as_version=4)


def _outputs(notebook: Any) -> list[str]:
    """What came out of each code cell, as one text."""
    return [canonical_json(cell["outputs"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def _compared(then: Sequence[str], now: Sequence[str]) -> str:
    others = [number for number, (a, b) in enumerate(zip(then, now, strict=False), 1) if a != b]
    if not others and len(then) == len(now):
        return "every cell gave the same bytes as then"
    shown = ", ".join(map(str, others[:10])) or "their number"
    return f"{len(others)} of {len(now)} cells gave something else than then: {shown}"


def _page(then: Reproduction, notebook: Any, message: str) -> str:
    from workflows.notebooks.facts import PageFacts, sections, summary
    from workflows.notebooks.html import render

    record = json.loads(then.found.record.to_json())
    facts = PageFacts(
        title=f"again: {then.notebook.stem} · {then.found.date}",
        state="made",
        shows_code=False,
        summary=summary(record),
        banner=[f"Made again exactly as then: {message}."],
        sections=sections(record),
    )
    return render(notebook, then.folder, facts, hidden=MIME)
