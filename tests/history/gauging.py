"""The project whose history is planted: river gauges, their levels, faults and forecasts; its files for every state of its code.

A state has choices, which change results, and a style, which does not. Each choice names what can stand at one place of the
code: right, worse, wrong, or the same for all practical purposes.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DATASET = "spring"
DAYS_BEFORE = 7
LONG = 10
"""The dates of the suite `long`, which takes its time."""

CHOICES: dict[str, dict[str, str]] = {
    "centre": {
        "by the median": "values.median()",
        "by the mean": "values.mean()",
        "by the trimmed mean": "values.sort_values().iloc[len(values) // 10 : -(len(values) // 10)].mean()",
        "by the mean of the quartiles": "values.quantile([0.25, 0.75]).mean()",
    },
    "spread": {
        "by the median deviation": "1.4826 * (values - values.median()).abs().median()",
        "by the standard deviation": "values.std()",
        "by the range of the quartiles": "values.quantile(0.75) - values.quantile(0.25)",
        "by the median deviation, with a rounded factor": "1.48 * (values - values.median()).abs().median()",
    },
    "statuses": {
        "that are right or warm": '["ok", "warm"]',
        "that are right": '["ok"]',
    },
    "foot": {
        "0.3048 m": "0.3048",
        "a metre": "1.0",
        "0.305 m": "0.305",
        "0.3 m": "0.3",
    },
    "threshold": {
        "3.5 deviations": "3.5",
        "1.5 deviations": "1.5",
        "9 deviations": "9.0",
        "3.51 deviations": "3.51",
        "3.49 deviations": "3.49",
    },
    "deviation": {
        "either way": "deviation.abs()",
        "upwards": "deviation",
        "downwards": "-deviation",
    },
    "window": {
        "up to the day before": "history",
        "up to two days before": "history[:-1]",
    },
    "method": {
        "by the trend": "days.iloc[:, -1] + days.diff(axis=1).mean(axis=1)",
        "by the last day": "days.iloc[:, -1]",
        "by the mean of the days": "days.mean(axis=1)",
        "by the median of the steps": "days.iloc[:, -1] + days.diff(axis=1).median(axis=1)",
    },
    "digits": {"to a millimetre": "3", "to a tenth of a millimetre": "4", "to a centimetre": "2"},
    "broken": {
        "": "",
        "by a column that is not there": 'history = [day.sort_values("hours") for day in history]\n    ',
    },
}
"""By the name of a place, what can stand there, by its name for people; the first is the best."""
SUBJECTS = {
    "centre": "Estimate the level {}",
    "spread": "Estimate the spread {}",
    "statuses": "Keep readings {}",
    "foot": "Take a foot for {}",
    "threshold": "Call it a fault from {}",
    "deviation": "Look for faults that deviate {}",
    "window": "Forecast from the days {}",
    "method": "Forecast {}",
    "digits": "Round levels {}",
}
STYLES = {
    "comment": "Comment on the levels",
    "docstring": "Describe the faults in other words",
    "local": "Rename what holds the groups",
    "helper": "Rename the helper for spreads",
    "place": "Move the helper for spreads",
    "inline": "Put the deviation into a helper, or back",
    "annotated": "Annotate, or no longer",
    "unused": "Add or remove a function that nobody uses",
    "order": "Change the order of the functions",
    "layout": "Lay out the forecast in other lines",
    "wording": "Say in other words what the page of levels shows",
    "task": "Describe the stages in other words",
}
"""By its name, what a change of a style says; its number counts the changes."""


@dataclass(frozen=True)
class State:
    """The code of the project."""

    choices: Mapping[str, str] = field(default_factory=lambda: {name: next(iter(of)) for name, of in CHOICES.items()})
    style: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """The lines of the documentation."""
    bumps: int = 0
    """How often the lock was made anew."""

    @property
    def plain(self) -> State:
        """The state of the same choices without any style."""
        return State(self.choices)

    def choosing(self, name: str, value: str) -> State:
        """This state with another choice."""
        return replace(self, choices={**self.choices, name: value})

    def styled(self, name: str) -> State:
        """This state after one more change of a style."""
        return replace(self, style={**self.style, name: self.style.get(name, 0) + 1})


def files(state: State, dates: tuple[datetime.date, ...]) -> dict[str, str]:
    """The whole project, by path."""
    return {
        **modules(state),
        **{f"templates/{name}.ipynb": _notebook(cells) for name, cells in templates(state).items()},
        "acme.py": _acme(state),
        "luigi.cfg": _CONFIGURATION,
        "templates/suites.toml": _suites(dates),
        "requirements.lock": (ROOT / "requirements.lock").read_text() + "# made anew\n" * state.bumps,
        "README.md": "\n".join(["# Gauges", "", *state.notes, ""]),
        ".gitignore": "/data/\n__pycache__/\n",
    }


def modules(state: State) -> dict[str, str]:
    """The modules of the algorithms, which know nothing of Parcours, in the order of their imports."""
    style, choice = state.style, {name: CHOICES[name][value] for name, value in state.choices.items()}
    spread = ("spread", "scatter")[style.get("helper", 0) % 2]
    helper = f'def {spread}(values):\n    """How far values lie from their centre."""\n    return {choice["spread"]}\n'
    centre = f'def centre(values):\n    """Where values lie."""\n    return {choice["centre"]}\n'
    is_moved = style.get("place", 0) % 2
    imports = f"import pandas as pd\n\nfrom robust import centre{'' if is_moved else f', {spread}'}\n"
    parts = [_levels(style, choice, spread), _faults(style, choice, spread), _forecast(style, choice)]
    if style.get("order", 0) % 2:
        parts.reverse()
    if style.get("unused", 0) % 2:
        parts.append('def inches(metres):\n    """For visitors."""\n    return metres / 0.0254\n')
    constants = f"FOOT = {choice['foot']}\nTHRESHOLD = {choice['threshold']}\nSTATUSES = {choice['statuses']}\n"
    algorithms = [imports + "\n" + constants, *([helper] if is_moved else []), _CLEANED, *parts]
    robust = [centre, *([] if is_moved else [helper])]
    return {
        "robust.py": '"""Estimates that bear outliers."""\n\n\n' + "\n\n".join(robust),
        "gauges.py": '"""What is made of the readings of gauges."""\n\n' + "\n\n".join(algorithms),
    }


_CONFIGURATION = """\
[workflows]
pipelines = acme
database = sqlite:///data/gauges.db

