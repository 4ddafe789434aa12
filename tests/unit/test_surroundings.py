"""The surroundings of stages and kernels, and the command that starts itself anew for them."""

from __future__ import annotations

import locale
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from workflows.identity.surroundings import FIXED, THREADS, fixed, fixed_surroundings

PROGRAM = """
import os, sys
from workflows.identity.surroundings import restart_with_fixed_seed

restart_with_fixed_seed(["luigi"], lambda: print("saved", os.getpid()))
print("ran", os.environ.get("OMP_NUM_THREADS"), os.getpid(), sys.flags.hash_randomization, *sys.argv[1:], sys.stdin.read())
sys.exit(7)
"""


@pytest.mark.parametrize(
    "name",
    ["LANG", "LC_NUMERIC", "PYTHONSTARTUP", "PYTHONWARNINGS", "PYTHONOPTIMIZE", "PANDAS_COPY_ON_WRITE", "COLUMNS",
     "JUPYTER_COLUMNS", "NO_COLOR"],
)  # fmt: skip
def test_a_users_own_habits_are_dropped(name: str) -> None:
    assert fixed({name: "x"}) == {**THREADS, **FIXED}


@pytest.mark.parametrize(
    "name", ["HOME", "PATH", "PYTHONPATH", "OMP_NUM_THREADS", "PGPASSWORD", "PARCOURS_STORE", "MPLCONFIGDIR", "LANGUID"]
)
def test_what_says_where_things_are_stays(name: str) -> None:
    assert fixed({name: "x"})[name] == "x"


def test_what_is_the_same_everywhere_wins_over_the_users() -> None:
    assert fixed(dict.fromkeys(FIXED, "mine")) == {**THREADS, **FIXED}


def test_the_process_has_its_own_surroundings_back_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    time.tzset()
    before, spoken = dict(os.environ), locale.setlocale(locale.LC_ALL)
    try:
        with fixed_surroundings():
            os.environ["LEFT"] = "by the stage"
            assert time.tzname == ("UTC", "UTC")
            assert "LANG" not in os.environ
            assert locale.getlocale(locale.LC_NUMERIC)[1] in ("UTF-8", None)
        assert dict(os.environ) == before
        assert time.tzname[0] == "JST"
        assert locale.setlocale(locale.LC_ALL) == spoken
    finally:
        monkeypatch.undo()
        time.tzset()


def started(tmp_path: Path, *flags: str, name: str = "luigi", **environment: str) -> tuple[list[str], int, int]:
    """The lines that the program prints, its exit code and its pid."""
    program = tmp_path / name
    program.write_text(textwrap.dedent(PROGRAM))
    given = {**{n: v for n, v in os.environ.items() if n != "PYTHONHASHSEED"}, **environment}
    process = subprocess.Popen(
        [sys.executable, *flags, str(program), "a b", "--c"],
        env=given,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    out, _ = process.communicate("typed", timeout=60)
    return out.splitlines(), process.returncode, process.pid


def test_the_command_starts_itself_anew_once_as_the_same_process(tmp_path: Path) -> None:
    """With its arguments, its standard input and its exit code."""
    lines, code, pid = started(tmp_path)
    assert lines == [f"saved {pid}", f"ran 1 {pid} 0 a b --c typed"]
    assert code == 7


def test_a_number_of_threads_that_is_given_stays(tmp_path: Path) -> None:
    assert started(tmp_path, OMP_NUM_THREADS="4")[0][1].startswith("ran 4 ")


def test_another_hash_seed_is_replaced(tmp_path: Path) -> None:
    assert len(started(tmp_path, PYTHONHASHSEED="17")[0]) == 2


def test_a_command_whose_hash_seed_is_fixed_goes_on(tmp_path: Path) -> None:
    lines, _, pid = started(tmp_path, PYTHONHASHSEED="0")
    assert lines == [f"ran None {pid} 0 a b --c typed"]


def test_another_program_goes_on(tmp_path: Path) -> None:
    lines, _, pid = started(tmp_path, name="myluigi")
    assert lines == [f"ran None {pid} 1 a b --c typed"]


def test_a_python_that_ignores_its_environment_does_not_start_for_ever(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    program = f"import sys; sys.path.insert(0, {str(root)!r})\n"
    (tmp_path / "luigi").write_text(program + PROGRAM)
    done = subprocess.run(
        [sys.executable, "-E", str(tmp_path / "luigi")], input="", capture_output=True, text=True, timeout=60
    )
    assert done.stdout.startswith("ran ")
