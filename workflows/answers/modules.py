"""The project's own modules laid beside a notebook, so that it imports them and no others."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from workflows.answers.laying import write
from workflows.notebooks.parameters import plain
from workflows.notebooks.template import Template

# A project may keep its pipeline inside the package `workflows`, as the example does: the package is then both.
_ENGINE = "workflows"
_BOTH = '''\
"""The Parcours that is installed, with the modules that lie beside this file in place of its own."""

import os
import sys
from importlib.machinery import PathFinder
from pathlib import Path

_here = Path(__file__).resolve().parent
_places = [place for place in sys.path if Path(place or os.curdir).resolve() != _here.parent]
_found = (finder.find_spec("workflows", _places if finder is PathFinder else None) for finder in sys.meta_path)
_installed = next(spec for spec in _found if spec and spec.origin and Path(spec.origin).resolve().parent != _here)
__path__ = [str(_here), str(Path(_installed.origin).parent)]
exec(compile(Path(_installed.origin).read_bytes(), _installed.origin, "exec"))
'''


@dataclass(frozen=True)
class Import:
    """One import statement that runs when its module is imported: its leading dots, the module, and the names taken from it."""

    level: int
    module: str
    names: tuple[str, ...] = ()
    is_certain: bool = True
    """Whether nothing around it can keep it from running, or catch that it fails."""


@dataclass
class Modules:
    """Files of code in a folder, each where an import finds it."""

    folder: Path
    imports: Sequence[Import]
    """What the notebook imports."""
    beside: str
    """The folder of the template in the project: what it opens by a relative path lies there."""
    laid: dict[str, str] = field(default_factory=dict)
    """Each file by its name in the closure, with its place in the folder."""

    def lay(self, sources: Mapping[str, bytes]) -> None:
        """Lay files by their names in a closure."""
        imported = {found.module.partition(".")[0] for found in self.imports if not found.level}
        for data in (data for name, data in sources.items() if name.endswith(".py")):
            imported |= {found.module.partition(".")[0] for found in _imports(data) if not found.level}
        for name, data in sources.items():
            parts = PurePosixPath(name).parts
            if PurePosixPath(name).is_absolute() or ".." in parts:
                continue
            self.laid[name] = self._place(parts, imported)
            write(self.folder / self.laid[name], data)
        engine = self.folder / _ENGINE
        if engine.is_dir() and not (engine / "__init__.py").exists():
            write(engine / "__init__.py", _BOTH.encode())

    def complete(self, root: Path) -> tuple[list[str], list[str]]:
        """Lay from the project at `root` what the files import and nobody kept, because nothing of it counted.

        Returns the names of the files that were laid so, and of the modules that are not there either.
        """
        roots = sorted({root, *(root / name.removesuffix(place) for name, place in self.laid.items())})
        taken: list[str] = []
        absent: dict[str, bool] = {}
        while wanted := {name: sure for name, sure in sorted(self._wanted(roots)) if name not in absent}:
            for name, is_certain in wanted.items():
                found = [(at / path, path) for at in roots for path in _paths(name) if (at / path).is_file()]
                if found:
                    taken.append(found[0][1])
                    write(self.folder / found[0][1], found[0][0].read_bytes())
                else:
                    absent[name] = is_certain and not (self.folder / _dir(name)).is_dir()
        return taken, [name for name, is_missed in absent.items() if is_missed]

    def _place(self, parts: tuple[str, ...], imported: set[str]) -> str:
        """Where a file is found: from the first of its folders that an import names, else beside the notebook."""
        for start, part in enumerate(parts):
            if (part if start < len(parts) - 1 else part.removesuffix(".py")) in imported:
                return "/".join(parts[start:])
        return "/".join(parts).removeprefix(f"{self.beside}/")

    def _wanted(self, roots: Sequence[Path]) -> Iterator[tuple[str, bool]]:
        """The project's own modules that something imports and that do not lie in the folder, and whether they must."""
        for package, imports in [("", self.imports), *self._read()]:
            for name, is_certain in _targets(package, imports):
                is_laid = any((self.folder / path).is_file() for path in _paths(name))
                if not is_laid and self._is_own(name, roots):
                    yield name, is_certain

    def _read(self) -> Iterator[tuple[str, Iterable[Import]]]:
        for path in sorted(self.folder.rglob("*.py")):
            place = path.relative_to(self.folder)
            if place.as_posix() != f"{_ENGINE}/__init__.py":
                yield ".".join(place.parent.parts), _imports(path.read_bytes())

    def _is_own(self, name: str, roots: Sequence[Path]) -> bool:
        """Whether a module belongs to a package of which something lies in the folder, or to the project as it is."""
        top, *rest = name.split(".")
        if top == _ENGINE:
            return bool(rest) and (self.folder / _ENGINE / rest[0]).is_dir()
        places = [self.folder / top, *(at / path for at in roots for path in _paths(top))] if top else []
        return any(place.exists() for place in places)


def imports_of(template: Template) -> list[Import]:
    """What the cells of a template import."""
    cells = (template.notebook["cells"][index]["source"] for index in template.code_cells)
    return [found for cell in cells for found in _imports(plain(cell))]


def _imports(source: str | bytes) -> list[Import]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    return list(_run(tree.body, is_certain=True))


def _run(body: Iterable[ast.AST], is_certain: bool) -> Iterator[Import]:
    """The imports among statements; what a function imports when it is called counts with the function."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from (Import(0, alias.name, (), is_certain) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield Import(node.level, node.module or "", tuple(alias.name for alias in node.names), is_certain)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.expr):
            yield from _run(ast.iter_child_nodes(node), is_certain=False)


def _targets(package: str, imports: Iterable[Import]) -> Iterator[tuple[str, bool]]:
    """What a module of a package imports, with the packages around it, and whether each must be a module."""
    for found in imports:
        above = package.split(".")[: len(package.split(".")) - (found.level - 1)] if found.level else []
        base = ".".join(filter(None, [*above, found.module]))
        parts = base.split(".")
        yield from (
            (".".join(parts[:end]), found.is_certain and end == len(parts)) for end in range(1, len(parts) + 1) if base
        )
        yield from ((f"{base}.{name}", False) for name in found.names if base and name != "*")


def _dir(name: str) -> str:
    return name.replace(".", "/")


def _paths(name: str) -> tuple[str, str]:
    """The files that a module can be."""
    return f"{_dir(name)}.py", f"{_dir(name)}/__init__.py"
