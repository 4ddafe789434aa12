"""The code closure of a task: every module of the project's own code that it can reach, and the foreign ones it imports.

The grain is the module: a module counts whole, with the packages around it, transitively over its imports.
"""

from __future__ import annotations

import ast
import site
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from workflows.errors import PipelineError
from workflows.identity.canonical import digest, digest_bytes
from workflows.identity.memo import Memo
from workflows.identity.syntax import Import, digest_python, imports_of

ENGINE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Code:
    """The code that makes a result."""

    files: dict[str, str]
    """Each file of the project's own code, relative to the project where it lies in it, with its digest."""
    imports: frozenset[str]
    """The top-level names of the foreign modules that these files import."""
    definitions: dict[str, dict[str, str]] = field(default_factory=dict, compare=False)
    """What of each file is reached, with its digest: names of definitions, or '' for a file that counts whole."""
    sources: dict[str, bytes] = field(default_factory=dict, compare=False, repr=False)
    """The bytes of each file, as they were read when it was digested."""
    undecided: dict[str, str] = field(default_factory=dict, compare=False)
    """The files that count whole because their reach cannot be decided, each with the reason."""

    @property
    def digest(self) -> str:
        """The code digest: over the files' digests and their names."""
        return digest(self.files)

    def __or__(self, other: Code) -> Code:
        return Code(
            {**self.files, **other.files},
            self.imports | other.imports,
            {**self.definitions, **other.definitions},
            {**self.sources, **other.sources},
            {**self.undecided, **other.undecided},
        )

    def record(self) -> dict[str, Any]:
        """What the store keeps of it under its digest; the sources lie beside it under their own."""
        return {
            "digest": self.digest,
            "files": self.files,
            "definitions": self.definitions,
            "sources": {name: digest_bytes(data) for name, data in self.sources.items()},
            "undecided": self.undecided,
        }


@dataclass(frozen=True)
class _Module:
    name: str
    path: Path
    digest: str
    imports: tuple[Import, ...]
    source: bytes

    @property
    def package(self) -> str:
        return self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]


@dataclass
class CodeIndex:
    """The project's own modules as this process found them first: what is on disk later does not count.

    `root` is the project's folder; `pipelines` are the modules named in the settings, which are the project's own code
    wherever they lie; `memo` keeps digests by the bytes they were taken from.
    """

    root: Path
    pipelines: Sequence[str]
    memo: Memo
    _modules: dict[str, _Module | None] = field(default_factory=dict)
    _foreign: tuple[Path, ...] = field(default_factory=lambda: _foreign_folders())

    def of_modules(self, names: Iterable[str]) -> Code:
        """The closure of modules named as in an import statement."""
        return self._closure([(name, True) for name in names])

    def of_source(self, name: str, source_digest: str, imports: Sequence[Import], source: bytes) -> Code:
        """The closure of code that is no module: a template's cells, counted under a name."""
        reached = self._closure(_targets(_Module("", Path(name), source_digest, tuple(imports), source)))
        return Code({name: source_digest}, frozenset(), {name: {"": source_digest}}, {name: source}) | reached

    def _closure(self, start: list[tuple[str, bool]]) -> Code:
        files: dict[str, str] = {}
        sources: dict[str, bytes] = {}
        foreign: set[str] = set()
        waiting, seen = start, set()
        while waiting:
            name, certain = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            module = self._module(name)
            if module is None:
                # `from a import b` names a module only where b is one.
                if certain and not self._is_own(name.partition(".")[0]):
                    foreign.add(name.partition(".")[0])
                continue
            known = label(module.path, self.root, name)
            files[known], sources[known] = module.digest, module.source
            waiting.extend(_targets(module))
        files = dict(sorted(files.items()))
        whole = {name: {"": found} for name, found in files.items()}
        return Code(files, frozenset(foreign - sys.stdlib_module_names), whole, sources)

    def _is_own(self, top: str) -> bool:
        return self._module(top) is not None

    def _module(self, name: str) -> _Module | None:
        if name not in self._modules:
            path = self._locate(name)
            self._modules[name] = self._read(name, path) if path else None
        return self._modules[name]

    def _locate(self, name: str) -> Path | None:
        """The source file of a module of the project's own code, or None."""
        if name.partition(".")[0] in sys.stdlib_module_names:
            return None
        found = getattr(sys.modules.get(name), "__file__", None)
        path = Path(found) if found else _searched(name)
        if path is None or path.suffix != ".py":
            return None
        path = path.resolve()
        if any(name == own or name.startswith(f"{own}.") for own in self.pipelines):
            return path
        if ENGINE in path.parents or any(folder in path.parents for folder in self._foreign):
            return None
        return path

    def _read(self, name: str, path: Path) -> _Module:
        source = path.read_bytes()
        key = digest_bytes(source)
        known = self.memo.get(key)
        if known is None:
            try:
                tree = ast.parse(source)
            except SyntaxError as error:
                raise PipelineError.not_imported(name, error) from error
            known = [digest_python(tree), [[i.level, i.module, list(i.names)] for i in imports_of(tree)]]
            self.memo.put(key, known)
        return _Module(
            name,
            path,
            known[0],
            tuple(Import(level, module, tuple(names)) for level, module, names in known[1]),
            source,
        )


def label(path: Path, root: Path, module: str = "") -> str:
    """A file's name in a code closure: relative to the project where it lies in it, else as its module has it."""
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        # Outside of the project the name must not depend on where the machine keeps it, and still be the file's own.
        folders = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
        return "/".join([*folders, path.name])


def _targets(module: _Module) -> list[tuple[str, bool]]:
    """The names a module imports, each with whether it must be a module; and the packages around it."""
    found = [(parent, True) for parent in _parents(module.name)]
    for statement in module.imports:
        base = statement.module
        if statement.level:
            above = module.package.split(".")
            kept = above[: len(above) - (statement.level - 1)]
            base = ".".join([*kept, base] if base else kept)
        found += [(name, True) for name in (*_parents(base), base) if name]
        found += [(f"{base}.{name}", False) for name in statement.names if name != "*"]
    return found


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:i]) for i in range(1, len(parts))]


def _searched(name: str) -> Path | None:
    """The file of a module that is not loaded, found without importing its packages."""
    path: list[str] | None = None
    spec = None
    for parent in (*_parents(name), name):
        # By its last name alone: for a dotted one inside a namespace package the packages above would have to be loaded.
        spec = PathFinder.find_spec(parent.rpartition(".")[2], path)
        if spec is None:
            return None
        path = list(spec.submodule_search_locations or [])
    return Path(spec.origin) if spec and spec.origin else None


def _foreign_folders() -> tuple[Path, ...]:
    """Where the standard library and installed distributions lie."""
    places = [sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib")]
    places += [*site.getsitepackages(), site.getusersitepackages()]
    return tuple({Path(place).resolve() for place in places if place})
