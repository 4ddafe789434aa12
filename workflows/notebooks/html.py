"""Executed notebooks as HTML pages that open without a network."""

from __future__ import annotations

import json
from functools import cache, lru_cache
from importlib.metadata import files
from pathlib import Path
from typing import Any

import latex2mathml.converter
import nbformat
from jinja2 import pass_context
from jupyter_core.paths import ENV_JUPYTER_PATH
from nbconvert import HTMLExporter
from nbconvert.exporters.templateexporter import TemplateExporter
from nbconvert.filters import Highlight2HTML, clean_html
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.filters.widgetsdatatypefilter import WidgetsDataTypeFilter
from pygments.formatters import HtmlFormatter
from traitlets.config import Config

from workflows.notebooks.contained import contained, described
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
    resources["record"] = f"{_RECORD}{_embedded_json(facts.record)}</script>"
    return str(_exporter().from_notebook_node(notebook, resources=resources)[0])


def prepare() -> None:
    """Make ahead what every page needs, so that the first of a process waits for nothing else."""
    cells = [nbformat.v4.new_markdown_cell("text"), nbformat.v4.new_code_cell("0")]
    render(nbformat.v4.new_notebook(cells=cells), _FOLDER, PageFacts("", "", False), "")


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
            # Once, and not again before and after every step.
            "Exporter": {"optimistic_validation": True},
            "TagRemovePreprocessor": {
                "enabled": True,
                "remove_cell_tags": {"remove-cell"},
                "remove_all_outputs_tags": {"remove-output"},
                "remove_input_tags": {"remove-input"},
            },
        }
    )
    exporter = _PageExporter(
        config=config,
        template_name="page",
        extra_template_basedirs=[str(_FOLDER)],
        template_data_paths=[str(_installed() / "nbconvert" / "templates")],
    )
    filters = {
        # Reports of a template have the same code, whose colours and cleaning would take a third of a page's time.
        "highlight_code": lambda source, metadata: _highlighted(source, metadata.get("magics_language")),
        "clean_html": lru_cache(maxsize=1024)(clean_html),
        "contained": contained,
        "described": described,
        "mathml": lambda text: _mathml(text.strip("$ \n"), "block"),
    }
    for name, function in filters.items():
        exporter.register_filter(name, function)
    return exporter


@cache
def _installed() -> Path:
    """Jupyter's folder into which nbconvert has installed its templates."""
    base = "nbconvert/templates/classic/base.html.j2"
    found = [file for file in files("nbconvert") or () if file.as_posix().endswith(base)]
    return Path(str(found[0].locate())).resolve().parents[3] if found else Path(ENV_JUPYTER_PATH[0])


@lru_cache(maxsize=1024)
def _highlighted(source: str, language: str | None) -> str:
    highlight = Highlight2HTML(pygments_lexer="ipython3", parent=_exporter())
    return str(highlight(source, metadata={"magics_language": language} if language else {}))


class _PageExporter(HTMLExporter):
    """nbconvert's exporter with formulas as MathML, which browsers draw by themselves."""

    def from_notebook_node(
        self, nb: Any, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[Any, dict[str, Any]]:
        """The page as its template makes it: nbconvert's own would read and write it as a whole again, which takes as long."""
        known = self._init_resources(resources)
        types = WidgetsDataTypeFilter(notebook_metadata=nb.metadata, parent=self, resources=known)
        self.register_filter("filter_data_type", types)
        return TemplateExporter.from_notebook_node(self, nb, known, **kw)

    def get_prefix_root_dirs(self) -> list[str]:
        """Where templates lie: what users have put into folders of their own must not change the pages."""
        return [str(_installed())]

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        folder, attachments = context["resources"]["metadata"]["path"], context.get("cell", {}).get("attachments", {})
        # Reports of a template have the same texts; a picture beside them may change.
        may_change = attachments or "![" in source or "<img" in source
        return _read(source, folder, attachments) if may_change else _from_text(source)


@lru_cache(maxsize=1024)
def _from_text(source: str) -> str:
    return _read(source, "", {})


def _read(source: str, folder: str, attachments: dict[str, Any]) -> str:
    renderer = _Renderer(
        escape=False, attachments=attachments, embed_images=True, path=folder, exclude_anchor_links=True
    )
    return contained(str(MarkdownWithMath(renderer=renderer).render(source)))


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
