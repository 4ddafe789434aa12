"""Executed notebooks as pages: whole without a network, and nobody's text becomes markup where it should not."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest

from workflows.evaluation.measures import MIME, Measure
from workflows.notebooks import html
from workflows.notebooks.facts import PageFacts, input_lines, sections, summary
from workflows.notebooks.html import content, render

pytestmark = pytest.mark.integration

GOLD = Path(__file__).parent / "gold" / "page.html"
PIXEL = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
        "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
    )
).decode()
RECORD: dict[str, Any] = {
    "format": 1,
    "task": "ReportTask",
    "version": "0123456789abcdef" * 4,
    "parameters": {"date": "2020-01-01", "template": "small"},
    "code": {"digest": "c" * 64, "files": {"acme.py": "f" * 64}, "commit": "abcdef1234" * 4, "dirty": True},
    "environment": {"python": "3.11.7", "packages": {"pandas": "3.0"}},
    "inputs": [{"task": "Cleaned", "date": "2020-01-01", "version": "e" * 64, "digest": "d" * 64}],
    "template": {"name": "small", "digest": "a" * 64, "values": {"factor": 2.0, "note": "", "who": "Zoë"}},
    "outputs": {},
    "reused_from": None,
    "started": "2020-01-02T03:04:05.678+00:00",
    "seconds": 1.25,
    "host": "here",
    "user": "me",
    "task_id": "ReportTask_x",
}
FACTS = PageFacts(
    title="A day · 2020-01-01",
    state="made",
    shows_code=False,
    summary=summary(RECORD),
    sections=sections(RECORD),
    measures=[("late", "0.12 (lower is better)")],
    record=RECORD,
)


class Page(HTMLParser):
    """What a browser would find on a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._open.append(tag)

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts.setdefault(self._open[-1], []).append(data)

    @property
    def addresses(self) -> list[str]:
        """Everything that the browser would load."""
        return [
            value
            for tag, attributes in self.tags
            for name, value in attributes.items()
            if (name in ("src", "data", "srcset", "poster") or (name == "href" and tag == "link"))
        ] + re.findall(r"(?:url\(|@import)\s*['\"]?([^'\")\s]+)", self.html)


def code(source: str, *outputs: dict[str, Any], tags: list[str] | None = None) -> Any:
    made = [nbformat.v4.new_output(**output) for output in outputs]
    cell = nbformat.v4.new_code_cell(source, outputs=made, execution_count=1)
    cell.metadata.tags = tags or []
    return cell


def text(source: str, **more: Any) -> Any:
    return nbformat.v4.new_markdown_cell(source, **more)


def shown(data: dict[str, Any]) -> dict[str, Any]:
    return {"output_type": "display_data", "data": data}


def page(*cells: Any, folder: Path = Path(), facts: PageFacts = FACTS) -> Page:
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    return Page(render(nbformat.v4.new_notebook(cells=list(cells)), folder, facts, hidden=MIME))


def everything() -> list[Any]:
    """A small notebook with each kind of thing that a page shows."""
    return [
        text("# A day\n\nIt was $x^2$ and\n\n$$\\frac{a}{b}$$\n\n| a | b |\n| - | - |\n| 1 | 2 |"),
        code("x = 1  # <one> & 'two'", shown({"text/plain": "<Figure>", "image/png": PIXEL})),
        code(
            "print(x)",
            {"output_type": "stream", "name": "stdout", "text": "1 < 2\n"},
            {"output_type": "stream", "name": "stderr", "text": "careful\n"},
            {"output_type": "execute_result", "execution_count": 2, "data": {"text/html": "<b>bold</b>", "text/plain": "bold"}},
        ),
        code("measure('late', 0.12)", shown(Measure("late", 0.12, "1", "lower")._repr_mimebundle_())),
        code("1 / 0", {"output_type": "error", "ename": "ZeroDivisionError", "evalue": "no", "traceback": ["\x1b[31mZeroDivisionError\x1b[0m: <no>"]}),
    ]  # fmt: skip


def test_the_page_is_the_gold_file() -> None:
    """Where the page is meant to look otherwise: delete the gold file, run this test, and read the difference."""
    styles = re.compile(r"<style>.*?</style>", re.DOTALL)
    found = styles.sub("<style></style>", page(*everything()).html)
    if not GOLD.exists():
        GOLD.parent.mkdir(exist_ok=True)
        GOLD.write_text(found, encoding="utf-8")
        pytest.fail(f"there was no {GOLD}; it was written")
    assert found == GOLD.read_text(encoding="utf-8")


def test_the_same_notebook_gives_the_same_bytes() -> None:
    assert page(*everything()).html == page(*everything()).html


def test_the_page_loads_nothing_from_elsewhere() -> None:
    found = page(*everything())
    assert found.addresses
    assert all(address.startswith("data:") for address in found.addresses)
    assert [tag for tag, _ in found.tags if tag in ("iframe", "object", "embed")] == []


