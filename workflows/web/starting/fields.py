"""The fields of a form: a parameter's type says which control it has, how a value is spelled in it, and how it is read again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from workflows.errors import ParameterError
from workflows.notebooks.parameters import MISSING, Parameter
from workflows.notebooks.values import as_json

NOTHING = ":none"
"""What the name of a text's second control ends with, which says that there is no text; no parameter is called so."""
_KINDS = {"boolean": "flag", "integer": "integer", "number": "number", "string": "text"}
_LONG = 60
"""From so many characters on, JSON has a line for each item."""
_SHORT = 24
"""Up to so many characters, a default is said."""
_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "pattern": "of the pattern {}",
}


@dataclass(frozen=True)
class Field:
    """What a form has for one parameter."""

    template: str
    """The template's name."""
    parameter: Parameter

    @property
    def name(self) -> str:
        """The name of the control."""
        return self.parameter.name

    @property
    def kind(self) -> str:
        """'choice', 'flag', 'integer', 'number', 'date', 'text' or 'json'."""
        if self.choices:
            return "choice"
        schema = self._schema
        if schema.get("format") == "date":
            return "date"
        return _KINDS.get(str(schema.get("type")), "json")

    @property
    def is_optional(self) -> bool:
        """Whether None is among the values."""
        return len(self._alternatives) < len(self._all)

    @property
    def has_nothing(self) -> bool:
        """Whether a second control says None: an empty text is a value of its own."""
        return self.is_optional and self.kind == "text"

    @cached_property
    def choices(self) -> dict[str, Any]:
        """The values to choose from, by their spelling; empty for a type that is no choice."""
        values = self._values()
        texts = [value if isinstance(value, str) else json.dumps(value) for value in values]
        if len(set(texts)) < len(texts):
            # A text and a number that look alike.
            texts = [json.dumps(value) for value in values]
        return dict(zip(texts, values, strict=True))

    @property
    def hint(self) -> str:
        """The bounds in words."""
        schema = self._schema
        if schema.keys() >= {"minimum", "maximum"}:
            said = [f"{_number(schema['minimum'])} to {_number(schema['maximum'])}"]
        else:
            said = [words.format(_number(schema[key])) for key, words in _BOUNDS.items() if key in schema]
        if self.is_optional and not self.has_nothing and self.kind != "choice":
            said.append("may be empty" if self.kind != "json" else "may be null")
        return ", ".join(said)

    @property
    def type(self) -> str:
        """The type in the author's words, without the bounds, which the hint says."""
        return "" if self.kind in ("choice", "flag") else self.parameter.type.expected

    @property
    def usual(self) -> str:
        """The default in words, where it is short enough to stand beside the name; empty where there is none."""
        default, (text, is_none) = self.parameter.default, self.initial()
        if default is MISSING or is_none or not text:
            return ""
        said = {"true": "yes", "false": "no"}.get(text, text) if self.kind == "flag" else text
        return f"default {said}" if len(said) <= _SHORT and "\n" not in said else ""

    def text(self, value: Any) -> str:
        """The spelling of a value."""
        given = as_json(value)
        if given is None and self.kind not in ("choice", "json"):
            return ""
        if self.kind == "choice":
            return next((text for text, choice in self.choices.items() if _is_same(choice, given)), str(given))
        if self.kind == "json":
            line = json.dumps(given, ensure_ascii=False)
            return line if len(line) <= _LONG else json.dumps(given, ensure_ascii=False, indent=1)
        if self.kind == "flag":
            return "true" if given else "false"
        return str(given)

    def read(self, text: str) -> Any:
        """What a text spells, as JSON has it: the parameter's type has the last word. Raises ParameterError for JSON that is none."""
        if self.kind == "choice":
            return self.choices.get(text, text)
        if self.kind == "text":
            # How browsers send the end of a line.
            return text.replace("\r\n", "\n")
        stripped = text.strip()
        if not stripped and self.is_optional:
            return None
        if self.kind == "json":
            try:
                return as_json(json.loads(stripped))
            except (ValueError, RecursionError) as error:
                expected = f"{self.parameter.type.expected} as JSON ({error})"
                raise ParameterError.wrong(self.template, self.name, text, expected) from error
        return stripped

    def initial(self) -> tuple[str, bool]:
        """The spelling of the default, and whether that is None."""
        default = self.parameter.default
        if default is MISSING:
            return "", False
        return self.text(default), default is None

    def found(self, given: Mapping[str, list[str]]) -> tuple[str, bool]:
        """What a form or a query string says: the text, and whether there is to be none; else the default."""
        # Who writes something and leaves the box ticked means what was written.
        if self.has_nothing and f"{self.name}{NOTHING}" in given and not given.get(self.name, [""])[-1]:
            return "", True
        # A box that is not ticked sends nothing, so something precedes it that always is sent.
        return (given[self.name][-1], False) if self.name in given else self.initial()

    @cached_property
    def _all(self) -> list[dict[str, Any]]:
        schema = self.parameter.type.json_schema()
        if "enum" in schema and None in schema["enum"]:
            return [{**schema, "enum": [value for value in schema["enum"] if value is not None]}, {"type": "null"}]
        found: list[dict[str, Any]] = schema.get("anyOf", [schema])
        return found

    @property
    def _alternatives(self) -> list[dict[str, Any]]:
        return [schema for schema in self._all if schema.get("type") != "null"]

    @property
    def _schema(self) -> dict[str, Any]:
        """What the type is, None apart; nothing where it may be several things."""
        return self._alternatives[0] if len(self._alternatives) == 1 else {}

    def _values(self) -> list[Any]:
        schema = self._schema
        if "const" in schema:
            values = [schema["const"]]
        elif schema.get("type") == "boolean" and self.is_optional:
            values = [True, False]
        else:
            values = list(schema.get("enum", []))
        return [*values, None] if values and self.is_optional else values


def _is_same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
