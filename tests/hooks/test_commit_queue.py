"""The queue of commits: one worker in the background, one evaluation at a time, each once, whoever is killed."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from triggered import Repository, until

pytestmark = pytest.mark.acceptance


def ends(repository: Repository) -> dict[str, dict[str, Any]]:
    done = repository.evaluate("--status", "--json")
    return {end["commit"]: end for end in json.loads(done.out)["ends"]}


def worker(repository: Repository) -> psutil.Process:
    (found,) = (p for p in repository.processes() if p.cmdline()[-2:] == ["evaluate", "--work"])
    return found


def test_queueing_returns_long_before_the_evaluation_ends(repository: Repository) -> None:
    repository.set_up("seconds", 4)
    began = time.monotonic()
    done = repository.evaluate("--queue", "HEAD")
    took = time.monotonic() - began
    assert done.code == 0, done.err
    assert done.out.startswith("queued   ")
    assert took < 2, "half a second on a machine that does nothing else"
    assert not repository.evaluated()


def test_heavy_packages_are_not_imported_to_queue(repository: Repository) -> None:
    code = (
        "import sys; from workflows.commits import queue; queue.add(['HEAD']);"
        "heavy = {'pandas', 'pyarrow', 'sqlalchemy', 'nbconvert', 'nbclient', 'pydantic', 'numpy'};"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = repository.tried(str(repository.folder / ".venv/bin/python"), "-c", code)
    assert (done.out, done.err) == ("[]\n", "")
    repository.idle()


def test_the_worker_is_in_a_session_of_its_own_at_the_lowest_priority(repository: Repository) -> None:
    repository.set_up("seconds", 1)
    repository.evaluate("--queue", "HEAD")
    until(lambda: repository.told("began"))
    found = worker(repository)
    assert (os.getsid(found.pid), found.nice()) == (found.pid, 19)
    repository.idle()
    assert repository.told()[0][3] == "19"


def test_one_is_evaluated_at_a_time_and_the_newest_first(repository: Repository) -> None:
    shas = [repository.git("rev-parse", "HEAD"), *(repository.commit(f"file{n}") for n in range(4))]
    repository.set_up("seconds", 0.3)
    repository.set_up(f"seconds-{shas[0]}", 5)
    repository.evaluate("--queue", shas[0])
    until(lambda: repository.told("began"))
    repository.evaluate("--queue", *shas[1:3])
    repository.evaluate("--queue", shas[3], shas[4])
    repository.idle()
    lines = (repository.folder / "data" / "told").read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["began", "ended"] * 5
    assert repository.evaluated() == [shas[0], shas[4], shas[3], shas[2], shas[1]]


def test_a_commit_queued_again_while_it_waits_or_runs_or_has_ended_is_evaluated_once(repository: Repository) -> None:
    repository.set_up("seconds", 1)
    repository.evaluate("--queue", "HEAD", "main", "HEAD")
    assert repository.evaluate("--queue", "HEAD").out.startswith("known    ")
    until(lambda: repository.told("began"))
    assert repository.evaluate("--queue", "HEAD").out.startswith("known    ")
    repository.idle()
    assert repository.evaluate("--queue", "HEAD").out.startswith("known    ")
    repository.idle()
    assert len(repository.evaluated("began")) == 1


def test_the_same_commit_in_another_suite_is_another_job(repository: Repository) -> None:
    repository.evaluate("--queue", "HEAD")
    repository.evaluate("--queue", "HEAD", "--suite", "every/hour-1")
    repository.idle()
    assert sorted(suite for _, suite, *_ in repository.told()) == ["default", "every/hour-1"]


def test_commits_queued_by_many_at_once_are_each_evaluated_once(repository: Repository) -> None:
    shas = [repository.commit(f"file{n}") for n in range(3)]
    words = [".venv/bin/python", "-m", "workflows.cli", "evaluate", "--queue"]
    command = " & ".join(" ".join([*words, *(shas if n % 2 else shas[::-1])]) for n in range(6))
    assert repository.tried("sh", "-c", f"{command} & wait").code == 0
    repository.idle()
    assert sorted(repository.evaluated("began")) == sorted(shas)


def test_a_killed_worker_leaves_its_evaluation_alone_and_the_next_takes_what_it_found(repository: Repository) -> None:
    first, second = repository.git("rev-parse", "HEAD"), repository.commit("file")
    repository.set_up("seconds", 2)
    repository.evaluate("--queue", first)
    until(lambda: repository.told("began"))
    worker(repository).kill()
    repository.evaluate("--queue", second)
    repository.idle()
    lines = (repository.folder / "data" / "told").read_text().splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["began", first], ["ended", first], ["began", second], ["ended", second],
    ]  # fmt: skip
    assert {end["exit_code"] for end in ends(repository).values()} == {0}


def test_what_was_killed_whole_is_evaluated_anew_by_the_next_worker(repository: Repository) -> None:
    repository.set_up("seconds", 30)
    repository.evaluate("--queue", "HEAD")
    until(lambda: repository.told("began"))
    repository.kill_all()
    shown = repository.evaluate("--status").out
    assert "interrupted" in shown
    assert "`parcours evaluate --work` goes on" in shown
    repository.set_up("seconds", 0)
    done = repository.evaluate("--work")
    assert (done.code, done.out) == (0, "evaluated 1, of which 0 failed\n")
    assert len(repository.evaluated()) == 1


def test_what_is_killed_each_time_is_given_up_and_does_not_block_others(repository: Repository) -> None:
    first, second = repository.git("rev-parse", "HEAD"), repository.commit("file")
    repository.set_up(f"seconds-{second}", 30)
    repository.evaluate("--queue", first, second)
    for begun in (1, 2, 3):
        until(lambda begun=begun: repository.evaluated("began").count(second) == begun)
        repository.kill_all()
        repository.evaluate("--queue", first)
    repository.idle()
    assert repository.evaluated() == [first]
    assert ends(repository)[second]["exit_code"] == 130


def test_a_worker_that_is_asked_to_end_takes_its_evaluation_with_it(repository: Repository) -> None:
    repository.set_up("seconds", 30)
    repository.evaluate("--queue", "HEAD")
    until(lambda: repository.told("began"))
    worker(repository).send_signal(signal.SIGTERM)
    until(lambda: not repository.processes())
    assert len(repository.waiting()) == 1


def test_an_evaluation_that_fails_or_dies_is_kept_with_its_log_and_the_next_goes_on(repository: Repository) -> None:
    first, second, third = repository.git("rev-parse", "HEAD"), repository.commit("a"), repository.commit("b")
    repository.set_up(f"code-{third}", 4)
    repository.set_up(f"seconds-{second}", 30)
    repository.evaluate("--queue", first, second, third)
    until(lambda: second in repository.evaluated("began"))
    pid = next(int(words[2]) for words in repository.told("began") if words[0] == second)
    os.kill(pid, signal.SIGKILL)
    repository.idle()
    found = ends(repository)
    assert [found[sha]["exit_code"] for sha in (first, second, third)] == [0, 137, 4]
    assert Path(found[second]["log"]).read_text().startswith(f"evaluating {second}")
    shown = repository.evaluate("--status").out
    assert f"{third[:9]}  default" in shown
    assert "failed with exit code 4" in shown
    assert f"log: {found[third]['log']}" in shown


def test_what_failed_can_be_queued_again(repository: Repository) -> None:
    repository.set_up("code", 4)
    repository.evaluate("--queue", "HEAD")
    repository.idle()
    repository.set_up("code", 1)
    assert repository.evaluate("--queue", "HEAD").out.startswith("queued   ")
    repository.idle()
    (end,) = ends(repository).values()
    assert end["exit_code"] == 1


def test_a_job_whose_file_was_emptied_by_a_loss_of_power_is_done(repository: Repository) -> None:
    repository.set_up("seconds", 30)
    repository.evaluate("--queue", "HEAD")
    until(lambda: repository.told("began"))
    repository.kill_all()
    repository.waiting()[0].write_bytes(b"")
    repository.set_up("seconds", 0)
    assert repository.evaluate("--work").out == "evaluated 1, of which 0 failed\n"


def test_what_is_no_commit_is_refused_and_nothing_is_queued(repository: Repository) -> None:
    done = repository.evaluate("--queue", "HEAD", "nowhere")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("git knows no commit 'nowhere'.")
    assert not repository.waiting()


def test_a_queue_that_cannot_be_written_is_told_in_one_line(repository: Repository) -> None:
    (repository.folder / "data" / "cache").mkdir(exist_ok=True)
    repository.queue.write_text("in the way")
    done = repository.evaluate("--queue", "HEAD")
    assert (done.code, done.out) == (4, "")
    assert done.err.count("\n") == 1
    assert "cannot be written" in done.err


def test_a_worker_that_cannot_write_says_so_in_one_line_and_the_job_waits(repository: Repository) -> None:
    repository.queue.mkdir(parents=True)
    (repository.queue / "logs").write_text("in the way")
    repository.evaluate("--queue", "HEAD")
    until(lambda: not repository.processes())
    done = repository.evaluate("--work")
    assert (done.code, done.out, done.err.count("\n")) == (4, "", 1)
    assert "cannot be written" in done.err
    assert len(repository.waiting()) == 1


def test_the_status_shows_what_runs_what_waits_and_what_ended(repository: Repository) -> None:
    assert repository.evaluate("--status").out == "nothing is queued, and nothing was\n"
    first, second = repository.git("rev-parse", "HEAD"), repository.commit("file")
    repository.evaluate("--queue", first)
    repository.idle()
    repository.set_up("seconds", 2)
    repository.evaluate("--queue", second)
    until(lambda: second in repository.evaluated("began"))
    repository.evaluate("--queue", "HEAD~1", "--suite", "other")
    words = [line.split()[:3] for line in repository.evaluate("--status").out.splitlines()]
    assert words == [
        ["running", second[:9], "default"], ["waiting", first[:9], "other"], ["ended", first[:9], "default"],
        ["evaluation:", "page.html"],
    ]  # fmt: skip
    repository.idle()


@pytest.mark.parametrize(
    "words", [["HEAD", "--status"], ["--queue", "HEAD", "--base", "main"], ["--work", "--junit", "x"]]
)
def test_what_the_queue_has_no_use_for_is_refused(repository: Repository, words: list[str]) -> None:
    done = repository.tried(".venv/bin/python", "-m", "workflows.real_cli", "evaluate", *words)
    assert (done.code, done.out) == (2, "")
    assert "cannot both be given" in done.err
    assert not repository.queue.exists()
