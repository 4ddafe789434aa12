"""The code closure of a task: every definition of the project's own code that it can reach, and what it imports of others.

The grain is the statement of a module's top level: a function, a class, an assignment. From those that are reached first,
every name leads to the statements that bind it, in whatever module, and to those that change it in place while modules are
imported. What a module does to others while it is imported counts wherever the module is loaded. A task that is named only
where another one requires it is an input, whose result counts, and not its code.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workflows.identity.canonical import digest, digest_bytes
from workflows.identity.modules import Module, Modules, parents
from workflows.identity.outline import EVERYTHING, IMPORTED, Outline, Unit


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

    @classmethod
    def of_file(cls, name: str, found: str, source: bytes) -> Code:
        """A single file that counts whole, by a digest."""
        return cls({name: found}, frozenset(), {name: {"": found}}, {name: source})

    def record(self) -> dict[str, Any]:
        """What the store keeps of it under its digest; the sources lie beside it under their own."""
        return {
            "digest": self.digest,
            "files": self.files,
            "definitions": self.definitions,
            "sources": {name: digest_bytes(data) for name, data in self.sources.items()},
            "undecided": self.undecided,
        }


@dataclass
class CodeIndex:
    """The closures that start in the project's own modules."""

    modules: Modules
    tasks: set[tuple[str, str]] = field(default_factory=set)
    """The tasks, each by module and name, whose results are stored under versions of their own."""
    _effects: dict[tuple[str, int], _Effect] = field(default_factory=dict)

    def of_definitions(self, names: Iterable[tuple[str, str]], around: Iterable[str] = ()) -> Code:
        """The closure of definitions, each given by module and name; `around` are further modules of the process.

        A module that has no statement for a name counts whole.
        """
        closure = _Closure(self)
        for module, name in names:
            closure.start(module, name.partition(".")[0])
        for module in around:
            closure.load(module)
        return closure.code()

    def of_notebook(self, path: Path, name: str, cells: Outline, source: bytes, samples: Iterable[str] = ()) -> Code:
        """The closure of a template's cells, all of which run; counted under a name. `samples` are no data of its own."""
        closure = _Closure(self)
        closure.notebook(Module("", path, cells, source), set(samples))
        return Code.of_file(name, cells.digest, source) | closure.code()

    def files(self, names: Iterable[str]) -> dict[str, str]:
        """Every module that these import, directly or through others, whole; by file, with its digest."""
        found: dict[str, str] = {}
        waiting, seen = list(names), set()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            waiting += parents(name)
            module = self.modules.get(name)
            if module is not None:
                found[self.modules.label(module)] = module.outline.digest
                for unit in module.outline.units:
                    waiting += _loaded(module, [*unit.loads, *unit.loads_inside])
        return found

    # How names are followed

    def resolve(self, module: Module, reference: str) -> Iterator[_Found]:
        """What a reference in a module stands for: statements of own modules on the way, whole modules, foreign names."""
        if reference.startswith(IMPORTED):
            yield from self._imported(module, reference)
            return
        name, _, rest = reference.partition(".")
        yield from self._named(module, name, rest, frozenset())

    def _named(self, module: Module, name: str, rest: str, seen: frozenset[tuple[str, str]]) -> Iterator[_Found]:
        """A name of a module's top level, and what follows it in the chain."""
        if (module.name, name) in seen:
            return
        seen |= {(module.name, name)}
        bound = [number for number, unit in enumerate(module.outline.units) if name in unit.names]
        if bound or not module.outline.stars:
            yield _Found(module, name, rest, tuple(bound))
        for number in bound:
            for target in module.outline.units[number].targets.get(name, ()):
                yield from self._imported(module, f"{target}.{rest}" if rest else target, seen)
        if not bound:
            for star in module.outline.stars:
                yield from self._starred(module, star, name, rest, seen)

    def _starred(
        self, module: Module, star: str, name: str, rest: str, seen: frozenset[tuple[str, str]]
    ) -> Iterator[_Found]:
        base = _absolute(module, star)[0]
        source = self.modules.get(base)
        if source is None:
            yield _Found(None, base.partition(".")[0], "")
        elif not name.startswith("__"):
            yield from self._named(source, "__all__", "", seen)
            yield from self._named(source, name, rest, seen)

    def _imported(
        self, module: Module, reference: str, seen: frozenset[tuple[str, str]] = frozenset()
    ) -> Iterator[_Found]:
        """An import, and the attributes taken from it: first those that are modules, then a name in the last of them."""
        base, chain = _absolute(module, reference)
        parts = [part for part in chain.split(".") if part]
        if not base:
            return
        while parts and parts[0] != EVERYTHING:
            source = self.modules.get(base)
            is_bound = source is not None and any(parts[0] in unit.names for unit in source.outline.units)
            # A package that imports its own module under the module's name binds nothing else by it.
            if (is_bound and (base, parts[0]) not in seen) or not self.modules.exists(f"{base}.{parts[0]}"):
                break
            base = f"{base}.{parts.pop(0)}"
        source = self.modules.get(base)
        if source is None:
            yield _Found(None, base.partition(".")[0], "")
        elif not parts:
            yield _Found(source, EVERYTHING, "")
        elif parts[0] == EVERYTHING:
            yield from (_Found(below, EVERYTHING, "") for below in (source, *self.modules.below(base)))
        else:
            yield from self._attribute(source, parts, seen)

    def _attribute(self, source: Module, parts: list[str], seen: frozenset[tuple[str, str]]) -> Iterator[_Found]:
        name, rest = parts[0], ".".join(parts[1:])
        is_known = source.outline.stars or any(name in unit.names for unit in source.outline.units)
        if name == "__dict__":
            yield _Found(source, EVERYTHING, "")
        elif not is_known and any("__getattr__" in unit.names for unit in source.outline.units):
            yield from self._named(source, "__getattr__", "", seen)
        yield from self._named(source, name, rest, seen)

    # What statements do while they are imported

    def effect(self, module: Module, number: int) -> _Effect:
        """What a statement does to others when its module is imported."""
        key = (module.name, number)
        if key not in self._effects:
            self._effects[key] = _Effect(set(), False)
            self._effects[key] = self._read_effect(module, module.outline.units[number])
        return self._effects[key]

    def _read_effect(self, module: Module, unit: Unit) -> _Effect:
        changed: set[tuple[str, str]] = set()
        is_abroad = "?" in unit.bare
        for reference in unit.changes:
            for found in self.resolve(module, reference):
                if found.module is None:
                    is_abroad = True
                elif not found.is_way_to_import:
                    changed.add((found.module.name, found.name))
        for reference in (*unit.runs, *unit.bare):
            for found in self.resolve(module, reference):
                if found.module is None:
                    # A method of an object that was made abroad is a change of the object, not of the world.
                    is_abroad = is_abroad or reference in unit.bare
                    continue
                inner = self._inside(found, set())
                changed |= inner.changed
                is_abroad = is_abroad or (
                    reference in unit.bare and found.is_callable and (inner.is_abroad or not inner.changed)
                )
        return _Effect({name for name in changed if name[1] not in unit.names or name[0] != module.name}, is_abroad)

    def _inside(self, found: _Found, seen: set[tuple[str, int]]) -> _Effect:
        """What calling a definition does to others, through everything it calls."""
        changed: set[tuple[str, str]] = set()
        is_abroad = False
        module = found.module
        for number in found.units if module else ():
            assert module is not None
            unit = module.outline.units[number]
            if (module.name, number) in seen or unit.targets:
                continue
            seen.add((module.name, number))
            for reference in unit.changes_inside:
                for target in self.resolve(module, reference):
                    if target.module is None:
                        is_abroad = True
                    elif not target.is_way_to_import:
                        changed.add((target.module.name, target.name))
            for reference in (*unit.uses, *unit.uses_required):
                for below in self.resolve(module, reference):
                    if below.module is None:
                        is_abroad = is_abroad or reference in unit.bare_inside
                    elif below.is_callable:
                        inner = self._inside(below, seen)
                        changed |= inner.changed
                        is_abroad = is_abroad or inner.is_abroad
        return _Effect(changed, is_abroad)


