"""What can be reached from some definitions: statements of the project's own modules, whole modules, files, foreign names."""

from __future__ import annotations

import sys
from collections import defaultdict

from workflows.identity.canonical import digest
from workflows.identity.effects import Effects
from workflows.identity.modules import Module
from workflows.identity.named_files import NamedFiles
from workflows.identity.names import Found, absolute, loaded_by
from workflows.identity.specs import parents
from workflows.identity.unit import EVERYTHING, UNKNOWN, Unit

AS_OBJECT = "it is used as an object"
_EVALUATING = frozenset({"eval()", "exec()"})
# Whose state every task sees, because the engine itself uses them; that of other modules is seen by who imports them, and
# by other people's packages, of which nobody knows what they import.
_SHARED = frozenset(
    [
        "builtins",
        "codecs",
        "collections",
        "copyreg",
        "datetime",
        "decimal",
        "functools",
        "gc",
        "importlib",
        "io",
        "itertools",
        "json",
        "locale",
        "luigi",
        "math",
        "numpy",
        "operator",
        "os",
        "pandas",
        "pandera",
        "pathlib",
        "pyarrow",
        "re",
        "sys",
        "tempfile",
        "threading",
        "time",
        "types",
        "warnings",
        "workflows",
    ]
)


class Reach:
    """What is reached, growing from where it starts; `tasks` are inputs where they are only required."""

    def __init__(self, effects: Effects, named_files: NamedFiles, tasks: set[tuple[str, str]]) -> None:
        self._effects, self._named_files, self._tasks = effects, named_files, tasks
        self._names_of = effects.names
        self._modules = effects.names.modules
        self.known: dict[str, Module] = {}
        """The modules of which anything is reached."""
        self.reached: dict[str, dict[int, bool]] = defaultdict(dict)
        """Of each module the statements that are reached, each with whether the tasks that it names count as code."""
        self.bindings: dict[str, dict[str, str]] = defaultdict(dict)
        """Of each module the imported names that are passed on the way, with a digest of what they stand for."""
        self.whole: dict[str, str] = {}
        """The modules that count whole, each with the reason, if it is one to tell."""
        self.foreign: set[str] = set()
        """The top-level names of the foreign modules that are imported."""
        self.files: dict[str, bytes] = {}
        """The files that texts in the code name."""
        self._names: dict[tuple[str, str], bool] = {}
        self.loaded: set[str] = set()
        """The names of the modules that are imported on the way, the project's own and foreign ones."""
        self._changers: dict[tuple[str, str], list[tuple[Module, int]]] = defaultdict(list)
        self._waiting: list[tuple[Module, Unit, bool]] = []
        self._samples: set[str] = set()
        self._abroad: list[tuple[Module, int, set[str]]] = []

    def start(self, name: str, definition: str) -> None:
        """Begin with a definition; its module counts whole where it has none of that name."""
        module = self._modules.get(name)
        if module is None:
            self.foreign.add(name.partition(".")[0])
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
            if found in self.loaded:
                continue
            self.loaded.add(found)
            module = self._modules.get(found)
            waiting += parents(found)
            if module is None:
                continue
            for number, unit in enumerate(module.outline.units):
                waiting += loaded_by(module, unit.loads)
                self._meet(module, number, unit)

    def _meet(self, module: Module, number: int, unit: Unit) -> None:
        """What a statement of a loaded module does to others."""
        effect = self._effects.of(module, number)
        for name in effect.changed:
            self._changers[name].append((module, number))
            if name in self._names or (name[1] == EVERYTHING and name[0] in self.reached):
                self._reach(module, number)
        if self._is_for_effect(module, unit):
            self._reach(module, number)
        elif effect.abroad:
            self._abroad.append((module, number, effect.abroad))

    def _is_for_effect(self, module: Module, unit: Unit) -> bool:
        """Whether a foreign module is imported for what importing it does: nothing in the module names it."""
        if not unit.targets or unit.uses or len(unit.names) != 1 or module.path.name == "__init__.py":
            return False
        name = unit.names[0]
        target = unit.targets[name][0]
        base = absolute(module, target)[0]
        if not target.endswith(":") or base in sys.stdlib_module_names or self._modules.get(base):
            return False
        used = (use.partition(".")[0] for other in module.outline.units for use in other.uses)
        return name not in used

    def finish(self) -> None:
        """Follow everything that is still to be followed."""
        while self._waiting or self._meet_abroad():
            module, unit, is_full = self._waiting.pop()
            for name in loaded_by(module, [*unit.loads, *unit.loads_inside]):
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

    def _meet_abroad(self) -> bool:
        """Reach the statements that change foreign modules which what is reached may see; whether there are any."""
        apart = self.foreign <= _SHARED | sys.stdlib_module_names
        waiting, self._abroad = self._abroad, []
        for module, number, changed in waiting:
            if apart and not changed & (_SHARED | self.foreign | {UNKNOWN}):
                self._abroad.append((module, number, changed))
            else:
                self._reach(module, number)
        return bool(self._waiting)

    def _meet_foreign(self, name: str) -> None:
        top = name.partition(".")[0]
        if self._modules.get(top) is None and self._modules.get(name) is None:
            self.foreign.add(top)

    def _follow(self, module: Module, reference: str, is_full: bool = True) -> None:
        for found in self._names_of.resolve(module, reference):
            if found.module is None:
                self.foreign.add(found.name)
            elif found.name == EVERYTHING:
                self._count_whole(found.module, AS_OBJECT)
            else:
                self._name(found.module, found, is_full)

    def _name(self, module: Module, found: Found, is_full: bool) -> None:
        name = (module.name, found.name)
        is_new = name not in self._names or self._names[name] < is_full
        is_input = not is_full and name in self._tasks
        if module.name and is_new and not is_input:
            self._names[name] = is_full
            self.load(module.name)
            if module.is_extension:
                self._count_whole(module, "")
            if "__globals__" in found.rest:
                self._count_whole(module, "__globals__")
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
        self.known[module.name] = module
        self.bindings[module.name][name] = digest([*absolute(module, target)])

    def _reach(self, module: Module, number: int, is_full: bool = True) -> None:
        self.known[module.name] = module
        reached = self.reached[module.name]
        if number not in reached or reached[number] < is_full:
            reached[number] = is_full
            self._waiting.append((module, module.outline.units[number], is_full))

    def _count_whole(self, module: Module, why: str) -> None:
        self.known[module.name] = module
        if module.name in self.whole:
            return
        self.whole[module.name] = why
        self.load(module.name)
        for number, unit in enumerate(module.outline.units):
            self._reach(module, number)
            for name in unit.names:
                # A module that it only imports does not count whole with it, unless text is evaluated that may name it.
                if why in _EVALUATING or not any(target.endswith(":") for target in unit.targets.get(name, ())):
                    self._follow(module, name)
        for star in module.outline.stars:
            self._follow(module, star)
        if why == AS_OBJECT:
            # The modules in a package are its attributes, too.
            for name in [name for name in self.loaded if name.startswith(f"{module.name}.")]:
                inner = self._modules.get(name)
                if inner is not None:
                    self._count_whole(inner, AS_OBJECT)

    def _file(self, module: Module, text: str) -> None:
        """A text in the code that names a file, which is then read."""
        shown = None if text in self._samples else self._named_files.find(module, text)
        if shown is not None:
            self.files[shown] = self._named_files.sources[shown]


def _is_plain_import(unit: Unit) -> bool:
    return bool(unit.targets) and not unit.uses and set(unit.names) == set(unit.targets) and not unit.is_compound
