"""Values that drivers give, spelled as JSON and read back as they were."""

from __future__ import annotations

import datetime
import decimal
import math
import uuid
import zoneinfo
from collections.abc import Callable, Mapping
from typing import Any

_PLAIN = frozenset({type(None), bool, int, str})


def spelled(value: Any) -> Any:
    """A value as JSON: what JSON has no word for is an object with the name of its type. Raises TypeError for other types."""
    kind = type(value)
    if kind in _PLAIN or (kind is float and math.isfinite(value)):
        return value
    if kind not in _WAYS:
        raise TypeError(kind.__name__)
    return {kind.__name__: _WAYS[kind][0](value)}


def read(spelling: Any) -> Any:
    """The value that was spelled so."""
    if not isinstance(spelling, dict):
        return spelling
    [(name, text)] = spelling.items()
    return _READ[name](text)


def bound(binds: frozenset[str], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a statement binds, spelled, by their names. Raises TypeError for what no database takes."""
    return {name: spelled(values[name]) for name in sorted(binds) if name in values}


def shown(values: Mapping[str, Any]) -> str:
    """Bound values as a user may read them."""
    texts = ((name, next(iter(v.values())) if isinstance(v, dict) else v) for name, v in values.items())
    return ", ".join(f"{name} {text}" for name, text in texts) or "no values"


def _when(value: datetime.datetime) -> list[Any]:
    zone = value.tzinfo
    if zone is None or type(zone) is datetime.timezone:
        return [value.isoformat(), value.fold, None]
    if isinstance(zone, zoneinfo.ZoneInfo) and zone.key:
        return [value.replace(tzinfo=None).isoformat(), value.fold, zone.key]
    if str(zone) == "UTC":
        return [value.replace(tzinfo=datetime.UTC).isoformat(), value.fold, None]
    raise TypeError(f"{type(zone).__module__}.{type(zone).__name__}")


def _moment(parts: list[Any]) -> datetime.datetime:
    text, fold, key = parts
    found = datetime.datetime.fromisoformat(text).replace(fold=fold)
    return found.replace(tzinfo=zoneinfo.ZoneInfo(key)) if key else found


_WAYS: dict[type, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    float: (repr, float),
    bytes: (bytes.hex, bytes.fromhex),
    bytearray: (bytearray.hex, bytearray.fromhex),
    memoryview: (memoryview.hex, lambda text: memoryview(bytes.fromhex(text))),
    datetime.date: (datetime.date.isoformat, datetime.date.fromisoformat),
    datetime.datetime: (_when, _moment),
    datetime.time: (datetime.time.isoformat, datetime.time.fromisoformat),
    datetime.timedelta: (lambda v: [v.days, v.seconds, v.microseconds], lambda parts: datetime.timedelta(*parts)),
    decimal.Decimal: (str, decimal.Decimal),
    uuid.UUID: (str, uuid.UUID),
    list: (lambda v: [spelled(one) for one in v], lambda parts: [read(one) for one in parts]),
    tuple: (lambda v: [spelled(one) for one in v], lambda parts: tuple(read(one) for one in parts)),
    dict: (lambda v: [[spelled(a), spelled(b)] for a, b in v.items()], lambda ps: {read(a): read(b) for a, b in ps}),
}
_READ = {kind.__name__: back for kind, (_, back) in _WAYS.items()}
