"""A commit's files in a folder of their own: a git worktree, gone afterwards."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from workflows.commits.git import Repository
from workflows.errors import CommitError
from workflows.evaluation.runs import Commit

_PREFIX = "parcours-"


@contextlib.contextmanager
def worktree(repository: Repository, commit: Commit, folder: Path) -> Iterator[Path]:
    """The project's folder in a worktree of a commit, below `folder`; raises CommitError where git cannot make one."""
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(repository, folder)
    own = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=folder))
    tree = own / repository.root.resolve().name
    try:
        repository.run("worktree", "add", "--quiet", "--force", "--detach", str(tree), commit.sha)
        if commit.dirty:
            Repository(tree).run("read-tree", "--reset", "-u", commit.dirty)
        _lay_submodules(_common(repository), tree)
        yield tree / repository.prefix
    finally:
        repository.run("worktree", "remove", "--force", "--force", str(tree), is_checked=False)
        shutil.rmtree(own, ignore_errors=True)
        repository.run("worktree", "prune", is_checked=False)


def _common(repository: Repository) -> Path:
    return Path((repository.says("rev-parse", "--path-format=absolute", "--git-common-dir") or "").strip())


def _sweep(repository: Repository, folder: Path) -> None:
    """Remove what processes left that were killed."""
    for left in folder.glob(f"{_PREFIX}*-*"):
        owner = left.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdecimal() and not _runs(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
            repository.run("worktree", "prune", is_checked=False)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _lay_submodules(git: Path, tree: Path) -> None:
    """Fill the submodules from the user's own repositories of them, which are only read.

    Raises CommitError where one of them is not here, or lacks the commit.
    """
    inside = Repository(tree)
    told = inside.says("config", "-z", "--file", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$") or ""
    for entry in filter(None, told.split("\0")):
        key, _, place = entry.partition("\n")
        name = key.removeprefix("submodule.").removesuffix(".path")
        sha = (inside.says("ls-files", "--stage", "--", place) or "  ").split()[1:2]
        own = git / "modules" / name
        if sha and not _lay(own, sha[0], tree / place):
            raise CommitError.no_submodule(place, sha[0][:9])
        _lay_submodules(own, tree / place)


def _lay(git: Path, sha: str, place: Path) -> bool:
    """Write the files of a commit of another repository into a folder, by an index of its own; whether that has the commit."""
    with tempfile.TemporaryDirectory() as folder:
        own = {"GIT_DIR": str(git), "GIT_WORK_TREE": str(place), "GIT_INDEX_FILE": str(Path(folder, "index"))}
        place.mkdir(parents=True, exist_ok=True)
        at = Repository(place)
        if not git.is_dir() or at.run("read-tree", sha, variables=own, is_checked=False).returncode:
            return False
        at.run("checkout-index", "--all", "--force", variables=own)
    return True
