"""The templates' health: what checks say of them, code that was copied, slow cells, and tests that tell nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template

from workflows import settings
from workflows.answers.checks_over_time import ChecksOverTime, checks_over_time
from workflows.answers.found import store
from workflows.answers.past_reports import Place, key_of, past_reports
from workflows.answers.slow_cells import SlowCells, slow_cells
from workflows.identity.memo import Memo
from workflows.notebooks.template import Templates
from workflows.settings import Settings
from workflows.store.listing import Entry, Filter
from workflows.store.timing import duration
from workflows.web.health.standing import Kept, Standing, state_of
from workflows.web.people.person import require

pages = Blueprint("health", __name__)

LAST = 20
"""How many reports of a template are looked at."""
_SLOWEST = 3
"""How many cells are named."""
_WORDS = ("check", "repeats")
"""The questions that load the project's code."""


@dataclass(frozen=True)
class Health:
    """One template."""

    name: str
    check: Mapping[str, Any] | None
    """What `parcours check` found; None where that is not known."""
    repeats: Sequence[Mapping[str, Any]]
    """The copied code that it has a part in."""
    slow: SlowCells
    checks: ChecksOverTime
    made: Entry | None
    """The last report that was made."""
    failed: Entry | None
    """The last report that failed."""

    @property
    def is_failing(self) -> bool:
        """Whether it failed last."""
        return self.failed is not None and (self.made is None or self.failed.started > self.made.started)

    @property
    def word(self) -> str:
        """Its state in a word."""
        if self.check is None:
            return "not checked"
        return "fine" if self.check["fine"] else "wrong"


_TO_MEND: Sequence[tuple[str, Callable[[Health], bool]]] = (
    ("wrong", lambda one: one.word == "wrong"),
    ("failed last", lambda one: one.is_failing),
    ("with a check that always fails", lambda one: bool(one.checks.always_failed)),
    ("with copied code", lambda one: bool(one.repeats)),
)


@pages.get("/health")
def health() -> str:
    """Every template, and what is wrong with the pipelines and suites."""
    found = settings.load()
    state = state_of(found)
    kept = {word: question.kept() for word, question in _questions(found).items()}
    for word, question in _questions(found).items():
        last = kept[word]
        if last is None or last.state != state:
            question.ask(state)
    checks, repeats = _answer(kept["check"]) or [], (_answer(kept["repeats"]) or {}).get("repeats", [])
    templates = _templates(found, checks, repeats)
    return render_template(
        "health.html",
        templates=templates,
        summary=[(words, [one for one in templates if is_so(one)]) for words, is_so in _TO_MEND],
        others=[one for one in checks if one["kind"] != "template"],
        check=kept["check"],
        is_asking=any(question.is_being_asked() for question in _questions(found).values()),
        slowest=_SLOWEST,
        duration=duration,
    )


@pages.get("/health/state")
def state() -> Response:
    """Whether the questions are being asked, for the script that waits for the answers."""
    return jsonify(asking=any(question.is_being_asked() for question in _questions(settings.load()).values()))


@pages.post("/health/check")
@require("runner")
def check_now() -> Any:
    """Ask again, whether anything seems to have changed or not."""
    found = settings.load()
    for question in _questions(found).values():
        question.ask(state_of(found))
    return redirect("/health", 303)


def _questions(found: Settings) -> dict[str, Standing]:
    return {word: Standing(found.web / "health", word) for word in _WORDS}


def _answer(kept: Kept | None) -> Any:
    return kept.reply.answer if kept else None


def _templates(found: Settings, checks: Sequence[Any], repeats: Sequence[Any]) -> list[Health]:
    memo = Memo(found.cache, "past-reports")
    checked = {one["name"]: one for one in checks if one["kind"] == "template"}
    places = {name: _places(name) for name in Templates(found.templates, Memo(found.cache, "templates")).names()}
    healths = []
    for name, own in places.items():
        past = past_reports(store(), own, memo)
        copied = [repeat for repeat in repeats if any(place.get("template") == name for place in repeat["places"])]
        made, failed = _last(name, "made"), _last(name, "failed")
        health = Health(name, checked.get(name), copied, slow_cells(past), checks_over_time(past), made, failed)
        healths.append(health)
    # Else it grows with every report that is ever made.
    memo.keep({key_of(place) for own in places.values() for place in own})
    memo.save()
    return healths


def _places(name: str) -> list[Place]:
    """The last reports of a template."""
    return [(one.path, one.started) for one in store().listing.page(Filter(template=name), limit=LAST).entries]


def _last(name: str, state: str) -> Entry | None:
    return next(iter(store().listing.page(Filter(template=name, state=state), limit=1).entries), None)
