"""The project's own modules: found without being imported, and read once."""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

from workflows.errors import PipelineError
from workflows.identity.canonical import digest_bytes
from workflows.identity.foreign import ENGINE, foreign_folders
from workflows.identity.memo import Memo
from workflows.identity.outline import Outline, outline
from workflows.identity.specs import searched, spec_of


@dataclass(frozen=True)
class Module:
    """One module of the project's own code, as this process found it first."""

    name: str
    path: Path
    known: dict[str, Any]
    """Its outline, as a look-up keeps it."""
    source: bytes

    @cached_property
    def outline(self) -> Outline:
        """What its top level defines; nothing for an extension module, which counts by its bytes."""
        return Outline.from_json(self.known)

    @property
    def package(self) -> str:
        """What its relative imports start from."""
        return self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]

    @property
    def is_extension(self) -> bool:
        """Whether it is compiled."""
        return self.path.suffix != ".py"


@dataclass
class Modules:
    """The project's own modules by name: what is on disk later does not count.

    `root` is the project's folder; `pipelines` are the modules named in the settings, which are the project's own code
    wherever they lie; `memo` keeps outlines by the bytes they were taken from.
    """

    root: Path
    pipelines: Sequence[str]
    memo: Memo
    templates: Path | None = None
    """The templates' folder, in which their kernels find modules too."""
    answers: dict[str, Any] = field(default_factory=lambda: {"modules": {}, "packages": {}})
    """What was found for each name that was asked: the file and the digest of its bytes, or whether it is a package."""
    _modules: dict[str, Module | None] = field(default_factory=dict)
    _labels: dict[Path, str] = field(default_factory=dict)
    _abroad: dict[str, bool] = field(default_factory=dict)
    _foreign: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        self._foreign = foreign_folders(self.root)

    def get(self, name: str) -> Module | None:
        """The module of a name, if it is the project's own."""
        if name not in self._modules:
            path = self._locate(name)
            self._modules[name] = found = self._read(name, path) if path else None
            self.answers["modules"][name] = [self.label(found), digest_bytes(found.source)] if found else None
        return self._modules[name]

    def exists(self, name: str) -> bool:
        """Whether there is a module of the project's own of this name, or a package without a file, with modules in it."""
        if name not in self.answers["packages"]:
            self.answers["packages"][name] = self.get(name) is not None or (
                not self._is_abroad(name) and self._is_open_package(name)
            )
        return bool(self.answers["packages"][name])

    def _is_open_package(self, name: str) -> bool:
        spec = spec_of(name)
        places = [Path(place).resolve() for place in (spec and spec.submodule_search_locations) or ()]
        has_file = spec is None or spec.origin is not None
        return bool(places) and not has_file and not any(self._is_foreign(place) for place in places)

    def _is_foreign(self, path: Path) -> bool:
        return ENGINE in path.parents or any(folder in path.parents for folder in self._foreign)

    def by_label(self, label: str) -> str | None:
        """The name of the module, among those that were met, whose file has a label."""
        return next((name for name, found in self._modules.items() if found and self.label(found) == label), None)

    def sources(self) -> dict[str, bytes]:
        """The bytes of every module that was met, by its file in a code closure."""
        return {self.label(found): found.source for found in self._modules.values() if found}

    def label(self, module: Module) -> str:
        """A module's file in a code closure."""
        if module.path not in self._labels:
            self._labels[module.path] = label(module.path, self.root, module.name)
        return self._labels[module.path]

    def _locate(self, name: str) -> Path | None:
        """The file of a module of the project's own code, or None."""
        is_pipeline = any(name == own or name.startswith(f"{own}.") for own in self.pipelines)
        if not is_pipeline and self._is_abroad(name):
            return None
        found = getattr(sys.modules.get(name), "__file__", None)
        path = Path(found) if found else searched(name) or self._beside(name)
        if path is None or not path.name.endswith((".py", *EXTENSION_SUFFIXES)):
            return None
        path = path.resolve()
        if is_pipeline:
            return path
        return None if self._is_foreign(path) else path

    def _is_abroad(self, name: str) -> bool:
        """Whether the package that a module lies in, and so everything in it, is foreign.

        Not so where it has no file, because others may add to it, nor where the project has one of the same name.
        """
        top = name.partition(".")[0]
        if top not in self._abroad:
            own = (self.root / f"{top}.py", self.root / top)
            found = getattr(sys.modules.get(top), "__file__", None)
            path = Path(found) if found else searched(top)
            is_known = top in sys.stdlib_module_names and not any(file.exists() for file in own)
            self._abroad[top] = is_known or (path is not None and self._is_foreign(path.resolve()))
        return self._abroad[top]

    def _beside(self, name: str) -> Path | None:
        if self.templates is None:
            return None
        path = self.templates.joinpath(*name.split("."))
        return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)

    def _read(self, name: str, path: Path) -> Module:
        source = path.read_bytes()
        key = digest_bytes(source)
        if path.suffix != ".py":
            return Module(name, path, Outline([], [], key).as_json(), source)
        known = self.memo.get(key)
        if known is None:
            try:
                known = outline(ast.parse(source)).as_json()
            except (SyntaxError, ValueError) as error:
                raise PipelineError.not_imported(name, error) from error
            self.memo.put(key, known)
        return Module(name, path, known, source)


def label(path: Path, root: Path, module: str = "") -> str:
    """A file's name in a code closure: relative to the project where it lies in it, else as its module has it."""
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        # Outside of the project the name must not depend on where the machine keeps it, and still be the file's own.
        folders = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
        return "/".join([*folders, path.name])
