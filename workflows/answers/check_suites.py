"""Suites checked without being run: their templates, the parameters, and the measures that they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from workflows.answers.recorded import Recorded, recorded
from workflows.errors import ParcoursError, SuiteError, listed, nearest
from workflows.evaluation import entries, suites
from workflows.evaluation.suites import Asked, Suite
from workflows.identity.canonical import canonical_json
from workflows.store.datasets import ENDING
from workflows.tasks.project import SHIPPED, current
from workflows.tasks.report import ReportTask


@dataclass(frozen=True)
class CheckedSuite:
    """What the check of one suite found."""

    name: str
    summary: str = ""
    """What it is made of."""
    error: str | None = None
    warnings: tuple[str, ...] = ()
    """What it names and is not there: the dataset, and measures that no template records, where that can be told."""


def checked_suites() -> list[CheckedSuite]:
    """What the project's file of suites holds, and what is wrong with it; nothing where there is no such file."""
    path = current().settings.templates / suites.FILE
    where = current().label(path)
    try:
        found = entries.read(path.read_bytes(), where)
    except FileNotFoundError:
        return []
    except OSError as error:
        return [CheckedSuite(suites.FILE, error=str(SuiteError.not_readable(where, error.strerror or str(error))))]
    except SuiteError as error:
        return [CheckedSuite(suites.FILE, error=str(error))]
    return [_checked(where, suite) for suite in found.values()]


def _checked(where: str, suite: Suite) -> CheckedSuite:
    found = dict[str, Recorded]()
    for asked in suite.reports:
        try:
            _ask(asked)
            found[asked.template] = recorded(asked.template)
        except ParcoursError as error:
            place = f"{where}, suite '{suite.name}'"
            return CheckedSuite(suite.name, error=str(SuiteError.report(place, asked.key, str(error))))
    return CheckedSuite(suite.name, _summary(suite), warnings=(*_missing(suite), *_unrecorded(suite, found)))


def _summary(suite: Suite) -> str:
    reports, limits = len(suite.reports), len(suite.measures)
    return (
        f"suite, {reports} report{'' if reports == 1 else 's'} "
        f"({listed(dict.fromkeys(asked.template for asked in suite.reports))}) of dataset {suite.dataset}, "
        f"{limits} limit{'' if limits == 1 else 's'}"
    )


def _ask(asked: Asked) -> None:
    """Have the template read and the parameters validated, once for all dates, as a task does."""
    ReportTask.settled({"template": asked.template, "parameters": canonical_json(asked.parameters), "date": None})


def _missing(suite: Suite) -> Iterator[str]:
    """Whether the dataset is neither in the store nor shipped; another machine's store may have it."""
    project = current()
    known = project.store.datasets.names()
    shipped = sorted(path.stem for path in (project.settings.templates / SHIPPED).glob(f"*{ENDING}"))
    if suite.dataset not in (*known, *shipped):
        datasets = sorted({*known, *shipped})
        yield f"the dataset '{suite.dataset}' is not in the store. Datasets: {listed(datasets)}.{nearest(suite.dataset, datasets)}"


def _unrecorded(suite: Suite, found: Mapping[str, Recorded]) -> Iterator[str]:
    for measure in suite.measures:
        template, _, name = measure.partition(".")
        of_one = found.get(template)
        if of_one and name and (name in of_one.names or not of_one.is_certain):
            continue
        if any(measure in one.names or not (one.is_certain or of_one) for one in found.values()):
            continue
        plain = sorted({name for one in found.values() for name in one.names})
        full = [f"{template}.{name}" for template, one in found.items() for name in sorted(one.names)]
        yield f"no report of the suite records the measure '{measure}'.{nearest(measure, full if name else plain)}"
