"""Code of notebooks and modules in pieces that can be compared: the same whatever their names, comments and layout."""

from __future__ import annotations

import ast
import builtins
import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from workflows.identity.syntax import digest_python, without_docstring

LEAST = 20
"""Nodes of the syntax tree from which on a piece is worth a function: about three lines."""
_LONGEST = 40
"""Statements in a row that are compared as one piece."""
_BUILTINS = frozenset(dir(builtins))


@dataclass(frozen=True)
class Source:
    """A template or a module."""

    name: str
    """The template's name, or the module's file."""
    module: str | None
    """The name of the module; None for a template."""
    texts: Mapping[int, str]
    """The text of each code cell by its number, from 1; that of a module under 0."""


@dataclass(frozen=True)
class Place:
    """Where a piece of code stands."""

    source: Source
    cell: int
    """The number of the code cell, from 1; 0 in a module."""
    first: int
    """Its first line, from 1, in the cell or the module's file."""
    last: int

    @property
    def text(self) -> str:
        """The lines there."""
        return "\n".join(self.source.texts[self.cell].splitlines()[self.first - 1 : self.last])

    @property
    def lines(self) -> int:
        """How many of them say anything."""
        return sum(1 for line in map(str.strip, self.text.splitlines()) if line and not line.startswith("#"))

    @property
    def text_key(self) -> tuple[str, int]:
        """What names the cell or the module."""
        return self.source.name, self.cell

    def has(self, other: Place) -> bool:
        """Whether another of the same cell or module lies within it."""
        return self.first <= other.first and other.last <= self.last


@dataclass(frozen=True)
class Block:
    """Statements in a row: of a cell, a module's top level or a function's body, without imports."""

    source: Source
    cell: int
    statements: Sequence[ast.stmt]
    imported: Mapping[str, str]
    """What the names stand for that are imported."""

    @cached_property
    def shapes(self) -> list[str]:
        """For each statement what stays when all names are taken for one."""
        return [digest_python(one) for one in self._nameless]

    @cached_property
    def _nameless(self) -> list[ast.AST]:
        return [_Renamed(None).visit(copy.deepcopy(one)) for one in self.statements]

    @cached_property
    def _sizes(self) -> list[int]:
        return [sum(not isinstance(node, ast.expr_context) for node in ast.walk(one)) for one in self._nameless]

    def pieces(self, shared: Iterable[str]) -> Iterator[tuple[str, int, Place]]:
        """The digest, the size and the place of every run of statements of some size whose shapes are all among the shared."""
        known = frozenset(shared)
        sizes = self._sizes
        for start, shape in enumerate(self.shapes):
            size, end = 0, start
            while shape in known and end < min(len(sizes), start + _LONGEST) and self.shapes[end] in known:
                size, end = size + sizes[end], end + 1
                if size >= LEAST:
                    yield self._digest(start, end), size, self._place(start, end)

    def _digest(self, start: int, end: int) -> str:
        renamed = _Renamed(self.imported)
        return digest_python([renamed.visit(copy.deepcopy(one)) for one in self.statements[start:end]])

    def _place(self, start: int, end: int) -> Place:
        first, last = self.statements[start], self.statements[end - 1]
        above = [decorator.lineno for decorator in getattr(first, "decorator_list", ())]
        return Place(self.source, self.cell, min([first.lineno, *above]), last.end_lineno or last.lineno)


def blocks(source: Source, trees: Mapping[int, ast.Module]) -> Iterator[Block]:
    """The blocks of a template's or a module's parsed texts, the bodies of its functions among them."""
    imported = dict(pair for tree in trees.values() for pair in _imported(tree))
    for cell, tree in trees.items():
        functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
        for body in (tree.body, *(function.body for function in functions)):
            kept = [one for one in body if not _says_nothing(one)]
            yield Block(source, cell, kept, imported)


class _Renamed(ast.NodeTransformer):
    """A syntax tree without annotations, its own names numbered in the order in which they occur.

    Attributes, keywords, builtins and what is imported keep their names. With None for what is imported, all names are one.
    """

    def __init__(self, imported: Mapping[str, str] | None) -> None:
        self._imported = imported
        self._numbers: dict[str, str] = {}

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        return self.generic_visit(ast.Assign(targets=[node.target], value=node.value))

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._named(node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg, node.annotation = self._named(node.arg), None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._definition(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._definition(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name, node.body = self._named(node.name), without_docstring(node.body)
        return self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        node.name = node.name and self._named(node.name)
        return self.generic_visit(node)

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        node.name, node.body, node.returns = self._named(node.name), without_docstring(node.body), None
        return self.generic_visit(node)

    def _named(self, name: str) -> str:
        if self._imported is None:
            return "_"
        if name in self._imported or name in _BUILTINS:
            return self._imported.get(name, name)
        return self._numbers.setdefault(name, f"_{len(self._numbers)}")


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The names that are imported anywhere in a text, each with what it stands for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for found in node.names:
                yield (found.asname, found.name) if found.asname else (found.name.partition(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom):
            for found in node.names:
                yield found.asname or found.name, f"{'.' * node.level}{node.module or ''}.{found.name}"


def _says_nothing(statement: ast.stmt) -> bool:
    """Whether a statement is an import, a text or a mere annotation."""
    if isinstance(statement, ast.AnnAssign):
        return statement.value is None
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return is_text or isinstance(statement, ast.Import | ast.ImportFrom)
