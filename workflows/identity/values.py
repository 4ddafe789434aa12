"""Which values change only by the methods that say so, as far as their makers tell."""

from __future__ import annotations

from workflows.identity.modules import Module
from workflows.identity.names import Found, Names
from workflows.identity.unit import CALLED, PLAIN, UNKNOWN
from workflows.identity.vocabulary import STATEFUL, TAKING, VALUES


class Values:
    """What is known of the values that names are bound to."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._known: dict[tuple[str, str], bool] = {}

    def is_plain(self, module: Module, reference: str) -> bool:
        """Whether a method of which nothing is known leaves as it is what a reference stands for."""
        if reference in (PLAIN, UNKNOWN):
            return reference == PLAIN
        key = (module.name, reference)
        if key not in self._known:
            # What is made of itself is none the less plain.
            self._known[key] = True
            self._known[key] = all(self._is_plain(found, reference) for found in self._names.resolve(module, reference))
        return self._known[key]

    def _is_plain(self, found: Found, reference: str) -> bool:
        name = [part for part in reference.replace(":", ".").split(".") if part and part != CALLED][-1]
        if found.module is None:
            return found.name in VALUES and name not in STATEFUL and ".random" not in reference
        units = [found.module.outline.units[number] for number in found.units]
        if not units:
            return name in TAKING or name[:1].isupper()
        if found.is_way_to_import:
            return not any("random" in target for unit in units for target in unit.targets[found.name])
        if found.is_callable and not found.is_class:
            return not found.is_called
        if found.rest and not found.is_called and not self._is_closed(found):
            return False
        changes = bool(found.rest) and any(unit.changes_self for unit in units)
        return not changes and all(
            unit.kinds and all(self.is_plain(found.module, kind) for kind in unit.kinds) for unit in units
        )

    def _is_closed(self, found: Found) -> bool:
        """Whether what an object holds or its methods give is plain, too."""
        assert found.module is not None
        units = [found.module.outline.units[number] for number in found.units]
        if found.is_class:
            return all(self.is_plain(found.module, f"{use}.{CALLED}") for unit in units for use in unit.uses)
        kinds = [kind for unit in units for kind in unit.kinds]
        return not any(made.is_class for kind in kinds for made in self._names.resolve(found.module, kind))