[core]
log_level = WARNING
no_lock = true
autoload_range = false
"""
_CLEANED = '''\
def cleaned(readings):
    """The readings that count, in metres."""
    kept = readings[readings["status"].isin(STATUSES)]
    metres = kept["value"].where(kept["unit"] == "m", kept["value"] * FOOT)
    return kept.assign(value=metres).reset_index(drop=True)
'''


def _levels(style: Mapping[str, int], choice: Mapping[str, str], spread: str) -> str:
    groups = ("groups", "by_gauge")[style.get("local", 0) % 2]
    comment = f"    # Reviewed {style['comment']} times.\n" if style.get("comment") else ""
    given, returned = (": pd.DataFrame", " -> pd.DataFrame") if style.get("annotated", 0) % 2 else ("", "")
    return f'''\
def levels(cleaned{given}){returned}:
    """The level and the spread of each gauge, and how many readings they are from."""
{comment}    {groups} = cleaned.groupby("gauge")["value"]
    found = {{"level": {groups}.apply(centre).round({choice["digits"]}), "spread": {groups}.apply({spread}), "readings": {groups}.size()}}
    return pd.DataFrame(found).reset_index()
'''


def _faults(style: Mapping[str, int], choice: Mapping[str, str], spread: str) -> str:
    says = ("Which readings are faults", "The readings, and which of them are taken for faults")[
        style.get("docstring", 0) % 2
    ]
    whole = 'cleaned["value"] - cleaned.groupby("gauge")["value"].transform("median")'
    is_apart = style.get("inline", 0) % 2
    helper = f'def off(cleaned):\n    """How far readings are off."""\n    return {whole}\n\n\n' if is_apart else ""
    return (
        helper
        + f'''\
def faults(cleaned):
    """{says}."""
    deviation = {"off(cleaned)" if is_apart else whole}
    score = {choice["deviation"]} / cleaned.groupby("gauge")["value"].transform({spread})
    return cleaned[["id", "gauge", "fault"]].assign(flagged=score > THRESHOLD)
'''
    )


def _forecast(style: Mapping[str, int], choice: Mapping[str, str]) -> str:
    medians = f'day.groupby("gauge")["value"].median() for day in {choice["window"]}'
    spread_out = f"[\n        {medians}\n    ]" if style.get("layout", 0) % 2 else f"[{medians}]"
    return f'''\
def forecast(history):
    """The level of each gauge on the day after some days, oldest first."""
    {choice["broken"]}days = pd.concat({spread_out}, axis=1)
    expected = {choice["method"]}
    return pd.DataFrame({{"forecast": expected}}).reset_index()
'''


def _acme(state: State) -> str:
    levels = ("Levels of the day.", "What the gauges say of a day.")[state.style.get("task", 0) % 2]
    return f'''\
"""The pipeline of the gauges."""

import datetime

import luigi

from workflows import Query, Stage


class Readings(Query):
    """Readings of one day, with the level that was true and whether a reading is a fault."""

    date = luigi.DateParameter()
    sql = "SELECT id, gauge, hour, status, unit, value, truth, fault FROM readings WHERE date = :date ORDER BY id"
    dates = "SELECT DISTINCT date FROM readings ORDER BY date"


class Cleaned(Stage):
    """Readings that count."""

    date = luigi.DateParameter()

    def requires(self):
        return {{"readings": Readings(date=self.date)}}

    def compute(self, readings):
        from gauges import cleaned

        return cleaned(readings)


class Levels(Stage):
    """{levels}"""

    date = luigi.DateParameter()

    def requires(self):
        return {{"cleaned": Cleaned(date=self.date)}}

    def compute(self, cleaned):
        from gauges import levels

        return levels(cleaned)


class Faults(Stage):
    """Faults of the day."""

    date = luigi.DateParameter()

    def requires(self):
        return {{"cleaned": Cleaned(date=self.date)}}

    def compute(self, cleaned):
        from gauges import faults

        return faults(cleaned)


class Forecast(Stage):
    """Levels of the day, from the days before."""

    date = luigi.DateParameter()

    def requires(self):
        return [Cleaned(date=self.date - datetime.timedelta(days=days)) for days in range({DAYS_BEFORE}, 0, -1)]

    def compute(self, history):
        from gauges import forecast

        return forecast(history)
'''


_ERROR = """\
true = pd.read_parquet(readings).groupby("gauge")["truth"].first()
found = pd.read_parquet({table}).set_index("gauge")
found.head()"""


def templates(state: State) -> dict[str, list[str]]:
    """The cells of each template: one of text, then code, the first of which holds the parameters."""
    shows = ("Levels against the truth.", "How far levels are from the truth.")[state.style.get("wording", 0) % 2]
    imports = "import pandas as pd\n\nfrom workflows import measure"
    return {
        "levels": [
            shows,
            _parameters("levels", "Levels"),
            imports,
            _ERROR.format(table="levels"),
            'measure("level_error", (found["level"] - true).abs().mean(), unit="m", better="lower")\n'
            'measure("spread_error", (found["spread"] - 1).abs().mean(), unit="m", better="lower")\n'
            'measure("kept", found["readings"].sum() / len(pd.read_parquet(readings)), better="higher")',
        ],
        "faults": [
            "Faults that are found.",
            _parameters("faults", "Faults", with_readings=False),
            imports,
            'table = pd.read_parquet(faults)\nis_fault, is_found = table["fault"] == 1, table["flagged"]\ntable.head()',
            'measure("recall", (is_fault & is_found).sum() / is_fault.sum(), better="higher")\n'
            'measure("false_alarms", (is_found & ~is_fault).sum() / len(table), better="lower")',
        ],
        "forecast": [
            "Forecasts against the truth.",
            _parameters("forecast", "Forecast"),
            imports,
            _ERROR.format(table="forecast"),
            'measure("forecast_error", (found["forecast"] - true).abs().mean(), unit="m", better="lower")',
        ],
    }


def _parameters(name: str, stage: str, *, with_readings: bool = True) -> str:
    lines = [
        "import datetime\n",
        "date: datetime.date = datetime.date(2024, 3, 8)  # the day",
        f'{name}: "{stage}" = "samples/{name}.parquet"',
        *(['readings: "Readings" = "samples/readings.parquet"  # with the truth'] if with_readings else []),
    ]
    return "\n".join(lines)


def _notebook(cells: list[str]) -> str:
    made = [{"cell_type": "markdown", "id": "text", "metadata": {}, "source": cells[0]}]
    for number, source in enumerate(cells[1:]):
        made.append(
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "metadata": {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
        )
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made}, indent=1) + "\n"


LIMITS = {
    "level_error": ("lower", 0.1, 0.1),
    "spread_error": ("lower", 0.1, 0.1),
    "kept": ("higher", 0.01, 0.01),
    "recall": ("higher", 0.05, 0.05),
    "false_alarms": ("lower", 0.005, 0.1),
    "forecast_error": ("lower", 0.1, 0.1),
}
"""By measure: which direction is better, and by how much it may be worse, in its unit and as a share."""


def _suites(dates: tuple[datetime.date, ...]) -> str:
    """The suite of these dates, and one of many."""
    long = tuple(dates[0] + datetime.timedelta(days=number) for number in range(LONG))
    return _suite("default", dates) + "\n" + _suite("long", long)


def _suite(name: str, dates: tuple[datetime.date, ...]) -> str:
    lines = [f"[{name}]", f'dataset = "{DATASET}"', ""]
    for template in ("levels", "faults", "forecast"):
        days = ", ".join(date.isoformat() for date in dates)
        lines += [f"[[{name}.reports]]", f'template = "{template}"', f"dates = [{days}]", ""]
    lines.append(f"[{name}.measures]")
    for measure, (better, absolute, relative) in LIMITS.items():
        lines.append(f'{measure} = {{ better = "{better}", absolute = {absolute}, relative = {relative} }}')
    return "\n".join(lines) + "\n"
