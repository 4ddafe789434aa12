"""An evaluation as a comment for GitHub and GitLab: short, with a hidden mark by which a bot finds it again."""

from __future__ import annotations

import base64
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from workflows.evaluation import wording
from workflows.evaluation.verdict import Evaluation, ReportVerdict
from workflows.evaluation.wording import Judged

LONGEST = 60_000
"""Characters of a comment; GitHub takes 65,536."""
TINY = 4_096
"""Bytes up to which a picture is embedded where it cannot be linked."""

Read = Callable[[str], bytes | None]

_LEFT_OUT = "\n*{} left out: the comment would be too long.*\n"
_ROWS = 50
"""Rows of a table, lines of a list."""
_LINES = 40
"""Lines of a difference or a failure."""
_TEXT = 300
"""Characters of a text in one line."""
_SPECIAL = re.compile(r"[\\`*\[\]#|~$]|(?<!\w)_|_(?!\w)")
# What the sites make links to people and issues of, even where it is escaped.
_CALLS = re.compile(r"([@#!])(?=\w)")


def marker(suite: str) -> str:
    """The hidden first line of a suite's comment."""
    return f"<!-- parcours evaluation {re.sub(r'[^A-Za-z0-9_.]+', '-', suite)} -->"


def markdown(evaluation: Evaluation, link: str | None = None, pictures: Read | None = None) -> str:
    """The comment's text.

    `link` is the address of the folder that holds the evaluation's page: reports and pictures are links below it.
    Without it, tiny pictures are embedded as far as `pictures` reads them, and the others are counted.
    """
    said = f"{marker(evaluation.suite)}\n"
    left_out = 0
    # Room for the sentence that says what is left out.
    most = LONGEST - len(_LEFT_OUT) - 40
    for block in map(wording.legible, _blocks(evaluation, link, pictures)):
        if len(said) + len(block) + 1 > most:
            left_out += 1
        else:
            said += f"{block}\n"
    return said + (_LEFT_OUT.format(wording.counted(left_out, "part")) if left_out else "")


def _blocks(evaluation: Evaluation, link: str | None, pictures: Read | None) -> Iterator[str]:
    """The comment in parts that stand alone, what matters most first."""
    yield f"### {wording.SIGNS[evaluation.verdict]} {_text(wording.headline(evaluation), 600)}\n"
    if evaluation.problem and _text(evaluation.problem, 600) not in wording.headline(evaluation):
        yield f"*{_text(evaluation.problem, 600)}*\n"
    yield _about(evaluation, link)
    judged = wording.judged(evaluation)
    moved = [one for one in judged if one.measure.verdict != "same"]
    if moved:
        yield _table(moved)
    yield from filter(None, (_failed(one) for one in evaluation.reports))
    same = [one for one in judged if one.measure.verdict == "same"]
    if same:
        yield _folded(f"{wording.counted(len(same), 'measure')} the same, or within tolerance", _table(same))
    for report in evaluation.reports:
        yield from _report(report, link, pictures)
    changes = wording.surroundings(evaluation)
    if changes:
        rows = [f"- {_text(change.sentence)}" for change in changes[:_ROWS]]
        yield _folded(f"What else changed ({len(changes):,})", "\n".join(rows))


def _about(evaluation: Evaluation, link: str | None) -> str:
    base = f"base {_commit(evaluation.base)}" if evaluation.base else "no base"
    run = evaluation.run
    suite = f"suite {_text(evaluation.suite)}{' of the trunk' if run.suite_from == 'trunk' else ''}"
    page = f"[evaluation]({_address(link, 'evaluation.html')})" if link else ""
    dataset = f"dataset {_text(run.dataset)}" if run.dataset else ""
    parts = [f"{_commit(evaluation.commit)}, {base}", suite, dataset, wording.made(run), page]
    return " · ".join(filter(None, parts)) + "\n"


def _commit(commit: Any) -> str:
    return f"`{re.sub(r'[^0-9a-z ]', '', commit.short)}` {_text(commit.subject, 100)}"


def _table(rows: list[Judged]) -> str:
    """Measures; the first of them where they are many."""
    head = "| | measure | base | value | change | tolerance |\n| --- | --- | ---: | ---: | ---: | ---: |\n"
    lines = [_row(one) for one in rows[:_ROWS]]
    more = f"\n*and {len(rows) - _ROWS:,} more*\n" if len(rows) > _ROWS else ""
    return head + "\n".join(lines) + "\n" + more


