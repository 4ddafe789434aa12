"""What git knows of the project's repository; nothing here changes its tree, index, branches or stash."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from workflows.errors import CommitError
from workflows.evaluation.runs import Commit

# A hook of the user's, or a pager or editor, must not run because something is evaluated.
_QUIET = (
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=false",
    "-c",
    "advice.detachedHead=false",
)
_TRUNKS = ("main", "master", "origin/HEAD", "origin/main", "origin/master")
_FIELDS = "%H%x00%P%x00%an%x00%cI%x00%s"


@dataclass(frozen=True)
class Repository:
    """The repository that a project's folder lies in."""

    root: Path
    """The folder of luigi.cfg."""

    @classmethod
    def of(cls, root: Path) -> Repository:
        """That of a project; raises CommitError where there is none, or git is not installed."""
        found = cls(root)
        if not found.says("rev-parse", "--git-dir"):
            raise CommitError.no_repository(str(root))
        return found

    @cached_property
    def prefix(self) -> str:
        """Where the project lies in the repository: '' or 'folder/'."""
        return (self.says("rev-parse", "--show-prefix") or "").strip()

    @cached_property
    def is_shallow(self) -> bool:
        """Whether older commits were left out when it was cloned."""
        return (self.says("rev-parse", "--is-shallow-repository") or "").strip() == "true"

    @property
    def _is_empty(self) -> bool:
        """Whether nothing is committed yet where the user is."""
        return self.says("rev-parse", "--verify", "--quiet", "HEAD") is None

    def commit(self, ref: str) -> Commit:
        """The commit that a name means; raises CommitError where there is none."""
        named = self.says("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        told = self.says("show", "--no-patch", f"--format={_FIELDS}", named.strip(), "--") if named else None
        if not told:
            raise CommitError.unknown(ref, self._is_empty)
        sha, parents, author, committed, subject = told.rstrip("\n").split("\0", 4)
        return Commit(sha, subject, author, committed, tuple(parents.split()))

    def with_work(self) -> tuple[Commit, bytes]:
        """The commit that is checked out with the uncommitted work, and that work as a diff.

        Raises CommitError where nothing differs from the commit.
        """
        head = self.commit("HEAD")
        tree = self._tree_of_work()
        diff = self.run("diff", "--binary", "--no-color", "--no-ext-diff", head.sha, tree).stdout
        if not diff:
            raise CommitError.clean(head.short)
        return replace(head, dirty=tree), diff

    def _tree_of_work(self) -> str:
        """A tree with the files as they are; written through an index of its own, beside the user's."""
        top = Path((self.says("rev-parse", "--show-toplevel") or "").strip())
        with tempfile.TemporaryDirectory() as folder:
            own = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
            at_top = Repository(top)
            at_top.run("read-tree", "HEAD", variables=own)
            at_top.run("add", "--all", variables=own)
            return at_top.run("write-tree", variables=own).stdout.decode().strip()

    def trunk(self, name: str | None) -> str | None:
        """The name of the trunk: the given one, else the first of the usual names that exists."""
        names = (name,) if name else _TRUNKS
        return next(
            (found for found in names if self.says("rev-parse", "--verify", "--quiet", f"{found}^{{commit}}")), None
        )

    def merge_base(self, a: str, b: str) -> str | None:
        """The commit at which two histories part, if they have one in common."""
        return (self.says("merge-base", a, b) or "").strip() or None

    def first_parents(self, newest: str, oldest: str | None = None) -> list[str]:
        """The commits from `newest` back along first parents, newest first; those that `oldest` reaches are left out."""
        told = self.says("rev-list", "--first-parent", newest, *([f"^{oldest}"] if oldest else []), "--")
        if told is None:
            raise CommitError.unknown(newest if not oldest else f"{oldest}..{newest}", self._is_empty)
        return told.split()

    def file(self, tree: str, name: str) -> bytes | None:
        """A file of the project at a commit or in a tree; `name` is relative to the project's folder."""
        done = self.run("cat-file", "blob", f"{tree}:{self.prefix}{name}", is_checked=False)
        return done.stdout if done.returncode == 0 else None

    def blobs(self, tree: str, folder: str) -> dict[str, str]:
        """The digests of the files directly in a folder of the project at a commit or in a tree."""
        told = self.says("ls-tree", "-z", "--full-tree", tree, f"{self.prefix}{folder.rstrip('/')}/") or ""
        rows = [line.split("\t", 1) for line in told.split("\0") if line]
        return {Path(name).name: facts.split()[2] for facts, name in rows if facts.split()[1] == "blob"}

    def says(self, *words: str) -> str | None:
        """What a git command prints; None where it fails."""
        done = self.run(*words, is_checked=False)
        return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None

    def run(
        self, *words: str, variables: Mapping[str, str] | None = None, is_checked: bool = True
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a git command; raises CommitError where it fails, or git is not installed."""
        # What one of git's hooks sets would lead to another repository or index.
        own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        own |= {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C.UTF-8", **(variables or {})}
        try:
            done = subprocess.run(
                ["git", "-C", str(self.root), *_QUIET, *words], capture_output=True, env=own, check=False
            )
        except OSError as error:
            raise CommitError.no_git(str(error)) from error
        if is_checked and done.returncode:
            raise CommitError.refused(" ".join(words[:3]), done.stderr.decode("utf-8", "replace"))
        return done
