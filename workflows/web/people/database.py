"""The file of accounts, sessions and tries to sign in: SQLite, on a disk of this machine, opened for each question."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

from workflows.errors import AccountsUnusable

FILE = "people.db"
_FORMAT = 1
_PATIENCE = 10.0
"""Seconds that others are waited for."""


class Transaction:
    """One transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run(self, name: str, /, **values: object) -> list[tuple[Any, ...]]:
        """Run a statement of people.sql with its values; returns the rows."""
        return self._connection.execute(_statements()[name], values).fetchall()


@contextlib.contextmanager
def transaction(path: Path, writes: bool = True) -> Iterator[Transaction]:
    """One transaction; raises AccountsUnusable where the file cannot be used."""
    try:
        _make(path)
        with closing(sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            yield Transaction(connection)
            connection.execute("COMMIT")
    except (sqlite3.Error, OSError) as error:
        raise AccountsUnusable.found(str(path), getattr(error, "strerror", None) or str(error)) from error


def _make(path: Path) -> None:
    if path.exists() and path.stat().st_size:
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Its owner's only: whoever reads the hashes may try passwords as fast as their machine does.
    path.touch(mode=0o600)
    with closing(sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("PRAGMA user_version").fetchone()[0] < _FORMAT:
            for name in ("accounts_table", "sessions_table", "tries_table", "tries_index"):
                connection.execute(_statements()[name])
            connection.execute(f"PRAGMA user_version = {_FORMAT}")
        connection.execute("COMMIT")


@cache
def _statements() -> dict[str, str]:
    text = Path(__file__).with_name("people.sql").read_text(encoding="utf-8")
    _, *blocks = re.split(r"^-- name: (\w+)\n", text, flags=re.M)
    return dict(zip(blocks[::2], blocks[1::2], strict=True))
