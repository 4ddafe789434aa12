"""A profile drawn as a table: seconds, shares and bars."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from workflows.answers.profile import Part, Profile

_WIDTH = 20
"""Characters of a bar that stands for everything."""
_EIGHTHS = " ▏▎▍▌▋▊▉"
_LONGEST = 120
"""Characters of a line from which on a note is cut."""


def drawn(profile: Profile) -> list[str]:
    """The lines of the table, with what is to be said before and after it."""
    rows, before = list(_flat(profile.parts)), list(_flat(profile.before))
    width = max((len(name) for name, _ in (*rows, *before)), default=0)
    lines = [*_sum(profile), *(_line(name, part, width, profile.seconds) for name, part in rows)]
    if before:
        lines += ["", "not computed in this run; it cost", *(_line(name, part, width, None) for name, part in before)]
    return [*lines, *([f"not known: {profile.missing}"] if profile.missing else [])]


def shown(seconds: float) -> str:
    """A duration with the digits that matter."""
    if seconds < 0.0995:
        return f"{1000 * seconds:.{0 if seconds >= 0.00095 else 1}f} ms"
    digits = 2 if seconds < 9.995 else 1 if seconds < 99.95 else 0
    return f"{seconds:,.{digits}f} s"


def _sum(profile: Profile) -> Iterator[str]:
    """The parts against the wall time."""
    if not profile.parts:
        return
    whole = f"{shown(profile.seconds)} in all"
    if profile.run is None:
        yield f"time {whole}"
    elif profile.seconds <= profile.run.seconds:
        rest = profile.run.seconds - profile.seconds
        share = f"{profile.seconds / profile.run.seconds:.0%} of the {shown(profile.run.seconds)}"
        yield f"time {whole}, {share} from the run's start to the stored result; Luigi and other results took {shown(rest)}"
    else:
        yield f"time {whole}, several things at once: the run had gone on for {shown(profile.run.seconds)}"
    yield ""


def _flat(parts: Iterable[Part], depth: int = 0) -> Iterator[tuple[str, Part]]:
    for part in parts:
        yield "  " * depth + part.name, part
        yield from _flat(part.parts, depth + 1)


def _line(name: str, part: Part, width: int, whole: float | None) -> str:
    """A part's row; its share is that of the whole."""
    line = f"{name:<{width}}  {shown(part.seconds):>8}"
    if whole is not None:
        share = part.seconds / whole if whole else 0.0
        line += f"  {share:>4.0%}  {_bar(share):<{_WIDTH}}"
    note = part.note if len(part.note) <= _LONGEST - len(line) else f"{part.note[: _LONGEST - 1 - len(line)]}…"
    return f"{line}  {note}".rstrip()


def _bar(share: float) -> str:
    full, eighth = divmod(round(share * 8 * _WIDTH), 8)
    return ("█" * full + _EIGHTHS[eighth]).rstrip()


def first_lines(sources: Iterable[str]) -> Sequence[str]:
    """The first line of each cell that says anything."""
    return [next((line.strip() for line in source.splitlines() if line.strip()), "") for source in sources]
