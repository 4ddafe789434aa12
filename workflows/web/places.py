"""Addresses of reports: which folder of the store an address means, and nothing beside it."""

from __future__ import annotations

import re

from flask import abort

_TEMPLATE = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}"
_DATE = r"\d{4}-\d{2}-\d{2}"
_MADE = re.compile(rf"ReportTask/{_DATE}/{_TEMPLATE}-[0-9a-f]{{16}}")
_FAILED = re.compile(rf"failed/{_TEMPLATE}/{_DATE}/[0-9T.+-]{{1,40}}")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


def report(path: str) -> str:
    """The folder of a report, made or failed; 404 for anything else."""
    if not (_MADE.fullmatch(path) or _FAILED.fullmatch(path)):
        abort(404, "There is no such report.")
    return path


def is_failed(path: str) -> bool:
    """Whether a folder is that of a failed report."""
    return path.startswith("failed/")


def file(name: str) -> str:
    """The name of a file of a report; 404 for anything else."""
    if not _FILE.fullmatch(name) or ".." in name:
        abort(404, "There is no such file.")
    return name
