"""The `parcours` command: answers to questions. `luigi` runs things."""

from __future__ import annotations

import argparse
import configparser
import io
import json
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from workflows.answers import Answer
from workflows.errors import ParcoursError, SettingError
from workflows.release import VERSION


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 0, 1 for a failure, 2 for bad usage or input."""
    parser = _parser()
    options = parser.parse_args(arguments)
    ask: Callable[[argparse.Namespace], Answer] = options.command
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal of ASCII only shows the escapes of what it cannot show, as Python does on standard error.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        answer = ask(options)
        if options.json:
            _print_json(answer.as_json())
        else:
            print("\n".join(answer.lines()))
        # Now, because whoever reads may be gone, which only the code below tells Python to bear.
        sys.stdout.flush()
        return answer.exit_code
    except (ParcoursError, configparser.Error) as error:
        if options.debug:
            traceback.print_exc()
        told = error if isinstance(error, ParcoursError) else SettingError.unreadable(" ".join(str(error).split()))
        print(told, file=sys.stderr)
        return told.exit_code
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python must not complain about it when it closes the stream.
        sys.stdout = None
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--debug", action="store_true", help="show the traceback of an error")
    shared.add_argument("--json", action="store_true", help="print JSON")
    parser = argparse.ArgumentParser(prog="parcours", description=__doc__)
    parser.add_argument("--version", action="version", version=f"parcours {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", parents=[shared], help="check templates and pipelines without running them")
    check.add_argument("template", nargs="*", help="names of templates; all, and the pipelines, if none is given")
    check.set_defaults(command=_check)
    explain = commands.add_parser("explain", parents=[shared], help="say how an artefact or a report came to be")
    explain.add_argument("path", help="a report's HTML file, an artefact's folder, a file in it, or a version's digits")
    explain.add_argument(
        "--code", "--verbose", action="store_true", help="list the definitions that made each result, too"
    )
    explain.set_defaults(command=_explain)
    used_by = commands.add_parser("used-by", parents=[shared], help="list the reports that used something")
    used_by.add_argument("subject", metavar="X", help="a commit, a query or stage, an artefact's path or version")
    used_by.add_argument("date", nargs="?", metavar="DATE", help="with a query or stage: of this date only")
    used_by.add_argument("--date", dest="date_option", metavar="DATE", help="the same")
    used_by.set_defaults(command=_used_by)
    reindex = commands.add_parser("reindex", parents=[shared], help="fill the catalog from the store")
    reindex.set_defaults(command=_reindex)
    diff = commands.add_parser("diff", parents=[shared], help="say why two reports, or two results of a task, differ")
    diff.add_argument("a", metavar="A", help="a report's HTML file, an artefact's folder, or a file in it")
    diff.add_argument("b", metavar="B", help="another one of the same task")
    diff.add_argument("--html", type=Path, metavar="FILE", help="also write a page with everything side by side")
    diff.set_defaults(command=_diff)
    audit = commands.add_parser("audit", parents=[shared], help="compute stored results again and compare the bytes")
    audit.add_argument("--share", type=float, required=True, metavar="S", help="how much of the store: 0.02 is 2 %%")
    audit.add_argument("--task", metavar="NAME", help="the results of this task only")
    audit.add_argument(
        "--seed", type=int, metavar="N", help="draw the sample that an earlier audit with this seed drew"
    )
    audit.add_argument("--limit", type=int, metavar="N", help="compute at most so many results")
    audit.set_defaults(command=_audit)
    plan = commands.add_parser("plan", parents=[shared], help="say what a run would make, and why; runs nothing")
    plan.add_argument("name", metavar="TEMPLATE", help="the name of a template, a query or a stage")
    when = plan.add_mutually_exclusive_group(required=True)
    when.add_argument("--date", help="the day, YYYY-MM-DD")
    when.add_argument("--start", help="the first day of a range")
    plan.add_argument("--stop", help="the last day of the range")
    plan.add_argument("--parameters", default="{}", help="other values for the template, as JSON")
    plan.add_argument("--verbose", action="store_true", help="say everything that is known of each result")
    plan.set_defaults(command=_plan)
    accept = commands.add_parser("accept", parents=[shared], help="declare a code change to be without effect")
    accept.add_argument("task", metavar="TASK", help="the name of a query or a stage")
    accept.add_argument("--reason", required=True, help="why the results stay the same")
    accept.set_defaults(command=_accept)
    fetch = commands.add_parser(
        "fetch", parents=[shared], help="lay the tables that a template needs, for work by hand"
    )
    fetch.add_argument("template", help="the name of a template")
    fetch.add_argument("--date", required=True, help="the day of the tables, YYYY-MM-DD")
    fetch.add_argument("--parameters", default="{}", metavar="JSON", help="other values for the template")
    fetch.add_argument(
        "--into", type=Path, metavar="DIR", help="a new folder for the tables and a copy of the template"
    )
    fetch.add_argument("--force", action="store_true", help="overwrite samples that cannot be had back")
    fetch.set_defaults(command=_fetch)
    reproduce = commands.add_parser(
        "reproduce", parents=[shared], help="lay a report's notebook with its values, data and modules"
    )
    reproduce.add_argument("report", help="a report or a failed one: its HTML file, its folder, or a file in it")
    reproduce.add_argument("--into", type=Path, required=True, metavar="DIR", help="a new folder, or an empty one")
    reproduce.set_defaults(command=_reproduce)
    return parser


def _check(options: argparse.Namespace) -> Answer:
    from workflows.answers.check import check

    return check(options.template)


def _explain(options: argparse.Namespace) -> Answer:
    from workflows.answers.explain import explain

    return explain(options.path, options.code)


def _fetch(options: argparse.Namespace) -> Answer:
    from workflows.answers.fetch import fetch
    from workflows.tasks.parameters import DateParameter

    return fetch(options.template, DateParameter().parse(options.date), options.parameters, options.into, options.force)


def _reproduce(options: argparse.Namespace) -> Answer:
    from workflows.answers.reproduce import reproduce

    return reproduce(options.report, options.into)


def _used_by(options: argparse.Namespace) -> Answer:
    from workflows.answers.used_by import used_by

    return used_by(options.subject, options.date_option or options.date, in_full=options.json)


def _reindex(options: argparse.Namespace) -> Answer:
    from workflows.answers.reindex import reindex

    return reindex()


def _diff(options: argparse.Namespace) -> Answer:
    from workflows.answers.diff import diff

    return diff(options.a, options.b, options.html)


def _audit(options: argparse.Namespace) -> Answer:
    from workflows.answers.audit import audit
    from workflows.identity.surroundings import restart_with_fixed_seed

    restart_with_fixed_seed(("parcours", "workflows/cli.py"))
    return audit(options.share, options.task, options.seed, options.limit)


def _plan(options: argparse.Namespace) -> Answer:
    from workflows.answers.plan import days, plan

    return plan(options.name, days(options.date, options.start, options.stop), options.parameters, options.verbose)


def _accept(options: argparse.Namespace) -> Answer:
    from workflows.answers.accept import accept

    return accept(options.task, options.reason)


def _print_json(value: Any) -> None:
    # The escapes of JSON, unlike those of a terminal, are read back as what they stand for.
    print(json.dumps(value, indent=1, ensure_ascii=not sys.stdout.encoding.lower().startswith("utf")))


if __name__ == "__main__":
    sys.exit(main())
