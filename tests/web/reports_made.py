"""Reports really made, for the tests of the pages about them: among them hostile ones, and one that failed."""

from __future__ import annotations

import html.parser
import subprocess
from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>'
_PARAMETERS = """import datetime
date: datetime.date = datetime.date(2020, 1, 1)
cleaned: "Cleaned" = "samples/cleaned.parquet"
note: str = "calm"
fails: bool = False
"""


def make_reports(place: Any) -> None:
    """Two days of `small`, one of them with another factor, and a hostile template that is made, and fails."""
    hostile = [
        _PARAMETERS,
        f"from workflows import measure\nmeasure({HOSTILE!r}, 1)",
        "if fails: raise ValueError(note)",
    ]
    place.template("hostile", *hostile)
    for words in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "First"],
    ):
        subprocess.run(["git", *words], cwd=place.folder, check=True)
    days = ["--start", "2020-01-01", "--stop", "2020-01-02"]
    done = place.run("luigi", "--module", "workflows", "Backfill", *days, "--template", "small", "--local-scheduler")
    assert done.code == 0, done.err
    assert place.report("small", "2020-01-01", "--parameters", '{"factor": 3}').code == 0
    note = HOSTILE.replace('"', '\\"')
    assert place.report("hostile", "2020-01-02", "--parameters", f'{{"note": "{note}"}}').code == 0
    assert place.report("hostile", "2020-01-01", "--parameters", f'{{"note": "{note}", "fails": true}}').code == 30


@dataclass
class Seen(html.parser.HTMLParser):
    """What a page is made of."""

    links: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @classmethod
    def of(cls, text: str) -> Seen:
        """A page, read."""
        seen = cls()
        html.parser.HTMLParser.__init__(seen)
        seen.feed(text)
        return seen

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Keep an element."""
        found = {name: value or "" for name, value in attributes}
        self.tags.append((tag, found))
        self.links += [found["href"]] if tag == "a" and "href" in found else []
        self.ids |= {found["id"]} if "id" in found else set()

    def values(self, name: str) -> list[str]:
        """The values of the inputs of a name."""
        return [found.get("value", "") for tag, found in self.tags if tag == "input" and found.get("name") == name]


def see(client: FlaskClient, address: str, code: int = 200) -> Seen:
    """A page, which must be answered with this code."""
    answer = client.get(address)
    assert answer.status_code == code, answer.text
    return Seen.of(answer.text)


def send(client: FlaskClient, address: str, **fields: Any) -> Any:
    """Send a form as the list of reports would."""
    token = see(client, "/").values("csrf_token")[0]
    return client.post(address, data={"csrf_token": token, **fields})


def paths(client: FlaskClient, query: str = "") -> list[str]:
    """The reports that the list shows, in order."""
    return see(client, f"/{query}").values("path")
