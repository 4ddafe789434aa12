"""Edits that no program can see, made to every module of a project."""

from __future__ import annotations

import ast
import io
import itertools
import os
import tokenize
from collections.abc import Callable
from pathlib import Path

from harness import sources

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_ADDED = '''

ADDED_CONSTANT = {"nobody": "reads this"}

def added_function(value=ADDED_CONSTANT):
    """Nobody calls this."""
    return value

class AddedClass:
    """Nobody uses this."""
    field = added_function
'''


def comments(folder: Path) -> None:
    """A comment at the end of every statement and around every module."""
    for file in sources(folder):
        lines = file.read_text().splitlines(keepends=True)
        tokens = list(tokenize.generate_tokens(io.StringIO("".join(lines)).readline))
        ends = [
            token.start[0]
            for before, token in itertools.pairwise(tokens)
            if token.type == tokenize.NEWLINE and before.type != tokenize.COMMENT
        ]
        for row in ends:
            lines[row - 1] = lines[row - 1].rstrip("\n") + "  # a remark\n"
        file.write_text("# A remark.\n" + "".join(lines) + "# Another.\n")


def layout(folder: Path) -> None:
    """Every module as Python itself would write it: other quotes, brackets and lines, and no comments."""
    for file in sources(folder):
        file.write_text("\n\n" + ast.unparse(ast.parse(file.read_text())))


def docstrings(folder: Path) -> None:
    """Another docstring on every module, class and function, unless somebody reads them."""
    for file in sources(folder):
        tree = ast.parse(file.read_text())
        if any(reader in file.read_text() for reader in ("__doc__", "getdoc")):
            continue
        for node in ast.walk(tree):
            if isinstance(node, _DOCUMENTED):
                if ast.get_docstring(node) is not None:
                    node.body.pop(0)
                node.body.insert(0, ast.Expr(ast.Constant("Another docstring.")))
        file.write_text(ast.unparse(ast.fix_missing_locations(tree)))


def times(folder: Path) -> None:
    """Every file of another day."""
    for file in sources(folder):
        os.utime(file, (1_000_000_000, 1_000_000_000))


def additions(folder: Path) -> None:
    """Definitions in every module that nobody uses."""
    for file in sources(folder):
        file.write_text(file.read_text() + _ADDED)


COSMETICS: dict[str, Callable[[Path], None]] = {
    "comments": comments,
    "layout": layout,
    "docstrings": docstrings,
    "times": times,
    "unrelated definitions": additions,
}
