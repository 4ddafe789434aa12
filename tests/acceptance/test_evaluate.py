"""Commits evaluated by the command: what each verdict and exit code stands for, and that the user's repository stays as it is."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance

SUITES = """
[default]
dataset = "small"

[[default.reports]]
template = "small"
dates = ["2020-01-01", "2020-01-02"]

[default.measures]
total = { better = "lower", absolute = 0.1, relative = 0.01 }
"""
MEASURE = "from workflows import measure\nmeasure('total', float(table.value.sum()), better='lower')"
LOCK = f"pandas=={importlib.metadata.version('pandas')}\n"


@dataclass
class History:
    """The small project as a repository, with a frozen dataset and a trunk of one commit."""

    place: Any

    def git(self, *words: str) -> str:
        """Run git in it."""
        done = subprocess.run(
            ["git", *words],
            cwd=self.place.folder,
            check=True,
            capture_output=True,
            text=True,
            env=self.place.variables(),
        )
        return done.stdout.strip()

    def commit(self, subject: str, branch: str | None = None, **files: str | None) -> str:
        """A commit with these files (None: deleted; __ is / and _dot_ is .), on a branch of its own that leaves the trunk, if named."""
        if branch:
            self.git("checkout", "--quiet", "-b", branch, "main")
        for name, text in files.items():
            path = self.place.folder / name.replace("__", "/").replace("_dot_", ".")
            path.unlink() if text is None else path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", f"--message={subject}")
        return self.git("rev-parse", "HEAD")

    def evaluate(self, *words: str, **environment: str) -> Any:
        """Run `parcours evaluate`."""
        return self.place.run("parcours", "evaluate", *words, **environment)

    def record(self, *words: str) -> dict[str, Any]:
        """The same as JSON."""
        found: dict[str, Any] = json.loads(self.evaluate(*words, "--json").out)
        return found

    def pipeline(self, old: str, new: str) -> str:
        """The pipeline's module with a change."""
        text = subprocess.run(
            ["git", "show", "main:acme.py"], cwd=self.place.folder, check=True, capture_output=True, text=True
        ).stdout
        assert old in text
        return text.replace(old, new)


def begun(place: Any) -> History:
    """The repository, its dataset and its first commit."""
    place.environment |= {
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    history = History(place)
    cell = (place.folder / "templates" / "small.ipynb").read_text()
    (place.folder / "templates" / "small.ipynb").write_text(
        cell.replace("float(table.value.sum())", json.dumps(MEASURE)[1:-1])
    )
    (place.folder / "templates" / "suites.toml").write_text(SUITES)
    (place.folder / "requirements.lock").write_text(LOCK)
    (place.folder / ".gitignore").write_text("data/\n*.db\n__pycache__/\n")
    history.git("init", "--quiet", "--initial-branch=main")
    done = place.run("parcours", "freeze", "small", "--queries", "Events", "--from", "2020-01-01", "--to", "2020-01-02")
    assert done.code == 0, done.err
    history.commit("Begin")
    return history


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, make_small: Callable[[Path], Any]) -> History:
    """One for the tests of this module, each of which makes a branch of its own."""
    found = begun(make_small(tmp_path_factory.mktemp("evaluate") / "a project"))
    assert found.evaluate("main").code == 0
    return found


def snapshot(folder: Path) -> dict[str, str]:
    """Every file of the tree and of git, but for objects, which only ever come to be, and the project's own data."""
    files = (p for p in folder.rglob("*") if p.is_file() and not {"objects", "data", "__pycache__"} & {*p.parts})
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_commit_that_changes_documents_only_makes_nothing(history: History) -> None:
    history.commit("Explain", "docs", README_dot_md="# Small\n")
    found = history.record()
    assert (found["verdict"], found["exit_code"]) == ("same", 0)
    assert found["run"]["results_made"] == 0
    assert found["run"]["results_reused"] >= 2
    assert Path(history.place.folder, found["page"]).read_text().count("Explain")


