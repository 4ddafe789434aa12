"""The environment of a result: the Python version and the distributions that its code imports."""

from __future__ import annotations

import platform
import sys
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from workflows.identity.canonical import digest
from workflows.identity.memo import Memo
from workflows.release import VERSION

Distributions = dict[str, dict[str, str]]
"""Under each import name, the distributions that provide it, with their versions."""


@dataclass(frozen=True)
class Environment:
    """Where a result is made, as far as it can change the result."""

    python: str
    """The full version of Python; only its minor version enters the digest."""
    packages: dict[str, str]
    """Each imported distribution with its version."""

    @property
    def digest(self) -> str:
        """The environment digest: the Python minor version and the packages."""
        return digest({"python": ".".join(self.python.split(".")[:2]), "packages": self.packages})

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
    # The engine counts by its release, whether it is installed or runs from its own checkout.
    return {**known, "workflows": {"parcours": VERSION}}


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
