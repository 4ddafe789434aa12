"""The page of a comparison."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from stages import CLEANED

from workflows.answers.diff import Difference
from workflows.answers.diff import diff as diff_of
from workflows.answers.diff_page import page, write_page
from workflows.answers.figures import Figure, FigureChange, Shown
from workflows.answers.texts import TextChange
from workflows.errors import PathError
from workflows.evaluation.changes import MeasureChange
from workflows.identity.changes import ValueChange

pytestmark = pytest.mark.integration

DAY = datetime.date(2020, 1, 1)
VOID = {"meta", "link", "br", "img", "input", "hr"}
EVIL = "</code><script>alert(1)</script>&<img src='http://evil.example/x.png'>"


def diff(a: Path, b: Path, page: Path | None = None) -> Difference:
    """The difference of what lies at two paths."""
    return diff_of(str(a), str(b), page)


class Balanced(HTMLParser):
    """Fails where an element is closed that is not open; notes every address."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def found(pipeline: Any) -> Difference:
    """The difference of two tables with other code, data and parameters."""
    paths = []
    for source, factor in ((CLEANED, 2.0), (CLEANED.replace("* self.factor", "* self.factor  + 1"), 3.0)):
        task = pipeline.load(source).Cleaned(date=DAY, factor=factor)
        assert pipeline.build(task)
        paths.append(pipeline.files(task))
        pipeline.change("INSERT INTO events VALUES (9, '2020-01-01', 'c', 7.0)" if len(paths) == 1 else "SELECT 1")
    return diff(*paths)


@pytest.fixture
def full(found: Difference) -> Difference:
    """The same with everything that a page can show, all of it hostile."""
    text = TextChange(EVIL, "a.sql", "changed", ("@@ -1 +1 @@", f"-{EVIL}", "+SELECT 1", " kept"))
    cell = TextChange("text cell 1", f"{EVIL}.ipynb", "changed", ("-# A", "+# B"))
    svg, png = Figure("image/svg+xml", f"<svg><text>{EVIL}</text></svg>"), Figure("image/png", "iVBORw0KGgo=")
    figures = (FigureChange("cell 1", svg, png), FigureChange("cell 2", png, png), FigureChange(EVIL, None, svg))
    step = replace(found.steps[-1], code=(text,), template=(cell,), environment=(ValueChange(EVIL, EVIL, None),))
    measures = (MeasureChange(EVIL, 1, 2, EVIL, "lower"), MeasureChange("late", 1.0, 1.0, "1", None))
    return replace(
        found, steps=(*found.steps[:-1], step), measures=measures, shown=Shown(figures, (EVIL,)), paths=(EVIL, "b")
    )


def test_the_page_is_balanced_and_loads_nothing_from_elsewhere(found: Difference, full: Difference) -> None:
    for text in (page(found), page(full)):
        parsed = Balanced(text)
        assert [address for address in parsed.addresses if not address.startswith("data:")] == []
        assert "script" not in parsed.seen
        assert not re.search(r"url\(|@import", text)


def test_the_page_forbids_itself_to_load_anything(found: Difference) -> None:
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in page(found)


def test_the_page_says_what_the_command_says(found: Difference) -> None:
    text = page(found)
    for part in (
        "They part at Events 2020-01-01: ",
        "acme.py changed",
        "factor",
        "2 rows -&gt; 3 rows, 1 row added (9)",
    ):
        assert part in text


def test_source_is_coloured_line_by_line(found: Difference) -> None:
    text = page(found)
    assert re.search(r'<tr class="removed"><td class="sign">-</td><td><code>.*<span class="k">return</span>', text)
    assert re.search(r'<tr class="added"><td class="sign">\+</td><td><code>.*<span class="mi">1</span>', text)


def test_figures_stand_side_by_side_and_equal_ones_once(full: Difference) -> None:
    text = page(full)
    assert text.count("data:image/png;base64,iVBORw0KGgo=") == 2
    assert [text.count(f'class="pair {verdict}"') for verdict in ("changed", "same", "added")] == [1, 1, 1]


def test_the_page_follows_the_light_of_the_reader(found: Difference) -> None:
    assert page(found).count("@media (prefers-color-scheme: dark)") == 2


def test_the_page_is_written_whole_in_place_of_what_was_there(found: Difference, tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    target.write_text("old")
    write_page(found, target)
    assert target.read_text().startswith("<!DOCTYPE html>")
    assert list(tmp_path.glob("*.html")) == [target]
    assert target.stat().st_mode & 0o777 == 0o644


def test_the_answer_ends_with_where_the_page_is(found: Difference, tmp_path: Path) -> None:
    answer = diff(*map(Path, found.paths), tmp_path / "page.html")
    assert answer.lines()[-1] == f"page: {tmp_path / 'page.html'}"
    assert answer.as_json()["page"] == str(tmp_path / "page.html")


def test_a_folder_and_a_place_that_is_not_there_are_refused(found: Difference, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    for target, why in (
        (tmp_path, "is a folder"),
        (tmp_path / "no" / "page.html", "lies in a folder that does not exist"),
    ):
        with pytest.raises(PathError, match=why):
            diff(*map(Path, found.paths), target)
    assert sorted(tmp_path.iterdir()) == before


def test_a_page_that_the_file_system_refuses_leaves_nothing(found: Difference, tmp_path: Path) -> None:
    with pytest.raises(PathError, match="cannot be written"):
        write_page(found, tmp_path / ("x" * 300 + ".html"))
    assert [path for path in tmp_path.iterdir() if path.name != "small"] == []
