"""Executed notebooks as HTML pages that open without a network."""

from __future__ import annotations

import json
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import latex2mathml.converter
from jinja2 import pass_context
from nbconvert import HTMLExporter
from nbconvert.filters import clean_html
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments.formatters import HtmlFormatter
from traitlets.config import Config

from workflows.notebooks.facts import PageFacts

_FOLDER = Path(__file__).parent
_SUMMARY = '<span class="made">'
_PANEL = '<footer id="how">'
_RECORD = '<script type="application/json" id="provenance">'
# The first of these that an output offers is shown; nothing here needs a script from elsewhere.
_SHOWN = [
    "text/html",
    "text/markdown",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "text/latex",
    "application/javascript",
    "text/plain",
]


def render(notebook: Any, folder: Path, facts: PageFacts, hidden: str) -> str:
    """The page of an executed notebook.

    `folder` is where the pictures of text cells lie, which are embedded; outputs that offer the type `hidden` (the
    measures) are left out, because the page lists them.
    """
    resources = {"metadata": {"path": str(folder), "name": facts.title}, "facts": facts, "hidden": hidden, **_fixed()}
    page, end, rest = _exporter().from_notebook_node(notebook, resources=resources)[0].rpartition("</body>")
    # After nbconvert, which writes every element anew in its own way.
    record = f"{_RECORD}{_embedded_json(facts.record)}</script>"
    return f"{page}{record}\n{end}{rest}"


def content(page: str) -> str:
    """A page without what says how it came to be: the embedded record and the panel drawn from it.

    Equal results have equal content, whoever made them and when.
    """
    head, summary, rest = page.partition(_SUMMARY)
    page = head + summary + rest[rest.find("</span>") :] if summary else page
    for begin, end in ((_PANEL, "</footer>"), (_RECORD, "</script>")):
        # The last of each is the page's own: what stands before is the notebook's, which may say anything.
        before, found, after = page.rpartition(begin)
        page = before + after.partition(end)[2] if found else page
    return page


def with_record(page: str, record: dict[str, Any]) -> str:
    """A page with another record embedded, whose time counts the drawing of the page too."""
    before, begin, after = page.rpartition(_RECORD)
    return f"{before}{begin}{_embedded_json(record)}{after[after.index('</script>') :]}"


@cache
def _fixed() -> dict[str, Any]:
    """What is the same on every page."""
    return {
        "style": (_FOLDER / "page" / "page.css").read_text(encoding="utf-8"),
        "highlighting": HtmlFormatter(style="default").get_style_defs(".highlight"),
    }


@cache
def _exporter() -> HTMLExporter:
    config = Config(
        {
            "NbConvertBase": {"display_data_priority": _SHOWN},
            "TagRemovePreprocessor": {
                "enabled": True,
                "remove_cell_tags": {"remove-cell"},
                "remove_all_outputs_tags": {"remove-output"},
                "remove_input_tags": {"remove-input"},
            },
        }
    )
    exporter = _PageExporter(config=config, template_name="page", extra_template_basedirs=[str(_FOLDER)])
    # Reports of a template have the same code, whose cleaning takes a third of a page's time.
    exporter.register_filter("clean_html", lru_cache(maxsize=1024)(clean_html))
    exporter.register_filter("mathml", lambda text: _mathml(text.strip("$ \n"), "block"))
    return exporter


class _PageExporter(HTMLExporter):
    """nbconvert's exporter with formulas as MathML, which browsers draw by themselves."""

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        renderer = _Renderer(
            escape=False,
            attachments=context.get("cell", {}).get("attachments", {}),
            embed_images=True,
            path=context["resources"]["metadata"]["path"],
            exclude_anchor_links=True,
        )
        return str(MarkdownWithMath(renderer=renderer).render(source))


class _Renderer(IPythonRenderer):
    """Markdown with formulas as MathML."""

    def block_math(self, body: str) -> str:
        return _mathml(body, "block")

    def inline_math(self, body: str) -> str:
        return _mathml(body, "inline")

    def latex_environment(self, name: str, body: str) -> str:
        return _mathml(f"\\begin{{{name}}}{body}\\end{{{name}}}", "block")


def _mathml(formula: str, display: str) -> str:
    try:
        return str(latex2mathml.converter.convert(formula, display=display))
    except Exception:  # the converter raises whatever a formula makes it trip over; the formula's own text still reads
        return f"<code>{formula}</code>"


def _embedded_json(record: dict[str, Any]) -> str:
    """JSON for a script element: no text in it can end the element."""
    return json.dumps(record, ensure_ascii=False).replace("<", "\\u003c")
