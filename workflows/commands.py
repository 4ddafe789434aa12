"""The commands of `parcours`: what each takes, and the question it asks."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from workflows.answers import Answer
from workflows.errors import UsageError
from workflows.release import VERSION

Options = argparse.Namespace


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, where argparse prints all that there is to take."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{UsageError.of_parcours(self.prog, message)}\n")


class Commands:
    """A parser that gets its commands one by one, listed under headings."""

    def __init__(self) -> None:
        plain = argparse.RawDescriptionHelpFormatter
        self.parser = _Parser(
            prog="parcours", description="Answers to questions; `luigi` runs things.", formatter_class=plain, epilog=""
        )
        self.parser.add_argument("--version", action="version", version=f"parcours {VERSION}")
        # A command that is given no help is not listed here, but in the epilog.
        self._commands = self.parser.add_subparsers(
            required=True, metavar="COMMAND", help="one of these; `parcours COMMAND --help` says more"
        )
        self._shared = _Parser(add_help=False)
        # Without defaults, for those who come below a command: these would undo what was given to that.
        self.below = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
        for parser in (self._shared, self.below):
            parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
            parser.add_argument("--json", action="store_true", help="print JSON")

    def head(self, heading: str) -> None:
        """Begin a group of commands."""
        self._list(f"\n{heading}:")

    def add(self, name: str, what: str, ask: Callable[[Options], Answer]) -> argparse.ArgumentParser:
        """The parser of a further command, for its arguments."""
        self._list(f"  {name:<11}{what}")
        parser = self._commands.add_parser(name, parents=[self._shared], description=f"{what[0].upper()}{what[1:]}.")
        parser.set_defaults(command=ask)
        return parser

    def _list(self, line: str) -> None:
        self.parser.epilog = f"{self.parser.epilog}\n{line}".lstrip("\n")


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command; what it finds has the question under `command`."""
    commands = Commands()
    commands.head("before a run")
    for add in (_plan, _dates, _check, _repeats):
        add(commands)
    commands.head("about results")
    for add in (_explain, _diff, _used_by):
        add(commands)
    commands.head("work by hand")
    for add in (_fetch, _reproduce):
        add(commands)
    commands.head("evaluation of commits")
    for add in (_evaluate, _freeze, _datasets, _compare, _trend, _find_step):
        add(commands)
    commands.head("the web page")
    for add in (_serve, _worker, _user):
        add(commands)
    commands.head("care for the store")
    for add in (_accept, _audit, _reindex):
        add(commands)
    return commands.parser


def _plan(commands: Commands) -> None:
    def ask(options: Options) -> Answer:
        from workflows.answers.plan import days, plan

        return plan(options.name, days(options.date, options.start, options.stop), options.parameters, options.verbose)

    parser = commands.add("plan", "say what a run would make, and why; runs nothing", ask)
    parser.add_argument("name", metavar="NAME", help="a template, a query or a stage")
    when = parser.add_mutually_exclusive_group(required=True)
    when.add_argument("--date", help="the day, YYYY-MM-DD")
    when.add_argument("--start", metavar="DATE", help="the first day of a range")
    parser.add_argument("--stop", metavar="DATE", help="its last day; without it, the first day alone")
    parser.add_argument("--parameters", default="{}", metavar="JSON", help="other values for the template")
    parser.add_argument("--verbose", action="store_true", help="say everything that is known of each result")


def _explain(commands: Commands) -> None:
    def ask(options: Options) -> Answer:
        from workflows.answers.explain import explain

        return explain(options.path, options.code, options.timing)

    parser = commands.add("explain", "say how a result or a report came to be", ask)
    parser.add_argument("path", help="a report's HTML file, an artefact's folder, a file in it, or a version's digits")
    parser.add_argument("--code", "--verbose", action="store_true", help="list the definitions that made each result")
    parser.add_argument("--timing", action="store_true", help="show where the time went, in place of the tree")


def _diff(commands: Commands) -> None:
    def ask(options: Options) -> Answer:
        from workflows.answers.diff import diff

        return diff(options.a, options.b, options.html)

    parser = commands.add("diff", "say why two reports, or two results of a task, differ", ask)
    parser.add_argument(
        "a", metavar="A", help="a report's HTML file, an artefact's folder, a file in it, or a version's digits"
    )
    parser.add_argument("b", metavar="B", help="another one of the same task")
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write a page with everything side by side")


