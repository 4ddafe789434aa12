"""`luigi --module workflows EvaluateCommit`: a commit put through a suite, as a Luigi task."""

from __future__ import annotations

import luigi

from workflows.errors import CommitError, ParcoursError
from workflows.tasks.terminal import terminal


class EvaluateCommit(luigi.Task):
    """A commit run through a suite, compared with its base and judged."""

    commit = luigi.Parameter(description="the commit: a hash, a branch or a tag")
    base = luigi.OptionalParameter(default=None, description="what it is compared with; else where it left the trunk")
    suite = luigi.Parameter(default="default", description="the suite of templates/suites.toml")

    def complete(self) -> bool:
        """Whether the evaluation is stored, of the reports that the suite asks for now."""
        from workflows.commits.evaluate import found

        try:
            return found(self.commit, self.base, self.suite) is not None
        except ParcoursError:
            # Said when it is run, where Luigi shows it as the task's failure.
            return False

    def run(self) -> None:
        """Evaluate it; a commit that is worse is an evaluation all the same."""
        from workflows.commits.evaluate import evaluated

        terminal().open()
        evaluation = evaluated(self.commit, self.base, self.suite)
        if evaluation.verdict == "failed":
            raise CommitError(evaluation.problem or "the evaluation failed")
        terminal().tell("verdict", evaluation.verdict)
