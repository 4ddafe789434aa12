"""The types of parameters: read from an annotation without running it, checked by pydantic."""

from __future__ import annotations

import ast
import datetime
import inspect
import re
import typing
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from workflows.notebooks.values import Names, NotLiteral, as_json, read_literal

KNOWN = (
    "int, float, str, bool, None, datetime.date, datetime.datetime, list[...], dict[...], tuple[...], Literal[...], "
    "Optional[...], a | b, Annotated[..., Field(...)], or a stage's name in quotes"
)
_PLAIN: dict[str, Any] = {
    "int": int, "float": float, "str": str, "bool": bool, "None": None, "list": list, "dict": dict, "tuple": tuple, "Any": Any,
    "List": list, "Dict": dict, "Tuple": tuple,
}  # fmt: skip
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class UnknownType(ValueError):
    """An annotation that is none of the known types."""


@dataclass(frozen=True)
class ParameterType:
    """The type of one parameter."""

    text: str
    """As the author wrote it, or the type of the default."""
    annotation: ast.expr | None
    """The annotation's expression; None where the type is that of the default."""
    names: Names
    """What the notebook calls the module `datetime`."""
    default: Any = None
    """The default, which gives the type where there is no annotation."""

    @cached_property
    def python(self) -> Any:
        """The type as Python's typing has it; raises UnknownType."""
        if self.annotation is None:
            return Any if self.default is None else type(self.default)
        return _built(self.annotation, self.names)

    def fits(self, value: Any) -> bool:
        """Whether a value that a notebook spells is of this type as it stands, by a look that needs no pydantic."""
        if self.annotation is None:
            return True
        name = ast.unparse(self.annotation)
        exact = {"date": datetime.date, "datetime": datetime.datetime}.get(self.names.means(self.annotation) or "")
        return type(value) is (exact or _PLAIN.get(name, object))

    def validated(self, value: Any) -> Any:
        """A value from JSON as one of this type; raises ValueError with what was expected.

        Numbers must be of the right kind; texts are also read as numbers, so that a form or a shell can give any value.
        """
        from pydantic import ValidationError

        given = as_json(value)
        reasons: list[str] = []
        for strict in (True, False):
            try:
                found = self._adapter.validate_json(_json(given), strict=strict)
            except ValidationError as error:
                reasons = [_reason(detail) for detail in error.errors()]
            else:
                if _is_kept(given, found):
                    return _plain(found)
        why = "" if typing.get_origin(self.python) is typing.Literal else "; ".join(dict.fromkeys(reasons))
        raise ValueError(f"{self.expected} ({why})" if why else self.expected)

    @property
    def expected(self) -> str:
        """The type, for a sentence that says what was expected."""
        if typing.get_origin(self.python) is typing.Literal:
            return "one of " + ", ".join(repr(choice) for choice in typing.get_args(self.python))
        annotation = self.annotation
        if isinstance(annotation, ast.Subscript) and typing.get_origin(self.python) is typing.Annotated:
            # The bounds are said by the reason.
            assert isinstance(annotation.slice, ast.Tuple)
            return ast.unparse(annotation.slice.elts[0])
        return self.text

    def json_schema(self) -> dict[str, Any]:
        """The type as JSON Schema."""
        schema: dict[str, Any] = self._adapter.json_schema()
        return schema

    @cached_property
    def _adapter(self) -> Any:
        from pydantic import ConfigDict, PydanticUserError, TypeAdapter
        from pydantic_core import SchemaError

        python = self.python
        config = ConfigDict(ser_json_inf_nan="strings") if python is float or python is Any else None
        try:
            return TypeAdapter(python, config=config)
        except (PydanticUserError, SchemaError, TypeError) as error:
            raise UnknownType(self.text) from error


