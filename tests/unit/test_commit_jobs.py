"""The files of the queue: what is kept of ends, and what those left who were killed while they wrote."""

from __future__ import annotations

import os
import time
from pathlib import Path

from workflows.commits.jobs import KEPT, Job, Queue


def job(number: int) -> Job:
    return Job(f"{number:040x}", "default", queued=number)


def test_the_last_ends_are_kept_with_their_logs_and_the_others_forgotten(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    for number in range(KEPT + 3):
        queue.log(job(number)).write_text("said")
        queue.finish(job(number), 0, began=0.0)
    assert len(queue.ends()) == len(list((queue.folder / "logs").iterdir())) == KEPT
    assert queue.ends()[0].commit == job(KEPT + 2).commit
    assert [queue.end(job(number)) for number in range(3)] == [None] * 3


def test_the_newest_job_is_the_first_and_what_is_no_job_is_none(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    for number in (2, 1, 3):
        assert queue.add(job(number))
    (queue.folder / "waiting" / "notes.json").write_text("{}")
    (queue.folder / "waiting" / ".half").write_text("{")
    assert queue.waiting() == [job(3), job(2), job(1)]


def test_what_was_half_written_an_hour_ago_is_swept(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    queue.add(job(1))
    old, new = (queue.folder / "waiting" / name for name in (".old", ".new"))
    for path in (old, new):
        path.write_text("{")
    os.utime(old, (0, time.time() - 3700))
    queue.finish(job(1), 0, began=0.0)
    assert (old.exists(), new.exists()) == (False, True)


def test_a_last_line_of_any_bytes_is_told(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    queue.log(job(1)).write_bytes(b"one\ntwo\nthree\n\xff four\n\n")
    assert queue.finish(job(1), 4, began=0.0).said == "two\nthree\n\ufffd four"
