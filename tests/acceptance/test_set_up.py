"""The environment that the scripts make on first use: what is not tried, what fails, and what does not come to its end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance

ROOT = Path(__file__).resolve().parents[2]
NO_ROUTE = "stub: no route to the registry"


def run(*command: str | Path, cwd: Path, **environment: str) -> Any:
    """Run a command as a user would, with nothing that tests of this environment set."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHON", "VIRTUAL_ENV")}
    return subprocess.run(command, cwd=cwd, env={**kept, **environment}, capture_output=True, text=True, timeout=60)


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A copy of what the scripts read, without an environment."""
    folder = tmp_path / "fresh clone"
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    for name in ("requirements.lock", "setup.cfg", "pyproject.toml"):
        shutil.copyfile(ROOT / name, folder / name)
    return folder


@pytest.fixture
def with_uv(tmp_path: Path) -> dict[str, str]:
    """A PATH with a `uv` at its head that fails or waits at the step that STEP_FAILS or STEP_WAITS names."""
    write_program(
        tmp_path / "stubs" / "uv",
        f"""
[ "$1" = venv ] && mkdir -p .venv/bin && ln -sf {sys.executable} .venv/bin/python
case "$*" in *"${{STEP_FAILS:-nothing}}"*) echo "{NO_ROUTE}" >&2; exit 1 ;; esac
case "$*" in *"${{STEP_WAITS:-nothing}}"*) touch waiting; exec sleep 60 ;; esac
echo "$*" >>steps""",
    )
    return {"PATH": f"{tmp_path / 'stubs'}:{os.environ['PATH']}", "PYTHON": sys.executable}


@pytest.fixture
def without_uv(tmp_path: Path) -> dict[str, str]:
    """A PATH of what the scripts need and no more, with a Python that fails at the step that STEP_FAILS names."""
    programs = tmp_path / "programs"
    write_program(
        programs / "python",
        f"""
case "$*" in *"${{STEP_FAILS:-nothing}}"*) echo "{NO_ROUTE}" >&2; exit 1 ;; esac
case "$*" in
"-m venv "*) mkdir -p .venv/bin && ln -sf "$(type -P python)" .venv/bin/python; echo "$*" >>steps ;;
"-m pip "*) echo "$*" >>steps ;;
*) exec {sys.executable} "$@" ;;
esac""",
    )
    for name in ("bash", "cat", "dirname", "git", "mkdir", "rm", "ln"):
        found = shutil.which(name)
        assert found
        (programs / name).symlink_to(found)
    return {"PATH": str(programs), "PYTHON": "python"}


@pytest.fixture(params=["with_uv", "without_uv"])
def tools(request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment variables of a machine with uv, and of one without."""
    found: dict[str, str] = request.getfixturevalue(request.param)
    return found


def set_up(fresh: Path, tools: dict[str, str], **environment: str) -> Any:
    """Set up only: what comes after needs the packages."""
    script = "set -euo pipefail; source scripts/environment; echo complete"
    return run("/bin/bash", "-c", script, cwd=fresh, **{**tools, **environment})


@pytest.mark.parametrize("script", ["scripts/report", "scripts/test", "scripts/lock", ".ci/run"])
def test_a_script_can_be_run_and_is_valid_bash(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    assert run("bash", "-n", script, cwd=ROOT).returncode == 0


def test_bad_usage_is_refused_without_setting_anything_up(fresh: Path) -> None:
    done = run("scripts/report", "2013-01-15", "daily", "threshold=4", cwd=fresh)
    assert (done.returncode, done.stdout) == (2, "")
    assert not (fresh / ".venv").exists()


@pytest.mark.parametrize("script", ["scripts/report", "scripts/test"])
def test_a_python_that_does_not_exist_is_named_in_one_line(fresh: Path, script: str) -> None:
    done = run(script, cwd=fresh, PYTHON="/nowhere/python")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("no Python 3.11, 3.12 or 3.13 found (looked for: /nowhere/python); install one")
    assert done.stderr.count("\n") == 1
    assert not (fresh / ".venv").exists()


@pytest.mark.parametrize("version", ["(2, 7, 18)", "(3, 10, 14)", "(3, 14, 0)"])
def test_a_python_that_does_not_fit_is_not_used(fresh: Path, tmp_path: Path, version: str) -> None:
    """The stand-in is this Python, which says that it is another."""
    program = f"import sys; sys.version_info = {version}; exec(sys.argv[1])"
    write_program(tmp_path / "stubs" / "other", f'exec {sys.executable} -c "{program}" "$2"')
    done = run("scripts/report", cwd=fresh, PYTHON=str(tmp_path / "stubs" / "other"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("no Python 3.11, 3.12 or 3.13 found")
    assert not (fresh / ".venv").exists()


def test_a_set_up_that_comes_to_its_end_is_not_repeated(fresh: Path, tools: dict[str, str]) -> None:
    first, second = set_up(fresh, tools), set_up(fresh, tools)
    assert (first.returncode, first.stdout) == (second.returncode, second.stdout) == (0, "complete\n")
    assert second.stderr == ""
    venv, packages, project = (fresh / "steps").read_text().splitlines()
    assert "venv" in venv
    assert packages.endswith("--requirement requirements.lock")
    assert project.endswith("--no-deps --no-build-isolation --editable .")


def test_a_changed_lock_is_set_up_again(fresh: Path, with_uv: dict[str, str]) -> None:
    set_up(fresh, with_uv)
    with (fresh / "requirements.lock").open("a") as lock:
        lock.write("# newer\n")
    assert "environment   .venv from requirements.lock" in set_up(fresh, with_uv).stderr


@pytest.mark.parametrize("step", [" .venv", "--requirement", "--editable"])
def test_a_set_up_with_a_step_that_fails_says_so_and_counts_as_not_made(
    fresh: Path, tools: dict[str, str], step: str
) -> None:
    failed = set_up(fresh, tools, STEP_FAILS=step)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.splitlines()[-2] == NO_ROUTE
    assert failed.stderr.splitlines()[-1].startswith("environment   not complete")
    assert not (fresh / ".venv" / "parcours-state").exists()
    assert set_up(fresh, tools).stdout == "complete\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_a_set_up_that_is_interrupted_counts_as_not_made(
    fresh: Path, with_uv: dict[str, str], number: signal.Signals
) -> None:
    """As with Ctrl-C, the signal goes to all processes of the script."""
    script = subprocess.Popen(
        ["scripts/report"],
        cwd=fresh,
        env={**os.environ, **with_uv, "STEP_WAITS": "--requirement"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # What runs in the background of a script is started deaf to Ctrl-C, and so would be what it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    until = time.monotonic() + 20
    while not (fresh / "waiting").exists() and time.monotonic() < until:
        time.sleep(0.01)
    os.killpg(script.pid, number)
    assert script.wait(timeout=10) != 0
    assert not (fresh / ".venv" / "parcours-state").exists()
    assert set_up(fresh, with_uv).stdout == "complete\n"
