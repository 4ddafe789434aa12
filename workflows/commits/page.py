"""The page of an evaluation, which opens without a network."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from workflows import notebooks
from workflows.evaluation import wording
from workflows.evaluation.changes import row_name
from workflows.evaluation.verdict import Evaluation
from workflows.store.address import REPORT

Read = Callable[[str], bytes | None]
"""Reads a file that lies beside the page, by its name; None where there is none."""

EMBEDDED = 6_000_000
"""Bytes of pictures that a page may hold; the others are links to the files beside it."""

_FOLDER = Path(__file__).parent / "page"
_REPORT_STYLE = Path(notebooks.__file__).parent / "page" / "page.css"
_TO_STORE = "../../.."
_KINDS = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"<svg": "image/svg+xml", b"<?xm": "image/svg+xml"}


def page(evaluation: Evaluation, read: Read) -> str:
    """The page's text, for its place in the store: `evaluations/<suite>/<state>/`."""
    text: str = _template().render(
        evaluation=evaluation,
        measures=wording.judged(evaluation),
        problems=_problems(evaluation),
        pictures=_Pictures(read),
        words=wording,
        style=_style(),
        record=_record(evaluation.as_json()),
    )
    # What of a commit's subject is no text would keep the page from being written.
    return text.encode("utf-8", "backslashreplace").decode()


def _problems(evaluation: Evaluation) -> list[str]:
    """What went wrong, where the headline does not say all of it."""
    runs = [found for found in (evaluation.run, evaluation.base_run) if found]
    said = dict.fromkeys([evaluation.problem, *(found.problem for found in runs)])
    return [problem for problem in said if problem and problem not in wording.headline(evaluation)]


class _Pictures:
    """The pictures of a page, as addresses that hold them, up to the size that a page may have."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._left = EMBEDDED

    def embedded(self, name: Any) -> str | None:
        """A picture's address; None where it is missing, no picture, or too much."""
        data = self._read(name) if isinstance(name, str) and name else None
        kind = next((kind for head, kind in _KINDS.items() if data and data.startswith(head)), None)
        if data is None or kind is None or len(data) > self._left:
            return None
        self._left -= len(data)
        return f"data:{kind};base64,{base64.b64encode(data).decode()}"


@cache
def _template() -> Any:
    environment = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(row=row_name, value=_value, report=_report, beside=_beside, kinds=kinds)
    return environment.get_template("evaluation.html.j2")


@cache
def _style() -> Markup:
    parts = (_REPORT_STYLE.read_text("utf-8"), (_FOLDER / "evaluation.css").read_text("utf-8"))
    return Markup("\n".join(parts))  # noqa: S704 - the style sheets are this project's own


def _record(record: Mapping[str, Any]) -> Markup:
    """JSON for a script element: no text in it can end the element."""
    return Markup(json.dumps(record, ensure_ascii=False).replace("<", "\\u003c"))  # noqa: S704


def _report(path: str) -> str:
    """The address of a report's page, by its folder in the store."""
    return f"{_TO_STORE}/{quote(path)}/{REPORT}"


def _beside(name: str) -> str:
    """The address of a file that lies beside the page."""
    return f"./{quote(name)}"


def _value(value: Any) -> str:
    """A value for people."""
    if value is None:
        return "–"
    return f"{value:.6g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value)


def kinds(lines: tuple[str, ...]) -> list[tuple[str, str]]:
    """Lines of causes with what they are: those of a difference begin with a sign."""
    return [({"+": "added", "-": "removed"}.get(line.strip()[:1], "kept"), line) for line in lines]
