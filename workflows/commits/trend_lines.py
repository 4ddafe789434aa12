"""A trend as lines of text: each point with its bar, each step and break where it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from workflows.evaluation.lines import Change, Line, Point

if TYPE_CHECKING:
    from workflows.commits.trend import Axis, Trend

_WIDTH = 12
"""Characters of the bar of the greatest value."""
_LONGEST = 60
"""Points of a sparkline; of longer lines the newest are shown."""
_SUBJECT = 50
_EIGHTHS = " ▏▎▍▌▋▊▉"
_HEIGHTS = "▁▂▃▄▅▆▇█"


def lines(trend: Trend) -> list[str]:
    """Every point where there is one line; of several, each in short."""
    told = [_counted(trend)]
    if len(trend.lines_) == 1:
        told += ["", *_in_full(trend.lines_[0], trend.over)]
    else:
        for line in trend.lines_:
            told += ["", *_in_short(line, trend.over)]
        told += ["", "--template and --date choose a report, of which every point is shown"]
    return [*told, *([f"picture: {trend.picture}"] if trend.picture else [])]


def _counted(trend: Trend) -> str:
    if trend.over == "dates":
        commit = trend.lines_[0].points[-1].commit
        return f"{trend.measure} of suite {trend.suite} over dates at commit {commit.short}  {commit.subject}"
    number = f"{trend.commits} commit{'' if trend.commits == 1 else 's'}"
    return f"{trend.measure} of suite {trend.suite} over {number}, {trend.gaps or 'none'} without a run"


def _head(line: Line) -> str:
    direction = f" ({line.better} is better)" if line.better else ""
    return f"{line.report}{f' in {line.unit}' if line.unit else ''}{direction}"


def _in_full(line: Line, over: Axis) -> Iterator[str]:
    yield _head(line)
    changes = {change.at: change for change in line.changes}
    texts = [number(value) for value in line.values]
    width, before = max(map(len, texts)), None
    bars = _bars(line.values)
    for at, point in enumerate(line.points):
        yield from (f"  -- {found.text}" for found in line.breaks if found.at == at)
        if at in changes:
            yield f"  >> {_step(line, changes[at])}"
        change = "" if before is None or point.value is None else difference(point.value - before)
        mark = _outlier(line, at) if at in line.outliers else ""
        before = before if point.value is None else point.value
        yield f"  {_name(point, over)}  {texts[at]:>{width}}  {change:>10}  {bars[at]:<{_WIDTH}}  {_note(point, over)}{mark}".rstrip()


def _in_short(line: Line, over: Axis) -> Iterator[str]:
    values = [value for value in line.values if value is not None]
    yield f"{_head(line)}: {number(values[0])} -> {number(values[-1])}"
    yield f"  {_sparkline(line.values[-_LONGEST:])}"
    yield from (
        f"  >> {_name(line.points[change.at], over).rstrip()}: {_step(line, change)}" for change in line.changes
    )


def _outlier(line: Line, at: int) -> str:
    """What a value is worth that came back at once."""
    verdict = line.outlier_verdict(at)
    return f"  outlier ({verdict}, this once)" if verdict != "changed" else "  outlier"


def _step(line: Line, change: Change) -> str:
    """A step, and what it is put down to."""
    told = f"step {number(change.before)} -> {number(change.after)} ({change.verdict})"
    if change.breaks:
        told += f", at the change of {', '.join(dict.fromkeys(found.kind for found in change.breaks))}"
    if change.untold:
        told += f", at this or one of {change.untold} before it that have no value; `parcours find-step {line.measure}` tells"
    return told


def _name(point: Point, over: Axis) -> str:
    if over == "dates":
        return point.date
    return f"{point.commit.sha[:9]}  {point.commit.committed[:16].replace('T', ' ')}"


def _note(point: Point, over: Axis) -> str:
    failed = f"failed: {point.failure.splitlines()[0]}" if point.failure else ""
    if over == "dates" or failed:
        return failed
    subject = point.commit.subject
    return subject if len(subject) <= _SUBJECT else f"{subject[: _SUBJECT - 1]}…"


def number(value: float | int | None) -> str:
    """A value for people."""
    return "-" if value is None else f"{value:.6g}"


def difference(value: float) -> str:
    """A change for people; none is not told."""
    return f"{value:+.4g}" if value else ""


def _bars(values: Sequence[float | None]) -> list[str]:
    """A bar from zero for each value; from the least one where all are closer to each other than to zero."""
    shares = _shares(values)
    found = []
    for share in shares:
        full, eighth = divmod(round((share or 0) * 8 * _WIDTH), 8)
        found.append(("█" * full + _EIGHTHS[eighth]).rstrip())
    return found


def _sparkline(values: Sequence[float | None]) -> str:
    return "".join(" " if share is None else _HEIGHTS[min(7, int(share * 8))] for share in _shares(values))


def _shares(values: Sequence[float | None]) -> list[float | None]:
    known = [value for value in values if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    least = 0.0 if 0 <= low < high / 2 else low - (high - low) / 4
    room = high - least
    return [None if value is None else (value - least) / room if room else 0.5 for value in values]