def _built(node: ast.expr, names: Names) -> Any:
    moment = names.means(node)
    if moment == "datetime":
        return _moment()
    if moment == "date":
        return datetime.date
    if isinstance(node, ast.Constant) and node.value is None:
        return None
    if isinstance(node, ast.Name | ast.Attribute):
        name = node.id if isinstance(node, ast.Name) else node.attr
        if name in _PLAIN and (isinstance(node, ast.Name) or ast.unparse(node.value) == "typing"):
            return _PLAIN[name]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return typing.Union[_built(node.left, names), _built(node.right, names)]  # noqa: UP007 - built from values
    if isinstance(node, ast.Subscript):
        return _subscripted(node, names)
    raise UnknownType(ast.unparse(node))


def _subscripted(node: ast.Subscript, names: Names) -> Any:
    generic = ast.unparse(node.value).rpartition(".")[2]
    arguments = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if generic == "Literal":
        try:
            return typing.Literal[tuple(read_literal(argument, names) for argument in arguments)]
        except NotLiteral as error:
            raise UnknownType(ast.unparse(node)) from error
    if generic == "Annotated":
        fields = [_field(argument, names) for argument in arguments[1:]]
        return typing.Annotated[(_built(arguments[0], names), *fields)]
    if (
        generic == "tuple"
        and len(arguments) == 2
        and isinstance(arguments[1], ast.Constant)
        and arguments[1].value is ...
    ):
        return tuple[_built(arguments[0], names), ...]  # type: ignore[misc]
    inner = tuple(_built(argument, names) for argument in arguments)
    if generic == "Optional" and len(inner) == 1:
        return typing.Optional[inner[0]]  # noqa: UP045 - built from values
    if generic == "Union":
        return typing.Union[inner]  # noqa: UP007 - built from values
    arity = {"list": (1,), "dict": (2,), "tuple": (len(inner),)}.get(generic.lower(), ())
    if len(inner) in arity:
        return _PLAIN[generic][inner if len(inner) > 1 else inner[0]]
    raise UnknownType(ast.unparse(node))


def _field(node: ast.expr, names: Names) -> Any:
    """pydantic's Field(...) with literal arguments, or a text, which describes."""
    from pydantic import Field

    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return Field(description=node.value)
    if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Field" and not node.args:
        try:
            arguments = {keyword.arg: read_literal(keyword.value, names) for keyword in node.keywords if keyword.arg}
            if arguments.keys() <= inspect.signature(Field).parameters.keys():
                return Field(**arguments)
        except (NotLiteral, TypeError, ValueError) as error:
            raise UnknownType(ast.unparse(node)) from error
    raise UnknownType(ast.unparse(node))


def _moment() -> Any:
    """A datetime in any spelling of ISO 8601: pydantic's own reader knows no offsets with seconds."""
    from pydantic import BeforeValidator

    def read(value: Any) -> Any:
        try:
            return datetime.datetime.fromisoformat(value) if isinstance(value, str) else value
        except ValueError:
            return value

    return typing.Annotated[datetime.datetime, BeforeValidator(read)]


def _is_kept(given: Any, found: Any) -> bool:
    """Whether a validated value is what was given: a text may be read as anything, all else keeps its kind."""
    if isinstance(found, datetime.date):
        return isinstance(given, str) and bool(_DAY.match(given))
    if isinstance(given, list) and isinstance(found, list | tuple):
        return all(map(_is_kept, given, found))
    if isinstance(given, dict) and isinstance(found, dict):
        return all(map(_is_kept, given.values(), found.values()))
    if isinstance(given, str) or type(given) is type(found):
        return True
    return type(given) is int and type(found) is float


def _json(value: Any) -> str:
    import json

    return json.dumps(value)


def _reason(detail: Any) -> str:
    place = ".".join(str(part) for part in detail["loc"] if not str(part).startswith(("function-", "literal")))
    return f"{place}: {detail['msg']}" if place else str(detail["msg"])


def _plain(value: Any) -> Any:
    """A validated value with time zones of the standard library, so that it has a literal."""
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        offset = value.utcoffset() or datetime.timedelta()
        return value.replace(tzinfo=datetime.UTC if not offset else datetime.timezone(offset))
    if isinstance(value, list | tuple):
        return type(value)(_plain(item) for item in value)
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    return value
