"""Git's hooks that queue commits: set beside what is there, silent, harmless, and taken away again."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from triggered import Done, Repository, until

pytestmark = pytest.mark.acceptance


def install(repository: Repository, *words: str, folder: Path | None = None) -> Done:
    return repository.tried(str(repository.folder / "scripts" / "install-hooks"), *words, folder=folder)


def hook_of(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def hooked(repository: Repository) -> Repository:
    """The project with its post-commit hook."""
    done = install(repository)
    assert (done.code, done.out) == (0, ""), done.err
    return repository


def committed(repository: Repository, name: str, folder: Path | None = None) -> Done:
    """A commit as it is typed."""
    ((folder or repository.folder) / name).write_text(name)
    repository.git("add", name, folder=folder)
    return repository.tried("git", "commit", "--quiet", "-m", name, folder=folder)


def test_a_commit_is_evaluated_in_the_background_and_nothing_is_said(hooked: Repository) -> None:
    hooked.set_up("seconds", 3)
    began = time.monotonic()
    done = committed(hooked, "file")
    assert time.monotonic() - began < 2, "half a second on a machine that does nothing else"
    assert done == Done(0, "", "")
    assert not hooked.evaluated()
    hooked.idle()
    ((commit, suite, _, nice, git_dir),) = hooked.told()
    assert (commit, suite, nice, git_dir) == (hooked.git("rev-parse", "HEAD"), "default", "19", "None")


def test_a_commit_is_made_though_parcours_is_broken_and_one_line_says_so(hooked: Repository) -> None:
    (hooked.folder / "workflows" / "cli.py").write_text("raise RuntimeError('broken')\n")
    done = committed(hooked, "file")
    commit = hooked.git("rev-parse", "HEAD")
    assert done == Done(0, "", f"parcours: commit {commit} is not queued for evaluation: RuntimeError: broken\n")
    assert hooked.git("log", "-1", "--format=%s") == "file"


def test_a_commit_is_made_though_the_environment_is_gone(hooked: Repository) -> None:
    (hooked.folder / ".venv" / "bin").unlink()
    done = committed(hooked, "file")
    assert (done.code, done.err.count("\n")) == (0, 1)
    assert "is not queued for evaluation: " in done.err


def test_tree_index_branches_and_stash_are_left_alone(hooked: Repository) -> None:
    (hooked.folder / "luigi.cfg").write_text((hooked.folder / "luigi.cfg").read_text() + "\n")
    hooked.git("stash")
    (hooked.folder / "setup.cfg").write_text("changed")
    (hooked.folder / "staged").write_text("staged")
    hooked.git("add", "staged")
    hooked.git("commit", "--quiet", "-m", "Add staged")
    before = [
        hooked.git(*words.split()) for words in ("status --porcelain", "for-each-ref", "stash list", "ls-files -s")
    ]
    index = (hooked.folder / ".git" / "index").read_bytes()
    hooked.evaluate("--queue", "HEAD", "HEAD~1")
    hooked.idle()
    assert (hooked.folder / ".git" / "index").read_bytes() == index
    assert before == [
        hooked.git(*words.split()) for words in ("status --porcelain", "for-each-ref", "stash list", "ls-files -s")
    ]


def branched(repository: Repository) -> str:
    """A branch of two commits beside two of the trunk, made without the hook being asked; the trunk's newest."""
    repository.git("config", "core.hooksPath", "/nowhere")
    repository.git("checkout", "--quiet", "-b", "branch")
    repository.commit("one")
    repository.commit("two")
    repository.git("checkout", "--quiet", "main")
    repository.commit("three")
    newest = repository.commit("four")
    repository.git("config", "--unset", "core.hooksPath")
    return newest


def test_a_rebase_queues_nothing_and_says_nothing(hooked: Repository) -> None:
    branched(hooked)
    hooked.git("checkout", "--quiet", "branch")
    done = hooked.tried("git", "rebase", "--quiet", "--exec", "git commit --quiet --allow-empty -m more", "main")
    assert done.code == 0
    assert "parcours" not in done.err
    assert hooked.git("log", "--format=%s", "main..").split("\n") == ["more", "Change two", "more", "Change one"]
    assert not hooked.waiting()
    assert not hooked.evaluated("began")


