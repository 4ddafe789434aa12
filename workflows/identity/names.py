"""What a name in a module stands for: the statements that bind it, in that module or in those it is imported from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from workflows.identity.modules import Module, Modules
from workflows.identity.scopes import IMPORTED
from workflows.identity.unit import CALLED, EVERYTHING, UNKNOWN, Unit


@dataclass(frozen=True)
class Found:
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
    def aliases(self) -> list[str]:
        """The references that the name is another name of."""
        return [alias for number in self.units for alias in self._unit(number).aliases]

    @property
    def is_fixed(self) -> bool:
        """Whether the name's value cannot be changed."""
        return bool(self.units) and all(self._unit(number).is_fixed for number in self.units)

    @property
    def is_iterator(self) -> bool:
        """Whether reading the name uses it up."""
        return any(self._unit(number).is_iterator for number in self.units)

    @property
    def keeps_state(self) -> bool:
        """Whether calling the name may change it."""
        units = [self._unit(number) for number in self.units]
        return any(unit.keeps_state and (unit.changes_locals or not unit.is_definition) for unit in units)

    @property
    def is_called(self) -> bool:
        """Whether what a call of the name gives is meant."""
        return self.rest == CALLED

    @property
    def given(self) -> list[str]:
        """The references of what a call of the name may give."""
        units = [self._unit(number) for number in self.units]
        return [found for unit in units for found in (unit.uses if _is_open(unit) else unit.gives)]

    @property
    def is_class(self) -> bool:
        """Whether the name is a class's."""
        return any(self._unit(number).is_class for number in self.units)

    @property
    def is_callable(self) -> bool:
        """Whether the name is a function's or a class's."""
        return any(self._unit(number).is_definition for number in self.units)

    def _unit(self, number: int) -> Unit:
        assert self.module is not None
        return self.module.outline.units[number]


def _is_open(unit: Unit) -> bool:
    return unit.is_class or UNKNOWN in unit.gives


@dataclass
class Names:
    """How references are followed through the project's own modules."""

    modules: Modules
    _resolved: dict[tuple[str, Path, str], tuple[Found, ...]] = field(default_factory=dict)

    def resolve(self, module: Module, reference: str) -> tuple[Found, ...]:
        """What a reference in a module stands for: statements of own modules on the way, whole modules, foreign names."""
        key = (module.name, module.path, reference)
        if key not in self._resolved:
            self._resolved[key] = tuple(self._resolve(module, reference))
        return self._resolved[key]

    def _resolve(self, module: Module, reference: str) -> Iterator[Found]:
        if reference.startswith(IMPORTED):
            yield from self._imported(module, reference)
            return
        name, _, rest = reference.partition(".")
        yield from self._named(module, name, rest, frozenset())

    def _named(self, module: Module, name: str, rest: str, seen: frozenset[tuple[str, str]]) -> Iterator[Found]:
        """A name of a module's top level, and what follows it in the chain."""
        if (module.name, name) in seen:
            return
        seen |= {(module.name, name)}
        bound = [number for number, unit in enumerate(module.outline.units) if name in unit.names]
        yield Found(module, name, rest, tuple(bound))
        for number in bound:
            for target in module.outline.units[number].targets.get(name, ()):
                yield from self._imported(module, f"{target}.{rest}" if rest else target, seen)
        for star in module.outline.stars:
            # Whichever comes later on import binds the name in the end.
            own = {target for number in bound for target in module.outline.units[number].targets.get(name, ())}
            yield from self._starred(module, star, name, rest, seen, own)

    def _starred(
        self, module: Module, star: str, name: str, rest: str, seen: frozenset[tuple[str, str]], own: set[str]
    ) -> Iterator[Found]:
        base = absolute(module, star)[0]
        source = self.modules.get(base)
        if source is None:
            yield Found(None, base.partition(".")[0], "")
        elif not name.startswith("__"):
            same = [
                unit for unit in source.outline.units if name in unit.names and own >= {*unit.targets.get(name, ())}
            ]
            if (
                own
                and same
                and not any(target.startswith(f"{IMPORTED}.") for target in own)
                and all(unit.targets.get(name) for unit in same)
            ):
                # Both import the same, such as `import enum`: whichever comes later is no matter.
                return
            found = [
                target for target in self._named(source, name, rest, seen) if target.module is None or target.units
            ]
            if found:
                yield from self._named(source, "__all__", "", seen)
            yield from found

    def _imported(
        self, module: Module, reference: str, seen: frozenset[tuple[str, str]] = frozenset()
    ) -> Iterator[Found]:
        """An import, and the attributes taken from it: first those that are modules, then a name in the last of them."""
        base, chain = absolute(module, reference)
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
            yield Found(None, base.partition(".")[0], "")
        elif not parts or parts[0] == EVERYTHING:
            yield Found(source, EVERYTHING, "")
        else:
            yield from self._attribute(source, parts, seen)

    def _attribute(self, source: Module, parts: list[str], seen: frozenset[tuple[str, str]]) -> Iterator[Found]:
        name, rest = parts[0], ".".join(parts[1:])
        is_known = source.outline.stars or any(name in unit.names for unit in source.outline.units)
        if name == "__dict__":
            yield Found(source, EVERYTHING, "")
        elif not is_known and any("__getattr__" in unit.names for unit in source.outline.units):
            yield from self._named(source, "__getattr__", "", seen)
        yield from self._named(source, name, rest, seen)


def absolute(module: Module, reference: str) -> tuple[str, str]:
    """The module that a reference imports from, and what follows."""
    base, _, chain = reference.removeprefix(IMPORTED).partition(":")
    name = base.lstrip(".")
    if level := len(base) - len(name):
        above = module.package.split(".")
        kept = above[: len(above) - (level - 1)]
        name = ".".join([*kept, name] if name else kept)
    return name, chain


def loaded_by(module: Module, references: Iterable[str]) -> list[str]:
    """The modules that these imports load."""
    found = []
    for reference in references:
        base, chain = absolute(module, reference)
        found += [base, f"{base}.{chain}"] if chain else [base]
    return [name for name in found if name]
