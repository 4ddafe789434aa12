"""Words for evaluations: the sentence that one comes down to, what is around it, and numbers and changes for people."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from workflows.evaluation.runs import Run
from workflows.evaluation.verdict import Evaluation, MeasureVerdict, ReportVerdict
from workflows.identity.changes import ValueChange, environment_changes, value_changes

SIGNS: Mapping[str, str] = {
    "better": "✓",
    "worse": "✗",
    "same": "=",
    "new": "+",
    "missing": "?",
    "failed": "✗",
    "nothing measured": "?",
}
"""A verdict as one character, for those who do not see colours."""
ORDER = ("worse", "missing", "better", "new", "same")
"""Verdicts by how much they ask to be read."""
_ILLEGIBLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TOLD = 2
"""How much of what changed the headline tells."""


@dataclass(frozen=True)
class Judged:
    """A measure with the report that it is of."""

    report: ReportVerdict
    label: str
    """The report's name, with its date and parameters where the suite has several of its template."""
    measure: MeasureVerdict

    @property
    def sentence(self) -> str:
        """What became of it: 'late_share of daily rose from 0.214 to 0.231'."""
        found = self.measure
        name = f"{found.name} of {self.label}"
        if found.base is None:
            return f"{name} is new: {number(found.value, found.unit)}"
        if found.value is None:
            return f"{name} is missing ({number(found.base, found.unit)} at the base)"
        verb = "rose" if found.value > found.base else "fell"
        return f"{name} {verb} from {number(found.base)} to {number(found.value, found.unit)}"


def label(evaluation: Evaluation, report: ReportVerdict) -> str:
    """A report's shortest name within its suite."""
    template = report.asked.template
    is_alone = sum(other.asked.template == template for other in evaluation.reports) == 1
    return template if is_alone else report.asked.key


def judged(evaluation: Evaluation) -> list[Judged]:
    """Every measure of every report, those that ask most to be read first, then in the order of the suite."""
    found = [Judged(report, label(evaluation, report), m) for report in evaluation.reports for m in report.measures]
    return sorted(found, key=lambda one: ORDER.index(one.measure.verdict))


def counts(evaluation: Evaluation) -> dict[str, int]:
    """How many measures there are of each verdict, without those of which there is none."""
    words = [one.measure.verdict for one in judged(evaluation)]
    return {word: words.count(word) for word in ORDER if word in words}


def headline(evaluation: Evaluation) -> str:
    """The one sentence that an evaluation comes down to, with its verdict before the colon."""
    said = {"failed": _failed, "nothing measured": _nothing, "same": _same}.get(evaluation.verdict, _changed)(
        evaluation
    )
    return f"{evaluation.verdict.capitalize()}: {said}"


def number(value: float | int | None, unit: str = "1") -> str:
    """A measure's value."""
    if value is None:
        return "nothing"
    return (f"{value:,}" if isinstance(value, int) else f"{value:.6g}") + ("" if unit == "1" else f" {unit}")


def difference(measure: MeasureVerdict) -> str:
    """By how much a value is off the base's: '+0.017 (+7.9 %)'; empty where there is nothing to say."""
    if not measure.change or not math.isfinite(measure.change):
        return ""
    share = f" ({measure.change / abs(measure.base):+.1%})".replace("%", " %") if measure.base else ""
    return ("+" if measure.change > 0 else "−") + number(abs(measure.change)) + share.replace("-", "−")


def limits(measure: MeasureVerdict) -> str:
    """What a change must pass to count: '0.005 and 2 %'."""
    both = [number(measure.absolute) if measure.absolute else "", f"{measure.relative * 100:.4g} %"]
    return " and ".join(filter(None, both if measure.relative else both[:1])) or "any change"


def surroundings(evaluation: Evaluation) -> list[ValueChange]:
    """What of that around the code changed since the base: dataset, templates, Python and its packages."""
    now, then = evaluation.run, evaluation.base_run
    if then is None:
        return []
    sides = [{"python": run.python or "none", "packages": dict(run.packages)} for run in (then, now)]
    return [*value_changes(*map(_given, (then, now))), *environment_changes(*sides)]


def made(run: Run) -> str:
    """How much was made and how much there was already."""
    return f"{counted(run.results_made, 'result')} made, {run.results_reused:,} reused"


def counted(count: int, noun: str) -> str:
    """A number of things: '1 report', '2 reports'."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def moment(text: str) -> str:
    """A time for people, in UTC; what is none stays as it is."""
    try:
        time = datetime.datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{time.astimezone(datetime.UTC):%Y-%m-%d %H:%M} UTC" if time.tzinfo else text


def legible(text: str) -> str:
    """A text without the characters that neither XML nor a site for code takes."""
    return _ILLEGIBLE.sub("", text)


def _failed(evaluation: Evaluation) -> str:
    return _first_line(evaluation.problem or evaluation.run.problem) or "the commit could not be evaluated"


def _nothing(evaluation: Evaluation) -> str:
    there = [report for report in evaluation.reports if report.state != "failed"]
    return f"{counted(len(there), 'report')} made, none with a measure" if there else "no report was made"


def _first_line(text: str | None) -> str:
    return next(iter((text or "").strip().splitlines()), "")


def _same(evaluation: Evaluation) -> str:
    found = counts(evaluation)
    many = counted(sum(found.values()), "measure")
    if evaluation.base is None:
        return f"there is no base to compare with, {many} recorded"
    moved = sum(one.measure.base != one.measure.value for one in judged(evaluation) if one.measure.verdict == "same")
    if set(found) == {"same"}:
        return f"{many}, {f'{moved:,} changed within the limits' if moved else 'all as at the base'}"
    return f"no measure is worse ({', '.join(f'{count:,} {word}' for word, count in found.items())})"


def _changed(evaluation: Evaluation) -> str:
    """The first thing that makes it worse, or better, and how many more there are."""
    told = [sentence for report in evaluation.reports for sentence in _remade(evaluation, report)]
    moved = [one for one in judged(evaluation) if one.report.state != "failed" and _counts(one.measure, evaluation)]
    said = told + [one.sentence for one in sorted(moved, key=_size, reverse=True)]
    if not said:
        return "compared with the base"
    *others, last = [*said[:_TOLD], f"{len(said) - _TOLD:,} more"] if len(said) > _TOLD else said
    return f"{', '.join(others)}, and {last}" if others else last


def _remade(evaluation: Evaluation, report: ReportVerdict) -> Iterator[str]:
    """That a report fails now, or does not any more, where that is the verdict."""
    if evaluation.verdict == "worse" and report.state == "failed" and report.base_state in ("made", "reused"):
        yield f"{label(evaluation, report)} failed"
    if evaluation.verdict == "better" and report.state != "failed" and report.base_state == "failed":
        yield f"{label(evaluation, report)} is made again"


def _counts(measure: MeasureVerdict, evaluation: Evaluation) -> bool:
    return measure.verdict == evaluation.verdict or (evaluation.verdict == "worse" and measure.is_lost)


def _size(one: Judged) -> float:
    """How far a measure moved, as a share of the base's value."""
    found = one.measure
    if found.base is None or found.value is None:
        return 0.0
    return abs(found.value - found.base) / abs(found.base) if found.base else float("inf")


def _given(run: Run) -> dict[str, str]:
    """What a run was given beside code and packages, under names for people."""
    templates = {f"template {name}": digest[:12] for name, digest in run.templates.items()}
    return {"dataset": f"{run.dataset} {run.dataset_digest[:12]}".strip(), **templates}