def _used_by(commands: Commands) -> None:
    def ask(options: Options) -> Answer:
        from workflows.answers.used_by import used_by

        return used_by(options.subject, options.date_option or options.date, in_full=options.json)

    parser = commands.add("used-by", "list the reports that used something", ask)
    parser.add_argument("subject", metavar="X", help="a commit, a query or stage, an artefact's path or version")
    date = parser.add_mutually_exclusive_group()
    date.add_argument("date", nargs="?", metavar="DATE", help="with a query or stage: of this date only")
    date.add_argument("--date", dest="date_option", metavar="DATE", help="the same")


def _check(commands: Commands) -> None:
    def ask(options: Options) -> Answer:
        from workflows.answers.check import check

        return check(options.template)

    parser = commands.add("check", "check templates and pipelines without running them", ask)
    parser.add_argument("template", nargs="*", help="names of templates; all, and the pipelines, if none is given")


def _dates(commands: Commands) -> None:
    def ask(options: Options) -> Answer:
        from workflows.answers.dates import dates

        return dates(options.template)

    parser = commands.add("dates", "list the dates for which a template can be made", ask)
    parser.add_argument("template", help="the name of a template")


def _repeats(commands: Commands) -> None:
    def ask(options: Options) -> Answer:
        from workflows.answers.repeats import repeats

        return repeats()

    commands.add("repeats", "find code that was copied between templates, or from a module", ask)


def _fetch(commands: Commands) -> None:
    def ask(options: Options) -> Answer:
        from workflows.answers.fetch import fetch
        from workflows.tasks.parameters import DateParameter

        date = DateParameter().parse(options.date)
        return fetch(options.template, date, options.parameters, options.into, options.force)

    parser = commands.add("fetch", "lay the tables that a template needs", ask)
    parser.add_argument("template", help="the name of a template")
    parser.add_argument("--date", required=True, help="the day of the tables, YYYY-MM-DD")
    parser.add_argument("--parameters", default="{}", metavar="JSON", help="other values for the template")
    parser.add_argument(
        "--into", type=Path, metavar="DIR", help="a new folder for the tables and a copy of the template"
    )
    parser.add_argument("--force", action="store_true", help="overwrite samples that cannot be had back")


def _reproduce(commands: Commands) -> None:
    def ask(options: Options) -> Answer:
        from workflows.answers.reproduce import reproduce

        return reproduce(options.report, options.into)

    parser = commands.add("reproduce", "lay a report's notebook with its values, data and modules", ask)
    parser.add_argument("report", help="a report or a failed one: its HTML file, its folder, or a file in it")
    parser.add_argument("--into", type=Path, required=True, metavar="DIR", help="a new folder, or an empty one")


def _worker(commands: Commands) -> None:
    def ask(options: Options) -> Answer:
        from workflows.requests.command import work

        return work(options.at_once)

    parser = commands.add("worker", "make the reports that are asked for in the web page", ask)
    parser.add_argument("--at-once", type=int, default=1, metavar="N", help="how many reports at a time; 1 without it")


def _evaluate(commands: Commands) -> None:
    def ask(options: Options) -> Answer:
        if options.queue or options.work or options.status:
            return _queued(options)
        from workflows.commits.answer import Files, answer, answers

        if options.range:
            _alone("--range", options)
            return answers(options.range, options.suite)
        files = Files(options.junit, options.markdown, options.link)
        return answer(options.commit, options.base, options.suite, options.dirty, files)

    parser = commands.add("evaluate", "put a commit through a suite and compare it with its base", ask)
    parser.add_argument("commit", nargs="?", metavar="COMMIT", help="a hash, a branch or a tag; HEAD without it")
    parser.add_argument("--base", metavar="REF", help="what it is compared with; else where it left the trunk")
    parser.add_argument("--suite", default="default", metavar="NAME", help="the suite of templates/suites.toml")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--dirty", action="store_true", help="evaluate the uncommitted work")
    which.add_argument(
        "--range", metavar="A..B", help="all commits after A up to B, newest first; goes on where it ended"
    )
    which.add_argument("--queue", nargs="+", metavar="COMMIT", help="have commits evaluated in the background")
    which.add_argument("--work", action="store_true", help="evaluate what is queued, now")
    which.add_argument("--status", action="store_true", help="say what is queued, and what became of it")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="also write the verdict as JUnit XML")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write a comment for a merge request")
    parser.add_argument("--link", metavar="URL", help="where others can read the evaluation's folder, for the comment")