def test_a_commit_that_makes_a_measure_worse_ends_with_1(history: History) -> None:
    history.commit("Scale more", "worse", acme_dot_py=history.pipeline("* self.factor", "* (self.factor + 1)"))
    done = history.evaluate()
    assert done.code == 1, done.err
    assert done.out.startswith("worse: ")
    assert "total 7 -> 10.5 (worse)" in done.out
    assert done.last_line.startswith("evaluation: ")
    found = history.record()
    causes = "\n".join(line for report in found["reports"] for line in report["causes"])
    assert "self.factor + 1" in causes


def test_a_commit_that_makes_a_measure_better_ends_with_0(history: History) -> None:
    history.commit("Scale less", "better", acme_dot_py=history.pipeline("* self.factor", "* (self.factor - 1)"))
    found = history.record()
    assert (found["verdict"], found["exit_code"]) == ("better", 0)


def test_a_change_within_the_limits_is_the_same(history: History) -> None:
    history.commit("Scale a little", "little", acme_dot_py=history.pipeline("* self.factor", "* self.factor * 1.001"))
    found = history.record()
    assert {m["verdict"] for report in found["reports"] for m in report["measures"]} == {"same"}
    assert found["exit_code"] == 0


def test_only_what_depends_on_a_change_is_made(history: History) -> None:
    history.commit("Scale otherwise", "part", acme_dot_py=history.pipeline("* self.factor", "* (self.factor + 2)"))
    run = history.record()["run"]
    assert (run["results_made"], run["results_reused"]) == (4, 2), (
        "two stages and two reports are made, two queries are not"
    )


def test_uncommitted_work_is_evaluated_with_its_diff_and_left_as_it_is(history: History) -> None:
    history.git("checkout", "--quiet", "-b", "dirty", "main")
    (history.place.folder / "acme.py").write_text(history.pipeline("* self.factor", "* (self.factor + 3)"))
    (history.place.folder / "more.py").write_text("more = 1\n")
    before = snapshot(history.place.folder)
    done = history.evaluate("--dirty")
    assert done.code == 1, done.err
    assert snapshot(history.place.folder) == before
    diff = next(history.place.store.glob("evaluations/default/*-*/work.diff")).read_text()
    assert "+        return events.assign(value=events.value * (self.factor + 3))" in diff
    assert "more = 1" in diff
    (history.place.folder / "more.py").unlink()
    history.git("checkout", "--quiet", "--", ".")


def test_the_users_tree_index_branches_and_stash_stay_as_they_are(history: History) -> None:
    history.commit("Scale again", "untouched", acme_dot_py=history.pipeline("* self.factor", "* (self.factor + 4)"))
    (history.place.folder / "acme.py").write_text("stashed\n")
    history.git("stash")
    (history.place.folder / "acme.py").write_text("broken (\n")
    history.git("add", "acme.py")
    (history.place.folder / "acme.py").write_text("not even added\n")
    before = snapshot(history.place.folder)
    assert history.evaluate("HEAD").code == 1
    assert snapshot(history.place.folder) == before
    history.git("reset", "--quiet", "--hard")


@pytest.mark.parametrize("word", ["nowhere", "HEAD~99"])
def test_a_commit_that_does_not_exist_ends_with_2(history: History, word: str) -> None:
    done = history.evaluate(word)
    assert (done.code, done.out) == (2, "")
    assert f"git knows no commit '{word}'" in done.err


def test_a_commit_without_lock_ends_with_4(history: History) -> None:
    history.commit("Lose the lock", "unlocked", requirements_dot_lock=None)
    done = history.evaluate()
    assert done.code == 4
    assert "has no requirements.lock" in done.out


def test_an_environment_that_cannot_be_built_ends_with_4(history: History) -> None:
    history.commit("Pin what is not", "pins", requirements_dot_lock="six==999.0\n")
    done = history.evaluate()
    assert done.code == 4
    assert "cannot be built from its lock" in done.out


def test_code_that_does_not_import_is_worse(history: History) -> None:
    history.commit("Break", "broken", acme_dot_py="import nowhere\n")
    done = history.evaluate()
    assert done.code == 1
    assert "No module named 'nowhere'" in done.out


def test_a_template_that_is_gone_is_worse(history: History) -> None:
    history.git("checkout", "--quiet", "-b", "gone", "main")
    history.git("mv", "templates/small.ipynb", "templates/other.ipynb")
    history.commit("Rename the template")
    done = history.evaluate()
    assert done.code == 1
    assert "no template 'small'" in done.out