@dataclass(frozen=True)
class _Effect:
    """What a statement does to others while it is imported."""

    changed: set[tuple[str, str]]
    """The names, each of a module, whose objects it changes in place."""
    is_abroad: bool
    """Whether it changes what is not the project's, which everybody in the process may see."""


@dataclass(frozen=True)
class _Found:
    """What a reference stands for, or passes on its way."""

    module: Module | None
    """None for a foreign module, whose top-level name is `name`."""
    name: str
    """The name in the module, or EVERYTHING where the module itself is meant."""
    rest: str
    """What of the chain follows the name."""
    units: tuple[int, ...] = ()
    """The statements that bind the name."""

    @property
    def is_way_to_import(self) -> bool:
        """Whether the name only stands for another module's."""
        return bool(self.units) and all(self.name in self._unit(number).targets for number in self.units)

    @property
    def is_callable(self) -> bool:
        """Whether the name is a function's or a class's."""
        return any(self._unit(number).is_definition for number in self.units)

    def _unit(self, number: int) -> Unit:
        assert self.module is not None
        return self.module.outline.units[number]


class _Closure:
    """One closure in the making."""

    def __init__(self, index: CodeIndex) -> None:
        self._index = index
        self._modules = index.modules
        # Under each statement whether the tasks that it names count as code.
        self._reached: dict[str, dict[int, bool]] = defaultdict(dict)
        self._whole: dict[str, str] = {}
        self._names: dict[tuple[str, str], bool] = {}
        self._bindings: dict[str, dict[str, str]] = defaultdict(dict)
        self._loaded: set[str] = set()
        self._changers: dict[tuple[str, str], list[tuple[Module, int]]] = defaultdict(list)
        self._foreign: set[str] = set()
        self._files: dict[str, bytes] = {}
        self._known: dict[str, Module] = {}
        self._waiting: list[tuple[Module, Unit, bool]] = []
        self._samples: set[str] = set()

    def start(self, name: str, definition: str) -> None:
        """Begin with a definition; its module counts whole where it has none of that name."""
        module = self._modules.get(name)
        if module is None:
            self._foreign.add(name.partition(".")[0])
            return
        self.load(name)
        if any(definition in unit.names for unit in module.outline.units):
            self._follow(module, definition)
        else:
            self._count_whole(module, f"nothing in it is named {definition}" if definition else "")

    def notebook(self, cells: Module, samples: set[str]) -> None:
        """Begin with the cells of a notebook."""
        self._samples = samples
        for unit in cells.outline.units:
            self._waiting.append((cells, unit, True))

    def load(self, name: str) -> None:
        """A module is imported, and with it the packages around it and what it imports itself."""
        waiting = [name]
        while waiting:
            found = waiting.pop()
            if found in self._loaded:
                continue
            self._loaded.add(found)
            module = self._modules.get(found)
            waiting += parents(found)
            if module is None:
                continue
            if module.is_extension:
                self._count_whole(module, "")
            for number, unit in enumerate(module.outline.units):
                waiting += _loaded(module, unit.loads)
                self._meet(module, number, unit)

    def _meet(self, module: Module, number: int, unit: Unit) -> None:
        """What a statement of a loaded module does to others."""
        effect = self._index.effect(module, number)
        for name in effect.changed:
            self._changers[name].append((module, number))
            if name in self._names or (name[1] == EVERYTHING and name[0] in self._reached):
                self._reach(module, number)
        if effect.is_abroad or self._is_for_effect(module, unit):
            self._reach(module, number)

    def _is_for_effect(self, module: Module, unit: Unit) -> bool:
        """Whether a foreign module is imported for what importing it does: nothing in the module names it."""
        if not unit.targets or unit.uses or len(unit.names) != 1 or module.path.name == "__init__.py":
            return False
        name = unit.names[0]
        target = unit.targets[name][0]
        base = _absolute(module, target)[0]
        if not target.endswith(":") or base in sys.stdlib_module_names or self._modules.get(base):
            return False
        used = (use.partition(".")[0] for other in module.outline.units for use in other.uses)
        return name not in used

    def _run(self) -> None:
        while self._waiting:
            module, unit, is_full = self._waiting.pop()
            for name in _loaded(module, [*unit.loads, *unit.loads_inside]):
                self.load(name)
                self._meet_foreign(name)
            for reference in unit.uses:
                self._follow(module, reference, is_full)
            for reference in unit.uses_required:
                self._follow(module, reference, False)
            for name in unit.files:
                self._file(module, name)
            if unit.undecided and module.name:
                self._count_whole(module, unit.undecided)

    def _meet_foreign(self, name: str) -> None:
        top = name.partition(".")[0]
        if self._modules.get(top) is None and self._modules.get(name) is None:
            self._foreign.add(top)

    def _follow(self, module: Module, reference: str, is_full: bool = True) -> None:
        for found in self._index.resolve(module, reference):
            if found.module is None:
                self._foreign.add(found.name)
            elif found.name == EVERYTHING:
                self._count_whole(found.module, "it is used as an object")
            else:
                self._name(found.module, found, is_full)

    def _name(self, module: Module, found: _Found, is_full: bool) -> None:
        name = (module.name, found.name)
        is_new = name not in self._names or self._names[name] < is_full
        is_input = not is_full and name in self._index.tasks
        if module.name and is_new and not is_input:
            self._names[name] = is_full
            self.load(module.name)
            for key in ((module.name, found.name), (module.name, EVERYTHING)):
                for changer, number in self._changers[key]:
                    self._reach(changer, number, is_full)
            for number in found.units:
                unit = module.outline.units[number]
                for target in unit.targets.get(found.name, ()):
                    self._bind(module, found.name, target)
                if not _is_plain_import(unit):
                    self._reach(module, number, is_full)
            self._decide(module)

    def _decide(self, module: Module) -> None:
        """A module that binds names in ways that its text does not show counts whole."""
        for unit in module.outline.units:
            if unit.undecided_now:
                self._count_whole(module, unit.undecided)

    def _bind(self, module: Module, name: str, target: str) -> None:
        self._known[module.name] = module
        self._bindings[module.name][name] = digest([*_absolute(module, target)])

    def _reach(self, module: Module, number: int, is_full: bool = True) -> None:
        self._known[module.name] = module
        reached = self._reached[module.name]
        if number not in reached or reached[number] < is_full:
            reached[number] = is_full
            self._waiting.append((module, module.outline.units[number], is_full))

    def _count_whole(self, module: Module, why: str) -> None:
        self._known[module.name] = module
        if module.name in self._whole:
            return
        self._whole[module.name] = why
        self.load(module.name)
        for number, unit in enumerate(module.outline.units):
            self._reach(module, number)
            for name in unit.names:
                # A module that it only imports does not count whole with it.
                if not any(target.endswith(":") for target in unit.targets.get(name, ())):
                    self._follow(module, name)
        for star in module.outline.stars:
            self._follow(module, star)

    def _file(self, module: Module, name: str) -> None:
        """A text in the code that names a file beside the module, above it, or in the project, which is then read."""
        if name in self._samples:
            return
        for path in self._candidates(module.path.parent, name):
            found = path.resolve()
            if found.is_file() and found != module.path:
                inside = found.is_relative_to(self._modules.root.resolve())
                beside = "/".join([*module.name.split(".")[:-1], name])
                shown = found.relative_to(self._modules.root.resolve()).as_posix() if inside else beside
                self._files[shown] = found.read_bytes()
                return

    def _candidates(self, folder: Path, name: str) -> Iterator[Path]:
        root = self._modules.root.resolve()
        while True:
            yield folder / name
            if folder == root or root not in folder.parents:
                break
            folder = folder.parent
        yield root / name

    def code(self) -> Code:
        """What was found."""
        self._run()
        files: dict[str, str] = {}
        definitions: dict[str, dict[str, str]] = {}
        sources: dict[str, bytes] = {}
        undecided: dict[str, str] = {}
        documented = any(
            module.outline.units[number].reads_docs
            for module in self._known.values()
            for number in self._reached[module.name]
        )
        for name, module in sorted(self._known.items()):
            label = self._modules.label(module)
            if name in self._whole:
                definitions[label] = {"": module.outline.digest}
                files[label] = module.outline.digest
                if self._whole[name]:
                    undecided[label] = self._whole[name]
            else:
                definitions[label], files[label] = self._digests(module, documented)
            sources[label] = module.source
        for label, data in self._files.items():
            files[label], sources[label] = digest_bytes(data), data
            definitions[label] = {"": files[label]}
        foreign = frozenset(self._foreign - sys.stdlib_module_names - {""})
        return Code(dict(sorted(files.items())), foreign, definitions, sources, undecided)

    def _digests(self, module: Module, documented: bool) -> tuple[dict[str, str], str]:
        """The digest of each definition that is reached, and of all of them."""
        units = [module.outline.units[number] for number in sorted(self._reached[module.name])]
        found: dict[str, list[str]] = defaultdict(list)
        for unit in units:
            for name in unit.names or [_described(unit)]:
                found[name].append(unit.documented if documented else unit.digest)
        for name, bound in self._bindings[module.name].items():
            found[name].append(bound)
        named = {name: digests[0] if len(digests) == 1 else digest(digests) for name, digests in sorted(found.items())}
        return named, digest([named, _ordered(units)])


