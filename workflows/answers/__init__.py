"""What the `parcours` command and the web page can say of results: each question a module, its answer an `Answer`."""

from __future__ import annotations

from typing import Any, Protocol


class Answer(Protocol):
    """What a question finds, for people and for programs."""

    @property
    def exit_code(self) -> int:
        """The exit code of the command that asked."""

    def lines(self) -> list[str]:
        """The answer for people."""

    def as_json(self) -> Any:
        """The answer for a program."""
