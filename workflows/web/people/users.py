"""`parcours user`: who may sign in."""

from __future__ import annotations

import getpass
import sys
from dataclasses import dataclass

from workflows import settings
from workflows.errors import AccountError
from workflows.web.people.accounts import Account, Accounts


@dataclass(frozen=True)
class Users:
    """Everybody who may sign in."""

    accounts: list[Account]
    exit_code: int = 0

    def lines(self) -> list[str]:
        """One each, by name."""
        width = max((len(account.name) for account in self.accounts), default=0)
        return [f"{account.name:<{width}}  {account.role}" for account in self.accounts] or ["nobody"]

    def as_json(self) -> list[dict[str, str]]:
        """The same."""
        return [{"name": account.name, "role": account.role} for account in self.accounts]


def change(action: str, name: str | None, role: str | None, from_stdin: bool) -> Users:
    """Do what was asked; returns everybody who may sign in then."""
    accounts = Accounts(settings.load().web)
    match action:
        case "add":
            accounts.add(str(name), str(role), _password(from_stdin))
        case "role":
            accounts.set_role(str(name), str(role))
        case "password":
            accounts.set_password(str(name), _password(from_stdin))
        case "remove":
            accounts.remove(str(name))
    return Users(accounts.list())


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise AccountError.no_terminal()
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise AccountError.differ()
    return first