def _queued(options: Options) -> Answer:
    from workflows.commits import queue

    _alone("--queue" if options.queue else "--work" if options.work else "--status", options)
    if options.queue:
        return queue.add(options.queue, options.suite)
    return queue.work() if options.work else queue.status()


def _alone(asked: str, options: Options) -> None:
    """Refuse what is about one commit beside a flag that is not."""
    from workflows.errors import UsageError

    for name in ("commit", "base", "junit", "markdown", "link"):
        if getattr(options, name) is not None:
            raise UsageError.not_both(asked, "COMMIT" if name == "commit" else f"--{name}")


def _freeze(commands: Commands) -> None:
    def ask(options: Options) -> Answer:
        from workflows.answers.freeze import freeze
        from workflows.answers.plan import days

        dates = days(None, options.start, options.stop, ("--from", "--to"))
        return freeze(options.name, options.queries, dates, options.note, options.parameters)

    parser = commands.add("freeze", "keep what the database answers as a dataset that never changes", ask)
    parser.add_argument("name", metavar="NAME", help="the name of the new dataset")
    parser.add_argument("--queries", required=True, metavar="Q,R", help="names of queries, separated by commas")
    parser.add_argument("--from", required=True, dest="start", metavar="DATE", help="the first day, YYYY-MM-DD")
    parser.add_argument("--to", required=True, dest="stop", metavar="DATE", help="the last day")
    parser.add_argument("--note", default="", metavar="TEXT", help="why it is frozen")
    parser.add_argument("--parameters", default="{}", metavar="JSON", help="values for the queries' other parameters")


def _datasets(commands: Commands) -> None:
    def ask(options: Options) -> Answer:
        from workflows.answers.datasets import datasets

        return datasets()

    def export(options: Options) -> Answer:
        from workflows.answers.datasets import export

        return export(options.name, options.file)

    def bring(options: Options) -> Answer:
        from workflows.answers.datasets import import_

        return import_(options.file)

    parser = commands.add("datasets", "list the datasets; with export or import, carry one elsewhere", ask)
    actions = parser.add_subparsers(metavar="ACTION", help="'export' or 'import'; without one, the datasets are listed")
    one = actions.add_parser("export", parents=[commands.below], description="Write a dataset to one file.")
    one.set_defaults(command=export)
    one.add_argument("name", metavar="NAME", help="the name of a dataset")
    one.add_argument("file", type=Path, metavar="FILE", help="a new file, NAME.parcours")
    one = actions.add_parser("import", parents=[commands.below], description="Bring in the dataset in a file.")
    one.set_defaults(command=bring)
    one.add_argument("file", type=Path, metavar="FILE", help="a file that was exported")


def _serve(commands: Commands) -> None:
    def ask(options: Options) -> Answer:
        from workflows.web.serving.server import serve

        return serve(options.host, options.port, options.worker, options.scheduler)

    parser = commands.add("serve", "open the web page, with Luigi's scheduler and a worker", ask)
    parser.add_argument("--host", default="127.0.0.1", metavar="H", help="where it listens; else on this machine only")
    parser.add_argument("--port", type=int, default=8090, metavar="P", help="its port, 8090; 0 for any that is free")
    parser.add_argument("--no-worker", dest="worker", action="store_false", help="a worker runs elsewhere")
    parser.add_argument("--no-scheduler", dest="scheduler", action="store_false", help="a scheduler runs elsewhere")


