"""Accounts of people: their passwords and roles, who is signed in, and how often somebody may try to."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import secrets
import threading
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from workflows.errors import AccountError
from workflows.web.people.database import FILE, Transaction, transaction

SHORTEST, LONGEST = 10, 1000
"""Characters of a password."""
NAME = re.compile(r"[A-Za-z0-9._@+-]{1,64}")
IDLE = 12 * 3600.0
"""Seconds without a request after which a session is over."""
OLDEST = 14 * 24 * 3600.0
"""Seconds after which it is over in any case."""
WINDOW = 15 * 60.0
"""Seconds in which tries to sign in are counted."""
TRIES_OF_NAME, TRIES_OF_ADDRESS = 10, 50
_SEEN_EVERY = 60.0
"""Seconds between two notes that a session is used."""
_hashing = threading.BoundedSemaphore(2)
"""A hash takes 64 MB: many at once would take all memory."""


@dataclass(frozen=True)
class Account:
    """Somebody who may sign in."""

    name: str
    role: str


@dataclass(frozen=True)
class TooMany:
    """Somebody tried too often."""

    wait: float
    """Seconds until the next try."""


@dataclass(frozen=True)
class Accounts:
    """The accounts of a project's page; `folder` is where the page keeps its things."""

    folder: Path

    def list(self) -> list[Account]:
        """Everybody, by name."""
        if not (self.folder / FILE).exists():
            return []
        with self._reads() as asked:
            return [Account(name, role) for name, role, _ in asked.run("accounts")]

    def find(self, name: str) -> Account | None:
        """Somebody by name."""
        return next((account for account in self.list() if account.name.lower() == name.lower()), None)

    def add(self, name: str, role: str, password: str) -> None:
        """Add somebody; raises AccountError for a name or a password that will not do."""
        if not NAME.fullmatch(name):
            raise AccountError.name(name)
        made = _hash(password)
        with self._writes() as asked:
            if not asked.run("add_account", name=name, role=role, hash=made, now=time.time()):
                raise AccountError.exists(name)

    def set_role(self, name: str, role: str) -> None:
        """Have somebody be of another role, from their next request on."""
        self._change("set_role", name, role=role)

    def set_password(self, name: str, password: str) -> None:
        """Give somebody another password; their sessions end."""
        self._change("set_hash", name, hash=_hash(password))

    def remove(self, name: str) -> None:
        """Remove somebody; their sessions end."""
        self._change("remove_account", name)

    def sign_in(self, name: str, password: str, address: str) -> str | TooMany | None:
        """The token of a new session; None for a wrong name or password, which nobody can tell apart."""
        refused = self._try(f"name:{name.lower()[:100]}", f"address:{_home(address)}")
        if refused:
            return refused
        with self._reads() as asked:
            found = asked.run("account", name=name)
        known, _, stored = found[0] if found else (name, "", _nobodys_hash())
        if not _is_right(stored, password) or not found:
            return None
        return self._begin(known, stored, password, address)

    def _begin(self, name: str, stored: str, password: str, address: str) -> str:
        token = secrets.token_urlsafe(32)
        better = _hasher().hash(password) if _hasher().check_needs_rehash(stored) else None
        now = time.time()
        with self._writes() as asked:
            asked.run("end_old_sessions", made_after=now - OLDEST, seen_after=now - IDLE)
            asked.run("add_session", token=_digest(token), name=name, now=now)
            asked.run("forget_tries", about=f"name:{name.lower()}")
            asked.run("forget_try", about=f"address:{_home(address)}")
            if better:
                asked.run("set_hash", name=name, hash=better)
        return token

    def _try(self, *about: str) -> TooMany | None:
        """Count a try before it is made, so that many at once are counted, too."""
        now = time.time()
        with self._writes() as asked:
            asked.run("forget_old_tries", after=now - WINDOW)
            for subject, most in zip(about, (TRIES_OF_NAME, TRIES_OF_ADDRESS), strict=True):
                [(tries, oldest)] = asked.run("count_tries", about=subject, after=now - WINDOW)
                if tries >= most:
                    return TooMany(oldest + WINDOW - now)
            for subject in about:
                asked.run("add_try", about=subject, now=now)
        return None

    def of_session(self, token: str) -> Account | None:
        """Who holds a token; None where the session is over."""
        if not (self.folder / FILE).exists():
            return None
        now, digest = time.time(), _digest(token)
        with self._reads() as asked:
            found = asked.run("session", token=digest, made_after=now - OLDEST, seen_after=now - IDLE)
        if not found:
            return None
        name, role, seen = found[0]
        if now - seen > _SEEN_EVERY:
            with self._writes() as asked:
                asked.run("seen", token=digest, now=now)
        return Account(name, role)

    def sign_out(self, token: str) -> None:
        """End a session, at once and for good."""
        with self._writes() as asked:
            asked.run("end_session", token=_digest(token))

    def _change(self, statement: str, name: str, **values: object) -> None:
        with self._writes() as asked:
            if not asked.run(statement, name=name, **values):
                raise AccountError.unknown(name, [found for found, _, _ in asked.run("accounts")])
            if statement != "set_role":
                asked.run("end_sessions", name=name)

    def _reads(self) -> AbstractContextManager[Transaction]:
        return transaction(self.folder / FILE, writes=False)

    def _writes(self) -> AbstractContextManager[Transaction]:
        return transaction(self.folder / FILE)


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys_hash() -> str:
    """What an unknown name is checked against, so that it takes as long as a known one."""
    return _hasher().hash(secrets.token_urlsafe(32))


def _hash(password: str) -> str:
    if not SHORTEST <= len(password) <= LONGEST:
        raise AccountError.password(SHORTEST, LONGEST)
    with _hashing:
        return _hasher().hash(password)


def _is_right(stored: str, password: str) -> bool:
    try:
        with _hashing:
            return _hasher().verify(stored, password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False


def _home(address: str) -> str:
    """Where somebody asks from: of IPv6 the network, for who has one address has 2 to the 64."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:100]
    if isinstance(found, ipaddress.IPv4Address) or found.ipv4_mapped:
        return str(getattr(found, "ipv4_mapped", None) or found)
    return str(ipaddress.ip_network((int(found), 64), strict=False))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
