"""What people read of a report: its template's title, its values, how long it took."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from workflows import settings
from workflows.errors import TemplateError
from workflows.identity.canonical import canonical_json
from workflows.identity.memo import Memo
from workflows.notebooks.template import Templates
from workflows.web.starting.fields import NOTHING


def template_names() -> list[str]:
    """The templates in the folder."""
    return _templates(settings.load().templates).names()


def title(template: str) -> str:
    """The first heading of a template; nothing where it has none, or cannot be read."""
    folder = settings.load().templates
    try:
        changed = (folder / f"{template}.ipynb").stat().st_mtime_ns
    except (OSError, ValueError):
        return ""
    return _title(folder, template, changed)


def values(parameters: str) -> dict[str, str]:
    """Values as JSON, each as people write it."""
    return {name: _written(value) for name, value in json_object(parameters).items()}


def form_address(template: str, date: str, parameters: str = "{}") -> str:
    """The address of the form that starts a report, filled in."""
    given = {"date": date, **values(parameters)}
    given |= {f"{name}{NOTHING}": "1" for name, value in json_object(parameters).items() if value is None}
    return f"/templates/{template}?{urlencode(given)}"


@functools.lru_cache(maxsize=1024)
def _title(folder: Path, template: str, changed: int) -> str:
    """The title as of a change of the file."""
    try:
        found = _templates(folder).read(template)
    except TemplateError:
        return ""
    return found.title if found.title != template else ""


def _templates(folder: Path) -> Templates:
    return Templates(folder, Memo(settings.load().cache, "unsaved"))


def json_object(text: str) -> dict[str, Any]:
    """The object in a JSON text; an empty one where there is none."""
    try:
        found = json.loads(text)
        # What is no number is JSON to Python, and to nobody else.
        canonical_json(found)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
