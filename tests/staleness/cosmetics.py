"""Edits that no program can see, made to every module of a project; each leaves the text of the others as it is."""

from __future__ import annotations

import ast
import io
import itertools
import os
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from harness import sources

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_DOCSTRING = '"""Another docstring."""'
_SIMPLE = re.compile(r"""([rRbBuU]*)(['"])([^'"\\\n]*)\2""")
"""A text in simple quotes, without any in it."""
_ADDED = '''

ADDED_CONSTANT = {"nobody": "reads this"}

def added_function(value=ADDED_CONSTANT):
    """Nobody calls this."""
    return value

class AddedClass:
    """Nobody uses this."""
    field = added_function
'''

Change = tuple[tuple[int, int], tuple[int, int], str]
"""What is to stand between two places, each a row and a column."""


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
    """Other quotes, brackets and lines."""
    for file in sources(folder):
        spread = _changed(file.read_text(), _spread)
        file.write_text(_changed(spread, _quoted))


def docstrings(folder: Path) -> None:
    """Another docstring on every module, class and function, unless somebody reads them."""
    for file in sources(folder):
        if not any(reader in file.read_text() for reader in ("__doc__", "getdoc")):
            file.write_text(_changed(file.read_text(), _documented))


def times(folder: Path) -> None:
    """Every file of another day."""
    for file in sources(folder):
        os.utime(file, (1_000_000_000, 1_000_000_000))


def additions(folder: Path) -> None:
    """Definitions in every module that nobody uses."""
    for file in sources(folder):
        file.write_text(file.read_text() + _ADDED)


def _changed(text: str, changes: Callable[[str], Iterable[Change]]) -> str:
    """A text with some changes, and everything else in it as it was."""
    starts = list(itertools.accumulate((len(row) + 1 for row in text.split("\n")), initial=0))
    for (row, column), (last, end), new in sorted(changes(text), reverse=True):
        text = text[: starts[row - 1] + column] + new + text[starts[last - 1] + end :]
    return text


def _spread(text: str) -> Iterator[Change]:
    """Blank lines between statements, and values in brackets on lines of their own."""
    tree = ast.parse(text)
    for statement in tree.body:
        row, column = _start(text, statement)
        if column == 0:
            yield (row, 0), (row, 0), "\n\n"
    for node in ast.walk(tree):
        value = node.value if isinstance(node, ast.Assign | ast.Return) else None
        # Brackets around a tuple without brackets would be its own.
        if value and not isinstance(value, ast.Tuple):
            yield _start(text, value), _start(text, value), "(\n"
            yield _end(text, value), _end(text, value), "\n)"


def _quoted(text: str) -> Iterator[Change]:
    """Three quotes where there was one."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.STRING and (found := _SIMPLE.fullmatch(token.string)):
            yield token.start, token.end, "{0}{1}{1}{1}{2}{1}{1}{1}".format(*found.groups())


def _documented(text: str) -> Iterator[Change]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, _DOCUMENTED) and node.body:
            first, (row, column) = node.body[0], _start(text, node.body[0])
            before = text.split("\n")[row - 1][:column]
            if ast.get_docstring(node) is not None:
                yield (row, column), _end(text, first), _DOCSTRING
            else:
                yield (row, column), (row, column), _DOCSTRING + ("; " if before.strip() else f"\n{before}")


def _start(text: str, node: ast.stmt | ast.expr) -> tuple[int, int]:
    """The row and the column in which a node begins, with what decorates it."""
    row = min([node.lineno, *(found.lineno for found in getattr(node, "decorator_list", ()))])
    return row, _column(text, row, node.col_offset)


def _end(text: str, node: ast.stmt | ast.expr) -> tuple[int, int]:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return node.end_lineno, _column(text, node.end_lineno, node.end_col_offset)


def _column(text: str, row: int, offset: int) -> int:
    """The column of an offset, which Python counts in bytes."""
    return len(text.split("\n")[row - 1].encode()[:offset].decode())


COSMETICS: dict[str, Callable[[Path], None]] = {
    "docstrings": docstrings,
    "layout": layout,
    "comments": comments,
    "times": times,
    "unrelated definitions": additions,
}
