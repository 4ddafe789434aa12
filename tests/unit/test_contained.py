"""HTML of outputs and texts, made fit to stand inside a page."""

from __future__ import annotations

import pytest

from workflows.notebooks.contained import contained

WHOLE = [
    "text & <b>more</b>",
    "<p>one<p>two",
    "<ul><li>one<li>two</ul>",
    "<table><thead><tr><th>a<tbody><tr><td>1<td>2</table>",
    '<div class="a > b"><img alt="" src="data:,"><br></div>',
    "<svg><path d='M0 0'/></svg>",
    "<script>if (a < b) { document.write('</' + 'div>') }</script>",
    "<style>a > b { color: red }</style>",
]


@pytest.mark.parametrize("html", WHOLE)
def test_what_is_whole_stays_as_it_is(html: str) -> None:
    assert contained(html) == html


BROKEN = {
    "an element without an end": ("<div><b>text", "<div><b>text</b></div>"),
    "an end without an element": ("text</div></main></body>", "text"),
    "ends in another order": ("<b><i>text</b></i>", "<b><i>text</i></b>"),
    "the page's own": ("<html><head></head><body class='x'><p>text</p></body></html>", "<p>text</p>"),
    "another base for links": ("<base href='https://example.org/'>text", "text"),
    "a page to load": ("<meta http-equiv='refresh' content='0; url=https://example.org'>text", "text"),
    "a script without an end": ("<script>let a = 1", "<script></script>"),
    "a style without an end": ("<style>a { color: red }", "<style></style>"),
    "an element that closes itself as only drawings' do": ("<div/>text", "<div></div>text"),
}


@pytest.mark.parametrize(("html", "expected"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_broken_ends_where_it_ends(html: str, expected: str) -> None:
    assert contained(html) == expected


@pytest.mark.parametrize(
    "html",
    ["<!-- text", "<div title='text", "<div", "a <!-- b --> <!", "<textarea><b>", "<![CDATA[ text", "<plaintext>"],
)
def test_nothing_takes_in_what_follows(html: str) -> None:
    from bs4 import BeautifulSoup

    page = BeautifulSoup(f"<main>{contained(html)}</main><footer>after</footer>", "html.parser")
    assert page.footer is not None
    assert page.footer.parent is page
    assert page.footer.text == "after"


def test_a_picture_without_words_is_given_some() -> None:
    assert contained('<img src="a.png">') == '<img alt="No description has been provided for this image" src="a.png">'
    assert contained('<img src="a.png" alt="a">') == '<img src="a.png" alt="a">'
