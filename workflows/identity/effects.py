"""What statements do to others while their modules are imported: registries filled, modules patched, options set."""

from __future__ import annotations

from dataclasses import dataclass, field

from workflows.identity.modules import Module
from workflows.identity.names import Found, Names
from workflows.identity.unit import Unit


@dataclass(frozen=True)
class Effect:
    """What a statement does to others while it is imported."""

    changed: set[tuple[str, str]]
    """The names, each of a module, whose objects it changes in place."""
    is_abroad: bool
    """Whether it changes what is not the project's, which everybody in the process may see."""


@dataclass
class Effects:
    """What the statements of the project's own modules do, each worked out once."""

    names: Names
    _known: dict[tuple[str, int], Effect] = field(default_factory=dict)

    def of(self, module: Module, number: int) -> Effect:
        """What a statement does to others when its module is imported."""
        key = (module.name, number)
        if key not in self._known:
            self._known[key] = Effect(set(), False)
            self._known[key] = self._read_effect(module, module.outline.units[number])
        return self._known[key]

    def _read_effect(self, module: Module, unit: Unit) -> Effect:
        changed: set[tuple[str, str]] = set()
        is_abroad = "?" in unit.bare
        for reference in unit.changes:
            for found in self.names.resolve(module, reference):
                if found.module is None:
                    is_abroad = True
                elif not found.is_way_to_import:
                    changed.add((found.module.name, found.name))
        for reference in (*unit.runs, *unit.bare):
            for found in self.names.resolve(module, reference):
                if found.module is None:
                    # A method of an object that was made abroad is a change of the object, not of the world.
                    is_abroad = is_abroad or reference in unit.bare
                    continue
                inner = self._inside(found, set())
                changed |= inner.changed
                is_abroad = is_abroad or (
                    reference in unit.bare and found.is_callable and (inner.is_abroad or not inner.changed)
                )
        return Effect({name for name in changed if name[1] not in unit.names or name[0] != module.name}, is_abroad)

    def _inside(self, found: Found, seen: set[tuple[str, int]]) -> Effect:
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
                for target in self.names.resolve(module, reference):
                    if target.module is None:
                        is_abroad = True
                    elif not target.is_way_to_import:
                        changed.add((target.module.name, target.name))
            for reference in (*unit.uses, *unit.uses_required):
                for below in self.names.resolve(module, reference):
                    if below.module is None:
                        is_abroad = is_abroad or reference in unit.bare_inside
                    elif below.is_callable:
                        inner = self._inside(below, seen)
                        changed |= inner.changed
                        is_abroad = is_abroad or inner.is_abroad
        return Effect(changed, is_abroad)
