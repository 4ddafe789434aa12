"""The process that puts a commit through a suite: its own code and environment, and only these variables of the user's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from workflows.errors import CommitError
from workflows.evaluation.suites import Asked
from workflows.identity.foreign import ENGINE
from workflows.settings import PREFIX, Settings

VARIABLES = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "MPLCONFIGDIR",
    "XDG_CACHE_HOME",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)
"""The variables of the user's environment that every run gets."""
INSTALLING = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
"""Those that an installer gets besides, with all that begin with UV_ and PIP_."""
_TOLD = 600
"""Characters of a log that an error shows."""


def variables(names: Sequence[str]) -> dict[str, str]:
    """What a run finds of the user's environment; `names` are those that the settings add."""
    return {name: os.environ[name] for name in (*VARIABLES, *names) if name in os.environ}


def installing() -> dict[str, str]:
    """What an installer finds of it."""
    found = {name: value for name, value in os.environ.items() if name.startswith(("UV_", "PIP_"))}
    return variables(INSTALLING) | found


def ran(
    python: str, project: Path, commit: str, reports: Sequence[Asked], environment: Mapping[str, str], log: Path
) -> dict[str, Any]:
    """What the process answers that makes these reports in a commit's project folder; what it prints goes to a log.

    Raises CommitError where it ends without an answer.
    """
    program = Path(__file__).with_name("program.py").read_text(encoding="utf-8")
    log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="parcours-answer-") as folder:
        answer = Path(folder, "answer.json")
        asked = [{"template": a.template, "date": a.date, "parameters": dict(a.parameters)} for a in reports]
        with log.open("w", encoding="utf-8") as told:
            code = _run([python, "-c", program], project, environment, {"reports": asked, "answer": str(answer)}, told)
        if code == 0 and answer.exists():
            found: dict[str, Any] = json.loads(answer.read_bytes())
            return found
    ended = " ".join(log.read_text(encoding="utf-8", errors="replace").split())[-_TOLD:]
    raise CommitError.ended(commit, _how(code), ended)


def environment_of_run(
    settings: Settings, python: str, project: Path, dataset: str, names: Sequence[str]
) -> dict[str, str]:
    """The variables of a run: those of the user that are stated, the commit's code, the common store and the dataset."""
    common = {"store": settings.store, "catalog": settings.catalog, "cache": str(settings.cache), "dataset": dataset}
    places = [project, *(place for place in (project / "src",) if place.is_dir())]
    has_own = (project / ENGINE.name).is_dir()
    if python == sys.executable and not has_own and ENGINE.parent.name not in ("site-packages", "dist-packages"):
        # The environment that runs now is used as it is, also where its Parcours is a checkout that PYTHONPATH names.
        places.append(ENGINE.parent)
    return {
        **variables(names),
        **{PREFIX + key.upper(): value for key, value in common.items()},
        "PYTHONPATH": os.pathsep.join(map(str, places)),
        "PYTHONHASHSEED": "0",
        "PYTHONSAFEPATH": "",
    }


def _run(command: list[str], folder: Path, environment: Mapping[str, str], request: Any, log: TextIO) -> int:
    """Run a process in a group of its own, what it says shown and logged; it dies with this one's Ctrl-C."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    assert process.stdin
    assert process.stdout
    try:
        with process.stdin as given:
            json.dump(request, given)
        for line in process.stdout:
            log.write(line)
            sys.stderr.write(line)
            sys.stderr.flush()
        return process.wait()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
        process.stdout.close()


def _how(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
