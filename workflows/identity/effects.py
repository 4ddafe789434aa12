"""What statements do to others while their modules are imported: registries filled, modules patched, options set."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from workflows.identity.modules import Module
from workflows.identity.names import Found, Names
from workflows.identity.objects import Effect, Objects
from workflows.identity.unit import CALLED, EVERYTHING, UNKNOWN, Unit
from workflows.identity.vocabulary import CHANGING, PURE, READING, REGISTERING, TAKING


@dataclass
class Effects:
    """What the statements of the project's own modules do, each worked out once."""

    names: Names
    _known: dict[tuple[str, int], Effect] = field(default_factory=dict)
    _objects: Objects = field(init=False)

    def __post_init__(self) -> None:
        self._objects = Objects(self.names)

    def of(self, module: Module, number: int) -> Effect:
        """What a statement does to others when its module is imported."""
        key = (module.name, number)
        if key not in self._known:
            self._known[key] = self._read(module, module.outline.units[number])
        return self._known[key]

    def _read(self, module: Module, unit: Unit) -> Effect:
        effect = Effect(abroad={UNKNOWN} if UNKNOWN in unit.bare else set())
        for reference in unit.changes:
            effect |= self._objects.change(module, reference)
        for reference in (*unit.changes, *unit.decorates):
            effect |= self._objects.change_held(module, unit, reference, is_sure=reference in unit.changes)
        for reference in unit.decorates:
            # A module's function that is called is followed below; it is no method that changes the module.
            touched = self._objects.change(module, reference, is_sure=False).changed
            effect |= Effect({name for name in touched if name[1] != EVERYTHING})
        for reference in unit.runs:
            # What a method of an object does that was made abroad is its own matter, as is a value that is kept.
            effect |= self._call(module, reference) | self._draw(module, reference) | self._state(module, reference)
        for called, *given in unit.passes:
            effect |= self._pass(module, called, given)
        for reference in unit.kinds if unit.is_class else ():
            effect |= self._subclass(module, reference)
        for reference in unit.registers:
            effect.abroad |= {found.name for found in self.names.resolve(module, reference) if found.module is None}
        for reference in unit.now:
            effect |= Effect(self._read_up(module, reference))
        for reference in unit.bare:
            effect |= self._bare_call(module, reference, effect)
        return Effect(
            {name for name in effect.changed if name[1] not in unit.names or name[0] != module.name}, effect.abroad
        )

    def _pass(self, module: Module, called: str, given: list[str]) -> Effect:
        """What a call changes of what it is given, or its object where it is given a function that does."""
        effect = Effect()
        targets = [(reference, found) for reference in given for found in self.names.resolve(module, reference)]
        if any(self._changes_given(found, set(), called) for found in self.names.resolve(module, called)):
            for reference in given:
                known = [found for one, found in targets if one == reference]
                if not any(found.is_callable or found.is_fixed for found in known):
                    effect |= Effect(self._objects.change(module, reference).changed)
        if any(found.is_callable and not found.is_class and self._changes_given(found, set()) for _, found in targets):
            for reference in filter(None, (called, *given)):
                if not any(found.is_callable or found.is_fixed for found in self.names.resolve(module, reference)):
                    effect |= Effect(self._objects.change(module, reference).changed)
        return effect

    def _subclass(self, module: Module, reference: str) -> Effect:
        """A class of the project's own is changed by those made of it where other people's code keeps a list of them."""
        effect = Effect()
        for found in self.names.resolve(module, reference):
            units = [found.module.outline.units[number] for number in found.units] if found.module else []
            bases = (base.removesuffix(f".{CALLED}") for unit in units if unit.is_class for base in unit.kinds)
            if found.module and any(base.rpartition(".")[2].rpartition(":")[2] in REGISTERING for base in bases):
                effect.changed.add((found.module.name, found.name))
        return effect

    def _state(self, module: Module, reference: str) -> Effect:
        """A call of what a call gave may change it: a counter, a generator."""
        effect = Effect()
        for found in self.names.resolve(module, reference):
            if found.module and not found.rest and found.keeps_state and self._has_state(found):
                effect.changed.add((found.module.name, found.name))
            elif found.module and not found.is_callable and not found.is_way_to_import:
                # A method under another name.
                effect |= self._pass(found.module, "", found.aliases)
                for alias in found.aliases:
                    method = alias.rpartition(".")[2]
                    if "." in alias and method not in READING:
                        effect |= Effect(self._objects.change(found.module, alias, is_sure=method in CHANGING).changed)
        return effect

    def _has_state(self, found: Found) -> bool:
        """Whether what a name binds may remember calls: what the project's own function gave does only if that remembers."""
        assert found.module is not None
        units = [found.module.outline.units[number] for number in found.units]
        makers = [
            (maker, reference)
            for unit in units
            for reference in unit.made_by
            for maker in self.names.resolve(found.module, reference)
        ]
        return not makers or any(self._remembers(maker, reference) for maker, reference in makers)

    def _remembers(self, maker: Found, reference: str) -> bool:
        """Whether what a call gives may change with each use: of our own functions only where they say so themselves."""
        if maker.module is None or not maker.units:
            return self._changes_given(maker, set(), reference)
        if maker.is_class:
            return not self._objects.is_plain(maker.module, f"{maker.name}.{CALLED}")
        return any(maker.module.outline.units[number].changes_locals for number in maker.units)

    def _read_up(self, module: Module, reference: str) -> set[tuple[str, str]]:
        """What is used up by being read while the module is imported."""
        found = (target for target in self.names.resolve(module, reference) if target.module)
        return {(target.module.name, target.name) for target in found if target.module and self._is_iterator(target)}

    def _is_iterator(self, found: Found) -> bool:
        assert found.module is not None
        units = [found.module.outline.units[number] for number in found.units]
        makers = (
            (maker.module.outline.units[number], maker)
            for unit in units
            for made in unit.made_by
            for maker in self.names.resolve(found.module, made)
            if maker.module and not unit.is_definition
            for number in maker.units
        )
        return found.is_iterator or any(unit.is_generator and not maker.rest for unit, maker in makers)

    def _changes_given(self, found: Found, seen: set[tuple[str, int]], called: str = "") -> bool:
        """Whether a call may change what it is given: one of other people's may, one of ours by itself or what it calls."""
        if found.module is None or not found.units:
            name = called.rpartition(".")[2].rpartition(":")[2]
            if found.module is None and found.name in PURE and ".random" not in called:
                return False
            is_known = found.module is not None or found.name in sys.stdlib_module_names
            return bool(name) and name not in TAKING and not (name[0].isupper() and is_known)
        for number in found.units if found.module else ():
            assert found.module is not None
            unit = found.module.outline.units[number]
            if (found.module.name, number) in seen or not unit.is_definition:
                continue
            seen.add((found.module.name, number))
            if unit.changes_locals:
                return True
            below = (target for use in unit.uses for target in self.names.resolve(found.module, use))
            if any(target.is_callable and self._changes_given(target, seen) for target in below if target.module):
                return True
        return False

    def _call(self, module: Module, reference: str) -> Effect:
        effect = Effect()
        for found in self.names.resolve(module, reference):
            if found.module is not None:
                effect |= self._inside(found, set())
        return effect

    def _draw(self, module: Module, reference: str) -> Effect:
        """A random number changes those that are drawn after it."""
        called = reference.rpartition(".")[2].rpartition(":")[2]
        if called == "default_rng" or called[:1].isupper():
            # A generator of its own.
            return Effect()
        abroad = {found.name for found in self.names.resolve(module, reference) if found.module is None}
        return Effect(abroad=abroad if "random" in abroad or ".random." in reference else set())

    def _bare_call(self, module: Module, reference: str, known: Effect) -> Effect:
        """A call for what it does elsewhere; where no trace of that is found in the project's code, it may be anything."""
        effect = Effect()
        for found in self.names.resolve(module, reference):
            if found.module is None:
                effect.abroad.add(found.name)
            elif found.is_callable:
                inner = self._inside(found, set())
                is_traced = inner.changed or inner.abroad or known.changed
                effect |= inner if is_traced else Effect(abroad={UNKNOWN})
            elif not found.is_way_to_import:
                effect |= self._objects.change(module, reference)
        return effect

    def _inside(self, found: Found, seen: set[tuple[str, int]]) -> Effect:
        """What calling a definition does to others, through everything it calls."""
        effect = Effect()
        module = found.module
        for number in found.units if module else ():
            assert module is not None
            unit = module.outline.units[number]
            if (module.name, number) in seen or unit.targets:
                continue
            seen.add((module.name, number))
            for reference in unit.changes_inside:
                effect |= self._objects.change(module, reference)
            for reference in (*unit.uses, *unit.uses_required):
                for below in self.names.resolve(module, reference):
                    if below.module is None and reference in unit.bare_inside:
                        effect.abroad.add(below.name)
                    elif below.module is not None and below.is_callable:
                        effect |= self._inside(below, seen)
        return effect
