"""The parameters cell: what a template takes, and the cell again with other values in place."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workflows.notebooks.types import ParameterType
from workflows.notebooks.values import Names, NotLiteral, literal, read_literal

# What Python takes for the end of a line.
_LINE_END = re.compile(rb"\r\n|\r|\n")


class Missing:
    """The default of a parameter that has none."""

    def __repr__(self) -> str:
        return "no default"


MISSING = Missing()


@dataclass(frozen=True)
class Parameter:
    """One top-level assignment of the parameters cell whose value is spelled out."""

    name: str
    type: ParameterType
    default: Any
    """The value in the notebook, or MISSING."""
    description: str
    """The comment behind the assignment."""
    table: str | None
    """The stage or query whose table this parameter holds, for a string annotation."""
    place: tuple[int, int, int, int]
    """Where the value stands: first line and column, last line and column (lines from 1, columns in UTF-8 bytes)."""


@dataclass(frozen=True)
class ParametersCell:
    """The source of a parameters cell, read."""

    source: str
    parameters: dict[str, Parameter]
    """By name, in the cell's order."""
    derived: dict[str, str]
    """Names that are computed when the cell runs, with their expressions."""
    names: Names = field(default_factory=Names)

    @classmethod
    def read(cls, source: str, before: str = "") -> ParametersCell:
        """Read a cell; `before` is the code of the cells above it. Raises SyntaxError."""
        text = plain(source)
        if not _is_line_for_line(source, text):
            # The places of values are those of the translation, so that is what is filled.
            source = text
        tree = ast.parse(text)
        names = Names.imported(ast.parse(f"{before}\n{text}"))
        comments = _comments(text)
        parameters: dict[str, Parameter] = {}
        derived: dict[str, str] = {}
        for node in tree.body:
            for name, expression in _assigned(node):
                found = (
                    _parameter(node, name, names, comments) if name not in parameters and name not in derived else None
                )
                parameters.pop(name, None)
                if found is None:
                    derived[name] = expression
                else:
                    parameters[name] = found
        return cls(source, parameters, derived, names)

    def filled(self, values: Mapping[str, Any]) -> str:
        """The cell with these values in place of the defaults; everything else stays to the letter."""
        data = self.source.encode()
        lines = [0, *(found.end() for found in _LINE_END.finditer(data))]
        changes = sorted(
            ((self.parameters[name], value) for name, value in values.items()), key=lambda c: c[0].place, reverse=True
        )
        for parameter, value in changes:
            text = literal(value, self.names)
            if parameter.default is MISSING:
                text = f" = {text}"
            first, start, last, end = parameter.place
            data = data[: lines[first - 1] + start] + text.encode() + data[lines[last - 1] + end :]
        return data.decode()


def plain(source: str) -> str:
    """A cell's text as plain Python: IPython's own syntax (`%magic`, `!command`, `name?`) is translated, if there is any."""
    try:
        ast.parse(source)
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager

        return str(TransformerManager().transform_cell(source))
    return source


def _assigned(node: ast.stmt) -> list[tuple[str, str]]:
    """The names that a top-level statement assigns, each with the expression."""
    if isinstance(node, ast.AnnAssign | ast.AugAssign) and isinstance(node.target, ast.Name):
        return [(node.target.id, ast.unparse(node))]
    if isinstance(node, ast.Assign):
        found = [part for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)]
        return [(part.id, ast.unparse(node)) for part in found if isinstance(part.ctx, ast.Store)]
    return []


def _parameter(node: ast.stmt, name: str, names: Names, comments: Mapping[int, str]) -> Parameter | None:
    """The parameter that a statement assigns, or None where its value is computed."""
    annotation = node.annotation if isinstance(node, ast.AnnAssign) else None
    if isinstance(node, ast.AugAssign) or (isinstance(node, ast.Assign) and not _single(node)):
        return None
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    try:
        default = MISSING if value is None else read_literal(value, names)
    except NotLiteral:
        return None
    spot: ast.stmt | ast.expr = value or node
    assert spot.end_lineno is not None
    assert spot.end_col_offset is not None
    start = (spot.lineno, spot.col_offset) if value else (spot.end_lineno, spot.end_col_offset)
    table = annotation.value if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str) else None
    text = (
        ast.unparse(annotation) if annotation else type(default).__name__ if default is not None else "any JSON value"
    )
    kind = ParameterType("a path" if table else text, None if table else annotation, names, "" if table else default)
    place = (*start, spot.end_lineno, spot.end_col_offset)
    return Parameter(name, kind, default, comments.get(node.end_lineno or 0, ""), table, place)


def _is_line_for_line(source: str, text: str) -> bool:
    """Whether a translated cell has each line where the cell has it, all but IPython's own the same."""
    pairs = list(zip(source.split("\n"), text.rstrip("\n").split("\n"), strict=False))
    return source.rstrip("\n").count("\n") == text.rstrip("\n").count("\n") and all(
        one == other or "get_ipython()" in other for one, other in pairs
    )


def _single(node: ast.Assign) -> bool:
    return len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)


def _comments(source: str) -> dict[int, str]:
    """The comment on each line that has one."""
    tokens = tokenize.generate_tokens(io.StringIO(source, newline=None).readline)
    return {token.start[0]: token.string.lstrip("# ").strip() for token in tokens if token.type == tokenize.COMMENT}
