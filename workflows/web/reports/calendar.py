"""The calendar: for each day of a month, the reports that are done, failed, under way or missing."""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, abort, render_template, request

from workflows import settings
from workflows.answers.found import store
from workflows.requests.queue import Requests
from workflows.requests.request import RUNNING, WAITING, Request
from workflows.store.listing import Entry, Filter
from workflows.web.titles import form_address, template_names

pages = Blueprint("calendar", __name__)
_MONTH = re.compile(r"(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])")
_MOST = 2_000
"""How many requests that have not ended are looked through."""
SIGNS = {"made": "✓", "failed": "✗", "running": "▸", "waiting": "…", "missing": "+"}
"""What a state is drawn as, so that it takes no colour to tell."""


@dataclass(frozen=True)
class Month:
    """A month of a year."""

    first: datetime.date

    @classmethod
    def of(cls, text: str) -> Month:
        """The month that an address names; 404 for anything else."""
        if not _MONTH.fullmatch(text):
            abort(404, "There is no such month; expected YYYY-MM, from 1900 to 2199.")
        return cls(datetime.date.fromisoformat(f"{text}-01"))

    @property
    def text(self) -> str:
        """As addresses have it."""
        return f"{self.first:%Y-%m}"

    @property
    def name(self) -> str:
        """As people have it."""
        return f"{calendar.month_name[self.first.month]} {self.first.year}"

    @property
    def days(self) -> list[datetime.date]:
        """Its days."""
        number = calendar.monthrange(self.first.year, self.first.month)[1]
        return [self.first + datetime.timedelta(days=day) for day in range(number)]

    @property
    def weeks(self) -> list[list[datetime.date | None]]:
        """Its days by weeks from Monday to Sunday; None before the first and after the last."""
        weeks = calendar.Calendar().monthdatescalendar(self.first.year, self.first.month)
        return [[day if day.month == self.first.month else None for day in week] for week in weeks]

    def beside(self, days: int) -> Month | None:
        """The month that a day lies in, so many before the first or after; None past the last that there is."""
        first = (self.first + datetime.timedelta(days=days)).replace(day=1)
        return Month(first) if _MONTH.fullmatch(f"{first:%Y-%m}") else None


@dataclass(frozen=True)
class Cell:
    """A day of a template."""

    date: datetime.date
    state: str
    """One of SIGNS, or nothing for a day that is yet to come."""
    address: str
    """Where it leads to."""

    @property
    def sign(self) -> str:
        """What it is drawn as."""
        return SIGNS.get(self.state, "")


@pages.get("/calendar")
def month() -> str:
    """A month of one template, or of all."""
    here, kept = template_names(), store().listing.templates()
    known = sorted({*here, *kept})
    template = request.args.get("template", "")
    if template and template not in known:
        abort(404, "There is no template and no report of that name.")
    found = Month.of(request.args["month"]) if request.args.get("month") else _newest(template)
    under_way = _under_way(found)
    rows = {name: _cells(name, found, under_way) for name in ([template] if template else known)}
    return render_template(
        "calendar.html", template=template, templates=known, here=set(here), month=found, rows=rows, signs=SIGNS
    )


def _newest(template: str) -> Month:
    """The month of the report that was made last, else this one."""
    entries = store().listing.page(Filter(template=template or None), limit=1).entries
    text = entries[0].date[:7] if entries else ""
    return Month.of(text) if _MONTH.fullmatch(text) else Month(_today().replace(day=1))


def _cells(template: str, month: Month, under_way: Mapping[tuple[str, str], Request]) -> dict[datetime.date, Cell]:
    days, today = month.days, _today()
    entries = store().listing.calendar(template, days[0].isoformat(), days[-1].isoformat())
    cells = {}
    for day in days:
        date = day.isoformat()
        asked = under_way.get((template, date))
        cells[day] = _cell(template, day, entries.get(date), asked, day > today)
    return cells


def _cell(template: str, day: datetime.date, entry: Entry | None, asked: Request | None, is_ahead: bool) -> Cell:
    if asked:
        return Cell(day, asked.state, f"/requests/{asked.id}")
    if entry:
        return Cell(day, entry.state, f"/reports/{entry.path}")
    return Cell(day, "" if is_ahead else "missing", form_address(template, day.isoformat()))


def _under_way(month: Month) -> dict[tuple[str, str], Request]:
    requests = Requests(settings.load().web).list(states=(RUNNING, WAITING), limit=_MOST)
    return {(asked.template, asked.date): asked for asked in requests if asked.date.startswith(month.text)}


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()
