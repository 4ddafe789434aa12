"""The results that a report was made from as a graph: kin together, in columns from the data to the report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

from workflows.answers.origin import Made, Origin
from workflows.answers.tree import accepted, own, reuse

MOST = 80
"""How many groups are drawn."""
WIDTH, HEIGHT = 184, 54
"""Of a group's box."""
_GAP, _SPACE = 52, 18
"""Between two columns, and between two boxes of a column."""


@dataclass(frozen=True)
class Group:
    """Results of one task that the same results were made from."""

    number: int
    results: tuple[Made, ...]
    """By date."""
    users: tuple[int, ...]
    """The numbers of the groups that were made from it."""
    column: int
    """0 for the report; each further one was used by one before."""

    @property
    def name(self) -> str:
        """How people call it."""
        return self.results[0].name if len(self.results) == 1 else f"{self.results[0].task} ×{len(self.results)}"

    @property
    def title(self) -> str:
        """The name without the date."""
        first, many = self.results[0], len(self.results)
        template = first.record.template["name"] if first.record and first.record.template else None
        return template or (first.task if many == 1 else f"{first.task} ×{many}")

    @property
    def span(self) -> str:
        """The dates."""
        first, last = self.results[0].date, self.results[-1].date
        return "" if last == "-" else first if first == last else f"{first} … {last}"

    @property
    def gone(self) -> int:
        """How many are not in the store."""
        return sum(1 for made in self.results if made.record is None)

    @property
    def note(self) -> str:
        """What is special, or the rows."""
        if self.gone:
            return "not in the store" if self.gone == len(self.results) else f"{self.gone} not in the store"
        taken = sum(1 for made in self.results if made.record and made.record.reused_from)
        if taken:
            return "taken over" if taken == len(self.results) else f"{taken} taken over"
        rows = [rows for made in self.results if (rows := _rows(made)) is not None]
        return f"{sum(rows):,} rows" if rows else ""

    @property
    def kind(self) -> str:
        """What it is drawn as."""
        if self.gone:
            return "gone"
        record = self.results[0].record
        return "report" if record and record.template else "query" if record and record.source else "stage"

    def facts(self, made: Made) -> list[str]:
        """What one of its results was made with, and whose bytes it has."""
        record = made.record
        if record is None:
            return []
        # The values of a report are told elsewhere.
        return [*([] if record.template else own(record)), *reuse(made), *accepted(record)]


@dataclass(frozen=True)
class Branch:
    """A group in the tree, with what it was made from where it is met first."""

    group: Group
    is_above: bool
    below: tuple[Branch, ...]


@dataclass(frozen=True)
class Box:
    """A group's place in the drawing."""

    group: Group
    x: int
    y: int


@dataclass(frozen=True)
class Graph:
    """The groups of an origin, the report's first; a group comes after those that used it."""

    groups: Sequence[Group]
    left: int
    """How many results are not in any of them, because there are too many."""

    @property
    def tree(self) -> Branch:
        """The groups within one another."""
        below = defaultdict(list)
        for group in self.groups:
            for user in group.users:
                below[user].append(group)
        met: set[int] = set()

        def branch(group: Group) -> Branch:
            is_above = group.number in met
            met.add(group.number)
            return Branch(group, is_above, () if is_above else tuple(map(branch, below[group.number])))

        return branch(self.groups[0])

    @cached_property
    def boxes(self) -> Sequence[Box]:
        """Where the groups are drawn: the data on the left, each near those that used it."""
        columns: dict[int, list[Group]] = defaultdict(list)
        for group in self.groups:
            columns[group.column].append(group)
        tallest = max(len(groups) for groups in columns.values())
        middles: dict[int, float] = {}
        found = []
        for column in sorted(columns):
            groups = sorted(columns[column], key=lambda group: _mean(middles, group.users))
            top = (tallest - len(groups)) * (HEIGHT + _SPACE) // 2
            for row, group in enumerate(groups):
                y = top + row * (HEIGHT + _SPACE)
                middles[group.number] = y
                found.append(Box(group, (max(columns) - column) * (WIDTH + _GAP), y))
        return found

    @property
    def lines(self) -> list[str]:
        """From each group to those that used it, as SVG paths."""
        places = {box.group.number: box for box in self.boxes}
        return [_line(box, places[user]) for box in self.boxes for user in box.group.users]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the drawing."""
        return max(box.x for box in self.boxes) + WIDTH, max(box.y for box in self.boxes) + HEIGHT


def graph(origin: Origin) -> Graph:
    """The groups of an origin."""
    users = _users(origin)
    waiting = {version: len(found) for version, found in users.items()}
    of: dict[str, Group] = {}
    groups: list[Group] = []
    ready = [origin.root]
    while ready and len(groups) < MOST:
        # All that is used by the same groups comes up at once, when the last of those is placed.
        for kin in _kin(ready, users, of)[: MOST - len(groups)]:
            by = sorted({of[user].number for user in users[kin[0].version] if user in of})
            column = 1 + max((groups[number].column for number in by), default=-1)
            groups.append(Group(len(groups), kin, tuple(by), column))
            of.update((made.version, groups[-1]) for made in kin)
        ready = _next(origin, ready, waiting)
    return Graph(groups, len(origin.results) - len(of))


def _users(origin: Origin) -> dict[str, list[str]]:
    """The versions that were made from each result directly."""
    users: dict[str, list[str]] = {version: [] for version in origin.results}
    for made in origin.results.values():
        for below in origin.below([made]):
            users[below.version].append(made.version)
    return users


def _kin(ready: Iterable[Made], users: Mapping[str, Sequence[str]], of: Mapping[str, Group]) -> list[tuple[Made, ...]]:
    found: dict[tuple[str, frozenset[int]], list[Made]] = defaultdict(list)
    for made in ready:
        found[made.task, frozenset(of[user].number for user in users[made.version] if user in of)].append(made)
    return [tuple(sorted(kin, key=lambda made: made.date)) for kin in found.values()]


def _next(origin: Origin, placed: Iterable[Made], waiting: dict[str, int]) -> list[Made]:
    """The results whose users are all placed now."""
    found = []
    for made in placed:
        for below in origin.below([made]):
            waiting[below.version] -= 1
            if waiting[below.version] == 0:
                found.append(below)
    return found


def _mean(middles: Mapping[int, float], users: Sequence[int]) -> float:
    return fmean(middles[user] for user in users) if users else 0.0


def _line(given: Box, user: Box) -> str:
    x, y, to_x, to_y = given.x + WIDTH, given.y + HEIGHT // 2, user.x, user.y + HEIGHT // 2
    bend = max((to_x - x) // 2, 20)
    return f"M{x} {y}C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"


def _rows(made: Made) -> int | None:
    found = [output.get("rows") for output in made.record.outputs.values()] if made.record else []
    return next((rows for rows in found if isinstance(rows, int)), None)
