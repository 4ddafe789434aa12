"""The measures that a template records, as far as its code tells."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from workflows.notebooks.parameters import plain
from workflows.tasks.project import current
from workflows.tasks.templates import read_template, template_code

_MEASURE = "measure"


@dataclass(frozen=True)
class Recorded:
    """What a template records."""

    names: frozenset[str]
    is_certain: bool
    """Whether it can record no other: every measure is named by a text, and by nobody else's code."""


def recorded(template: str) -> Recorded:
    """The measures that the cells of a template name, and the modules of the project that it uses; raises TemplateError."""
    return current().once(("recorded", template), lambda: _recorded(template))


def _recorded(template: str) -> Recorded:
    notebook = read_template(template).notebook
    cells = [plain(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    code = template_code(template)
    modules = [code.sources.get(file, b"").decode("utf-8", "replace") for file in code.files if file.endswith(".py")]
    names: set[str | None] = set()
    for text in ("\n".join(cells), *(module for module in modules if _MEASURE in module)):
        names.update(_named(ast.parse(text)))
    return Recorded(frozenset(name for name in names if name is not None), None not in names)


def _named(tree: ast.Module) -> Iterator[str | None]:
    """The names of the measures in a text; None for one that is computed, and where the function itself is passed on."""
    called = set()
    known = {_MEASURE} | {
        found.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for found in node.names
        if found.name == _MEASURE and found.asname
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_measure(node.func, known):
            called.add(id(node.func))
            given = [*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg in ("name", None))]
            name = given[0] if given else None
            yield name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else None
    if any(_is_measure(node, known) and id(node) not in called for node in ast.walk(tree)):
        yield None


def _is_measure(node: ast.AST, known: set[str]) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == _MEASURE
    return isinstance(node, ast.Name) and node.id in known
