"""The difference of two results as a page that opens without a network."""

from __future__ import annotations

import base64
import json
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import TextLexer, get_lexer_for_filename
from pygments.util import ClassNotFound

from workflows import notebooks
from workflows.answers.figures import Figure
from workflows.answers.texts import TextChange
from workflows.errors import PathError
from workflows.evaluation.changes import row_name
from workflows.notebooks.facts import summary

if TYPE_CHECKING:
    from workflows.answers.diff import Difference

_FOLDER = Path(__file__).parent / "page"
_REPORT_STYLE = Path(notebooks.__file__).parent / "page" / "page.css"
_KINDS = {"+": "added", "-": "removed", "@": "place"}
_FORMATTER = HtmlFormatter(nowrap=True)


def write_page(found: Difference, path: Path) -> None:
    """Write the page beside its place and move it there; raises PathError where that is refused."""
    text = page(found)
    try:
        handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=".parcours-")
        beside = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            beside.chmod(0o644)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise PathError.not_writable(str(path), f"cannot be written ({error.strerror})") from error


def page(found: Difference) -> str:
    """The page's text."""
    sides = [
        (side, path, summary(record.as_record()))
        for side, path, record in zip("AB", found.paths, found.records, strict=True)
    ]
    return str(_template().render(found=found, sides=sides, style=_style(), dark=_dark()))


@cache
def _template() -> Any:
    environment = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(coloured=coloured, embedded=_embedded, row=row_name, value=_value)
    return environment.get_template("diff.html.j2")


def _style() -> Markup:
    highlighting = HtmlFormatter(style="default").get_style_defs(".source")
    parts = (_REPORT_STYLE.read_text("utf-8"), highlighting, (_FOLDER / "diff.css").read_text("utf-8"))
    return Markup("\n".join(parts))  # noqa: S704 - the style sheets are this project's own


def _dark() -> Markup:
    return Markup(HtmlFormatter(style="github-dark").get_style_defs(".source"))  # noqa: S704 - made by pygments


def coloured(change: TextChange) -> list[tuple[str, str, Markup]]:
    """The lines of a change: what became of it, its sign, and its text in colours."""
    lexer = _lexer(change)
    return [
        (_KINDS.get(line[:1], "kept"), line[:1] if line[:1] in "+-" else " ", Markup(_line(line, lexer)))  # noqa: S704
        for line in change.lines
    ]


def _line(line: str, lexer: Lexer) -> str:
    if line.startswith("@"):
        return "⋯"
    return str(highlight(line[1:], lexer, _FORMATTER)).rstrip("\n")


def _lexer(change: TextChange) -> Lexer:
    name = change.file
    if name.endswith(".ipynb"):
        name = "cell.md" if change.name.startswith("text cell") else "cell.py"
    try:
        found: Lexer = get_lexer_for_filename(name, stripnl=False)
    except ClassNotFound:
        found = TextLexer(stripnl=False)
    return found


def _embedded(figure: Figure) -> str:
    """A picture as an address that holds it."""
    data = base64.b64encode(figure.data.encode()).decode() if figure.kind == "image/svg+xml" else figure.data
    return f"data:{figure.kind};base64,{data}"


def _value(value: Any) -> str:
    """A value for people."""
    if value is None:
        return "–"
    return f"{value:.6g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value)
