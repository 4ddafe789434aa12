"""What was found of planted commits, held against what is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seeded import Planted, Word

WORSE: tuple[Word, ...] = ("worse", "missing")
BETTER: tuple[Word, ...] = ("better", "new")


@dataclass(frozen=True)
class Judged:
    """A planted commit, and what its evaluation says."""

    planted: Planted
    verdict: str
    """Of the whole commit."""
    words: Mapping[str, Word]
    """Of its measures, by 'TEMPLATE DATE MEASURE'."""

    def planted_as(self, words: Sequence[Word]) -> set[str]:
        """The measures that are known to deserve one of these words."""
        return {name for name, word in self.planted.expected.items() if word in words}

    def found_as(self, words: Sequence[Word]) -> set[str]:
        """The measures that got one of them."""
        return {name for name, word in self.words.items() if word in words}

    @property
    def is_right(self) -> bool:
        """Whether every measure got the word that it deserves, and the commit the verdict that follows."""
        return self.words == self.planted.expected and (self.verdict == "worse") == self.planted.is_worse


@dataclass(frozen=True)
class Tally:
    """What became of the changes of one kind that were planted in a history."""

    commits: int
    """How many commits were planted."""
    found: int
    """Commits with exactly the measures that were planted in them."""
    measures: int
    """How many measures were planted, one for each report."""
    found_measures: int
    """Those that were found at the commit where they were planted."""
    false_alarms: int
    """Measures that were found where none was planted."""

    @property
    def missed(self) -> int:
        """Measures that were planted and not found there."""
        return self.measures - self.found_measures


def tally(history: Iterable[Judged], words: Sequence[Word]) -> Tally:
    """Count the changes that deserve one of these words."""
    pairs = [(judged.planted_as(words), judged.found_as(words)) for judged in history]
    return Tally(
        commits=sum(bool(planted) for planted, _ in pairs),
        found=sum(bool(planted) and planted == found for planted, found in pairs),
        measures=sum(len(planted) for planted, _ in pairs),
        found_measures=sum(len(planted & found) for planted, found in pairs),
        false_alarms=sum(len(found - planted) for planted, found in pairs),
    )


def judged(planted: Iterable[Planted], evaluations: Iterable[Mapping[str, Any]]) -> list[Judged]:
    """The commits with their evaluations, as `parcours evaluate --json` gives them; those without one have no words."""
    found = {evaluation["commit"]["sha"]: evaluation for evaluation in evaluations}
    return [
        Judged(one, found[one.sha]["verdict"], _words(found[one.sha])) if one.sha in found else Judged(one, "none", {})
        for one in planted
    ]


def _words(evaluation: Mapping[str, Any]) -> dict[str, Word]:
    return {
        f"{report['asked']['template']} {report['asked']['date']} {measure['name']}": measure["verdict"]
        for report in evaluation["reports"]
        for measure in report["measures"]
    }
