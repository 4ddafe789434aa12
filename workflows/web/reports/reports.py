"""The list of reports: newest first, searched and filtered."""

from __future__ import annotations

import uuid

from flask import Blueprint, render_template, request

from workflows import settings
from workflows.answers.found import store
from workflows.requests.queue import Requests
from workflows.requests.request import RUNNING, WAITING, Request
from workflows.store.timing import duration
from workflows.web.reports.chosen import STATES, Chosen
from workflows.web.titles import title, values

pages = Blueprint("reports", __name__)
pages.add_app_template_filter(duration)
pages.add_app_template_global(title)
pages.add_app_template_global(values)
pages.add_app_template_global(lambda: uuid.uuid4().hex, "unique")
_AT_ONCE = 50
_UNDER_WAY = 8
"""How many requests that have not ended are shown above the reports."""


@pages.get("/")
def index() -> str:
    """The reports, newest first, and above them what is being made."""
    chosen, after = Chosen.of(request.args), request.args.get("after")
    listing = store().listing
    page = listing.page(chosen.filter, after, _AT_ONCE)
    return render_template(
        "reports.html",
        chosen=chosen,
        page=page,
        is_first=after is None,
        choices={
            "template": listing.templates(),
            "state": list(STATES),
            "person": listing.people(),
            "measure": listing.measures(chosen.given.get("template")),
        },
        commits=[commit[:7] for commit in listing.commits(20)],
        under_way=_under_way(chosen) if after is None else [],
    )


def _under_way(chosen: Chosen) -> list[Request]:
    wanted = {name: chosen.given.get(name) for name in ("template", "date", "person")}
    return Requests(settings.load().web).list(states=(RUNNING, WAITING), limit=_UNDER_WAY + 1, **wanted)
