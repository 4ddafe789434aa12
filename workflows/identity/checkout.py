"""The git checkout that a folder is in, if it is in one."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Checkout:
    """What git knows of a folder; nothing where there is no git, or no repository."""

    folder: Path

    def commit(self) -> tuple[str | None, bool]:
        """The commit that is checked out, if any, and whether files differ from it."""
        head = self._git("rev-parse", "HEAD")
        return (head.strip(), bool(self._git("status", "--porcelain"))) if head else (None, False)

    def commit_named(self, name: str) -> str | None:
        """The commit that git knows by a name, such as a branch's, or by its first digits."""
        found = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        return found.strip() or None

    def has(self, path: Path) -> bool:
        """Whether a file is as the commit that is checked out has it, and so can be had back."""
        name = str(path.resolve())
        return bool(self._git("ls-files", "--", name)) and not self._git("status", "--porcelain", "--", name)

    def _git(self, *arguments: str) -> str:
        try:
            done = subprocess.run(["git", "-C", self.folder, *arguments], capture_output=True, text=True, timeout=60)
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout if done.returncode == 0 else ""
