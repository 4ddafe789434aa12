"""How a run is judged: each measure by both of its tolerances, each report by whether it was made, all by the worst."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Literal

from workflows.evaluation.measures import Better, Measure
from workflows.evaluation.runs import Made, Run
from workflows.evaluation.suites import Limit, Suite
from workflows.evaluation.verdict import Details, Evaluation, MeasureVerdict, ReportVerdict, State, Word

Number = float | int
Overall = Literal["better", "same", "worse", "nothing measured", "failed"]


def judge(run: Run, base_run: Run | None, suite: Suite, details: Mapping[str, Details]) -> Evaluation:
    """The run judged against that of its base.

    - A measure is worse where it changed in the wrong direction by more than the absolute tolerance and by more than the
      relative one, and better alike. One without a direction is neither.
    - A report is worse where it fails and the base's did not, or where a measure is worse; or a measure with a direction is
      gone or has nothing to measure any more: what cannot be seen may be worse. It is better where it is made again, or a
      measure is better and none worse.
    - The whole is the worst of its reports. Nothing is measured where the run has not one number, and nothing is worse.
    - Without a base everything is new, which is no worse. One that could not be run is a failure: nothing was compared.
    """
    compared = base_run if base_run and not base_run.problem else None
    before = {made.asked.key: made for made in compared.reports} if compared else {}
    reports = tuple(
        _report(made, before.get(made.asked.key), compared is not None, suite, details.get(made.asked.key, Details()))
        for made in run.reports
    )
    base = base_run.commit if base_run else None
    said = _said(run, base_run)
    verdict = _overall(run, base_run, reports)
    return Evaluation(run.commit, base, suite.name, verdict, reports, run, base_run, said, suite.limits)


def word(base: Number | None, value: Number | None, better: Better | None, limit: Limit) -> Word:
    """The verdict on a number; `base` and `value` are None where there is none."""
    if base is None or value is None:
        return "same" if base is value else "new" if base is None else "missing"
    change = _exact(value) - _exact(base)
    is_within = abs(change) <= _exact(limit.absolute) or abs(change) <= _exact(limit.relative) * abs(_exact(base))
    if better is None or change == 0 or is_within:
        return "same"
    return "better" if (change < 0) == (better == "lower") else "worse"


def _exact(number: Number) -> Fraction:
    """A number as it is written: 0.3 is 0.1 more than 0.2, and not a trace less, as it would be in binary."""
    return Fraction(str(number)) if isinstance(number, float) else Fraction(number)


def _change(base: Number | None, value: Number | None) -> Number | None:
    if base is None or value is None:
        return None
    change = _exact(value) - _exact(base)
    try:
        return value - base if isinstance(base, int) and isinstance(value, int) else float(change)
    except OverflowError:
        return None


def _report(made: Made, base: Made | None, has_base: bool, suite: Suite, details: Details) -> ReportVerdict:
    measures = _measures(made, base, suite)
    state, base_state = _state(made), _state(base) if base else "missing"
    own: Word = "new" if base is None else "same"
    if state == "failed" and has_base:
        own = "same" if base_state == "failed" else "worse"
    elif base_state == "failed" and state != "failed":
        own = "better"
    return ReportVerdict(
        asked=made.asked,
        path=made.path,
        base_path=base.path if base else None,
        state=state,
        base_state=base_state,
        failure=made.failure,
        measures=measures,
        has_same_version=base is not None and base.version == made.version and "failed" not in (state, base_state),
        causes=details.causes,
        tables=details.tables,
        figures=details.figures,
        verdict=_worst(own, measures),
    )


def _state(made: Made) -> State:
    if made.failure is not None or made.path is None:
        return "failed"
    return "reused" if made.is_reused else "made"


def _measures(made: Made, base: Made | None, suite: Suite) -> tuple[MeasureVerdict, ...]:
    """The measures of a report in its order, then those that only the base's has."""
    after, before = ({found.name: found for found in side.measures} if side else {} for side in (made, base))
    return tuple(
        _measure(before.get(name), after.get(name), suite.limit(made.asked.template, name))
        for name in dict.fromkeys([*after, *before])
    )


def _measure(base: Measure | None, found: Measure | None, limit: Limit) -> MeasureVerdict:
    named = found or base
    assert named is not None
    old, new = (side.value if side else None for side in (base, found))
    better = limit.better or named.better
    return MeasureVerdict(
        named.name,
        named.unit,
        better,
        old,
        new,
        word(old, new, better, limit),
        limit.absolute,
        limit.relative,
        _change(old, new),
    )


def _worst(own: Word, measures: Iterable[MeasureVerdict]) -> Word:
    found = {own, *("worse" if measure.is_lost else measure.verdict for measure in measures)}
    worst: Word = "worse" if "worse" in found else own
    return "better" if worst == "same" and "better" in found else worst


def _overall(run: Run, base_run: Run | None, reports: Iterable[ReportVerdict]) -> Overall:
    if run.problem or (base_run and base_run.problem):
        return "failed"
    found = {report.verdict for report in reports}
    if "worse" in found:
        return "worse"
    if all(measure.value is None for made in run.reports for measure in made.measures):
        return "nothing measured"
    return "better" if "better" in found else "same"


def _said(run: Run, base_run: Run | None) -> str | None:
    """What the verdict alone would keep from the reader."""
    if run.problem:
        return run.problem
    if base_run is None:
        return "there is no base to compare with, so everything is new"
    if base_run.problem:
        return f"the base {base_run.commit.short} could not be run, so nothing is compared: {base_run.problem} Another base can be named with --base."
    if base_run.dataset_digest != run.dataset_digest:
        return f"the base {base_run.commit.short} was run on another state of the data: dataset {base_run.dataset}"
    return None