def test_a_suite_that_is_missing_is_the_trunks(history: History) -> None:
    history.commit("Lose the suites", "suiteless", templates__suites_dot_toml=None)
    done = history.evaluate()
    assert done.code == 0, done.err
    assert "the commit has no suite default; that of the trunk was used" in done.out


def test_a_suite_of_another_name_is_refused(history: History) -> None:
    done = history.evaluate("main", "--suite", "defualt")
    assert done.code == 2
    assert "Did you mean 'default'?" in done.err


def test_a_dataset_that_is_missing_ends_with_4(history: History) -> None:
    history.commit(
        "Name another", "dataset", templates__suites_dot_toml=SUITES.replace('"small"\n\n[[', '"smal"\n\n[[')
    )
    done = history.evaluate()
    assert done.code == 4
    assert "smal" in done.out


def test_an_orphan_commit_has_no_base_and_is_measured(history: History) -> None:
    history.git("checkout", "--quiet", "--orphan", "orphan", "main")
    history.commit("Begin elsewhere")
    done = history.evaluate()
    assert done.code == 0, done.err
    assert "has no base" in done.out


def test_a_merge_is_compared_with_the_trunk_before_it(history: History) -> None:
    history.commit("Aside", "aside", README_dot_md="aside\n")
    history.git("checkout", "--quiet", "-b", "merged", "main")
    parent = history.commit("Ahead", more_dot_md="ahead\n")
    history.git("merge", "--quiet", "--no-edit", "aside")
    found = history.record("--base", parent)
    assert (found["verdict"], found["base"]["sha"]) == ("same", parent)


def test_a_report_that_fails_in_both_measures_nothing(history: History) -> None:
    broken = history.pipeline("return events.assign", "raise ValueError('no')\n        return events.assign")
    parent = history.commit("Fail", "failing", acme_dot_py=broken)
    history.commit("Fail on", README_dot_md="still\n")
    done = history.evaluate("HEAD", "--base", parent)
    assert done.code == 3, done.out
    assert "ValueError: no" in done.out


def test_a_database_that_moves_is_no_matter(history: History) -> None:
    history.commit("Wait", "moved", README_dot_md="wait\n")
    with closing(sqlite3.connect(history.place.folder / "acme.db")) as connection, connection:
        connection.execute("UPDATE events SET value = value + 100")
    found = history.record()
    assert (found["verdict"], found["run"]["results_made"]) == ("same", 0)


def test_two_evaluations_at_once_do_not_disturb_each_other(history: History) -> None:
    first = history.commit("One", "one", acme_dot_py=history.pipeline("* self.factor", "* (self.factor + 5)"))
    second = history.commit("Two", "two", acme_dot_py=history.pipeline("* self.factor", "* (self.factor - 0.5)"))
    both = [history.place.start("parcours", "evaluate", sha, "--base", "main") for sha in (first, second)]
    told = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [1, 0], told


def test_one_that_was_killed_is_evaluated_when_it_is_asked_for_again(history: History) -> None:
    history.commit("Kill", "killed", acme_dot_py=history.pipeline("* self.factor", "* (self.factor + 6)"))
    for wait in (0.4, 1.2, 2.0):
        process = history.place.start("parcours", "evaluate")
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert not history.place.processes(within=10)
    assert history.evaluate().code == 1
    assert not list((history.place.folder / "data" / "cache" / "worktrees").glob("parcours-*"))
    assert history.git("worktree", "list", "--porcelain").count("worktree ") == 1


def test_one_that_is_told_to_end_leaves_nothing_behind(history: History) -> None:
    history.commit("End", "ended", acme_dot_py=history.pipeline("* self.factor", "* (self.factor + 7)"))
    process = history.place.start("parcours", "evaluate")
    worktrees = history.place.folder / "data" / "cache" / "worktrees"
    until = time.monotonic() + 20
    while not list(worktrees.glob("parcours-*")) and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 143
    assert not list(worktrees.glob("parcours-*"))
    assert not history.place.processes(within=10)


