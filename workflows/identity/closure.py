"""The code closure of a task: every definition of the project's own code that it can reach, and what it imports of others.

The grain is the statement of a module's top level: a function, a class, an assignment. From those that are reached first,
every name leads to the statements that bind it, in whatever module, and to those that change it in place while modules are
imported. What a module does to others while it is imported counts wherever the module is loaded. A task that is named only
where another one requires it is an input, whose result counts, and not its code.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from workflows.identity.canonical import digest, digest_bytes
from workflows.identity.changes import CodeState
from workflows.identity.effects import Effects
from workflows.identity.kept import Kept
from workflows.identity.modules import Module, Modules
from workflows.identity.named_files import NamedFiles
from workflows.identity.names import Names, loaded_by
from workflows.identity.reach import Reach
from workflows.identity.scopes import IMPORTED
from workflows.identity.specs import parents
from workflows.identity.unit import Unit


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
    """The bytes of each file, as they were read when it was digested, and of those that it imports and that do not count."""
    undecided: dict[str, str] = field(default_factory=dict, compare=False)
    """The files that count whole because their reach cannot be decided, each with the reason."""

    @cached_property
    def digest(self) -> str:
        """The code digest: over the files' digests and their names."""
        return digest(self.files)

    def __or__(self, other: Code) -> Code:
        return Code(
            dict(sorted({**self.files, **other.files}.items())),
            self.imports | other.imports,
            {**self.definitions, **other.definitions},
            {**self.sources, **other.sources},
            {**self.undecided, **other.undecided},
        )

    @classmethod
    def of_file(cls, name: str, found: str, source: bytes, why: str = "") -> Code:
        """A single file that counts whole, by a digest; `why` where its reach cannot be decided."""
        return cls({name: found}, frozenset(), {name: {"": found}}, {name: source}, {name: why} if why else {})

    def as_json(self) -> dict[str, Any]:
        """What a look-up keeps of it: everything but the bytes."""
        return {
            "files": self.files,
            "imports": sorted(self.imports),
            "definitions": self.definitions,
            "sources": list(self.sources),
            "undecided": self.undecided,
        }

    @classmethod
    def from_json(cls, known: dict[str, Any], sources: Mapping[str, bytes]) -> Code:
        """The closure that `as_json` gave, with its files' bytes."""
        found = {name: sources[name] for name in known["sources"]}
        return cls(known["files"], frozenset(known["imports"]), known["definitions"], found, known["undecided"])

    @property
    def state(self) -> CodeState:
        """What it reaches, for comparing it with another."""
        return CodeState(self.files, self.definitions)

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
    _effects: Effects = field(init=False)
    _files: NamedFiles = field(init=False)
    _kept: Kept = field(init=False)

    def __post_init__(self) -> None:
        self._effects = Effects(Names(self.modules))
        self._files = NamedFiles(self.modules)
        self._kept = Kept(self.modules, self._files)

    def of_definitions(self, names: Iterable[tuple[str, str]], around: Iterable[str] = ()) -> Code:
        """The closure of definitions, each given by module and name; `around` are further modules of the process.

        A module that has no statement for a name counts whole.
        """
        names, around = list(names), list(around)

        def work_out() -> Code:
            reach = self._reach()
            for module, name in names:
                reach.start(module, name.partition(".")[0])
            for module in around:
                reach.load(module)
            return self._code(reach)

        return self._once([names, around], work_out)

    def of_notebook(self, cells: Module, name: str, samples: Iterable[str] = ()) -> Code:
        """The closure of a template's cells, all of which run; counted under a name. `samples` are no data of its own."""
        unread = set(samples)

        def work_out() -> Code:
            reach = self._reach()
            reach.notebook(cells, unread)
            why = next((unit.undecided for unit in cells.outline.units if unit.undecided), "")
            return Code.of_file(name, cells.outline.digest, cells.source, why) | self._code(reach)

        return self._once([digest_bytes(cells.source), name, sorted(unread)], work_out, {name: cells.source})

    def files(self, names: Iterable[str]) -> dict[str, str]:
        """Every module that these import, directly or through others, whole; by file, with its digest."""
        names = list(names)
        key = digest(["files", names])
        known: dict[str, str] | None = self._kept.get(key)
        if known is None:
            known = self._imported(names)
            self._kept.put(key, known)
        return known

    def _imported(self, waiting: list[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        waiting, seen = list(waiting), set()
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
                    waiting += loaded_by(module, [*unit.loads, *unit.loads_inside])
        return found

    def _once(
        self, question: list[Any], work_out: Callable[[], Code], sources: Mapping[str, bytes] | None = None
    ) -> Code:
        """The answer to a question that names all that is asked beside the modules; `sources` are not among theirs."""
        key = digest([*question, sorted(self.tasks)])
        known = self._kept.get(key)
        if known is None:
            code = work_out()
            self._kept.put(key, code.as_json())
            return code
        return Code.from_json(known, {**self.modules.sources(), **self._files.sources, **(sources or {})})

    def _reach(self) -> Reach:
        return Reach(self._effects, self._files, self.tasks)

    def _code(self, reach: Reach) -> Code:
        """What was reached, digested."""
        reach.finish()
        found = Code({}, frozenset(reach.foreign - sys.stdlib_module_names - {""}))
        units = [
            module.outline.units[number] for module in reach.known.values() for number in reach.reached[module.name]
        ]
        documented = any(unit.reads_docs for unit in units)
        for name, module in reach.known.items():
            label = self.modules.label(module)
            if name in reach.whole:
                found |= Code.of_file(label, module.outline.digest, module.source, reach.whole[name])
            else:
                named, both = _digests(reach, module, documented)
                found |= Code({label: both}, frozenset(), {label: named}, {label: module.source})
        for label, data in reach.files.items():
            found |= Code.of_file(label, digest_bytes(data), data)
        return found | Code({}, frozenset(), {}, self._beside(reach))

    def _beside(self, reach: Reach) -> dict[str, bytes]:
        """The modules that are imported and of which nothing counts: without them the others could not be imported again."""
        modules = (self.modules.get(name) for name in sorted(reach.loaded - reach.known.keys()))
        return {self.modules.label(module): module.source for module in modules if module}


def _digests(reach: Reach, module: Module, documented: bool) -> tuple[dict[str, str], str]:
    """The digest of each definition that is reached in a module, and that of all of them."""
    units = [module.outline.units[number] for number in sorted(reach.reached[module.name])]
    found: dict[str, list[str]] = defaultdict(list)
    for unit in units:
        for name in unit.names or [_described(unit)]:
            found[name].append(unit.documented if documented else unit.digest)
    for name, bound in reach.bindings[module.name].items():
        found[name].append(bound)
    named = {name: digests[0] if len(digests) == 1 else digest(digests) for name, digests in sorted(found.items())}
    return named, digest([named, _ordered(units)])


def _ordered(units: list[Unit]) -> list[Any]:
    """What of the order counts: that of the statements which make or change one name, and which of them come before one
    that uses the name while the module is imported."""
    touching: dict[str, list[Unit]] = defaultdict(list)
    for unit in units:
        for name in {*unit.names, *(_first(change) for change in unit.changes)}:
            touching[name].append(unit)
    several = {name: found for name, found in sorted(touching.items()) if len(found) > 1}
    sequences = [[unit.digest for unit in found] for found in several.values()]
    uses = [
        [unit.digest, name, sum(units.index(other) < number for other in found)]
        for number, unit in enumerate(units)
        for name, found in several.items()
        if unit not in found and name in {_first(use) for use in (*unit.now, *unit.runs)}
    ]
    return [sequences, sorted(uses)] if several else []


def _first(reference: str) -> str:
    return reference.partition(".")[0]


def _described(unit: Unit) -> str:
    """A name for a statement that binds none."""
    changed = next(iter(unit.changes), "")
    return f"what changes {changed.removeprefix(IMPORTED)}" if changed else "what runs on import"
