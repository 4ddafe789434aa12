"""The Python environment of a commit: built from its lock, shared by all commits with the same pins; the running one where it has these."""

from __future__ import annotations

import fcntl
import functools
import importlib.metadata
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from workflows.errors import CommitError
from workflows.identity.canonical import digest
from workflows.tasks.terminal import terminal

_READY = "parcours-ready"
_TOLD = 600
"""Characters of what an installer said that an error shows."""


def python_of(
    lock: bytes | None, name: str, commit: str, folder: Path, variables: Mapping[str, str], own: bytes | None
) -> str:
    """The interpreter of the environment that a lock describes, built in `folder` if need be; None is for a commit without one.

    `variables` are what the installer finds; `own` is the lock of the environment that runs now. Raises CommitError where there is no lock, or it cannot be installed.
    """
    if not name:
        return sys.executable
    if lock is None:
        raise CommitError.no_lock(commit, name)
    pins = _pins(lock.decode("utf-8", "replace"))
    if own is not None and pins == _pins(own.decode("utf-8", "replace")) and _installed_here(pins):
        return sys.executable
    place = folder / digest([sys.version_info[:3], pins])[:16]
    python = place / "bin" / "python"
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.with_suffix(".lock").open("w") as held:
        # Of two that need the same one, one waits for the other.
        fcntl.flock(held, fcntl.LOCK_EX)
        if not (place / _READY).exists():
            terminal().tell("environment", f"of commit {commit}: {len(pins)} packages, from {name}")
            shutil.rmtree(place, ignore_errors=True)
            _build(place, pins, commit, variables)
            (place / _READY).write_text("\n".join(pins), encoding="utf-8")
    return str(python)


def _pins(lock: str) -> list[str]:
    """The requirements of a lock that count here, without comments and hashes."""
    found = []
    for line in lock.replace("\\\n", " ").splitlines():
        text = line.split(" #")[0].split(" --hash")[0].strip()
        if text and not text.startswith(("#", "-")):
            found.append(text)
    return sorted(filter(_counts, found))


def _counts(pin: str) -> bool:
    try:
        marker = Requirement(pin).marker
    except InvalidRequirement:
        return True
    return marker is None or marker.evaluate()


def _installed_here(pins: Sequence[str]) -> bool:
    """Whether the running environment has all of these versions."""
    return all(_is_installed(pin) for pin in pins)


def _is_installed(pin: str) -> bool:
    try:
        wanted = Requirement(pin)
    except InvalidRequirement:
        return False
    found = _installed().get(canonicalize_name(wanted.name))
    return found is not None and bool(wanted.specifier) and wanted.specifier.contains(found, prereleases=True)


@functools.cache
def _installed() -> dict[str, str]:
    """The versions of what is installed, by name; of two of one name the first counts, as it does for imports."""
    found: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        if name := distribution.metadata["Name"]:
            found.setdefault(canonicalize_name(name), distribution.version)
    return found


def _build(place: Path, pins: Sequence[str], commit: str, variables: Mapping[str, str]) -> None:
    """Make an environment; with uv where it is installed, else with pip."""
    requirements = place.with_suffix(".txt")
    requirements.write_text("\n".join(pins), encoding="utf-8")
    uv = shutil.which("uv", path=variables.get("PATH"))
    python = str(place / "bin" / "python")
    if uv:
        steps = [
            [uv, "venv", "--quiet", "--no-python-downloads", "--python", sys.executable, str(place)],
            [uv, "pip", "install", "--quiet", "--no-deps", "--python", python, "--requirement", str(requirements)],
        ]
    else:
        steps = [
            [sys.executable, "-m", "venv", str(place)],
            [
                python,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "-r",
                str(requirements),
            ],
        ]
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, env=dict(variables), check=False)
        if done.returncode:
            raise CommitError.no_environment(commit, " ".join((done.stderr or done.stdout).split())[-_TOLD:])
