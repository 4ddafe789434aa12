"""Evaluations to draw: one with every verdict, a failed report and pictures, one whose every text is hostile."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import Any

from workflows.evaluation.changes import CellChange, TableChange
from workflows.evaluation.measures import Measure
from workflows.evaluation.runs import Commit, Made, Run
from workflows.evaluation.suites import Asked
from workflows.evaluation.verdict import Evaluation, MeasureVerdict, ReportVerdict

EVIL = "</script></pre><script>alert(1)</script>&<img src='http://evil.example/x.png'>|`@octocat *a* ]]> --> $\\frac$ ```\n/close"

COMMIT = Commit(
    "4be1d0c5" * 5, "Score by the median of the hour", "Ada Lovelace", "2026-03-02T10:14:00+00:00", ("b" * 40,)
)
BASE = Commit("b" * 40, "Read only the columns that a stage names", "Grace Hopper", "2026-02-27T16:40:00+00:00")

DAILY = Asked("daily", "2013-01-15")
ANOMALIES = Asked("anomaly_report", "2013-01-15")
STRICT = Asked("anomaly_report", "2013-01-15", {"threshold": 5})
CHECK = Asked("sanity_check", "2013-02-08")

TABLE = TableChange(
    894,
    893,
    ("carrier", "flight"),
    0,
    1,
    31,
    {"score": 31},
    (),
    False,
    (),
    (("UA", 1545),),
    (CellChange(("DL", 461), "score", 3.4, 3.7),),
)
CAUSES = (
    "code: robust_scale in workflows/flights/robust.py changed",
    "@@ -12,3 +12,3 @@",
    "-    return 1.4826 * mad",
    "+    return 1.2533 * mad",
    " ",
)


def png(red: int = 200) -> bytes:
    """A picture of one colour, 2 by 2."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    rows = (b"\0" + bytes([red, 90, 90]) * 2) * 2
    head = (2).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


PICTURES = {
    "anomaly_report-1-old.png": png(),
    "anomaly_report-1-new.png": png(90),
    "anomaly_report-1-difference.png": png(9),
}
FIGURE = {
    "cell": "cell 'score-chart'",
    "verdict": "changed",
    "share": 0.0312,
    "old": "anomaly_report-1-old.png",
    "new": "anomaly_report-1-new.png",
    "difference": "anomaly_report-1-difference.png",
}


def run(commit: Commit, **others: Any) -> Run:
    """A run of a commit."""
    given: dict[str, Any] = {
        "suite": "default",
        "work": "c" * 64,
        "suite_from": "commit",
        "dataset": "winter",
        "dataset_digest": "d" * 64,
        "lock": "e" * 64,
        "python": "3.12.9",
        "packages": {"numpy": "2.4.1", "pandas": "3.0.2"},
        "reports": (
            Made(
                DAILY,
                "ReportTask/2013-01-15/daily-0123456789abcdef",
                "0" * 64,
                True,
                None,
                (Measure("x", 1, "1", None),),
            ),
        ),
        "results_made": 3,
        "results_reused": 41,
        "started": "2026-03-02T10:20:00+00:00",
        "seconds": 12.4,
        "host": "lab",
        "user": "ada",
        "templates": {"daily": "1" * 64, "anomaly_report": "2" * 64},
    }
    return Run(commit, **{**given, **others})


def judged(
    name: str, base: float | None, value: float | None, verdict: Any, better: Any = "lower", **limits: float
) -> MeasureVerdict:
    """A measure, judged."""
    change = None if base is None or value is None else round(value - base, 9)
    return MeasureVerdict(name, limits.pop("unit", "1"), better, base, value, verdict, change=change, **limits)  # type: ignore[arg-type]


def report(asked: Asked, *measures: MeasureVerdict, **others: Any) -> ReportVerdict:
    """A report that was made, and whose base was."""
    path = f"ReportTask/{asked.date}/{asked.template}-0123456789abcdef"
    given: dict[str, Any] = {
        "path": path,
        "base_path": path.replace("0123", "aaaa"),
        "state": "made",
        "base_state": "reused",
        "failure": None,
        "measures": measures,
        "has_same_version": False,
    }
    return ReportVerdict(asked, **{**given, **others})


