"""What was worked out from the project's code, kept between processes for as long as all that it rests on is the same."""

from __future__ import annotations

import contextlib
from typing import Any

from workflows.errors import ParcoursError
from workflows.identity.modules import Modules
from workflows.identity.named_files import NamedFiles

_KEY = "worked out"
_MOST = 400


class Kept:
    """Values under keys, each a function of its key and of what modules and files were found to be.

    Beside them is kept every answer about these that the project's code was ever asked for. Where one of them is another
    now, nothing that was kept counts: that is more than needs be, and worked out again in a moment.
    """

    def __init__(self, modules: Modules, files: NamedFiles) -> None:
        self._modules, self._files = modules, files
        self._values: dict[str, Any] | None = None
        self._asked: set[str] = set()

    def get(self, key: str) -> Any:
        """The value under a key, or None."""
        self._asked.add(key)
        return self._load().get(key)

    def put(self, key: str, value: Any) -> None:
        """Keep a value; it is written when the memo is."""
        values = self._load()
        values[key] = value
        # What this process asks, the next one may ask, too.
        for old in [old for old in values if old not in self._asked][: max(len(values) - _MOST, 0)]:
            del values[old]
        # The answers go on growing until the memo is written.
        self._modules.memo.put(_KEY, {**self._modules.answers, "files": self._files.answers, "values": values})

    def _load(self) -> dict[str, Any]:
        if self._values is None:
            known = self._modules.memo.get(_KEY)
            self._values = known["values"] if known and self._holds(known) else {}
        return self._values

    def _holds(self, known: dict[str, Any]) -> bool:
        """Whether everything that was asked is answered as it was then."""
        modules, files = self._modules, self._files
        # What cannot be read any more is the error of whoever needs it.
        with contextlib.suppress(ParcoursError, OSError):
            for name in known["modules"]:
                modules.get(name)
            return (
                all(modules.answers["modules"][name] == answer for name, answer in known["modules"].items())
                and all(modules.exists(name) == answer for name, answer in known["packages"].items())
                and all(files.ask_again(key) == answer for key, answer in known["files"].items())
            )
        return False
