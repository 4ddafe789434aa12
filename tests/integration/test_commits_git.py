"""What git is asked for evaluations, and a commit's files in a folder of their own; the user's repository stays as it is."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from workflows.commits.git import Repository
from workflows.commits.worktree import worktree
from workflows.errors import CommitError, UnknownCommit

pytestmark = pytest.mark.integration

Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """Runs git in a repository with one commit of `luigi.cfg` in the folder `project`."""
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "ada@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)

    def run(*words: str, at: Path = tmp_path / "repository") -> str:
        return subprocess.run(["git", *words], cwd=at, check=True, capture_output=True, text=True).stdout.strip()

    project = tmp_path / "repository" / "project"
    project.mkdir(parents=True)
    run("init", "--quiet", "--initial-branch=main")
    (project / "luigi.cfg").write_text("[workflows]\n")
    run("add", ".")
    run("commit", "--quiet", "--message=Begin")
    return run


def project_of(tmp_path: Path) -> Repository:
    return Repository.of(tmp_path / "repository" / "project")


def commit(git: Git, tmp_path: Path, name: str, text: str) -> str:
    (tmp_path / "repository" / "project" / name).write_text(text)
    git("add", ".")
    git("commit", "--quiet", f"--message=Write {name}")
    return git("rev-parse", "HEAD")


def state(folder: Path) -> dict[str, str]:
    """Every file of a repository, git's own among them, but for objects, which only ever come to be."""
    files = (path for path in folder.rglob("*") if path.is_file() and "objects" not in path.parts)
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_commit_is_known_by_any_name(git: Git, tmp_path: Path) -> None:
    sha = commit(git, tmp_path, "a.py", "a = 1\n")
    git("tag", "v1")
    found = project_of(tmp_path).commit("v1")
    assert (found.sha, found.subject, found.author, len(found.parents)) == (sha, "Write a.py", "Ada", 1)
    assert {project_of(tmp_path).commit(name).sha for name in ("HEAD", "main", sha[:9])} == {sha}


@pytest.mark.parametrize("name", ["nowhere", "--help", "HEAD~9", "", "v1; rm -rf /"])
def test_a_commit_that_does_not_exist_is_refused(git: Git, tmp_path: Path, name: str) -> None:
    with pytest.raises(UnknownCommit, match="git knows no commit") as error:
        project_of(tmp_path).commit(name)
    assert error.value.exit_code == 2


def test_a_repository_without_commits_says_so(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    with pytest.raises(UnknownCommit, match="has no commits yet"):
        Repository.of(tmp_path).commit("HEAD")


def test_a_folder_without_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommitError, match="lies in no git repository"):
        Repository.of(tmp_path)


def test_a_file_is_read_as_a_commit_has_it(git: Git, tmp_path: Path) -> None:
    first = commit(git, tmp_path, "a.py", "a = 1\n")
    commit(git, tmp_path, "a.py", "a = 2\n")
    assert project_of(tmp_path).file(first, "a.py") == b"a = 1\n"
    assert project_of(tmp_path).file(first, "b.py") is None


def test_a_worktree_has_the_commits_files_and_leaves_nothing(git: Git, tmp_path: Path) -> None:
    first = commit(git, tmp_path, "a.py", "a = 1\n")
    commit(git, tmp_path, "a.py", "a = 2\n")
    (tmp_path / "repository" / "project" / "a.py").write_text("a = 3\n")
    git("stash")
    (tmp_path / "repository" / "project" / "new.py").write_text("new")
    git("add", "project/new.py")
    before, repository = state(tmp_path / "repository"), project_of(tmp_path)
    with worktree(repository, repository.commit(first), tmp_path / "trees") as project:
        assert (project / "a.py").read_text() == "a = 1\n"
        assert project.name == "project"
        assert not (project / "new.py").exists()
    assert state(tmp_path / "repository") == before
    assert not list((tmp_path / "trees").iterdir())