def test_a_stopped_rebase_queues_nothing_until_it_is_over(hooked: Repository) -> None:
    branched(hooked)
    hooked.git("checkout", "--quiet", "branch")
    hooked.git("rebase", "--quiet", "--interactive", "main", GIT_SEQUENCE_EDITOR="sed -i 1s/pick/edit/")
    assert committed(hooked, "amid") == Done(0, "", "")
    hooked.git("rebase", "--continue", GIT_EDITOR="true")
    assert not hooked.queue.exists()
    assert committed(hooked, "after") == Done(0, "", "")
    hooked.idle()
    assert hooked.evaluated() == [hooked.git("rev-parse", "HEAD")]


def test_a_bisection_and_picked_commits_queue_nothing(hooked: Repository) -> None:
    branched(hooked)
    hooked.git("cherry-pick", "main..branch")
    hooked.git("bisect", "start", "HEAD", "HEAD~2")
    committed(hooked, "tried")
    assert not hooked.queue.exists()


def test_a_merge_that_was_resolved_is_queued_when_it_is_committed(hooked: Repository) -> None:
    hooked.git("config", "core.hooksPath", "/nowhere")
    hooked.git("checkout", "--quiet", "-b", "branch")
    hooked.commit("file", "theirs")
    hooked.git("checkout", "--quiet", "main")
    hooked.commit("file", "ours")
    hooked.git("config", "--unset", "core.hooksPath")
    assert hooked.tried("git", "merge", "branch").code == 1
    (hooked.folder / "file").write_text("both")
    hooked.git("commit", "--quiet", "--all", "-m", "Merge")
    hooked.idle()
    assert hooked.evaluated() == [hooked.git("rev-parse", "HEAD")]


def test_a_commit_of_a_worktree_is_queued_in_the_project_that_set_the_hook(hooked: Repository) -> None:
    tree = hooked.folder.parent / "another tree"
    hooked.git("worktree", "add", "--quiet", "-b", "other", str(tree))
    assert committed(hooked, "file", folder=tree) == Done(0, "", "")
    hooked.idle()
    assert hooked.evaluated() == [hooked.git("rev-parse", "other")]
    assert not (tree / "data").exists()


def test_a_hook_that_is_there_runs_before_and_comes_back_when_ours_is_taken_away(repository: Repository) -> None:
    hooks = repository.folder / ".git" / "hooks"
    theirs = hook_of(hooks, "post-commit", 'echo "theirs in $PWD" >> "$HOME/theirs"; exit 3')
    before = (theirs.read_bytes(), theirs.stat().st_mode)
    done = install(repository)
    assert "kept: what was there is " in done.err
    assert committed(repository, "file").code == 0
    repository.idle()
    assert len(repository.evaluated()) == 1
    assert (repository.home / "theirs").read_text() == f"theirs in {repository.folder}\n"
    assert "put back what was there before" in install(repository, "--uninstall").err
    assert (theirs.read_bytes(), theirs.stat().st_mode) == before
    assert not list(hooks.glob("post-commit?*"))


def test_a_hook_that_git_would_not_run_is_not_run_either(repository: Repository) -> None:
    theirs = hook_of(repository.folder / ".git" / "hooks", "post-commit", 'touch "$HOME/theirs"')
    theirs.chmod(0o644)
    install(repository)
    committed(repository, "file")
    repository.idle()
    assert not (repository.home / "theirs").exists()


def test_a_link_to_a_tracked_hook_stays_a_link_to_it(repository: Repository) -> None:
    tracked = hook_of(repository.folder / "tools", "hook", 'touch "$HOME/theirs"')
    text = tracked.read_bytes()
    link = repository.folder / ".git" / "hooks" / "post-commit"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to("../../tools/hook")
    install(repository)
    committed(repository, "file")
    repository.idle()
    assert (repository.home / "theirs").exists()
    install(repository, "--uninstall")
    assert (tracked.read_bytes(), link.readlink()) == (text, Path("../../tools/hook"))


def test_setting_it_twice_is_as_setting_it_once(hooked: Repository) -> None:
    hook = hooked.folder / ".git" / "hooks" / "post-commit"
    before = hook.read_text()
    assert install(hooked).code == 0
    assert hook.read_text() == before
    assert not hook.with_name("post-commit.own").exists()
    install(hooked, "--uninstall")
    assert not hook.exists()
    assert install(hooked, "--uninstall").err.startswith("nothing to take away: ")


