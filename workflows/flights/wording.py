"""Numbers, times and names as a reader wants them, for sentences, tables and charts alike."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence

UNKNOWN = "–"  # stands for a number that does not exist
AIRPORTS = {"EWR": "Newark", "JFK": "Kennedy", "LGA": "LaGuardia"}
ALL_CARRIERS = "all"


def number(value: float, digits: int = 0) -> str:
    """1234.5 as '1,234' or with digits; with a true minus sign."""
    if value is None or math.isnan(value):
        return UNKNOWN
    text = f"{value:,.{digits}f}"
    return text.replace("-", "−") if text.strip("-0.") else text.lstrip("-")  # zero has no sign


def percent(share: float, digits: int = 1) -> str:
    """0.123 as '12.3 %'."""
    return UNKNOWN if math.isnan(share) else f"{number(100 * share, digits)} %"


def minutes(value: float) -> str:
    """12.0 as '12 min', -2.5 as '−2.5 min', 170 as '2 h 50 min'."""
    if math.isnan(value):
        return UNKNOWN
    sign, size = ("−" if value < 0 else ""), abs(value)
    if size < 120:
        return f"{sign}{size:.0f} min" if size == int(size) else f"{sign}{size:.1f} min"
    whole, rest = divmod(round(size), 60)
    return f"{sign}{whole:,} h {rest:02d} min"


def delay(value: float) -> str:
    """A delay as said in a sentence: '12 min late', '2 min early' or 'on time'."""
    if math.isnan(value):
        return UNKNOWN
    return "on time" if value == 0 else f"{minutes(abs(value))} {'late' if value > 0 else 'early'}"


def count(size: int, noun: str, plural: str = "") -> str:
    """1 and 'flight' as '1 flight', 1234 as '1,234 flights', 0 as 'no flights'."""
    return f"{f'{size:,}' if size else 'no'} {noun if size == 1 else plural or noun + 's'}"


def clock(time: int) -> str:
    """The time of day 1735 (HHMM) as '17:35'."""
    return f"{time // 100:02d}:{time % 100:02d}"


def day(date: datetime.date) -> str:
    """A date as 'Tuesday 15 January 2013'."""
    return f"{date:%A} {date.day} {date:%B %Y}"


def joined(parts: Sequence[str]) -> str:
    """'a', 'b', 'c' as 'a, b and c'."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def capital(words: str) -> str:
    """The words with their first letter raised."""
    return words[:1].upper() + words[1:]


def sentence(words: str) -> str:
    """The words with their first letter raised and a full stop at their end."""
    return capital(words).removesuffix(".") + "."


def airline(name: str) -> str:
    """'United Air Lines Inc.' as 'United Air Lines'."""
    for ending in (" Inc.", " Co.", " Corporation"):
        name = name.removesuffix(ending)
    return name


def destination(code: str, name: object) -> str:
    """The name of an airport, or its code where the name is not known."""
    return name if isinstance(name, str) and name else code


def route(origin: str, code: str, name: object) -> str:
    """'Newark to San Francisco Intl'."""
    return f"{AIRPORTS[origin]} to {destination(code, name)}"
