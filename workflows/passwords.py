"""Passwords in URLs, which nobody is ever shown."""

from __future__ import annotations

import re

# Up to the last '@', because a password may hold every other sign and drivers take it unquoted.
_BEFORE_HOST = re.compile(r"(:/+[^\s/@:]*:)\S*@")
_WITHOUT_SCHEME = re.compile(r"(?<![\w/])([\w.+-]+:)[^\s:/@]+@(?=\w)")
_GIVEN_BY_NAME = re.compile(r"((?:[?&][\w-]*(?:passw(?:or)?d|pwd|secret|token|key)[\w-]*|\bpassword)=)[^\s&]+", re.I)


def masked(text: str) -> str:
    """A text with '***' for each password of a URL in it, and for what its query names as one."""
    for userinfo in (_BEFORE_HOST, _WITHOUT_SCHEME):
        text = userinfo.sub(r"\1***@", text)
    return _GIVEN_BY_NAME.sub(r"\1***", text)
