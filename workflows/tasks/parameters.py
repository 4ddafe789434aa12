"""Parameters of tasks: dates with an error that names what was found, and every value in the one spelling that counts."""

from __future__ import annotations

import datetime
import json
from functools import lru_cache
from typing import Any

import luigi

from workflows.errors import DateError, ParameterError, PipelineError

PLAIN = {str, int, bool, datetime.date}
"""Types whose values are spelled alike if they are equal; floats are not: 0.0 equals -0.0."""


class DateParameter(luigi.DateParameter):
    """Luigi's date, with an error that names what was found."""

    def parse(self, value: str) -> datetime.date:
        """The date in a text YYYY-MM-DD."""
        try:
            found: datetime.date = super().parse(value)
        except ValueError as error:
            raise DateError.wrong(value) from error
        return found


def normal(task: str, name: str, param: luigi.Parameter, value: Any) -> Any:
    """A task's value as it comes back from another process: through text and back, which must then stay."""
    if type(value) is datetime.date and _is_daily(param) and value.year > 999:
        # Written and read it is the same, as every date of a backfill would show anew.
        return value
    try:
        # Parsed lists and dicts can be changed; normalised ones are frozen, and so can be keys.
        kind = type(value)
        found = _spelt(param, kind.__name__, value) if kind in PLAIN else _written_and_read(param, value)
    except DateError:
        raise
    except (ValueError, TypeError, AttributeError) as error:
        expected = type(param).__name__.removesuffix("Parameter").lower() or "text"
        raise PipelineError.bad_parameter(task, name, value, expected, error) from error
    if isinstance(found, list | set):
        return tuple(found)
    return found


def _is_daily(param: Any) -> bool:
    return type(param) in (DateParameter, luigi.DateParameter) and param.interval == 1


def _written_and_read(param: luigi.Parameter, value: Any) -> Any:
    found = param.normalize(param.parse(param.serialize(value)))
    if param.serialize(found) != param.serialize(param.parse(param.serialize(found))):
        raise ValueError("it does not survive being written and read back")
    return found


@lru_cache(maxsize=4096)
def _spelt(param: luigi.Parameter, kind: str, value: Any) -> Any:
    """The same, once for the tasks of a date; the type tells 1 from True."""
    return _written_and_read(param, value)


def json_object(text: str) -> dict[str, Any]:
    """The values in a JSON object; raises ParameterError for anything else."""
    try:
        found = json.loads(text, object_pairs_hook=_unique)
    except ValueError as error:
        raise ParameterError.not_json(text, str(error)) from error
    if not isinstance(found, dict):
        raise ParameterError.not_json(text, f"it is a JSON {type(found).__name__}")
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; one that names a key twice means two things at once."""
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"'{name}' is given twice")
    return dict(pairs)