def test_a_hook_put_in_place_of_ours_is_never_overwritten(repository: Repository) -> None:
    hooks = repository.folder / ".git" / "hooks"
    hook_of(hooks, "post-commit", "echo first")
    install(repository)
    hook_of(hooks, "post-commit", "echo second")
    done = install(repository)
    assert done.code == 2
    assert "is somebody else's" in done.err
    assert "echo first" in (hooks / "post-commit.own").read_text()
    assert "echo second" in (hooks / "post-commit").read_text()
    assert install(repository, "--uninstall").err.startswith("nothing to take away: ")


def test_hooks_of_all_repositories_queue_this_one_only(repository: Repository) -> None:
    shared = repository.home / "my hooks"
    repository.git("config", "--global", "core.hooksPath", "~/my hooks")
    assert install(repository).err.endswith(f"set: {shared}/post-commit\n")
    other = repository.home / "other"
    repository.git("init", "--quiet", str(other), folder=repository.home)
    assert committed(repository, "file", folder=other) == Done(0, "", "")
    assert not repository.queue.exists()
    committed(repository, "file")
    repository.idle()
    assert len(repository.evaluated()) == 1


def test_a_path_for_hooks_that_is_no_folder_is_refused(repository: Repository) -> None:
    repository.git("config", "core.hooksPath", "/dev/null")
    done = install(repository)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("install-hooks: git looks for hooks in /dev/null, which is no folder")


def test_hooks_that_husky_makes_are_left_to_it(repository: Repository) -> None:
    repository.git("config", "core.hooksPath", ".husky/_")
    done = install(repository)
    assert (done.code, done.out) == (2, "")
    assert "put `" in done.err
    assert "evaluate --queue HEAD` into .husky/post-commit" in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--bear", "x"], "unknown argument '--bear'"),
        (["--bare"], "--bare needs a value"),
        (["--bare", "nowhere"], "there is no folder nowhere"),
        (["--bare", "."], ". is no bare repository"),
        (["--limit", "all"], "--limit is 'all'; expected a number of commits"),
    ],
)
def test_a_wrong_argument_is_refused(repository: Repository, words: list[str], said: str) -> None:
    done = install(repository, *words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"install-hooks: {said}")
    assert not (repository.folder / ".git" / "hooks" / "post-commit").exists()


@pytest.fixture
def bare(repository: Repository) -> Path:
    """A bare repository with the project's history, whose pushes are queued in the project."""
    folder = repository.home / "shared repository.git"
    repository.git("clone", "--quiet", "--bare", str(repository.folder), str(folder))
    done = install(repository, "--bare", str(folder))
    assert (done.code, done.out) == (0, ""), done.err
    return folder


@pytest.fixture
def theirs(repository: Repository, bare: Path) -> Path:
    """Somebody else's clone of the bare repository."""
    folder = repository.home / "theirs"
    repository.git("clone", "--quiet", str(bare), str(folder), folder=repository.home)
    return folder


def test_commits_pushed_to_a_branch_are_evaluated_in_the_project(repository: Repository, theirs: Path) -> None:
    repository.commit("own work")
    (repository.folder / "setup.cfg").write_text("uncommitted")
    words = ("rev-parse HEAD", "status --porcelain", "branch --all --verbose", "tag", "stash list")
    before = [repository.git(*line.split()) for line in words]
    shas = [repository.commit(name, folder=theirs) for name in ("one", "two", "three")]
    began = time.monotonic()
    done = repository.tried("git", "push", "--quiet", "origin", "main", folder=theirs)
    assert done == Done(0, "", "")
    assert time.monotonic() - began < 3
    repository.idle()
    assert repository.evaluated() == shas[::-1]
    assert repository.told()[0][4] == "None"
    assert before == [repository.git(*line.split()) for line in words]
    assert repository.git("rev-parse", "refs/parcours/main") == shas[-1]