def test_a_shallow_clone_without_the_base_ends_with_4(history: History, tmp_path: Path) -> None:
    tip = history.commit("Far", "far", README_dot_md="far\n")
    history.git(
        "clone", "--quiet", "--depth=1", "--branch=far", f"file://{history.place.folder}", str(tmp_path / "clone")
    )
    place = type(history.place)(tmp_path / "clone", history.place.environment)
    done = place.run("parcours", "evaluate", tip, PARCOURS_STORE=str(history.place.store))
    assert done.code in (2, 4), done.err
    assert "unshallow" in done.err or "[evaluation] trunk" in done.err


def test_a_repository_without_commits_ends_with_2(history: History, tmp_path: Path) -> None:
    place = type(history.place)(tmp_path / "empty", history.place.environment)
    (place.folder).mkdir()
    place.configure(pipelines="acme")
    subprocess.run(["git", "init", "--quiet", place.folder], check=True)
    done = place.run("parcours", "evaluate")
    assert done.code == 2
    assert "has no commits yet" in done.err


def test_a_range_is_evaluated_newest_first_and_goes_on_where_it_ended(history: History) -> None:
    start = history.commit("Start", "range", README_dot_md="0\n")
    shas = [history.commit(f"Step {n}", README_dot_md=f"{n}\n") for n in (1, 2, 3)]
    done = history.evaluate("--range", f"{start}..HEAD", "--json")
    assert [found["commit"]["sha"] for found in json.loads(done.out)] == shas[::-1]
    began = time.monotonic()
    again = history.evaluate("--range", f"{start}..HEAD")
    assert [line.split()[1] for line in again.out.splitlines()] == [sha[:9] for sha in shas[::-1]]
    assert time.monotonic() - began < 5


def test_the_luigi_command_evaluates_a_commit(history: History) -> None:
    history.commit("By Luigi", "luigi", README_dot_md="luigi\n")
    words = ["luigi", "--module", "workflows", "EvaluateCommit", "--commit", "HEAD", "--local-scheduler"]
    done = history.place.run(*words)
    assert done.code == 0, done.err
    assert "verdict       same" in done.err
    assert done.out.splitlines()[-1].endswith("evaluation.html")
    again = history.place.run(*words)
    assert (again.code, again.out) == (0, done.out)
    assert list(history.place.store.glob(f"evaluations/default/{history.git('rev-parse', 'HEAD')}/evaluation.html"))


def test_files_for_other_tools_are_written(history: History, tmp_path: Path) -> None:
    done = history.evaluate("main", "--junit", str(tmp_path / "j.xml"), "--markdown", str(tmp_path / "m.md"))
    assert done.code == 0, done.err
    assert "<testsuite" in (tmp_path / "j.xml").read_text()
    assert (tmp_path / "m.md").read_text().startswith("<!-- parcours evaluation default -->")
    assert history.evaluate("main", "--junit", str(tmp_path / "no" / "j.xml")).code == 2


def test_a_link_and_a_pipe_that_are_written_to_stay_what_they_are(history: History, tmp_path: Path) -> None:
    (tmp_path / "link.md").symlink_to(tmp_path / "real.md")
    done = history.evaluate("main", "--markdown", str(tmp_path / "link.md"), "--junit", "/dev/stdout")
    assert done.code == 0, done.err
    assert (tmp_path / "link.md").is_symlink()
    assert (tmp_path / "real.md").read_text().startswith("<!-- parcours evaluation default -->")
    assert "<testsuite" in done.out
    assert Path("/dev/stdout").is_symlink()


def test_a_file_that_cannot_be_written_ends_with_2(history: History) -> None:
    done = history.evaluate("main", "--markdown", "/proc/evaluation.md")
    assert done.code == 2
    assert "/proc/evaluation.md cannot be written" in done.err


@pytest.mark.parametrize("words", [("--base", "main"), ("--junit", "j.xml"), ("HEAD",)])
def test_what_is_about_one_commit_is_refused_beside_a_range(history: History, words: tuple[str, ...]) -> None:
    done = history.evaluate("--range", "main..HEAD", *words)
    assert done.code == 2
    assert "--range and" in done.err


