"""The parts of a report page beside its charts: heading, key numbers, findings, tables.

Each function returns a Fragment, which a notebook shows when it is the last line of a cell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

from pandas import DataFrame

from workflows.flights import colours
from workflows.flights.wording import UNKNOWN, sentence

NARROWEST = 560  # pixels: a table is not squeezed further, its box scrolls instead
SMALLEST = 720  # pixels: the width of a chart below which its words cannot be read; it scrolls instead

CSS = f"""
.fl {{ font-family: system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif; color: {colours.INK};
  max-width: 920px; line-height: 1.45; }}
.fl-date {{ font-size: 22px; font-weight: 600; letter-spacing: -0.01em; }}
.fl-about {{ font-size: 14px; color: {colours.MUTED}; margin-top: 2px; }}
/* The lines left of the first number of a row and below the last row lie outside the box, which cuts them off. */
.fl-numbers {{ display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; overflow: hidden;
  border-top: 2px solid {colours.INK}; border-bottom: 1px solid {colours.LINE}; margin: 6px 0; }}
.fl-number {{ padding: 12px 27px 12px 16px; margin: 0 0 -1px -17px; border: solid {colours.LINE};
  border-width: 0 0 1px 1px; }}
.fl-label {{ font-size: 12.5px; color: {colours.MUTED}; }}
.fl-value {{ font-size: 29px; font-weight: 600; letter-spacing: -0.02em; line-height: 1.25; white-space: nowrap; }}
.fl-note {{ font-size: 12.5px; color: {colours.MUTED}; }}
.fl ul.fl-findings {{ margin: 4px 0; padding-left: 18px; font-size: 15px; }}
.fl ul.fl-findings li {{ margin: 3px 0; }}
.fl-verdict {{ padding: 12px 16px; border-left: 5px solid; font-size: 17px; font-weight: 600; margin: 4px 0 8px; }}
.fl table.fl-table {{ border-collapse: collapse; width: 100%; font-size: 13.5px; margin: 4px 0; border: 0;
  table-layout: auto; }}
.fl table.fl-table tr {{ background: none !important; }}
.fl table.fl-table th, .fl table.fl-table td {{ text-align: left; padding: 6px 14px 6px 0; vertical-align: baseline;
  background: none; border: 0; border-bottom: 1px solid {colours.LINE}; max-width: none; white-space: normal; }}
.fl table.fl-table th {{ font-weight: 600; color: {colours.MUTED}; border-bottom: 1.5px solid {colours.INK};
  font-size: 12.5px; }}