def test_of_a_merge_that_is_pushed_the_trunks_own_commits_are_queued(repository: Repository, theirs: Path) -> None:
    repository.git("checkout", "--quiet", "-b", "branch", folder=theirs)
    repository.commit("one", folder=theirs)
    repository.git("checkout", "--quiet", "main", folder=theirs)
    repository.git("merge", "--quiet", "--no-ff", "-m", "Merge", "branch", folder=theirs)
    repository.git("push", "--quiet", "origin", "main", folder=theirs)
    repository.idle()
    assert repository.evaluated() == [repository.git("rev-parse", "main", folder=theirs)]


def test_of_a_new_branch_the_tip_is_queued_and_of_tags_and_deleted_branches_nothing(
    repository: Repository, theirs: Path
) -> None:
    repository.git("checkout", "--quiet", "-b", "new/branch", folder=theirs)
    repository.commit("one", folder=theirs)
    tip = repository.commit("two", folder=theirs)
    repository.git("tag", "v1", "HEAD~1", folder=theirs)
    repository.git("push", "--quiet", "origin", "new/branch", "v1", folder=theirs)
    repository.idle()
    assert repository.evaluated() == [tip]
    assert repository.tried("git", "push", "--quiet", "origin", ":new/branch", folder=theirs) == Done(0, "", "")
    assert "refs/parcours" not in repository.git("for-each-ref")
    assert repository.git("tag") == ""


def test_of_one_push_at_most_the_limit_is_queued(repository: Repository, bare: Path, theirs: Path) -> None:
    assert install(repository, "--bare", str(bare), "--limit", "2").code == 0
    shas = [repository.commit(f"file{n}", folder=theirs) for n in range(4)]
    repository.git("push", "--quiet", "origin", "main", folder=theirs)
    repository.idle()
    assert repository.evaluated() == shas[:1:-1]


def test_a_branch_that_is_pushed_with_force_is_queued_as_it_is_now(repository: Repository, theirs: Path) -> None:
    repository.commit("one", folder=theirs)
    repository.git("push", "--quiet", "origin", "main", folder=theirs)
    repository.idle()
    repository.git("commit", "--quiet", "--amend", "-m", "Other", folder=theirs)
    assert repository.tried("git", "push", "--quiet", "--force", "origin", "main", folder=theirs) == Done(0, "", "")
    repository.idle()
    assert repository.evaluated()[1:] == [repository.git("rev-parse", "main", folder=theirs)]


def test_a_push_arrives_though_parcours_is_broken(repository: Repository, bare: Path, theirs: Path) -> None:
    (repository.folder / "workflows" / "cli.py").write_text("raise RuntimeError('broken')\n")
    commit = repository.commit("one", folder=theirs)
    done = repository.tried("git", "push", "--quiet", "origin", "main", folder=theirs)
    assert done.code == 0
    assert "parcours: refs/heads/main is not queued for evaluation: RuntimeError: broken" in done.err
    assert repository.git("rev-parse", "main", folder=bare) == commit


def test_a_push_arrives_though_the_project_is_gone(repository: Repository, bare: Path, theirs: Path) -> None:
    repository.folder.rename(repository.home / "moved")
    commit = repository.commit("one", folder=theirs)
    done = repository.tried("git", "push", "--quiet", "origin", "main", folder=theirs)
    assert done.code == 0
    assert done.err.count("is not queued for evaluation") == 1
    assert repository.git("rev-parse", "main", folder=bare) == commit


def test_a_hook_of_the_bare_repository_gets_what_was_pushed_too(repository: Repository) -> None:
    folder = repository.home / "bare"
    repository.git("clone", "--quiet", "--bare", str(repository.folder), str(folder))
    hook_of(folder / "hooks", "post-receive", 'cat > "$HOME/theirs"')
    # Run in the bare repository, which then need not be named.
    assert install(repository, folder=folder).code == 0
    old, new = repository.git("rev-parse", "HEAD"), repository.commit("file")
    repository.git("push", "--quiet", str(folder), "main")
    repository.idle()
    assert (repository.home / "theirs").read_text() == f"{old} {new} refs/heads/main\n"
    assert repository.evaluated() == [new]


def test_a_push_does_not_wait_for_the_evaluation(repository: Repository, theirs: Path) -> None:
    repository.set_up("seconds", 3)
    commit = repository.commit("one", folder=theirs)
    repository.git("push", "--quiet", "origin", "main", folder=theirs)
    until(lambda: repository.evaluated("began") == [commit])
    assert not repository.evaluated()
    repository.idle()
