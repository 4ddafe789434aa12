"""Words of a search: how a text falls into them, and the beginnings by which the catalog finds them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

_LENGTHS = (3, 8, 24)
"""The lengths of the beginnings that are indexed. A word is looked up under the next length: what begins with 3 to 8 letters
of a word is few enough to be joined, whatever their number of reports."""
_LONGEST = 80
_MOST = 150
"""Words of one report: a page of text as a parameter or reason is no name that anybody looks for."""

_WORD = re.compile(r"\w+(?:[.:/+-]\w+)*")
_PART = re.compile(r"[^\W_]+")


def words_of(texts: Iterable[str]) -> list[str]:
    """The words in texts, each once: those with dots, dashes and the like whole, and their parts."""
    found: dict[str, None] = {}
    for text in texts:
        for whole in asked_in(text):
            found.update(dict.fromkeys([whole, *_PART.findall(whole)]))
            if len(found) >= _MOST:
                return list(found)[:_MOST]
    return list(found)


def asked_in(text: str) -> list[str]:
    """The words in what somebody searches for."""
    return [found[:_LONGEST] for found in _WORD.findall(unicodedata.normalize("NFKC", text).casefold())]


def beginnings(word: str) -> Iterator[tuple[int, str]]:
    """The beginnings under which a word is indexed, each with the length that it counts for."""
    for below, length in zip((0, *_LENGTHS), _LENGTHS, strict=False):
        if len(word) > below:
            yield length, word[:length]


def indexed(beginning: str) -> tuple[int, str]:
    """The length under which what begins so is found, and as much of it as is indexed."""
    length = next((length for length in _LENGTHS if len(beginning) <= length), _LENGTHS[-1])
    return length, beginning[:length]
