"""What of the files of a machine is the project's: its code and its data, each under the label that closures use."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Literal

from workflows.identity.foreign import ENGINE, foreign_folders
from workflows.identity.specs import hooked

_ENGINE = str(ENGINE)
_LOOKING_ON = str(Path(__file__).resolve().parent)
_NEVER = frozenset({".git", ".venv", "__pycache__", "site-packages", ".ipynb_checkpoints"})
_CELL = "<cell "
"""How the names of the cells of a report begin, as the kernel gives them."""


@dataclass(frozen=True)
class Scope:
    """The project's folders, and what in them is none of its own."""

    root: str
    """The project's folder."""
    places: dict[str, str]
    """The templates' folder and the pipelines' packages, wherever they lie, by the label that they have."""
    excluded: tuple[str, ...]
    """Where results and look-ups are kept."""
    foreign: tuple[str, ...]
    """Where the standard library and installed distributions lie."""

    @classmethod
    def of(cls, root: Path, templates: Path, pipelines: Sequence[str], excluded: Iterable[str | Path]) -> Scope:
        """The scope of a project with its settings."""
        found = {name.replace(".", "/"): place for name in pipelines if (place := _package(name, root))}
        found["templates"] = str(templates.resolve())
        foreign = tuple(map(str, foreign_folders(root)))
        return cls(str(root.resolve()), found, tuple(_spelled(root / place) for place in excluded), foreign)

    def to_json(self) -> str:
        """The scope as text, for another process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Scope:
        """The scope in a text."""
        given = json.loads(text)
        return cls(given["root"], given["places"], tuple(given["excluded"]), tuple(given["foreign"]))

    def label_of_data(self, path: str) -> str | None:
        """The label of a file or folder of the project, or None for any other; '.' for the project's own folder."""
        given = _spelled(path)
        if _within(given, self.foreign) and not _within(given, self.places.values()):
            return None
        # A link in the project counts as the project's, and so does a link to something in it.
        for spelling in (given, os.path.realpath(given)):
            found = self._label(spelling)
            if found:
                return found
        return None

    def _label(self, path: str) -> str | None:
        if _within(path, self.excluded) or not _NEVER.isdisjoint(Path(path).relative_to("/").parts):
            return None
        is_pipeline = _within(path, self.places.values())
        if _within(path, (_ENGINE,)) and not is_pipeline:
            return None
        if _within(path, (self.root,)):
            return os.path.relpath(path, self.root)
        for name, place in self.places.items():
            if _within(path, (place,)):
                rest = os.path.relpath(path, place)
                return name if rest == "." else f"{name}/{rest}"
        return None

    def path(self, label: str) -> Path:
        """Where the file or folder of a label lies."""
        here = Path(self.root, label)
        for name, place in self.places.items():
            if (label == name or label.startswith(f"{name}/")) and not _within(place, (self.root,)):
                return Path(place, label[len(name) + 1 :])
        return here

    def names(self, folder: Path) -> list[str] | None:
        """What a folder of the project holds, apart from what is none of its own; None where there is no folder."""
        try:
            names = sorted(entry.name for entry in folder.iterdir())
        except OSError:
            return None
        return [name for name in names if name not in _NEVER and not self._holds_results(f"{folder}{os.sep}{name}")]

    def _holds_results(self, path: str) -> bool:
        return any(_within(place, (path,)) for place in self.excluded)

    def kind(self, file: str) -> Literal["own", "cell", "engine", ""]:
        """Whose code a frame runs, by the file that its code names."""
        known = self._kinds.get(file)
        if known is None:
            known = self._kinds[file] = self._kind(file)
        return known

    @cached_property
    def _kinds(self) -> dict[str, Literal["own", "cell", "engine", ""]]:
        return {}

    def _kind(self, file: str) -> Literal["own", "cell", "engine", ""]:
        if file.startswith(_CELL):
            return "cell"
        if file.startswith("<"):
            return ""
        path = os.path.realpath(file)
        if _within(path, self.places.values()):
            return "own"
        if _within(path, (_LOOKING_ON,)):
            # Between one who acts and what is done, because it looks on there.
            return ""
        if _within(path, (_ENGINE, *_luigi())):
            return "engine"
        return "" if _within(path, self.foreign) else "own"

    def label_of_code(self, file: str, module: str) -> str | None:
        """The label of a module's file, or None where it is not the project's own code."""
        path = os.path.realpath(file)
        if self.kind(file) != "own":
            return None
        if _within(path, (self.root,)):
            return os.path.relpath(path, self.root)
        folders = module.split(".") if path.endswith("__init__.py") else module.split(".")[:-1]
        return "/".join([*folders, Path(path).name])


def _spelled(path: str | Path) -> str:
    """A path from the root on, with its links as they are."""
    return os.path.abspath(path)  # noqa: PTH100 - Path.resolve() would follow the links


def _within(path: str, places: Iterable[str]) -> bool:
    return any(path == place or path.startswith(place + os.sep) for place in places)


def _package(name: str, root: Path) -> str | None:
    """The folder of a pipeline that is a package, or the file of one that is a module."""
    top, *rest = name.split(".")
    spec = PathFinder.find_spec(top, [str(root), *sys.path]) or hooked(top)
    if spec is None:
        return None
    if not spec.submodule_search_locations:
        return os.path.realpath(spec.origin) if spec.origin else None
    inside = Path(next(iter(spec.submodule_search_locations)), *rest).resolve()
    return str(inside if inside.is_dir() else inside.with_suffix(".py"))


@cache
def _luigi() -> tuple[str, ...]:
    """Luigi looks for its configuration wherever it is imported, which is the engine's affair."""
    spec = PathFinder.find_spec("luigi")
    return tuple(os.path.realpath(place) for place in spec.submodule_search_locations or ()) if spec else ()