def _user(commands: Commands) -> None:
    def ask(options: Options) -> Answer:
        from workflows.web.people import users

        return users.change(options.action, options.name, options.role, options.password_stdin)

    roles = ("reader", "runner", "admin")
    parser = commands.add("user", "say who may sign in to the web page", ask)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", help="what to do")
    parser.set_defaults(name=None, role=None, password_stdin=False)
    for action, what in (
        ("add", "Add somebody; asks for the password twice."),
        ("list", "List everybody."),
        ("role", "Give somebody another role."),
        ("password", "Give somebody another password, which ends their sessions."),
        ("remove", "Remove somebody, which ends their sessions."),
    ):
        one = actions.add_parser(action, parents=[commands.below], description=what, help=what[:-1].lower())
        if action != "list":
            one.add_argument("name", metavar="NAME", help="their name")
        if action in ("add", "role"):
            one.add_argument("--role", required=True, choices=roles, help="what they may")
        if action in ("add", "password"):
            one.add_argument("--password-stdin", action="store_true", help="read the password from standard input")


def _accept(commands: Commands) -> None:
    def ask(options: Options) -> Answer:
        from workflows.answers.accept import accept

        return accept(options.task, options.reason)

    parser = commands.add("accept", "declare a code change to be without effect", ask)
    parser.add_argument("task", metavar="TASK", help="the name of a query or a stage")
    parser.add_argument("--reason", required=True, help="why the results stay the same")


def _audit(commands: Commands) -> None:
    def ask(options: Options) -> Answer:
        from workflows.answers.audit import audit
        from workflows.identity.surroundings import restart_with_fixed_seed

        restart_with_fixed_seed(("parcours", "workflows/cli.py"))
        return audit(options.share, options.task, options.seed, options.limit)

    parser = commands.add("audit", "compute stored results again and compare the bytes", ask)
    parser.add_argument("--share", type=float, required=True, metavar="S", help="how much of the store: 0.02 is 2 %%")
    parser.add_argument("--task", metavar="NAME", help="the results of this task only")
    parser.add_argument("--seed", type=int, metavar="N", help="draw the sample of an earlier audit with this seed")
    parser.add_argument("--limit", type=int, metavar="N", help="compute at most so many results")


def _reindex(commands: Commands) -> None:
    def ask(options: Options) -> Answer:
        from workflows.answers.reindex import reindex

        return reindex()

    commands.add("reindex", "fill the catalog from the store", ask)


def _trend(commands: Commands) -> None:
    def ask(options: Options) -> Answer:
        from workflows.commits.trend import Chosen, trend

        return trend(
            options.measure, Chosen(options.suite, options.template, options.date), options.over, options.picture
        )

    parser = commands.add("trend", "say how a measure went from commit to commit, and where it stepped", ask)
    _add_measure(parser)
    parser.add_argument(
        "--over", choices=("commits", "dates"), default="commits", help="dates: those of the newest run"
    )
    parser.add_argument("--picture", type=Path, metavar="FILE", help="also draw it, as .svg or .png")


def _find_step(commands: Commands) -> None:
    def ask(options: Options) -> Answer:
        from workflows.commits.bisect import find_step
        from workflows.commits.trend import Chosen

        return find_step(
            options.measure, Chosen(options.suite, options.template, options.date), options.older, options.newer
        )

    parser = commands.add("find-step", "find the commit at which a measure stepped; runs commits if need be", ask)
    _add_measure(parser)
    parser.add_argument(
        "--from", dest="older", metavar="A", help="a commit before the step; else that of the latest step"
    )
    parser.add_argument("--to", dest="newer", metavar="B", help="a commit after it; else, with --from, HEAD")


def _add_measure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("measure", metavar="MEASURE", help="the name of a measure")
    parser.add_argument("--suite", default="default", metavar="S", help="the suite that commits were run through")
    parser.add_argument("--template", metavar="T", help="in the reports of this template only")
    parser.add_argument("--date", metavar="D", help="in the reports of this date only, YYYY-MM-DD")


def _compare(commands: Commands) -> None:
    def ask(options: Options) -> Answer:
        from workflows.commits.compare import compare

        return compare(options.a, options.b, options.suite, options.datasets)

    parser = commands.add("compare", "put two commits, dates, parameters or datasets side by side", ask)
    parser.add_argument("a", metavar="A", help="a commit, a report's path, a date, or parameters as NAME=VALUE")
    parser.add_argument("b", metavar="B", help="another one of the same kind")
    parser.add_argument("--suite", default="default", metavar="S", help="the suite with the reports")
    parser.add_argument("--datasets", action="store_true", help="A and B are the names of datasets")