def test_the_page_forbids_itself_to_load_anything() -> None:
    policies = [
        a["content"] for tag, a in page().tags if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert len(policies) == 1
    assert policies[0].startswith("default-src 'none';")
    assert "http" not in policies[0]


def test_pictures_beside_the_notebook_are_embedded(tmp_path: Path) -> None:
    (tmp_path / "pixel.png").write_bytes(base64.b64decode(PIXEL))
    pictures = [a for tag, a in page(text("![a pixel](pixel.png)"), folder=tmp_path).tags if tag == "img"]
    assert pictures[0]["src"].replace("\n", "") == f"data:image/png;base64,{PIXEL}"
    assert pictures[0]["alt"] == "a pixel"


def test_pictures_attached_to_a_cell_are_embedded() -> None:
    cell = text("![a pixel](attachment:pixel.png)", attachments={"pixel.png": {"image/png": PIXEL}})
    assert [a["src"] for tag, a in page(cell).tags if tag == "img"] == [f"data:image/png;base64,{PIXEL}"]


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg"])
def test_pictures_of_outputs_are_embedded(kind: str) -> None:
    found = page(code("plot()", shown({kind: PIXEL, "text/plain": "<Figure>"})))
    assert [a["src"].replace("\n", "") for tag, a in found.tags if tag == "img"] == [f"data:{kind};base64,{PIXEL}"]


def test_drawings_are_part_of_the_page() -> None:
    found = page(code("draw()", shown({"image/svg+xml": "<svg><circle r='3'/></svg>"})))
    assert "svg" in [tag for tag, _ in found.tags] or any("svg" in address for address in found.addresses)


def test_formulas_are_mathml() -> None:
    found = page(text("$x^2$\n\n$$y_1$$\n\n\\begin{equation}z\\end{equation}"), code("f", shown({"text/latex": "$w$"})))
    assert [a["display"] for tag, a in found.tags if tag == "math"] == ["inline", "block", "block", "block"]
    assert "MathJax" not in found.html


@pytest.mark.parametrize(
    "formula", ["a<b", "\\frac{<b>x</b>", "\\unknown{<script>alert(1)</script>}", "\\frac{", "a & b", "}{"]
)
def test_a_formula_never_becomes_markup(formula: str) -> None:
    found = page(text(f"It is ${formula}$."), code("f", shown({"text/latex": f"${formula}$"})))
    assert "script" not in [tag for tag, attributes in found.tags if "id" not in attributes]
    assert "b" not in [tag for tag, _ in found.tags]


@pytest.mark.parametrize("shows", [True, False])
def test_code_is_hidden_or_shown_and_can_be_toggled(shows: bool) -> None:
    found = page(code("x = 1"), facts=replace(FACTS, shows_code=shows))
    boxes = [attributes for tag, attributes in found.tags if tag == "input"]
    assert [("checked" in box, box["id"]) for box in boxes] == [(shows, "show-code")]
    assert "x" in "".join(part for parts in found.texts.values() for part in parts)


def test_tags_keep_cells_inputs_and_outputs_off_the_page() -> None:
    out = {"output_type": "stream", "name": "stdout", "text": "printed"}
    html = page(
        code("in_one", out, tags=["remove-input"]), code("in_two", out, tags=["remove-cell"]), code("in_three", out, tags=["remove-output"])
    ).html  # fmt: skip
    assert [word in html for word in ("in_one", "in_two", "in_three")] == [False, False, True]
    assert html.count("printed") == 1


def test_measures_are_listed_once_and_not_in_the_body() -> None:
    found = page(code("m", shown(Measure("late", 0.12, "1", "lower")._repr_mimebundle_())))
    assert found.html.count("0.12") == 1
    assert "application/vnd.parcours" not in found.html
    assert "0.12 (lower is better)" in found.texts["td"]


def test_the_record_is_embedded_as_it_is() -> None:
    found = page()
    embedded = re.findall(r'<script type="application/json" id="provenance">(.*?)</script>', found.html, re.DOTALL)
    assert [json.loads(text) for text in embedded] == [RECORD]


EVIL = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "'\"><script>alert(1)</script>",
    "<!--<script>",
    "]]>",
    "&lt;b&gt;",
    "\u2028\u2029",
]


@pytest.mark.parametrize("evil", EVIL)
def test_no_text_of_the_record_becomes_markup(evil: str) -> None:
    record = {
        **RECORD, "user": evil, "host": evil, "parameters": {evil: evil}, "environment": {"python": evil, "packages": {evil: evil}},
        "template": {"name": evil, "digest": evil, "values": {evil: evil, "x": [evil]}}, "inputs": [{**RECORD["inputs"][0], "task": evil}],
        "code": {**RECORD["code"], "files": {evil: evil}},
    }  # fmt: skip
    facts = PageFacts(evil, "failed", False, summary(record), [evil, evil], sections(record), [(evil, evil)], record)
    found = page(facts=facts)
    assert [attributes for tag, attributes in found.tags if tag == "script"] == [
        {"type": "application/json", "id": "provenance"}
    ]
    assert "img" not in [tag for tag, _ in found.tags]
    assert "".join(found.texts["title"]).removesuffix("\n") == evil
    embedded = found.html.partition('id="provenance">')[2].partition("</script>")[0]
    assert json.loads(embedded) == record


