"""What of the reports is shown: the filters in an address, and addresses with other filters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from workflows.store.listing import Filter
from workflows.web.places import is_date

STATES = ("made", "failed")
NAMES = ("words", "template", "date", "state", "person", "measure", "commit")
"""The filters, as addresses have them."""
_COMMIT = re.compile(r"[0-9a-f]{4,40}")
_LONGEST = 200


@dataclass(frozen=True)
class Chosen:
    """The filters of one address."""

    given: Mapping[str, str]
    """Those that are used, by name."""
    refused: tuple[str, ...]
    """What is wrong with the others, in sentences."""

    @classmethod
    def of(cls, arguments: Mapping[str, str]) -> Chosen:
        """The filters among the arguments of an address."""
        found = {name: arguments.get(name, "").strip()[:_LONGEST] for name in NAMES}
        found["commit"] = found["commit"].lower()
        refused = dict(_wrong(found))
        given = {name: value for name, value in found.items() if value and name not in refused}
        return cls(given, tuple(refused.values()))

    @property
    def filter(self) -> Filter:
        """The filters as the listing takes them."""
        return Filter(**self.given)

    @property
    def fields(self) -> dict[str, str]:
        """Those beside the words to search for."""
        return {name: value for name, value in self.given.items() if name != "words"}

    @property
    def query(self) -> str:
        """The filters as the query of an address."""
        return urlencode(self.given)

    def address(self, **others: str) -> str:
        """The address of the list with other filters instead; an empty one is left out."""
        query = urlencode({name: value for name, value in {**self.given, **others}.items() if value})
        return f"/?{query}" if query else "/"


def _wrong(found: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if found["date"] and not is_date(found["date"]):
        yield "date", f"The date '{found['date']}' is none; expected YYYY-MM-DD."
    if found["commit"] and not _COMMIT.fullmatch(found["commit"]):
        yield "commit", f"The commit '{found['commit']}' is none; expected its first four or more hex digits."
    if found["state"] and found["state"] not in STATES:
        yield "state", f"The state '{found['state']}' is none; expected one of {', '.join(STATES)}."
