"""Source text reduced to what it means: no comments, no docstrings, no layout."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from workflows.identity.canonical import digest_bytes

# What the parser adds but the program cannot see.
_UNSEEN = frozenset({"ctx", "type_comment", "type_ignores", "kind"})
_BLOCKS = frozenset({"body", "orelse", "finalbody"})
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def digest_python(tree: ast.AST | Sequence[ast.AST], documented: bool | None = None) -> str:
    """The digest of a syntax tree, the same on every layout of the same program and under every version of Python.

    Docstrings count where `documented` says so; if it says nothing, where the tree itself reads `__doc__`.
    """
    if documented is None:
        documented = any(reads_docs(node) for root in _listed(tree) for node in ast.walk(root))
    parts: list[str] = []
    _serialise(tree, documented, parts)
    return digest_bytes("".join(parts).encode("ascii"))


def reads_docs(node: ast.AST) -> bool:
    """Whether a node of a syntax tree reads docstrings."""
    return (
        (isinstance(node, ast.Attribute) and node.attr in ("__doc__", "getdoc"))
        or (isinstance(node, ast.Name) and node.id in ("__doc__", "getdoc"))
        or (isinstance(node, ast.Constant) and node.value == "__doc__")
    )


def without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements of a module, class or function after its docstring."""
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return body[1:]
    return body


def _does_nothing(statement: ast.AST) -> bool:
    """Whether a statement only fills a place: `pass`, `...`, a text."""
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def _listed(tree: ast.AST | Sequence[ast.AST]) -> Sequence[ast.AST]:
    return [tree] if isinstance(tree, ast.AST) else tree


def _serialise(node: object, documented: bool, parts: list[str]) -> None:
    if isinstance(node, ast.AST):
        parts.append(f"{type(node).__name__}(")
        for field in node._fields:
            value = getattr(node, field, None)
            if field in _BLOCKS and isinstance(value, list):
                is_documented = documented and field == "body" and isinstance(node, _DOCUMENTED)
                value = [statement for statement in value if is_documented or not _does_nothing(statement)]
            if field not in _UNSEEN and value is not None and value != []:
                parts.append(f"{field}=")
                _serialise(value, documented, parts)
        parts.append(")")
    elif isinstance(node, list | tuple) and all(isinstance(item, ast.AST | None) for item in node):
        parts.append("[")
        for item in node:
            _serialise(item, documented, parts)
            parts.append(",")
        parts.append("]")
    else:
        # Not repr: which characters it shows as they are depends on the version of Python.
        parts.append(f"{type(node).__name__}:{node!a}")


# Quoted texts and names: with backslashes after an E, with doubled quotes inside, MySQL's names, PostgreSQL's dollars.
QUOTED_SQL = (
    r"""(?<!\w)[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$"""
)
SQL_COMMENT = r"--[^\n]*|/\*.*?\*/"
# SQL Server's names in brackets are left as they are; PostgreSQL's arrays, which look the same, lose nothing by it.
_SQL_PARTS = re.compile(rf"(?P<kept>{QUOTED_SQL}|\[[^\]]*\])|(?:{SQL_COMMENT}|\s)+", re.DOTALL)


def normal_sql(text: str) -> str:
    """A SQL statement without comments and layout; what is quoted stays as it is."""
    return _SQL_PARTS.sub(lambda part: part["kept"] or " ", text).strip().rstrip("; ")
