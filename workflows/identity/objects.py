"""What is changed by changing a name in place: its object, by whatever other names it goes."""

from __future__ import annotations

import builtins
from dataclasses import dataclass, field

from workflows.identity.modules import Module
from workflows.identity.names import Found, Names
from workflows.identity.unit import CALLED, PLAIN, UNKNOWN, Unit
from workflows.identity.values import Values
from workflows.identity.vocabulary import READING


@dataclass
class Effect:
    """What a statement does to others while it is imported, or a definition when it is called."""

    changed: set[tuple[str, str]] = field(default_factory=set)
    """The names, each of a module, whose objects it changes in place."""
    abroad: set[str] = field(default_factory=set)
    """The foreign modules that it changes; UNKNOWN where it may change anything."""

    def __or__(self, other: Effect) -> Effect:
        return Effect(self.changed | other.changed, self.abroad | other.abroad)


class Objects:
    """The objects behind the names of the project's own modules."""

    def __init__(self, names: Names) -> None:
        self._names, self._values = names, Values(names)

    def is_plain(self, module: Module, reference: str) -> bool:
        """Whether a method of which nothing is known leaves as it is what a reference stands for."""
        return self._values.is_plain(module, reference)

    def change(
        self,
        module: Module,
        reference: str,
        seen: frozenset[tuple[str, str]] = frozenset(),
        *,
        is_sure: bool = True,
        is_given: bool = False,
    ) -> Effect:
        """What is changed by changing a reference: its object, by whatever other names it goes.

        Not `is_sure` where only plain values are known to stay as they are; `is_given` where it is what a function uses.
        """
        effect = Effect()
        resolved = self._names.resolve(module, reference)
        for found in resolved:
            if found.module is None:
                effect.abroad.add(found.name)
            elif not _is_apart(found, reference, resolved) and (found.module.name, found.name) not in seen:
                if self._is_changed(found, is_sure, is_given):
                    effect.changed |= {(found.module.name, name) for name in self._bound_with(found)}
                    for number in found.units:
                        unit = found.module.outline.units[number]
                        effect |= self.change_held(found.module, unit, is_sure=is_sure or bool(found.rest))
                seen |= {(found.module.name, found.name)}
                for alias in found.aliases:
                    effect |= self.change(found.module, alias, seen | effect.changed, is_sure=is_sure)
                for source in self._sources(found):
                    effect.changed |= self.change(found.module, source, seen | effect.changed, is_sure=is_sure).changed
                if self._gives(found, is_sure, is_given):
                    for use in found.given:
                        given = self.change(found.module, use, seen | effect.changed, is_sure=is_sure, is_given=True)
                        effect.changed |= given.changed
        return effect

    def change_held(self, module: Module, unit: Unit, made: str = "", *, is_sure: bool = False) -> Effect:
        """What an object of the project's own was given when it was made, which its methods may change with it."""
        effect = Effect()
        for called, *given in unit.passes:
            kind = f"{called}.{CALLED}"
            is_own = any(found.is_class for found in self._names.resolve(module, called))
            if is_own and made in ("", kind) and (is_sure or not self._values.is_plain(module, kind)):
                for reference in given:
                    if not any(found.is_callable or found.is_fixed for found in self._names.resolve(module, reference)):
                        effect |= Effect(self.change(module, reference).changed)
        return effect

    def _is_changed(self, found: Found, is_sure: bool, is_given: bool) -> bool:
        """Whether a name's own object is changed, and not only what it gives."""
        assert found.module is not None
        if found.is_callable and found.is_class:
            is_made = is_given or found.is_called
            return not is_made and (
                is_sure or (bool(found.rest) and not self._values.is_plain(found.module, found.name))
            )
        if found.is_callable:
            units = [found.module.outline.units[number] for number in found.units]
            keeps = any(unit.is_decorated or unit.keeps_state for unit in units)
            return keeps if is_given or found.is_called else is_sure or keeps
        if found.is_fixed and is_given:
            return False
        kinds = [kind for number in found.units for kind in found.module.outline.units[number].kinds]
        if found.rest and any(made.is_class for kind in kinds for made in self._names.resolve(found.module, kind)):
            # What an object of the project's own holds is of any kind.
            return True
        return is_sure or not self._values.is_plain(found.module, found.name)

    def _bound_with(self, found: Found) -> list[str]:
        """A name, and those that are bound to parts of the same thing: `figure, axes = plt.subplots()`."""
        assert found.module is not None
        units = [found.module.outline.units[number] for number in found.units]
        apart = all(unit.is_compound or self._values.is_plain(found.module, found.name) for unit in units)
        return [found.name] if apart else [name for unit in units for name in (*unit.names, found.name)]

    def _sources(self, found: Found) -> list[str]:
        """The objects whose methods gave what a name is bound to: what they gave may be a part of them."""
        assert found.module is not None
        kinds = [kind for number in found.units for kind in found.module.outline.units[number].kinds]
        if found.is_class:
            # Of its attributes.
            named = [kind for kind in kinds if kind not in (PLAIN, UNKNOWN) and not kind.endswith(f".{CALLED}")]
            return named if found.rest else []
        methods = [kind for kind in kinds if kind.endswith(f".{CALLED}") and kind.count(".") > 1]
        return [
            kind
            for kind in methods
            if kind.split(".")[-2] not in READING and not self._values.is_plain(found.module, kind)
        ]

    def _gives(self, found: Found, is_sure: bool, is_given: bool) -> bool:
        """Whether what is changed may be something that a function or a class of the project's own gives."""
        if found.module is None or not found.is_callable:
            return False
        if found.is_class and not is_sure and self._values.is_plain(found.module, f"{found.name}.{CALLED}"):
            return False
        return is_given or found.is_called


def _is_apart(found: Found, reference: str, resolved: tuple[Found, ...]) -> bool:
    """Whether a name only leads to what is changed, or is Python's own."""
    is_on_the_way = found.is_way_to_import or (found.name == "__all__" and "__all__" not in reference)
    is_elsewhere = any(other.units or other.module is None for other in resolved)
    return is_on_the_way or (not found.units and (is_elsewhere or hasattr(builtins, found.name)))
