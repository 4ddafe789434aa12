"""A SQL statement with the names it binds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from workflows.errors import PipelineError
from workflows.identity.syntax import QUOTED_SQL, SQL_COMMENT, normal_sql

# What is quoted or a comment, a cast (`::date`), or a name to bind (`:date`).
_PARTS = re.compile(rf"(?P<apart>{QUOTED_SQL}|{SQL_COMMENT})|::|(?<![\w:]):(?P<name>[A-Za-z_]\w*)", re.DOTALL)
# What is quoted, or a stretch of what may follow a statement without being part of it.
_ENDS = re.compile(rf"(?P<quoted>{QUOTED_SQL})|(?:{SQL_COMMENT}|[\s;])+", re.DOTALL)


@dataclass(frozen=True)
class Statement:
    """One statement."""

    text: str
    """As it was written, for the database."""
    name: str
    """Where it is from: a file's name, or the attribute that holds it."""
    path: Path | None = None
    """Its file, if it has one."""

    @classmethod
    def of(cls, task: str, given: str, folder: Path, attribute: str) -> Statement:
        """The statement in a file beside a pipeline's module, if `given` ends in .sql, else `given` itself."""
        if not given.strip().endswith(".sql"):
            return cls(given, attribute)
        path = folder / given.strip()
        try:
            return cls(path.read_text(encoding="utf-8"), path.name, path)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise PipelineError.no_sql(task, path) from error

    @property
    def normal(self) -> str:
        """The statement without comments and layout."""
        return normal_sql(self.text)

    @property
    def binds(self) -> frozenset[str]:
        """The names that the statement binds."""
        return frozenset(part["name"] for part in _PARTS.finditer(self.text) if part["name"])

    @property
    def inner(self) -> str:
        """The statement without the semicolon and the comments that end it, so that it can stand in parentheses."""
        for part in _ENDS.finditer(self.text):
            if part.end() == len(self.text) and part["quoted"] is None:
                return self.text[: part.start()]
        return self.text

    def numbered(self, number: int) -> Statement:
        """The inner statement with names to bind that no other number has: `:date` becomes `:date__17`."""
        return replace(self, text=self.placed({name: f":{bound_as(name, number)}" for name in self.binds}))

    def placed(self, stand_ins: Mapping[str, str]) -> str:
        """The inner statement with other SQL in place of the names to bind."""
        return _PARTS.sub(lambda part: stand_ins[part["name"]] if part["name"] else part[0], self.inner)

    @property
    def escaped(self) -> str:
        """The statement for SQLAlchemy, which would bind names in quotes and comments too."""
        return _PARTS.sub(lambda part: part["apart"].replace(":", r"\:") if part["apart"] else part[0], self.text)


def bound_as(name: str, number: int) -> str:
    """The name that stands for `name` in a numbered statement."""
    return f"{name}__{number}"
