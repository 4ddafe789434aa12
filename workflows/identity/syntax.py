"""Source text reduced to what it means: no comments, no docstrings, no layout; and the imports it makes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from workflows.identity.canonical import digest_bytes

# What the parser adds but the program cannot see.
_UNSEEN = frozenset({"ctx", "type_comment", "type_ignores", "kind"})
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Import:
    """One import statement: `level` leading dots, the module, and the names taken from it (none for `import x`)."""

    level: int
    module: str
    names: tuple[str, ...]


def digest_python(tree: ast.Module) -> str:
    """The digest of a module's syntax tree, the same on every layout and documentation of the same program.

    Docstrings count where the module reads `__doc__`.
    """
    documented = any(
        (isinstance(node, ast.Attribute) and node.attr == "__doc__")
        or (isinstance(node, ast.Name) and node.id == "__doc__")
        for node in ast.walk(tree)
    )
    return digest_bytes("".join(_serialised(tree, documented)).encode("utf-8", "surrogatepass"))


def _serialised(node: object, documented: bool) -> Iterator[str]:
    if isinstance(node, ast.AST):
        yield f"{type(node).__name__}("
        for field in node._fields:
            value = getattr(node, field, None)
            if field == "body" and not documented and isinstance(node, _DOCUMENTED):
                value = _without_docstring(node.body)
            if field not in _UNSEEN and value is not None and value != []:
                yield f"{field}="
                yield from _serialised(value, documented)
        yield ")"
    elif isinstance(node, list):
        yield "["
        for item in node:
            yield from _serialised(item, documented)
            yield ","
        yield "]"
    else:
        yield f"{type(node).__name__}:{node!r}"


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return body[1:]
    return body


def imports_of(tree: ast.Module) -> list[Import]:
    """Every import in a module, also those inside functions, and imports of a literal name through `import_module`."""
    found: list[Import] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.extend(Import(0, alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.append(Import(node.level, node.module or "", tuple(alias.name for alias in node.names)))
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__") and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and not first.value.startswith("."):
                found.append(Import(0, first.value, ()))
    return found


def _called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


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
