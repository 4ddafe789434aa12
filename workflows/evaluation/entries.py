"""What a file of suites says, entry by entry; what is wrong with it is told with its place."""

from __future__ import annotations

import datetime
import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workflows.errors import SuiteError
from workflows.evaluation.suites import Asked, Limit, Suite

MOST = 10_000
"""Reports of one suite; more is a range of dates that nobody means."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_NAMED = "a name of letters, digits, '_', '.' and '-'"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_A_DATE = "a date such as 2013-01-15"
_BETTER = ("lower", "higher")


def read(text: bytes, where: str) -> dict[str, Suite]:
    """The suites in the bytes of a file, by name; `where` is how errors call it. Raises SuiteError."""
    try:
        # Editors of Windows begin a file with a mark of its encoding.
        found = tomllib.loads(text.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SuiteError.not_toml(where, "it is not in UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise SuiteError.not_toml(where, str(error)) from error
    if not found:
        raise SuiteError.empty(where)
    return {name: _suite(name, given, where) for name, given in found.items()}


def _suite(name: str, given: Any, where: str) -> Suite:
    place = f"{where}, suite '{name}'"
    if not isinstance(given, dict):
        raise SuiteError.wrong(where, f"'{name}'", given, f"a suite, which begins with a line `[{name}]`")
    if not _NAME.fullmatch(name):
        raise SuiteError.wrong(where, "a suite's name", name, _NAMED)
    _check_keys(place, given, ("dataset", "reports", "measures"))
    dataset = _given(place, given, "dataset", "the name of a dataset")
    if not isinstance(dataset, str) or not _NAME.fullmatch(dataset):
        raise SuiteError.wrong(place, "dataset", dataset, f"the name of a dataset, {_NAMED}")
    return Suite(name, dataset, _reports(place, name, given), dict(_limits(place, given.get("measures", {}))))


def _reports(place: str, name: str, given: Mapping[str, Any]) -> tuple[Asked, ...]:
    expected = f"at least one report, each beginning with a line `[[{name}.reports]]`"
    entries = _given(place, given, "reports", expected)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries) or not entries:
        raise SuiteError.wrong(place, "reports", entries, expected)
    found: dict[str, Asked] = {}
    for number, entry in enumerate(entries, 1):
        at = f"{place}, report {number}"
        for asked in _asked(at, entry):
            if asked.key in found:
                raise SuiteError.twice(at, f"the report {asked.key}")
            found[asked.key] = asked
        if len(found) > MOST:
            raise SuiteError.too_many(place, len(found), MOST)
    return tuple(found.values())


def _asked(place: str, entry: Mapping[str, Any]) -> Iterator[Asked]:
    _check_keys(place, entry, ("template", "dates", "start", "stop", "parameters"))
    template = _given(place, entry, "template", "the name of a template")
    if not isinstance(template, str) or not template:
        raise SuiteError.wrong(place, "template", template, "the name of a template")
    parameters = entry.get("parameters", {})
    if not isinstance(parameters, dict):
        raise SuiteError.wrong(place, "parameters", parameters, "a table such as { threshold = 4 }")
    if "date" in parameters:
        raise SuiteError.wrong(place, "parameters.date", parameters["date"], "the report's dates in `dates` only")
    values = {name: _value(place, f"parameters.{name}", value) for name, value in parameters.items()}
    for day in _dates(place, entry):
        yield Asked(template, day, values)


def _dates(place: str, entry: Mapping[str, Any]) -> Sequence[str]:
    either = "`dates`, or both `start` and `stop`"
    if "dates" in entry:
        if "start" in entry or "stop" in entry:
            raise SuiteError.wrong(place, "the time", sorted({"dates", "start", "stop"} & {*entry}), either)
        if not isinstance(entry["dates"], list) or not entry["dates"]:
            raise SuiteError.wrong(place, "dates", entry["dates"], 'a list such as ["2013-01-15", "2013-01-16"]')
        return [_date(place, "dates", day).isoformat() for day in entry["dates"]]
    if "start" not in entry and "stop" not in entry:
        raise SuiteError.missing(place, "dates", either)
    start, stop = (_date(place, key, _given(place, entry, key, _A_DATE)) for key in ("start", "stop"))
    days = (stop - start).days + 1
    if days < 1:
        raise SuiteError.wrong(place, "stop", stop.isoformat(), f"a date not before start, {start.isoformat()}")
    if days > MOST:
        raise SuiteError.too_many(place, days, MOST)
    return [(start + datetime.timedelta(days=n)).isoformat() for n in range(days)]


def _date(place: str, key: str, found: Any) -> datetime.date:
    """A date of TOML or a text; a time of day is no date, although Python takes it for one."""
    if type(found) is datetime.date:
        return found
    try:
        if isinstance(found, str) and _DAY.fullmatch(found):
            return datetime.date.fromisoformat(found)
    except ValueError:
        pass
    shown = found.isoformat() if isinstance(found, datetime.date | datetime.time) else found
    raise SuiteError.wrong(place, key, shown, _A_DATE)


def _value(place: str, key: str, found: Any) -> Any:
    """A parameter's value as JSON has it: dates become texts."""
    if isinstance(found, datetime.date | datetime.time):
        return found.isoformat()
    if isinstance(found, float) and not math.isfinite(found):
        raise SuiteError.wrong(place, key, found, "a finite number")
    if isinstance(found, list):
        return [_value(place, key, item) for item in found]
    if isinstance(found, dict):
        return {name: _value(place, f"{key}.{name}", item) for name, item in found.items()}
    return found


def _limits(place: str, given: Any, before: str = "") -> Iterator[tuple[str, Limit]]:
    """The limits by the names of measures; `anomaly_report.late_share = ...` without quotes is a table within a table."""
    if not isinstance(given, dict):
        raise SuiteError.wrong(place, "measures", given, "a table such as { anomalies = { absolute = 2 } }")
    for name, entry in given.items():
        full, at = f"{before}{name}", f"{place}, measure '{before}{name}'"
        if not isinstance(entry, dict):
            raise SuiteError.wrong(
                place, f"measure '{full}'", entry, "a table such as { absolute = 2, relative = 0.05 }"
            )
        if not before and entry and all(isinstance(value, dict) for value in entry.values()):
            for inner, limit in _limits(place, entry, f"{name}."):
                if inner in given:
                    raise SuiteError.twice(place, f"the measure '{inner}'")
                yield inner, limit
        else:
            yield full, _limit(at, entry)


def _limit(place: str, entry: Mapping[str, Any]) -> Limit:
    _check_keys(place, entry, ("better", "absolute", "relative"))
    better = entry.get("better")
    if "better" in entry and better not in _BETTER:
        raise SuiteError.wrong(place, "better", better, "'lower' or 'higher'")
    return Limit(better, *(_tolerance(place, key, entry.get(key, 0.0)) for key in ("absolute", "relative")))


def _tolerance(place: str, key: str, found: Any) -> float:
    expected = "a number that is finite and not negative" + (", a share: 0.05 is 5 %" if key == "relative" else "")
    try:
        number = float(found) if type(found) in (int, float) else math.nan
    except OverflowError:
        number = math.inf
    if not 0 <= number < math.inf:
        raise SuiteError.wrong(place, key, found, expected)
    return number


def _given(place: str, table: Mapping[str, Any], key: str, expected: str) -> Any:
    if key not in table:
        raise SuiteError.missing(place, key, expected)
    return table[key]


def _check_keys(place: str, table: Mapping[str, Any], known: Sequence[str]) -> None:
    for key in table:
        if key not in known:
            raise SuiteError.unknown_key(place, key, known)
