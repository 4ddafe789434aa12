"""What the top level of a module defines: each statement with the names it binds, uses and changes, read from the syntax."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from workflows.identity.canonical import digest
from workflows.identity.expressions import is_elsewhere
from workflows.identity.reader import read
from workflows.identity.scopes import target
from workflows.identity.syntax import digest_python, without_docstring
from workflows.identity.unit import Unit


@dataclass
class Outline:
    """A module, or the code cells of a notebook, read without being run."""

    units: list[Unit]
    stars: list[str]
    """The modules of its star imports."""
    digest: str
    """Of the whole."""

    def as_json(self) -> dict[str, Any]:
        """What a look-up keeps; empty fields are left out."""
        units = [{name: value for name, value in asdict(unit).items() if value} for unit in self.units]
        return {"units": units, "stars": self.stars, "digest": self.digest}

    @classmethod
    def from_json(cls, known: dict[str, Any]) -> Outline:
        """The outline that `as_json` gave."""
        return cls([Unit(**unit) for unit in known["units"]], known["stars"], known["digest"])


def outline(tree: ast.Module) -> Outline:
    """The outline of a module's syntax tree."""
    units = [*_docstring(tree), *(read(statement) for statement in _statements(tree.body))]
    stars = [target(node, "") for node in _star_imports(tree)]
    return Outline(units, stars, digest_python(tree))


def _docstring(tree: ast.Module) -> list[Unit]:
    """The module's docstring, as the name by which it is read."""
    text = ast.get_docstring(tree, clean=False)
    found = digest(text)
    return [] if text is None else [Unit(names=["__doc__"], digest=found, documented=found)]


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run on import, apart from those that only a program or a type checker runs."""
    for statement in without_docstring(list(body)):
        if isinstance(statement, ast.If) and is_elsewhere(statement.test):
            yield from _statements(statement.orelse)
        elif not (isinstance(statement, ast.ImportFrom) and statement.module == "__future__"):
            yield statement


def _star_imports(tree: ast.Module) -> Iterator[ast.ImportFrom]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            yield node
