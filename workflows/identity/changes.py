"""What differs between two states of code, of the environment or of values, change by change."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

_KINDS = ("changed", "added", "removed")


@dataclass(frozen=True)
class CodeChange:
    """One definition, or one file that counts whole, that two closures have differently."""

    name: str
    """The definition, or '' for the whole file."""
    file: str
    """The file's name in the closure."""
    what: str
    """'changed', 'added' or 'removed'."""

    @property
    def sentence(self) -> str:
        """The change in words: 'robust_scale in workflows/flights/robust.py changed'."""
        return f"{f'{self.name} in ' if self.name else ''}{self.file} {self.what}"


@dataclass(frozen=True)
class ValueChange:
    """A named value that differs: a parameter, or a package's version."""

    name: str
    old: Any
    """None where the first has no such name."""
    new: Any

    @property
    def sentence(self) -> str:
        """Both values: 'threshold 3.0 -> 4.0'."""
        return f"{self.name} {_shown(self.old)} -> {_shown(self.new)}"

    def as_json(self) -> dict[str, Any]:
        """The change for a program."""
        return asdict(self)


@dataclass(frozen=True)
class CodeState:
    """What a closure reaches."""

    files: Mapping[str, str]
    """Each file with the digest of what of it is reached."""
    definitions: Mapping[str, Mapping[str, str]]
    """For each file what is reached, with its digest: names of definitions, or '' for a file that counts whole."""

    def of(self, file: str) -> Mapping[str, str]:
        """What of a file is reached; '' for all of it, also where nothing closer is known."""
        if file not in self.files:
            return {}
        return self.definitions.get(file) or {"": self.files[file]}


def code_changes(old: CodeState, new: CodeState) -> list[CodeChange]:
    """What of the code changed, changed definitions first, then added, then removed ones."""
    files = sorted(name for name in {*old.files, *new.files} if old.files.get(name) != new.files.get(name))
    found = [change for file in files for change in _in_file(file, old.of(file), new.of(file))]
    return sorted(found, key=lambda change: _KINDS.index(change.what))


def environment_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[ValueChange]:
    """What of the environment changed: Python, where its minor version did, and the packages."""
    sides = [{"Python": side["python"], **side["packages"]} for side in (old, new)]
    # The last part of Python's version enters no identity.
    minor = [".".join(side["Python"].split(".")[:2]) for side in sides]
    return [change for change in value_changes(*sides) if change.name != "Python" or minor[0] != minor[1]]


def value_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[ValueChange]:
    """The values that differ as JSON spells them, where 3 and 3.0 are two."""
    names = dict.fromkeys([*old, *new])
    found = [ValueChange(name, old.get(name), new.get(name)) for name in names]
    return [change for change in found if _spelled(change.old) != _spelled(change.new)]


def _in_file(file: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[CodeChange]:
    if not before or not after:
        yield CodeChange("", file, "removed" if before else "added")
        return
    # Where the file counts whole on one side only, the whole alone can be compared.
    names = sorted({*before, *after}) if ("" in before) == ("" in after) else []
    differing = [name for name in names if before.get(name) != after.get(name)]
    for name in differing:
        yield CodeChange(name, file, "added" if name not in before else "removed" if name not in after else "changed")
    if not differing:
        # Or the order of statements counts, because several bind or change the same name.
        yield CodeChange("", file, "changed")


def _spelled(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