.fl table.fl-table .fl-right {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }}
/* A shadow at the side where a table goes on: the white covers move with the table, the shadows stay. */
.fl-scroll {{ overflow-x: auto; background:
  linear-gradient(to right, #fff 45%, transparent) left / 36px 100% no-repeat local,
  linear-gradient(to left, #fff 45%, transparent) right / 36px 100% no-repeat local,
  linear-gradient(to right, {colours.QUIET}, transparent) left / 16px 100% no-repeat scroll,
  linear-gradient(to left, {colours.QUIET}, transparent) right / 16px 100% no-repeat scroll; }}
@media screen and (max-width: 860px) {{
  .fl table.fl-table {{ min-width: {NARROWEST}px; }}
  .fl-numbers {{ grid-auto-flow: row; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); }}
  .fl-value {{ font-size: 24px; }}
  img.unconfined {{ min-width: {SMALLEST}px; }}
}}
.fl-unit {{ font-weight: 400; }}
.fl-track {{ display: inline-block; width: 70px; height: 9px; margin-right: 12px; text-align: left; }}
.fl-bar {{ display: block; height: 9px; }}
.fl-beside {{ display: inline-block; min-width: 44px; }}
.fl-pill {{ display: inline-block; padding: 1px 10px; border-radius: 9px; font-size: 12.5px; font-weight: 600;
  white-space: nowrap; }}
"""

TONES = {
    "good": (colours.GOOD, colours.GOOD_FAINT),
    "bad": (colours.ALARM, colours.ALARM_FAINT),
    "open": (colours.MUTED, colours.FAINT),
}


class Fragment:
    """A piece of HTML with its style, and the words to show where HTML cannot be shown."""

    def __init__(self, html: str, text: str) -> None:
        self.html = html
        self.text = text

    def _repr_html_(self) -> str:
        return f'<style>{CSS}</style><div class="fl">{self.html}</div>'

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Number:
    """A key number of a report."""

    label: str  # what it is
    value: str  # with its unit
    note: str = ""  # what to compare it with
    tone: str = ""  # '', 'good' or 'bad'


@dataclass(frozen=True)
class Column:
    """How a column of a table is shown."""

    title: str
    show: Callable[[Any], str] = str
    unit: str = ""  # of all values, shown in the head
    left: bool = False  # words go left, numbers right
    full: float = 0.0  # the value at which a bar beside the number is full; 0 for no bar
    tone: Callable[[Any], str] | None = None  # 'good', 'bad' or 'open' for a value: shows it as a coloured pill


def heading(title: str, about: str) -> Fragment:
    """What the page is about, in two lines."""
    html = f'<div class="fl-date">{escape(title)}</div><div class="fl-about">{escape(about)}</div>'
    return Fragment(html, f"{title}\n{about}")


def headline(*numbers: Number) -> Fragment:
    """A row of key numbers."""
    return Fragment(
        f'<div class="fl-numbers">{"".join(_number(number) for number in numbers)}</div>',
        "\n".join(f"{number.label}: {number.value} {number.note}".rstrip() for number in numbers),
    )


def _number(number: Number) -> str:
    colour = f' style="color: {TONES[number.tone][0]}"' if number.tone else ""
    return (
        f'<div class="fl-number"><div class="fl-label">{escape(number.label)}</div>'
        f'<div class="fl-value"{colour}>{escape(number.value)}</div>'
        f'<div class="fl-note">{escape(number.note)}</div></div>'
    )


def findings(*sentences: str) -> Fragment:
    """Sentences that say what was found; empty ones are left out."""
    said = [sentence(words) for words in sentences if words]
    items = "".join(f"<li>{_unbroken(escape(words))}</li>" for words in said)
    return Fragment(f'<ul class="fl-findings">{items}</ul>', "\n".join(said))


def _unbroken(words: str) -> str:
    """The words with their percent signs held to the numbers before them."""
    return words.replace(" %", "&nbsp;%")


def verdict(words: str, tone: str) -> Fragment:
    """The one sentence that the page comes down to; `tone` is 'good', 'bad' or 'open'."""
    colour, faint = TONES[tone]
    style = f"border-color: {colour}; background: {faint}; color: {colour}"
    return Fragment(f'<div class="fl-verdict" style="{style}">{escape(words)}</div>', words)


def table(frame: DataFrame, columns: dict[str, Column], nothing: str = "Nothing to list.") -> Fragment:
    """The named columns of a table, in the order given; the sentence `nothing` if it has no rows."""
    if frame.empty:
        return Fragment(f'<div class="fl-about">{escape(nothing)}</div>', nothing)
    head = "".join(_head(column) for column in columns.values())
    rows = [
        [(column, value) for column, value in zip(columns.values(), row, strict=True)]
        for row in frame[list(columns)].itertuples(index=False)
    ]
    body = "".join(f"<tr>{''.join(_cell(column, value) for column, value in row)}</tr>" for row in rows)
    inside = f'<table class="fl-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    html = f'<div class="fl-scroll">{inside}</div>'
    text = "\n".join(", ".join(_shown(column, value) for column, value in row) for row in rows)
    return Fragment(html, text)


def _head(column: Column) -> str:
    unit = f' <span class="fl-unit">{escape(column.unit)}</span>' if column.unit else ""
    return f"<th{_side(column)}>{escape(column.title)}{unit}</th>"


def _cell(column: Column, value: Any) -> str:
    shown = escape(_shown(column, value))
    if column.tone:
        colour, faint = TONES[column.tone(value)]
        shown = f'<span class="fl-pill" style="color: {colour}; background: {faint}">{shown}</span>'
    if column.full:
        width = round(70 * min(abs(value) / column.full, 1)) if value == value else 0  # NaN has no bar
        bar = f'<span class="fl-bar" style="width: {width}px; background: {colours.BAR}"></span>'
        shown = f'<span class="fl-track">{bar}</span><span class="fl-beside">{shown}</span>'
    return f"<td{_side(column)}>{shown}</td>"


def _shown(column: Column, value: Any) -> str:
    return UNKNOWN if value is None or value != value else column.show(value)


def _side(column: Column) -> str:
    return "" if column.left else ' class="fl-right"'