def test_uncommitted_work_is_taken_with_new_and_deleted_files(git: Git, tmp_path: Path) -> None:
    commit(git, tmp_path, "old.py", "old")
    folder = tmp_path / "repository" / "project"
    (folder / "old.py").unlink()
    (folder / "luigi.cfg").write_text("[workflows]\nstore = x\n")
    (folder / "new.py").write_text("new")
    before, repository = state(tmp_path / "repository"), project_of(tmp_path)
    found, diff = repository.with_work()
    with worktree(repository, found, tmp_path / "trees") as project:
        assert sorted(path.name for path in project.iterdir()) == ["luigi.cfg", "new.py"]
        assert (project / "luigi.cfg").read_text().endswith("store = x\n")
    assert b"+store = x" in diff
    assert b"new.py" in diff
    assert found.state.startswith(f"{found.sha}-")
    assert state(tmp_path / "repository") == before


def test_a_clean_tree_has_no_uncommitted_work(git: Git, tmp_path: Path) -> None:
    with pytest.raises(UnknownCommit, match="there is no uncommitted work"):
        project_of(tmp_path).with_work()


def test_no_hook_of_the_user_is_run(git: Git, tmp_path: Path) -> None:
    hook = tmp_path / "repository" / ".git" / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/hooked\n")
    hook.chmod(0o755)
    repository = project_of(tmp_path)
    with worktree(repository, repository.commit("HEAD"), tmp_path / "trees"):
        pass
    assert not (tmp_path / "hooked").exists()


@pytest.mark.parametrize("name", ["part", "a part"])
def test_a_submodule_is_laid_from_the_users_own_copy(git: Git, tmp_path: Path, name: str) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git("init", "--quiet", at=other)
    (other / "part.py").write_text("part = 1\n")
    git("add", ".", at=other)
    git("commit", "--quiet", "--message=Part", at=other)
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), f"project/{name}")
    git("commit", "--quiet", "--message=With a part")
    before, repository = state(tmp_path / "repository"), project_of(tmp_path)
    with worktree(repository, repository.commit("HEAD"), tmp_path / "trees") as project:
        assert (project / name / "part.py").read_text() == "part = 1\n"
    assert state(tmp_path / "repository") == before


def test_what_a_killed_process_left_is_removed(git: Git, tmp_path: Path) -> None:
    left = tmp_path / "trees" / "parcours-999999999-x" / "project"
    git("worktree", "add", "--quiet", "--detach", str(left))
    repository = project_of(tmp_path)
    with worktree(repository, repository.commit("HEAD"), tmp_path / "trees"):
        assert not left.exists()
    assert git("worktree", "list", "--porcelain").count("worktree ") == 1


def test_two_worktrees_at_once_do_not_meet(git: Git, tmp_path: Path) -> None:
    repository = project_of(tmp_path)
    first, trees = repository.commit("HEAD"), tmp_path / "trees"
    with worktree(repository, first, trees) as one, worktree(repository, first, trees) as two:
        (one / "mine").write_text("")
        assert not (two / "mine").exists()


def test_a_worktree_can_be_made_in_the_middle_of_a_rebase(git: Git, tmp_path: Path) -> None:
    sha = commit(git, tmp_path, "a.py", "a = 1\n")
    git("checkout", "--quiet", "-b", "side", "HEAD~1")
    commit(git, tmp_path, "a.py", "a = 2\n")
    failed = subprocess.run(["git", "rebase", "main"], cwd=tmp_path / "repository", capture_output=True, check=False)
    assert failed.returncode
    before, repository = state(tmp_path / "repository"), project_of(tmp_path)
    with worktree(repository, repository.commit(sha), tmp_path / "trees") as project:
        assert (project / "a.py").read_text() == "a = 1\n"
    assert state(tmp_path / "repository") == before


def test_first_parents_pass_over_what_a_merge_brought(git: Git, tmp_path: Path) -> None:
    first = git("rev-parse", "HEAD")
    git("checkout", "--quiet", "-b", "side")
    side = commit(git, tmp_path, "side.py", "")
    git("checkout", "--quiet", "main")
    main = commit(git, tmp_path, "main.py", "")
    git("merge", "--quiet", "--no-edit", "side")
    merge, repository = git("rev-parse", "HEAD"), project_of(tmp_path)
    assert repository.first_parents("main") == [merge, main, first]
    assert repository.first_parents("main", first) == [merge, main]
    assert repository.merge_base(side, main) == first
