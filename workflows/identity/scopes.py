"""The names of functions, classes and comprehensions: what is local in them, imported by them, or declared global."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

IMPORTED = "@"
"""What a reference begins with that goes by way of an import: `@acme.rules:LIMITS`, `@..rules:` for a relative one."""

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_CONTAINERS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.SetComp, ast.DictComp)
_MAKING = frozenset(
    {
        "Counter",
        "DataFrame",
        "OrderedDict",
        "Series",
        "copy",
        "deepcopy",
        "defaultdict",
        "deque",
        "dict",
        "list",
        "set",
        "sorted",
    }
)


@dataclass
class Scope:
    """The names of a function, a class body or a comprehension."""

    is_class: bool
    names: set[str]
    imports: dict[str, list[str]] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)
    """What it declares global."""
    fresh: set[str] = field(default_factory=set)
    """What it binds to nothing but containers and objects that it makes itself."""


def _own_nodes(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Every node of a scope, without those of the scopes inside it."""
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            waiting.extend(node.decorator_list)
        elif isinstance(node, _COMPREHENSIONS):
            # A walrus inside binds outside.
            waiting.extend(found for found in ast.walk(node) if isinstance(found, ast.NamedExpr))
        elif not isinstance(node, ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def bound(body: Sequence[ast.AST]) -> Iterator[str]:
    """The names that the statements of a scope bind."""
    for node in _own_nodes(body):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.NamedExpr):
            yield node.target.id
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            yield node.name
        elif isinstance(node, ast.MatchMapping) and node.rest:
            yield node.rest


def fresh(body: Sequence[ast.AST]) -> set[str]:
    """The names that the statements of a scope bind to nothing but what they make anew."""
    made: list[str] = []
    for node in _own_nodes(body):
        if isinstance(node, ast.Assign | ast.AnnAssign) and _is_new(node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            made += [found.id for found in targets if isinstance(found, ast.Name)]
    every = list(bound(body))
    return {name for name in made if made.count(name) == every.count(name)}


def _is_new(value: ast.expr | None) -> bool:
    called = value.func if isinstance(value, ast.Call) else None
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    is_bare = isinstance(value, ast.Call) and not value.args and not value.keywords
    return isinstance(value, _CONTAINERS) or name in _MAKING or (name[:1].isupper() and is_bare)


def declared(body: Sequence[ast.AST]) -> Iterator[str]:
    """The names that a function declares global."""
    for node in _own_nodes(body):
        if isinstance(node, ast.Global):
            yield from node.names


def imports(body: Sequence[ast.AST]) -> Iterator[ast.Import | ast.ImportFrom]:
    """The import statements of a scope."""
    for node in _own_nodes(body):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node


def keep(node: ast.Import | ast.ImportFrom, imports: dict[str, list[str]]) -> None:
    """Note what the names that a function imports stand for."""
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            imports.setdefault(alias.asname or alias.name, []).append(target(node, alias.name))
        elif alias.asname:
            imports.setdefault(alias.asname, []).append(f"{IMPORTED}{alias.name}:")
        else:
            top = alias.name.partition(".")[0]
            imports.setdefault(top, []).append(f"{IMPORTED}{top}:")


def target(node: ast.ImportFrom, name: str) -> str:
    """The reference to a name that an import takes from a module, or to the module itself."""
    return f"{IMPORTED}{'.' * node.level}{node.module or ''}:{name}"
