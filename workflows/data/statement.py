"""A SQL statement with the names it binds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from workflows.errors import PipelineError
from workflows.identity.syntax import QUOTED_SQL, SQL_COMMENT, normal_sql

# What is quoted or a comment, a cast (`::date`), or a name to bind (`:date`).
_PARTS = re.compile(rf"(?P<apart>{QUOTED_SQL}|{SQL_COMMENT})|::|(?<![\w:]):(?P<name>[A-Za-z_]\w*)", re.DOTALL)


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
    def escaped(self) -> str:
        """The statement for SQLAlchemy, which would bind names in quotes and comments too."""
        return _PARTS.sub(lambda part: part["apart"].replace(":", r"\:") if part["apart"] else part[0], self.text)
