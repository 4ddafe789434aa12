"""Addresses of reports: which folder of the store an address means, and nothing beside it."""

from __future__ import annotations

import datetime
import re

from flask import abort

_TEMPLATE = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_MOMENT = rf"{_DATE}T[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}}(?:-[0-9]{{1,9}})?"
_MADE = re.compile(rf"ReportTask/(?P<date>{_DATE})/(?P<template>{_TEMPLATE})-[0-9a-f]{{16}}")
_FAILED = re.compile(rf"failed/(?P<template>{_TEMPLATE})/(?P<date>{_DATE})/{_MOMENT}")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


def report(path: str) -> str:
    """The folder of a report, made or failed; 404 for anything else."""
    found = _MADE.fullmatch(path) or _FAILED.fullmatch(path)
    if not found or not is_date(found["date"]):
        abort(404, "There is no such report.")
    return path


def is_date(text: str) -> bool:
    """Whether a text is a date as addresses have it."""
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def is_failed(path: str) -> bool:
    """Whether a folder is that of a failed report."""
    return path.startswith("failed/")


def label(path: str) -> str:
    """How the files of a report are called where they are kept."""
    found = _MADE.fullmatch(path) or _FAILED.fullmatch(path)
    name = f"{found['template']}-{found['date']}" if found else "report"
    return f"{name}-failed" if is_failed(path) else name


def file(name: str) -> str:
    """The name of a file of a report; 404 for anything else."""
    if not _FILE.fullmatch(name) or ".." in name:
        abort(404, "There is no such file.")
    return name
