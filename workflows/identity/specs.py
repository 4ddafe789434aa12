"""What Python would load for a name, found without importing it."""

from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path


def parents(name: str) -> list[str]:
    """The packages around a module, outermost first."""
    parts = name.split(".")
    return [".".join(parts[:i]) for i in range(1, len(parts))]


def searched(name: str) -> Path | None:
    """The file of a module that is not loaded, if there is one."""
    spec = spec_of(name)
    return Path(spec.origin) if spec and spec.origin else None


def spec_of(name: str) -> ModuleSpec | None:
    """What Python would load for a name, found without importing the packages around it."""
    path: list[str] | None = None
    spec = None
    for parent in (*parents(name), name):
        # By its last name alone: for a dotted one inside a namespace package the packages above would have to be loaded.
        spec = PathFinder.find_spec(parent.rpartition(".")[2], path)
        if spec is None and "." not in parent:
            # What an editable install puts on no path, but finds by a hook of its own.
            spec = hooked(parent)
        if spec is None:
            return None
        path = list(spec.submodule_search_locations or [])
    return spec


def hooked(name: str) -> ModuleSpec | None:
    """What the import hooks know of a top-level module, those of editable installs among them."""
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
