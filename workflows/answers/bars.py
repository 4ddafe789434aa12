"""A profile drawn as a table: seconds, shares and bars."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from workflows.answers.profile import Part, Profile
from workflows.store.timing import duration

_WIDTH = 20
"""Characters of a bar that stands for everything."""
_LEAST = 0.005
"""The share from which on a part has a row of its own."""
_EIGHTHS = " ▏▎▍▌▋▊▉"
_LONGEST = 120
"""Characters that a line may have before its note is cut."""


def drawn(profile: Profile) -> list[str]:
    """The lines of the table, with what is to be said before and after it."""
    least = profile.seconds * _LEAST
    rows, before = list(_flat(profile.parts, least)), list(_flat(profile.before, least))
    width = max((len(name) for name, _ in (*rows, *before)), default=0)
    lines = [*_sum(profile), *(_line(name, part, width, profile.seconds) for name, part in rows)]
    if before:
        lines += ["", "not computed in this run; it cost", *(_line(name, part, width, None) for name, part in before)]
    return [*lines, *([f"not known: {profile.missing}"] if profile.missing else [])]


def _sum(profile: Profile) -> Iterator[str]:
    """The parts against the wall time."""
    if not profile.parts:
        return
    whole = f"{duration(profile.seconds)} in all"
    if profile.run is None:
        yield f"time {whole}"
    elif profile.seconds <= profile.run.seconds:
        rest = profile.run.seconds - profile.seconds
        share = f"{profile.seconds / (profile.run.seconds or 1):.0%} of the {duration(profile.run.seconds)}"
        yield f"time {whole}, {share} from the run's start to the stored result; all else that the run did took {duration(rest)}"
    else:
        yield f"time {whole}, several things at once: the run had gone on for {duration(profile.run.seconds)}"
    yield ""


def _flat(parts: Iterable[Part], least: float, depth: int = 0) -> Iterator[tuple[str, Part]]:
    """Each part under its name, indented; what takes less than `least` seconds inside of a result goes together."""
    small = [part for part in parts if depth == 1 and part.seconds < least and not part.parts]
    for part in parts:
        if len(small) < 2 or part not in small:
            yield "  " * depth + part.name, part
            yield from _flat(part.parts, least, depth + 1)
    if len(small) > 1:
        names = ", ".join(part.name for part in small)
        yield "  " * depth + "others", Part("others", sum(part.seconds for part in small), names)


def _line(name: str, part: Part, width: int, whole: float | None) -> str:
    """A part's row; its share is that of the whole."""
    line = f"{name:<{width}}  {duration(part.seconds):>8}"
    if whole is not None:
        share = part.seconds / whole if whole else 0.0
        line += f"  {_percent(share):>4}  {_bar(share):<{_WIDTH}}"
    room = _LONGEST - len(line) - 2
    note = part.note if len(part.note) <= room else f"{part.note[: room - 1]}…"
    return f"{line}  {note}".rstrip()


def _percent(share: float) -> str:
    return "<1%" if 0 < share < 0.005 else f"{share:.0%}"


def _bar(share: float) -> str:
    full, eighth = divmod(round(share * 8 * _WIDTH), 8)
    return ("█" * full + _EIGHTHS[eighth]).rstrip()


def first_lines(sources: Iterable[str]) -> Sequence[str]:
    """The first line of each cell that says anything."""
    return [next((line.strip() for line in source.splitlines() if line.strip()), "") for source in sources]