def test_printed_text_and_code_never_become_markup() -> None:
    evil = "<script>alert(1)</script>"
    found = page(
        code(evil, {"output_type": "stream", "name": "stdout", "text": evil}, {"output_type": "stream", "name": "stderr", "text": evil}),
        code("x", {"output_type": "execute_result", "execution_count": 1, "data": {"text/plain": evil}}),
        code("y", {"output_type": "error", "ename": evil, "evalue": evil, "traceback": [evil]}),
    )  # fmt: skip
    assert [attributes for tag, attributes in found.tags if tag == "script"] == [
        {"type": "application/json", "id": "provenance"}
    ]


def test_a_failed_cell_is_marked_and_its_traceback_coloured() -> None:
    html = page(everything()[-1]).html
    assert "This cell failed." in html
    assert "\x1b" not in html
    assert re.search(r'<span class="ansi-red-fg">ZeroDivisionError</span>: &lt;no&gt;', html)


def test_a_failure_is_said_above_the_notebook() -> None:
    found = page(facts=replace(FACTS, state="failed", banner=["it failed <here>", "x = 1", "again: luigi"]))
    assert "it failed <here>" in "".join(found.texts["p"])
    assert "x = 1\nagain: luigi" in "".join(found.texts["pre"])


def test_only_a_growing_page_refreshes_itself() -> None:
    for state, refreshes in (("running", True), ("made", False), ("failed", False)):
        found = page(facts=replace(FACTS, state=state))
        assert any(a.get("http-equiv") == "refresh" for tag, a in found.tags if tag == "meta") is refreshes


def test_a_notebook_whose_text_closes_the_page_still_has_its_record() -> None:
    found = page(text("</body></html>"), code("x", shown({"text/html": "</body>"})))
    assert found.html.count('id="provenance"') == 1


def test_the_summary_says_when_who_where_how_long_and_from_what() -> None:
    assert (
        summary(RECORD)
        == "Made 2020-01-02 03:04 UTC by me on here in 1.2 s, commit abcdef1 (with uncommitted changes), version 0123456789abcdef"
    )
    clean = {**RECORD, "code": {**RECORD["code"], "commit": None}}
    assert ", no commit, " in summary(clean)
    assert "in 1.2 s, asked for by zoë, commit" in summary({**RECORD, "requested": {"by": "zoë", "request": "r"}})


def test_inputs_of_many_days_are_one_line() -> None:
    inputs = [{"task": "Flights", "date": f"2020-01-0{n}", "version": "e" * 64} for n in (1, 2, 3)]
    assert input_lines(inputs) == [("Flights x3", "2020-01-01 .. 2020-01-03")]
    assert input_lines(inputs[:1]) == [("Flights", f"2020-01-01, version {'e' * 16}")]


def other_record(**changes: Any) -> PageFacts:
    record = {**RECORD, "version": "f" * 64, "host": "there", "started": "2021-01-02T03:04:05.678+00:00", **changes}
    return replace(FACTS, summary=summary(record), sections=sections(record), record=record)


def test_the_content_of_a_page_does_not_say_how_it_came_to_be() -> None:
    cells = [text("# Title"), code("1", shown({"text/plain": "one"}))]
    here, there = page(*cells).html, page(*cells, facts=other_record()).html
    assert here != there
    assert content(here) == content(there)
    assert "0123456789abcdef" not in content(here)
    assert "one" in content(here)


def test_the_content_of_another_notebook_is_another() -> None:
    assert content(page(code("1")).html) != content(page(code("2")).html)


def test_what_looks_like_the_panel_in_a_notebook_is_content() -> None:
    """The page's own parts are the last, whatever the notebook shows."""
    fake = '<footer id="how">mine</footer><script type="application/json" id="provenance">{}</script><span class="made">x</span>'
    cells = [code("1", shown({"text/html": fake})), code("2", shown({"text/plain": "after"}))]
    found = content(page(*cells).html)
    assert found == content(page(*cells, facts=other_record()).html)
    assert ">mine</footer>" in found
    assert ">after</pre>" in found
    assert "0123456789abcdef" not in found


def test_the_content_of_a_page_that_says_nothing_is_the_page() -> None:
    assert content("<p>plain</p>") == "<p>plain</p>"


def test_templates_of_the_users_own_change_no_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("classic", "page", "base"):
        folder = tmp_path / "nbconvert" / "templates" / name
        folder.mkdir(parents=True)
        for file in ("index.html.j2", "base.html.j2", "null.j2"):
            (folder / file).write_text("another page")
    before = page(*everything()).html
    for variable in ("JUPYTER_PATH", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_PATH"):
        monkeypatch.setenv(variable, str(tmp_path))
    html._exporter.cache_clear()
    assert page(*everything()).html == before
    html._exporter.cache_clear()


def test_the_first_page_is_made_ready_without_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    html._exporter.cache_clear()
    html.prepare()
    assert html._exporter.cache_info().currsize == 1
    assert "<main>" in page(*everything()).html
