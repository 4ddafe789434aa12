"""HTML of others made fit to stand inside a page: whatever it leaves open or closes, it ends where it ends."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)
# What closes itself where it has to, as in hand-written lists and tables.
_OPTIONAL = frozenset(
    [
        "caption",
        "col",
        "colgroup",
        "dd",
        "dt",
        "li",
        "option",
        "p",
        "rp",
        "rt",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
    ]
)
_OF_PAGES = ("html", "head", "body", "base", "link", "meta")
_COMMENTS = re.compile(r"<!--|-->|<!\[CDATA\[|\]\]>|<plaintext", re.IGNORECASE)
_UNDESCRIBED = re.compile(r"<img (?![^>]*\balt\s*=)", re.IGNORECASE)


class _Balance(HTMLParser):
    """Whether everything that is opened is closed, and nothing else, in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self._open: list[str] = []
        self._is_whole = True

    def is_whole(self, html: str) -> bool:
        """Whether a piece of HTML needs no repair."""
        self.feed(html)
        # What is left unread is a tag without an end.
        return self._is_whole and not self._open and not self.rawdata

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._is_whole &= tag not in _OF_PAGES
        if tag not in _VOID and tag not in _OPTIONAL:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        # Browsers close none but those of drawings and formulas so.
        self._is_whole &= tag in _VOID or bool({"svg", "math"} & set(self._open))

    def handle_endtag(self, tag: str) -> None:
        if tag not in _OPTIONAL and tag not in _VOID:
            self._is_whole &= bool(self._open) and self._open.pop() == tag


def contained(html: str) -> str:
    """The same HTML with everything closed that it opens, without what closes or changes the page around it."""
    return described(html if not _COMMENTS.search(html) and _Balance().is_whole(html) else _repaired(html))


def described(html: str) -> str:
    """The same HTML with words for pictures that have none, for those who do not see them."""
    return _UNDESCRIBED.sub('<img alt="No description has been provided for this image" ', html)


def _repaired(html: str) -> str:
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(html, features="html.parser")
    for element in soup.find_all(_OF_PAGES):
        element.unwrap()
    return str(soup)
