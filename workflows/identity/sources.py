"""Source text by definition: the lines of one name in a module, and the difference between two such texts."""

from __future__ import annotations

import ast
import difflib
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

_BODIES = ("body", "orelse", "finalbody", "handlers", "cases")


def definition_text(source: str, name: str) -> str | None:
    """The lines that define a dotted name (`Cleaned.compute`, `WINDOW`), with decorators and the comments right above.

    A name that is defined more than once gives all its definitions, in order. None where the name is not defined, or the
    source cannot be parsed.
    """
    try:
        body: Sequence[ast.stmt] = ast.parse(source).body
    except (SyntaxError, ValueError):
        return None
    *owners, last = name.split(".")
    for owner in owners:
        body = [inner for found in _defining(body, owner) if isinstance(found, ast.ClassDef) for inner in found.body]
    lines = source.splitlines()
    return "\n".join("\n".join(_lines(lines, found)) for found in _defining(body, last)) or None


def statements_text(source: str, names: Iterable[str]) -> str:
    """The statements of a module's top level that bind these names; the whole module where that cannot be told."""
    try:
        binding = {statement: _all_bound(statement) for statement in ast.parse(source).body}
    except (SyntaxError, ValueError):
        return source
    wanted = set(names)
    if not wanted <= set().union(*binding.values()):
        return source
    lines = source.splitlines()
    return "\n".join("\n".join(_lines(lines, found)) for found, bound in binding.items() if bound & wanted)


def source_diff(old: str | None, new: str | None) -> list[str]:
    """The unified difference of two texts, line by line, without the lines that name files; None is a text that is absent."""
    before, after = (text.splitlines() if text else [] for text in (old, new))
    return list(difflib.unified_diff(before, after, lineterm=""))[2:]


def _defining(body: Sequence[ast.AST], name: str) -> Iterator[ast.stmt]:
    """The statements that bind a name, also those inside `if`, `try`, `for`, `while`, `with` and `match`."""
    for statement in body:
        if isinstance(statement, ast.stmt) and name in _bound(statement):
            yield statement
        elif not isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for part in _BODIES:
                yield from _defining(getattr(statement, part, []), name)


def _bound(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
    if sys.version_info >= (3, 12) and isinstance(statement, ast.TypeAlias):
        return {statement.name.id}
    targets: list[ast.AST] = [*getattr(statement, "targets", [])]
    targets += filter(None, [getattr(statement, "target", None)])
    return {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}


def _all_bound(statement: ast.stmt) -> set[str]:
    """The names that a statement, or any inside it, binds."""
    nodes = list(ast.walk(statement))
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    caught = {getattr(node, part, None) for node in nodes for part in ("name", "asname", "rest")}
    packages = {node.name.partition(".")[0] for node in nodes if isinstance(node, ast.alias)}
    return stored | packages | {name for name in caught if isinstance(name, str)}


def _lines(lines: Sequence[str], statement: ast.stmt) -> list[str]:
    decorators = [decorator.lineno for decorator in getattr(statement, "decorator_list", [])]
    first = min([statement.lineno, *decorators]) - 1
    comments = list(takewhile(lambda line: line.lstrip().startswith("#"), reversed(lines[:first])))
    return [*reversed(comments), *lines[first : statement.end_lineno]]