def test_a_measure_that_is_lost_is_told_as_what_makes_the_commit_worse(history: History) -> None:
    file = history.place.folder / "templates" / "small.ipynb"
    history.commit("Rename the measure", "renamed", templates__small_dot_ipynb=None)
    history.git("checkout", "--quiet", "main", "templates/small.ipynb")
    history.commit("With another name", templates__small_dot_ipynb=file.read_text().replace("'total'", "'sum'"))
    done = history.evaluate()
    assert done.code == 1
    assert "nothing (missing, which is worse)" in done.out


def test_a_record_that_cannot_be_read_or_whose_base_failed_is_made_anew_by_a_range(history: History) -> None:
    history.commit("Without lock", "again", requirements_dot_lock=None)
    sha = history.commit("With lock", requirements_dot_lock=LOCK)
    file = history.place.store / "evaluations" / "default" / sha / "evaluation.json"
    assert history.evaluate("--range", "HEAD~1..HEAD").code == 4
    failed = file.read_text()
    file.with_name("evaluation.html").unlink()
    assert history.evaluate("--range", "HEAD~1..HEAD").code == 4
    assert file.with_name("evaluation.html").exists()
    file.write_text('{"format": 1}')
    assert history.evaluate("--range", "HEAD~1..HEAD").code == 4
    assert json.loads(file.read_text())["verdict"] == json.loads(failed)["verdict"]


def test_the_record_of_an_evaluation_is_written_after_its_page(history: History) -> None:
    sha = history.commit("Cut off", "cut", README_dot_md="cut\n")
    assert history.evaluate().code == 0
    folder = history.place.store / "evaluations" / "default" / sha
    written = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert written[-1].name == "evaluation.json"


def test_a_message_names_a_place_in_the_project_and_not_in_the_worktree(history: History) -> None:
    history.commit("Remove again", "placed", templates__small_dot_ipynb=None)
    failure = history.record()["reports"][0]["failure"]
    assert "there is no template 'small' in templates" in failure


def test_a_store_without_room_ends_with_4_and_is_no_verdict_on_the_commit(history: History) -> None:
    change = history.pipeline("* self.factor", "* (self.factor - 0.25)")
    sha = history.commit("Without room", "room", acme_dot_py=change)
    blocked = history.place.store / "Cleaned"
    moved = blocked.with_name("Cleaned.aside")
    blocked.rename(moved)
    blocked.write_text("no folder can be made here")
    try:
        done = history.evaluate()
    finally:
        blocked.unlink()
        moved.rename(blocked)
    assert done.code == 4, done.out
    assert "the store" in done.out
    assert json.loads((history.place.store / f"evaluations/default/{sha}/run.json").read_text())["problem"]
    assert history.evaluate().code == 0


def test_a_damaged_dataset_ends_with_4_and_is_no_verdict_on_the_commit(history: History) -> None:
    history.commit("Damaged", "damaged")
    store = history.place.store
    [file] = store.glob("datasets/small/*2020-01-01*.parquet")
    good = file.read_bytes()
    file.write_bytes(good[:-1] + b"?")
    shutil.rmtree(store / "Events")
    try:
        history.commit("Compute", acme_dot_py=history.pipeline("* self.factor", "* (self.factor - 0.125)"))
        done = history.evaluate()
    finally:
        file.write_bytes(good)
    assert (done.code, "is damaged" in done.out) == (4, True), done.out
    assert history.evaluate().code == 0


def test_a_store_that_cannot_be_written_at_all_ends_with_4(history: History, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    done = history.evaluate("main", PARCOURS_STORE=str(tmp_path / "store" / "below"))
    assert done.code == 4, done.err


def test_a_range_of_a_repository_without_commits_says_so(history: History, tmp_path: Path) -> None:
    place = type(history.place)(tmp_path / "empty", history.place.environment)
    place.folder.mkdir()
    place.configure(pipelines="acme")
    subprocess.run(["git", "init", "--quiet", place.folder], check=True)
    for words in (("evaluate", "--range", "A..B"), ("trend", "total"), ("compare", "A", "B")):
        done = place.run("parcours", *words)
        assert (done.code, "has no commits yet" in done.err) == (2, True), done.err
