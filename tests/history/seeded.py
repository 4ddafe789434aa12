"""A git repository with a history of known effects, made from a seed: the same seed, the same commits.

What each commit does to the measures is found in plain Python (plain.py) while the history is planned. A change is planted as
an improvement or a regression only if it passes its limits twice over, as noise only if it stays within half of them.
"""

from __future__ import annotations

import datetime
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Literal

import gauging
import readings
from gauging import CHOICES, STYLES, SUBJECTS, State
from plain import Found, Plain

Kind = Literal[
    "improvement", "regression", "refactoring", "documentation", "dependencies", "noise", "break", "mend", "merge"
]
Word = Literal["better", "worse", "same", "new", "missing"]

HUNDRED: dict[Kind, int] = {
    "improvement": 14,
    "regression": 14,
    "refactoring": 24,
    "documentation": 11,
    "dependencies": 4,
    "noise": 12,
    "break": 2,
    "merge": 8,
}
"""How many of each kind; the first commit, the mend after each break and a commit beside each branch make it a hundred."""
ONE_OF_EACH: dict[Kind, int] = {
    "improvement": 1,
    "regression": 1,
    "refactoring": 2,
    "documentation": 1,
    "dependencies": 1,
    "noise": 1,
    "break": 1,
    "merge": 1,
}
BEGAN = 1_709_251_200  # the time of the first commit, in seconds of Unix
HOUR = 3600
AUTHOR = "Gauge Keeper <keeper@gauges.example>"


@dataclass(frozen=True)
class Planted:
    """A commit of the first parents, and what is known of it."""

    kind: Kind | Literal["first"]
    subject: str
    expected: Mapping[str, Word]
    """Against its first parent, by 'TEMPLATE DATE MEASURE'; empty for the first."""
    sha: str = ""

    @property
    def is_worse(self) -> bool:
        """Whether some measure gets worse or goes missing."""
        return bool({"worse", "missing"} & set(self.expected.values()))

    @property
    def is_better(self) -> bool:
        """Whether some measure gets better, and none worse."""
        return not self.is_worse and "better" in self.expected.values()


@dataclass
class Step:
    """A commit on its way into the repository."""

    state: State
    planted: Planted | None
    """None for a commit of a side branch."""
    side: list[Step] = field(default_factory=list)
    """The commits of the branch that it merges, oldest first; they start at its first parent's first parent."""


def dates(count: int) -> tuple[datetime.date, ...]:
    """The dates of the suite."""
    first = readings.FIRST + datetime.timedelta(days=gauging.DAYS_BEFORE)
    return tuple(first + datetime.timedelta(days=number) for number in range(count))


def plant(folder: Path, seed: int, counts: Mapping[Kind, int], days: int = 2) -> list[Planted]:
    """Make the repository, with its database beside the code; returns its commits, oldest first."""
    readings.write(folder / "data" / "gauges.db", gauging.DAYS_BEFORE + gauging.LONG)
    plain = Plain(folder / "data" / "gauges.db", dates(days))
    steps = _planned(seed, counts, plain)
    for made in (made for step in steps for made in (step, *step.side)):
        assert plain.measures(made.state) == plain.measures(made.state.plain), "a style changes a result"
    shas = _commit(folder, steps, dates(days))
    return [replace(step.planted, sha=sha) for step, sha in zip(steps, shas, strict=True) if step.planted]


def _planned(seed: int, counts: Mapping[Kind, int], plain: Plain) -> list[Step]:
    """The commits, drawn again where all is at its best before everything has been improved."""
    drawn = (_Plan(Random(f"{seed} {attempt}"), plain).steps(counts) for attempt in range(1000))
    return next(filter(None, drawn))