def _ordered(units: list[Unit]) -> list[str]:
    """The digests, in order, of the statements whose order matters: those that touch what more than one of them makes."""
    touched: dict[str, int] = defaultdict(int)
    for unit in units:
        for name in {*unit.names, *(_first(change) for change in unit.changes)}:
            touched[name] += 1
    several = {name for name, times in touched.items() if times > 1}
    found = [
        unit.digest
        for unit in units
        if several & {*unit.names, *map(_first, unit.changes), *map(_first, unit.now), *map(_first, unit.runs)}
    ]
    return found if len(found) > 1 else []


def _first(reference: str) -> str:
    return reference.partition(".")[0]


def _described(unit: Unit) -> str:
    """A name for a statement that binds none."""
    changed = next(iter(unit.changes), "")
    return f"what changes {changed.removeprefix(IMPORTED)}" if changed else "what runs on import"


def _is_plain_import(unit: Unit) -> bool:
    return bool(unit.targets) and not unit.uses and set(unit.names) == set(unit.targets) and not unit.is_compound


def _absolute(module: Module, reference: str) -> tuple[str, str]:
    """The module that a reference imports from, and what follows."""
    base, _, chain = reference.removeprefix(IMPORTED).partition(":")
    name = base.lstrip(".")
    if level := len(base) - len(name):
        above = module.package.split(".")
        kept = above[: len(above) - (level - 1)]
        name = ".".join([*kept, name] if name else kept)
    return name, chain


def _loaded(module: Module, references: Iterable[str]) -> list[str]:
    """The modules that these imports load."""
    found = []
    for reference in references:
        base, chain = _absolute(module, reference)
        found += [base, f"{base}.{chain}"] if chain else [base]
    return [name for name in found if name]