def _row(one: Judged) -> str:
    found = one.measure
    verdict = f"{wording.SIGNS[found.verdict]} {found.verdict}"
    cells = [
        f"**{verdict}**" if found.verdict == "worse" else verdict,
        f"{_text(found.name, 100)} of {_text(one.label, 150)}",
        _text(wording.number(found.base, found.unit), 60) if found.verdict != "new" else "–",
        _text(wording.number(found.value, found.unit), 60) if found.verdict != "missing" else "–",
        wording.difference(found) or "–",
        wording.limits(found),
    ]
    return f"| {' | '.join(cells)} |"


def _failed(report: ReportVerdict) -> str:
    if report.state != "failed":
        return ""
    before = " at the base too" if report.base_state == "failed" else ""
    reason = _fenced((report.failure or "no reason is known").splitlines(), "text")
    return f"**{_text(report.asked.key)}** failed{before}\n\n{reason}"


def _report(report: ReportVerdict, link: str | None, pictures: Read | None) -> Iterator[str]:
    """Why a report differs and what of it changed, folded."""
    if not (report.causes or report.tables or report.figures):
        return
    parts = [_links(report, link)] if link else []
    if report.causes:
        parts.append(_fenced(list(report.causes), "diff"))
    parts += [f"- {_text(table['name'])}: {_text(table.get('sentence', 'other rows'))}" for table in report.tables]
    parts += _figures(report, link, pictures)
    first = f": {_text(report.causes[0])}" if report.causes else ""
    yield _folded(f"Why {_text(report.asked.key)} differs{first}", "\n".join(filter(None, parts)))


def _links(report: ReportVerdict, link: str | None) -> str:
    sides = [("report", report.path), ("the base's report", report.base_path)]
    shown = [f"[{name}]({_address(link, f'../../../{path}/report.html')})" for name, path in sides if link and path]
    return " · ".join(shown) + ("\n" if shown else "")


def _figures(report: ReportVerdict, link: str | None, pictures: Read | None) -> Iterator[str]:
    left_out = 0
    for figure in report.figures:
        sides = ("old", "new", "difference")
        shown = [_picture(figure, side, link, pictures) for side in sides if figure.get(side)]
        left_out += shown.count("")
        drawn = " ".join(filter(None, shown))
        yield f"\nFigure of {_text(figure['cell'])}: {_text(figure['verdict'])}\n" + (f"\n{drawn}\n" if drawn else "")
    if left_out:
        yield f"\n*{wording.counted(left_out, 'picture')} left out: too large to be embedded, and no address was given.*\n"


def _picture(figure: Mapping[str, Any], side: str, link: str | None, pictures: Read | None) -> str:
    """A picture as a link or embedded; empty where it is neither."""
    name = str(figure[side])
    if link:
        return f"![{side}]({_address(link, name)})"
    data = pictures(name) if pictures else None
    if not data or len(data) > TINY or not data.startswith(b"\x89PNG"):
        return ""
    return f"![{side}](data:image/png;base64,{base64.b64encode(data).decode()})"


def _address(link: str | None, name: str) -> str:
    """The address of a file, by its place as seen from the page."""
    parts = urlsplit(str(link))
    path = posixpath.normpath(f"{parts.path}/{quote(name, safe='/')}")
    path = f"/{path.lstrip('/')}" if parts.netloc else path
    # Parentheses would end Markdown's address.
    return quote(urlunsplit(parts._replace(path=path)), safe="/:?#[]@!$&*+,;=%~")


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{body.strip()}\n\n</details>\n"


def _fenced(lines: list[str], language: str) -> str:
    """Lines as they are, within a fence that none of them ends."""
    shown = [line[:_TEXT] for one in lines[:_LINES] for line in one.splitlines() or [""]]
    more = max(len(lines), len(shown)) > _LINES
    text = "\n".join(shown[:_LINES] + ["… and more"] * more)
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}\n"


def _text(value: Any, most: int = _TEXT) -> str:
    """A text in one line that means nothing but itself."""
    said = " ".join(str(value).split())
    said = said if len(said) <= most else f"{said[: most - 1]}…"
    said = _CALLS.sub("\\1\u200b", said)
    escaped = said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", escaped)
