"""Where the time of a result went: the parts of its making, those of what was made for it, and what all else once cost."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from workflows.answers.found import is_legible
from workflows.answers.origin import Made, Origin
from workflows.store.provenance import Provenance
from workflows.store.timing import PastRun, Timing

_OLDER = "where the time went; the record is of an older release or another program, and has no times"


@dataclass(frozen=True)
class Part:
    """Something that took time."""

    name: str
    seconds: float
    note: str = ""
    """What else there is to say of it."""
    parts: tuple[Part, ...] = ()
    """What it was made of, without a gap; empty where that is not told."""

    def as_json(self) -> dict[str, Any]:
        """The part for a program."""
        found = {"name": self.name, "seconds": round(self.seconds, 6)}
        note = {"note": self.note} if self.note else {}
        return {**found, **note, "parts": [part.as_json() for part in self.parts]}


@dataclass(frozen=True)
class Profile:
    """The times of one result."""

    parts: Sequence[Part]
    """What its run did for it, in order."""
    run: PastRun | None
    """Its run, if it was that of a command."""
    before: Sequence[Part]
    """What it was made from and its run did not make, or take over only, and what that cost when it was computed."""
    missing: str
    """What is not known, if anything, for the end of a sentence."""

    @property
    def seconds(self) -> float:
        """All the parts together; more than the run took where it did several things at once."""
        return sum(part.seconds for part in self.parts)

    def as_json(self) -> dict[str, Any]:
        """The times for a program."""
        return {
            "seconds": round(self.seconds, 6),
            "wall": self.run and self.run.seconds,
            "parts": [part.as_json() for part in self.parts],
            "before": [part.as_json() for part in self.before],
            "missing": self.missing or None,
        }


def profile(origin: Origin, record: Provenance, lines: Sequence[str]) -> Profile:
    """Where the time of an origin's root went; `record` is the root's, `lines` the first ones of its cells."""
    root, timing = origin.root, Timing.of(record.timing)
    if timing is None:
        return Profile((), None, list(_once(root, lines)), _OLDER)
    others = _grouped(made for made in origin.results.values() if made.version != root.version)
    parts = list(_command(timing.run))
    before: list[Part] = []
    for group in others:
        fresh = [made for made in group if _is_of(timing.run, made)]
        parts += [_together(fresh)] if fresh else []
        before += _known([made for made in group if made not in fresh], "made")
        before += _known([made for made in fresh if made.record and made.record.reused_from], "computed")
    parts.append(_part(root, record, timing, lines))
    return Profile(parts, timing.run, [*before, *_once(root, lines)], _missing(origin, record))


def _missing(origin: Origin, record: Provenance) -> str:
    gone = sum(1 for made in origin.results.values() if made.record is None)
    told = [f"{gone} of the results it was made from, not in the store"] if gone else []
    if record.failure:
        told.append("the drawing of its page, which has the record in it")
    return "; ".join(told)


def _command(run: PastRun | None) -> Iterator[Part]:
    """What the command did before the first result."""
    if run:
        yield Part("start", run.start, "Python and its modules")
        yield Part("plan", run.plan, f"of {run.results} result{'' if run.results == 1 else 's'}")


def _is_of(run: PastRun | None, made: Made) -> bool:
    """Whether a result was made while a run went on."""
    return bool(run and made.record and datetime.datetime.fromisoformat(made.record.started) >= run.started)


def _grouped(results: Iterable[Made]) -> list[list[Made]]:
    """The results of each task, what was made first at the top."""
    known = [(made.record.started, made) for made in results if made.record and is_legible(made.record)]
    groups: dict[str, list[Made]] = {}
    for _, made in sorted(known, key=itemgetter(0)):
        groups.setdefault(made.task, []).append(made)
    return list(groups.values())


def _together(group: Sequence[Made]) -> Part:
    """The results of one task as one part."""
    parts: dict[str, float] = {}
    seconds = 0.0
    for made in group:
        assert made.record
        timing = Timing.of(made.record.timing)
        seconds += timing.seconds if timing else made.record.seconds
        for name, passed in timing.parts.items() if timing else ():
            parts[name] = parts.get(name, 0.0) + passed
    taken = sum(1 for made in group if made.record and made.record.reused_from)
    note = "" if not taken else "taken over" if taken == len(group) else f"{taken} taken over"
    return Part(_title(group), seconds, note, tuple(Part(name, passed) for name, passed in parts.items()))


def _part(made: Made, record: Provenance, timing: Timing, lines: Sequence[str]) -> Part:
    """One result with everything it spent time on."""
    parts = []
    for name, seconds in timing.parts.items():
        parts.append(Part(name, seconds, (timing.kernel or "") if name == "kernel" else ""))
        if name == "kernel" and timing.cells:
            parts.append(_cells(record, timing.cells, lines))
    return Part(made.name, timing.seconds, "taken over" if record.reused_from else "", tuple(parts))


def _cells(record: Provenance, cells: Sequence[float], lines: Sequence[str]) -> Part:
    """The code cells, the slowest first."""
    failed = record.failure["cell"] if record.failure else 0
    told = dict(enumerate(lines, 1))
    parts = [
        Part(f"cell {number}", seconds, ("failed: " if number == failed else "") + told.get(number, ""))
        for number, seconds in enumerate(cells, 1)
    ]
    parts.sort(key=lambda part: -part.seconds)
    return Part("cells", sum(cells), f"{len(cells)}, the slowest first", tuple(parts))


def _known(group: Sequence[Made], how: str) -> Iterator[Part]:
    """What the results of one task cost that were not computed in this run."""
    records = [record for record in map(_computed, group) if record]
    if records:
        days = sorted({record.started[:10] for record in records})
        when = days[0] if len(days) == 1 else f"{days[0]} .. {days[-1]}"
        gone = len(group) - len(records)
        note = f"{how} {when}{f' ({gone} not in the store)' if gone else ''}"
        yield Part(_title(group), sum(map(_seconds, records)), note)


def _once(root: Made, lines: Sequence[str]) -> Iterator[Part]:
    """What the result cost the run that computed it, where it was taken over."""
    computed = _computed(root)
    if root.record and root.record.reused_from and computed:
        timing = Timing.of(computed.timing)
        parts = _part(root, computed, timing, lines).parts if timing else ()
        yield Part(root.name, _seconds(computed), f"computed {computed.started[:10]}", parts)


def _computed(made: Made) -> Provenance | None:
    """The record of the run that computed a result, if the store still has it."""
    found = made.computed if made.record and made.record.reused_from else made.record
    return found if found and is_legible(found) else None


def _seconds(record: Provenance) -> float:
    timing = Timing.of(record.timing)
    return timing.seconds if timing else record.seconds


def _title(group: Sequence[Made]) -> str:
    return group[0].name if len(group) == 1 else f"{group[0].task} x{len(group)}"
