"""`luigi --module workflows EvaluateCommit`: a commit put through a suite, as a Luigi task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import luigi

from workflows.errors import CommitError, ParcoursError
from workflows.tasks.terminal import terminal

if TYPE_CHECKING:
    from workflows.evaluation.verdict import Evaluation


class EvaluateCommit(luigi.Task):
    """A commit run through a suite, compared with its base and judged."""

    commit = luigi.Parameter(description="the commit: a hash, a branch or a tag")
    base = luigi.OptionalParameter(default=None, description="what it is compared with; else where it left the trunk")
    suite = luigi.Parameter(default="default", description="the suite of templates/suites.toml")
    _is_told = False

    def complete(self) -> bool:
        """Whether the evaluation is stored, of the reports that the suite asks for now."""
        from workflows.commits.evaluate import found

        try:
            stored = found(self.commit, self.base, self.suite)
        except ParcoursError:
            # Said when it is run, where Luigi shows it as the task's failure.
            return False
        if stored is not None:
            self._tell(stored)
        return stored is not None

    def run(self) -> None:
        """Evaluate it; a commit that is worse is an evaluation all the same."""
        from workflows.commits.evaluate import evaluated

        terminal().open()
        evaluation = evaluated(self.commit, self.base, self.suite)
        if evaluation.verdict == "failed":
            raise CommitError(evaluation.problem or "the evaluation failed")
        self._tell(evaluation)

    def _tell(self, evaluation: Evaluation) -> None:
        """Say the verdict once, and on standard output where its page is."""
        from workflows.commits.answer import with_page

        if not self._is_told:
            self._is_told = True
            terminal().tell("verdict", f"{evaluation.verdict}  {evaluation.commit.short}  {evaluation.commit.subject}")
            print(f"evaluation: {with_page(evaluation).page}", flush=True)  # noqa: T201 - for whoever asked for it
