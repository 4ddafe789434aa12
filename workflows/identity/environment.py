"""The environment of a result: the Python version and the distributions that its code imports."""

from __future__ import annotations

import ast
import platform
import sys
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from workflows.identity.canonical import digest, digest_bytes
from workflows.identity.foreign import ENGINE
from workflows.identity.memo import Memo
from workflows.identity.syntax import digest_python
from workflows.release import VERSION

# The files of the engine whose change may change a result.
_MAKING = (
    "identity/surroundings.py",
    "data/*.py",
    "notebooks/*.py",
    "notebooks/warm/*.py",
    "notebooks/page/*",
    "evaluation/measures.py",
    "tasks/query.py",
    "tasks/stage.py",
    "tasks/report.py",
)

Distributions = dict[str, dict[str, str]]
"""Under each import name, the distributions that provide it, with their versions."""


@dataclass(frozen=True)
class Environment:
    """Where a result is made, as far as it can change the result."""

    python: str
    """The full version of Python; only its minor version enters the digest."""
    packages: dict[str, str]
    """Each imported distribution with its version."""

    @cached_property
    def digest(self) -> str:
        """The environment digest: the Python minor version and the packages."""
        return digest({"python": ".".join(self.python.split(".")[:2]), "packages": self.packages})

    def as_record(self) -> dict[str, Any]:
        """What a provenance says of it."""
        return {"python": self.python, "packages": dict(self.packages)}

    @classmethod
    def of_imports(cls, imports: Iterable[str], installed: Distributions) -> Environment:
        """The environment of code that imports these top-level modules; a module that nothing provides does not count."""
        packages: dict[str, str] = {}
        for name in imports:
            packages.update(installed.get(name, {}))
        return cls(platform.python_version(), dict(sorted(packages.items())))


def installed_distributions(memo: Memo) -> Distributions:
    """What is installed on the Python path.

    Reading every distribution's list of files takes some hundred milliseconds, so the result is kept under the names of
    the folders that hold the metadata: these carry each distribution's version, so an upgrade is another key.
    """
    key = digest(sorted(_metadata_folders()))
    known: Distributions | None = memo.get(key)
    if known is None:
        known = _read_distributions()
        memo.put(key, known)
    return {**known, "workflows": {"parcours": engine_version(memo)}}


def engine_version(memo: Memo) -> str:
    """The engine's release; where it runs from a checkout, with a digest of what makes results, as of any code of one's own.

    Its words, its settings and what only answers questions are not in the digest.
    """
    if any(part in ("site-packages", "dist-packages") for part in ENGINE.parts):
        return VERSION
    found = {}
    for path in sorted(path for part in _MAKING for path in ENGINE.glob(part)):
        source = path.read_bytes()
        key = f"engine {digest_bytes(source)}"
        known = memo.get(key)
        if known is None:
            known = digest_python(ast.parse(source)) if path.suffix == ".py" else digest_bytes(source)
            memo.put(key, known)
        found[path.relative_to(ENGINE).as_posix()] = known
    return f"{VERSION}+{digest(found)[:12]}"


def _metadata_folders() -> list[str]:
    found = []
    for place in dict.fromkeys(sys.path):
        folder = Path(place)
        if folder.is_dir():
            found += [
                f"{place}/{entry.name}" for entry in folder.iterdir() if entry.suffix in (".dist-info", ".egg-info")
            ]
    return found


def _read_distributions() -> Distributions:
    from importlib.metadata import distributions, packages_distributions

    versions: dict[str, str] = {}
    with warnings.catch_warnings():
        # What an interrupted installation left has no name or version, of which Python warns.
        warnings.simplefilter("ignore", DeprecationWarning)
        for found in distributions():
            if found.metadata["Name"] and found.metadata["Version"]:
                # The first on the path is the one that is imported.
                versions.setdefault(found.metadata["Name"], found.version)
        providers = packages_distributions()
    return {
        name: {distribution: versions[distribution] for distribution in sorted(set(names) & set(versions))}
        for name, names in providers.items()
    }