def full() -> Evaluation:
    """An evaluation with every verdict, a failed report, a table and a picture that changed."""
    reports = (
        report(
            DAILY,
            judged("late_share", 0.214, 0.214, "same", absolute=0.005, relative=0.02),
            judged("median_delay", -2, -2, "same", unit="min"),
            has_same_version=True,
            state="reused",
        ),
        report(
            ANOMALIES,
            judged("anomaly_share", 0.214, 0.231, "worse", absolute=0.005, relative=0.02),
            judged("scored_share", 0.9, 0.95, "better", "higher"),
            judged("anomalies", 31, None, "missing"),
            judged("runtime", None, 1.25, "new", None, unit="s"),
            causes=CAUSES,
            tables=({"name": "Anomalies 2013-01-15", **TABLE.as_json()},),
            figures=(FIGURE,),
        ),
        report(STRICT, judged("anomaly_share", 0.11, 0.1101, "same", absolute=0.005, relative=0.02), causes=CAUSES[:1]),
        report(
            CHECK,
            state="failed",
            path="failed/sanity_check/2013-02-08/2026-03-02T10-20-00",
            verdict="worse",
            failure="sanity_check 2013-02-08 failed in cell 4 of 11: KeyError: 'origin'\n  day.by('origin')",
        ),
    )
    base_run = run(
        BASE, packages={"numpy": "2.3.5", "pandas": "3.0.2"}, templates={"daily": "1" * 64, "anomaly_report": "3" * 64}
    )
    return Evaluation(COMMIT, BASE, "default", "worse", reports, run(COMMIT), base_run)


def same() -> Evaluation:
    """An evaluation in which nothing changed."""
    reports = tuple(
        replace(one, measures=(judged("late_share", 0.2, 0.2, "same"),), has_same_version=True, state="reused")
        for one in full().reports[:2]
    )
    return replace(full(), verdict="same", reports=reports, base_run=run(BASE))


def alone() -> Evaluation:
    """An evaluation without a base."""
    [first, *_] = same().reports
    found = replace(
        first,
        measures=(judged("late_share", None, 0.2, "new"),),
        base_path=None,
        base_state="missing",
        has_same_version=False,
    )
    return replace(same(), base=None, base_run=None, reports=(found,))


def hostile() -> Evaluation:
    """An evaluation whose every text tries to break out."""
    asked = Asked("daily", "2013-01-15", {"note": EVIL})
    measures = tuple(judged(EVIL + word, 1.0, 2.0, word, unit=EVIL) for word in ("worse", "same", "better"))  # type: ignore[arg-type]
    figure = {"cell": EVIL, "verdict": EVIL, "share": 0.5, "old": EVIL, "new": next(iter(PICTURES)), "difference": None}
    table = {
        "name": EVIL,
        "sentence": EVIL,
        "key": [EVIL],
        "examples": [{"key": [EVIL], "column": EVIL, "old": EVIL, "new": None}],
    }
    others = {
        "path": f'{EVIL}/"x',
        "base_path": EVIL,
        "causes": (EVIL, f"+{EVIL}"),
        "tables": (table,),
        "figures": (figure,),
    }
    commit = replace(COMMIT, subject=EVIL, author=EVIL, committed=EVIL)
    around = {
        "dataset": EVIL,
        "python": EVIL,
        "packages": {EVIL: EVIL},
        "host": EVIL,
        "user": EVIL,
        "started": EVIL,
        "suite": EVIL,
    }
    reports = (report(asked, *measures, **others), report(asked, state="failed", failure=EVIL * 3))
    return Evaluation(
        commit,
        replace(commit, sha="c" * 40),
        EVIL,
        "worse",
        reports,
        run(commit, **around),
        run(commit, lock=EVIL),
        EVIL,
    )
