"""Backfills: reports for a range of dates."""

from __future__ import annotations

import datetime
from functools import cached_property
from typing import Any

import luigi

from workflows.errors import DateError, StoreError, TemplateError
from workflows.tasks import command, handover
from workflows.tasks.parameters import DateParameter
from workflows.tasks.project import current
from workflows.tasks.report import ReportTask
from workflows.tasks.templates import read_template

ALL = "all"


class Backfill(luigi.WrapperTask):
    """The reports of every date from `start` to `stop`, both included, for one, several or all templates."""

    start = DateParameter(description="the first day, YYYY-MM-DD")
    stop = DateParameter(description="the last day, YYYY-MM-DD")
    template = luigi.Parameter(default=ALL, description="one template, several separated by commas, or 'all'")
    parameters = luigi.Parameter(default="{}", description="other values for the templates, as JSON")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        command.begin()
        super().__init__(*args, **kwargs)
        if self.stop < self.start:
            raise DateError.range(self.start, self.stop)
        if not self.templates:
            raise TemplateError.missing(self.template, current().settings.templates, current().templates.names())
        for name in self.templates:
            read_template(name)
        command.asked(self)

    @cached_property
    def templates(self) -> list[str]:
        """The templates by name."""
        if self.template.strip() == ALL:
            return [name for name in current().templates.names() if read_template(name).is_in_all]
        return [name.strip() for name in self.template.split(",") if name.strip()]

    def deps(self) -> list[ReportTask]:
        """What Luigi is to have made; the plan of all reports is one."""
        with current().store.ahead():
            reports: list[ReportTask] = super().deps()
            handover.write([report for report in reports if _is_to_make(report)])
        return reports

    def requires(self) -> list[ReportTask]:
        """One report for each date and template, the newest date first."""
        project = current()
        return list(project.once((Backfill, self.task_id), lambda: project.together(self._reports)))

    def _reports(self) -> list[ReportTask]:
        days = [self.start + datetime.timedelta(days=n) for n in range((self.stop - self.start).days + 1)]
        reports = []
        for day in reversed(days):
            for name in self.templates:
                reports.append(ReportTask(date=day, template=name, parameters=self.parameters))
                current().store.expect(reports[-1].address)
        return reports


def _is_to_make(report: ReportTask) -> bool:
    try:
        return not report.identity.problem and not report.complete()
    except StoreError:
        # One that cannot be read is no matter of the other dates; Luigi asks again, and says why.
        return False
