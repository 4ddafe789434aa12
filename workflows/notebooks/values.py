"""The values of parameters and their spellings: from a syntax tree, and as a literal of a notebook."""

from __future__ import annotations

import ast
import contextlib
import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# As ast.unparse spells it, so that a literal made with it is read again.
_MODULE = "__import__('datetime')"


class NotLiteral(ValueError):
    """An expression that is computed when the notebook runs."""


@dataclass(frozen=True)
class Names:
    """How a notebook calls the module `datetime` and its classes."""

    module: str = _MODULE
    """The module, as an expression."""
    classes: Mapping[str, str] = ()  # type: ignore[assignment]
    """The classes that were imported by name."""

    @classmethod
    def imported(cls, tree: ast.Module) -> Names:
        """The names that a piece of code imports."""
        module, classes = _MODULE, {}
        for node in tree.body:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name == "datetime":
                        module = alias.asname or alias.name
            elif isinstance(node, ast.ImportFrom) and node.module == "datetime":
                classes.update({alias.name: alias.asname or alias.name for alias in node.names})
        return cls(module, classes)

    def spelled(self, name: str) -> str:
        """A class of `datetime` as an expression."""
        return dict(self.classes).get(name) or f"{self.module}.{name}"

    def means(self, node: ast.expr) -> str | None:
        """The class of `datetime` that an expression names, if it does."""
        text = ast.unparse(node)
        for name in ("date", "datetime", "timedelta", "timezone"):
            if text in (f"{self.module}.{name}", dict(self.classes).get(name)):
                return name
        return None


def read_literal(node: ast.expr, names: Names) -> Any:
    """The value that an expression spells; raises NotLiteral for anything that has to be computed."""
    if isinstance(node, ast.Constant) and node.value is not Ellipsis and not isinstance(node.value, complex | bytes):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = read_literal(node.operand, names)
        if type(value) in (int, float):
            return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.List | ast.Tuple):
        items = [read_literal(item, names) for item in node.elts]
        return items if isinstance(node, ast.List) else tuple(items)
    if isinstance(node, ast.Dict) and all(key is not None for key in node.keys):
        pairs = [
            (read_literal(k, names), read_literal(v, names)) for k, v in zip(node.keys, node.values, strict=True) if k
        ]
        with _computed():
            return dict(pairs)
    if isinstance(node, ast.Attribute) and node.attr == "utc" and names.means(node.value) == "timezone":
        return datetime.UTC
    if isinstance(node, ast.Call):
        return _called(node, names)
    raise NotLiteral(ast.unparse(node))


def _called(node: ast.Call, names: Names) -> Any:
    arguments = [read_literal(argument, names) for argument in node.args]
    keywords = {keyword.arg: read_literal(keyword.value, names) for keyword in node.keywords if keyword.arg}
    if len(keywords) == len(node.keywords):
        name = names.means(node.func)
        with _computed():
            if isinstance(node.func, ast.Name) and node.func.id == "float" and len(arguments) == 1:
                return float(arguments[0])
            if name:
                return getattr(datetime, name)(*arguments, **keywords)
    raise NotLiteral(ast.unparse(node))


@contextlib.contextmanager
def _computed() -> Iterator[None]:
    """What Python itself would refuse to make of literals is for the notebook's run to say."""
    try:
        yield
    except (TypeError, ValueError, OverflowError) as error:
        raise NotLiteral(str(error)) from error


def literal(value: Any, names: Names) -> str:
    """A value as a Python literal; raises TypeError for what has none."""
    if value is None or type(value) in (bool, int, str):
        return repr(value)
    if type(value) is float:
        return repr(value) if value - value == 0 else f'float("{value}")'
    if type(value) is datetime.datetime:
        return _datetime(value, names)
    if type(value) is datetime.date:
        return f"{names.spelled('date')}({value.year}, {value.month}, {value.day})"
    if type(value) is list:
        return f"[{', '.join(literal(item, names) for item in value)}]"
    if type(value) is tuple:
        return f"({', '.join(literal(item, names) for item in value)}{',' if len(value) == 1 else ''})"
    if type(value) is dict:
        return f"{{{', '.join(f'{literal(k, names)}: {literal(v, names)}' for k, v in value.items())}}}"
    raise TypeError(f"{type(value).__name__} has no literal")


def _datetime(value: datetime.datetime, names: Names) -> str:
    parts = [value.year, value.month, value.day, value.hour, value.minute]
    if value.second or value.microsecond:
        parts.append(value.second)
    if value.microsecond:
        parts.append(value.microsecond)
    text = ", ".join(map(str, parts))
    offset = value.utcoffset()
    if offset is not None:
        zone = names.spelled("timezone")
        text += f", tzinfo={zone}({_span(offset, names)})" if offset else f", tzinfo={zone}.utc"
    if value.fold:
        text += ", fold=1"
    return f"{names.spelled('datetime')}({text})"


def _span(span: datetime.timedelta, names: Names) -> str:
    seconds = f"seconds={span // datetime.timedelta(seconds=1)}"
    rest = f", microseconds={span.microseconds}" if span.microseconds else ""
    return f"{names.spelled('timedelta')}({seconds}{rest})"


def as_json(value: Any) -> Any:
    """A value as JSON holds it: dates as ISO text, numbers that JSON lacks as text."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, float) and value - value != 0:
        return str(value)
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if isinstance(value, dict):
        return {str(as_json(key)): as_json(item) for key, item in value.items()}
    return value
