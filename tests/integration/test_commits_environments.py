"""The environment of a commit: built from its pins, shared by those that have the same, the running one where it has them."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from workflows.commits.environments import python_of
from workflows.commits.runner import installing, variables
from workflows.errors import CommitError

pytestmark = pytest.mark.integration

PANDAS = importlib.metadata.version("pandas")


def python(lock: str | None, folder: Path, name: str = "requirements.lock", own: str | None = None) -> str:
    texts = [text.encode() if text is not None else None for text in (lock, own)]
    return python_of(texts[0], name, "0123abc", folder, installing(), texts[1])


def version(interpreter: str, package: str) -> str:
    program = f"import importlib.metadata as m; print(m.version({package!r}))"
    return subprocess.run([interpreter, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(
    "lock",
    [
        f"pandas=={PANDAS}\n",
        f"# made by\npandas=={PANDAS} \\\n    --hash=sha256:00\n    # via us\n",
        "x==1 ; python_version < '3'\n",
        "",
    ],
)
def test_the_running_environment_is_used_where_it_has_the_pins(tmp_path: Path, lock: str) -> None:
    assert python(lock, tmp_path, own=f"# the same pins\n{lock}") == sys.executable


def test_a_commit_that_pins_less_has_an_environment_of_its_own(tmp_path: Path) -> None:
    six = f"six=={importlib.metadata.version('six')}\n"
    found = python(six, tmp_path, own=f"{six}pandas=={PANDAS}\n")
    assert found != sys.executable
    assert subprocess.run([found, "-c", "import pandas"], capture_output=True, check=False).returncode


def test_no_lock_is_asked_for_where_the_settings_name_none(tmp_path: Path) -> None:
    assert python(None, tmp_path, name="") == sys.executable


def test_a_commit_without_lock_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommitError, match=r"commit 0123abc has no requirements\.lock") as error:
        python(None, tmp_path)
    assert error.value.exit_code == 4


def test_other_pins_are_another_environment_that_is_built_once(tmp_path: Path) -> None:
    found = python("six==1.16.0\n", tmp_path)
    assert version(found, "six") == "1.16.0"
    made = Path(found).parent.parent.stat().st_ctime_ns
    assert python("# another comment\nsix==1.16.0\n", tmp_path) == found
    assert Path(found).parent.parent.stat().st_ctime_ns == made


def test_pip_builds_it_where_there_is_no_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    assert version(python("six==1.16.0\n", tmp_path), "six") == "1.16.0"


def test_one_that_was_being_built_when_its_process_was_killed_is_built_anew(tmp_path: Path) -> None:
    found = Path(python("six==1.16.0\n", tmp_path))
    (found.parent.parent / "parcours-ready").unlink()
    (found.parent.parent / "half").write_text("")
    assert python("six==1.16.0\n", tmp_path) == str(found)
    assert not (found.parent.parent / "half").exists()


def test_of_two_that_need_the_same_one_waits_for_the_other(tmp_path: Path) -> None:
    found: list[str] = []
    both = [threading.Thread(target=lambda: found.append(python("six==1.16.0\n", tmp_path))) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert len(found) == 2
    assert found[0] == found[1]
    assert version(found[0], "six") == "1.16.0"


def test_a_lock_that_cannot_be_installed_says_what_the_installer_said(tmp_path: Path) -> None:
    with pytest.raises(CommitError, match=r"environment of commit 0123abc cannot be built .*six") as error:
        python("six==999.0\n", tmp_path)
    assert error.value.exit_code == 4
    with pytest.raises(CommitError, match="cannot be built"):
        python("six==999.0\n", tmp_path)


def test_only_stated_variables_of_the_user_are_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    monkeypatch.setenv("MINE", "y")
    monkeypatch.setenv("PARCOURS_DATABASE", "postgresql://u:p@h/d")
    found = variables(["MINE"])
    assert found["MINE"] == "y"
    assert found["PATH"] == os.environ["PATH"]
    assert not found.keys() & {"SECRET", "PARCOURS_DATABASE"}