class _Plan:
    """Draws commits of known effect, one after the other."""

    def __init__(self, random: Random, plain: Plain) -> None:
        self._random = random
        self._plain = plain
        self._state = State()

    def steps(self, counts: Mapping[Kind, int]) -> list[Step]:
        """The commits, oldest first; none if no change is left for one. A kind that has none now waits until there is one."""
        # In the middle, so that there is something to gain and something to lose.
        for name, value in {
            "centre": "by the trimmed mean",
            "method": "by the last day",
            "deviation": "upwards",
        }.items():
            self._state = self._state.choosing(name, value)
        made = [Step(self._state, Planted("first", "Begin", {}))]
        waiting = [kind for kind, count in counts.items() for _ in range(count)]
        self._random.shuffle(waiting)
        while waiting:
            kind, steps = next(((kind, steps) for kind in waiting if (steps := self._of(kind))), (None, []))
            if kind is None:
                return []
            waiting.remove(kind)
            made += steps
            self._state = made[-1].state
        return made

    def _of(self, kind: Kind) -> list[Step]:
        """The commits of a kind; none where no change is left for it."""
        state = self._state
        if kind == "documentation":
            return [self._step(kind, "Note what was seen", self._noted(state))]
        if kind == "dependencies":
            return [self._step(kind, "Make the lock anew", replace(state, bumps=state.bumps + 1))]
        if kind == "refactoring":
            name = self._random.choice(list(STYLES))
            return [self._step(kind, STYLES[name], state.styled(name))]
        if kind == "break":
            broken = state.choosing("broken", list(CHOICES["broken"])[1])
            return [
                self._step(kind, "Sort the history", broken),
                self._step("mend", "Sort it no longer", state, broken),
            ]
        if kind == "merge":
            return self._merged()
        found = self._changed(kind, state)
        return [self._step(kind, *found)] if found else []

    def _merged(self) -> list[Step]:
        """A commit to the documentation, while a branch changes the code; and the merge of the two."""
        aside = self._state
        noted = self._noted(aside)
        kind: Kind = self._random.choice(["improvement", "regression", "noise"])
        name = self._random.choice(list(STYLES))
        found = self._changed(kind, aside.styled(name))
        if not found:
            return []
        subject, changed = found
        branch = [Step(aside.styled(name), None), Step(changed, None)]
        merge = self._step("merge", f"Merge: {subject}", replace(changed, notes=noted.notes), noted)
        return [self._step("documentation", "Note what was seen", noted), replace(merge, side=branch)]

    def _changed(self, kind: Kind, state: State) -> tuple[str, State] | None:
        """A change of one choice whose effect is clear and of this kind."""
        changes = [(name, value) for name in SUBJECTS for value in CHOICES[name] if value != state.choices[name]]
        self._random.shuffle(changes)
        for name, value in changes:
            changed = state.choosing(name, value)
            before, after = self._plain.measures(state.plain), self._plain.measures(changed.plain)
            words = effect(before, after)
            if words is not None and _kind(words, before == after) == kind:
                return SUBJECTS[name].format(value), changed
        return None

    def _step(self, kind: Kind, subject: str, state: State, before: State | None = None) -> Step:
        words = effect(self._plain.measures((before or self._state).plain), self._plain.measures(state.plain))
        assert words is not None, subject
        assert kind not in ("refactoring", "documentation", "dependencies") or set(words.values()) <= {"same"}, subject
        return Step(state, Planted(kind, subject, words))

    def _noted(self, state: State) -> State:
        return replace(state, notes=(*state.notes, f"- The gauge at mile {self._random.randrange(400)} was repainted."))


def effect(base: Found, found: Found) -> dict[str, Word] | None:
    """What becomes of each measure; None where one changes by about its limit, so that it could be called either way."""
    words = {name: _word(name, base[name], value) for name, value in found.items()}
    return None if None in words.values() else {name: word for name, word in words.items() if word}


def _word(name: str, base: float | None, value: float | None) -> Word | None:
    if base is None or value is None:
        return "same" if base is value else "new" if base is None else "missing"
    better, absolute, relative = gauging.LIMITS[name.split()[2]]
    limit = max(absolute, relative * abs(base))
    loss = value - base if better == "lower" else base - value
    if abs(loss) <= limit / 2:
        return "same"
    if abs(loss) < limit * 2:
        return None
    return "worse" if loss > 0 else "better"


def _kind(words: Mapping[str, Word], is_same: bool) -> Kind | None:
    if is_same:
        return None
    found = set(words.values())
    return "regression" if "worse" in found else "improvement" if "better" in found else "noise"


def _commit(folder: Path, steps: Sequence[Step], days: tuple[datetime.date, ...]) -> list[str]:
    """Bring the commits into a new repository, and check out the last; returns the hashes of the first parents."""
    git(folder, "init", "--quiet", "--initial-branch", "main")
    marks: list[int] = []
    stream: list[bytes] = []

    def add(step: Step, subject: str, *parents: int) -> int:
        mark = len(stream) + 1
        stamp = f"{AUTHOR} {BEGAN + mark * HOUR} +0000"
        lines = [
            f"commit refs/heads/{'main' if step.planted else 'side'}",
            f"mark :{mark}",
            f"author {stamp}",
            f"committer {stamp}",
            _data(subject),
        ]
        lines += [
            f"{word} :{parent}" for word, parent in zip(["from", *["merge"] * len(parents)], parents, strict=False)
        ]
        lines += [
            "deleteall",
            *(f"M 100644 inline {path}\n{_data(text)}" for path, text in gauging.files(step.state, days).items()),
        ]
        stream.append(("\n".join(lines) + "\n").encode())
        return mark

    for step in steps:
        assert step.planted
        branched = marks[-2:-1]
        for side in step.side:
            branched = [add(side, "Work on a branch", *branched)]
        marks.append(add(step, step.planted.subject, *marks[-1:], *(branched if step.side else [])))
    git(folder, "fast-import", "--quiet", "--force", given=b"".join(stream))
    git(folder, "checkout", "--quiet", "--force", "main")
    return git(folder, "rev-list", "--first-parent", "--reverse", "main").split()


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}"


def git(folder: Path, *arguments: str, given: bytes | None = None) -> str:
    """What a git command prints."""
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, input=given)
    return done.stdout.decode()
