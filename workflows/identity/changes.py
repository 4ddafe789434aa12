"""What differs between two states of code or of the environment, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Definitions = Mapping[str, Mapping[str, str]]
"""For each file what of it is reached, with its digest: names of definitions, or '' for a file that counts whole."""


@dataclass(frozen=True)
class CodeChange:
    """One definition, or one file that counts whole, that two closures have differently."""

    path: str
    """The file's name in the closure."""
    name: str
    """The definition, or '' for the whole file."""
    kind: str
    """'changed', 'added' or 'removed'."""

    def __str__(self) -> str:
        return f"{self.name} in {self.path} {self.kind}" if self.name else f"{self.path} {self.kind}"


def code_changes(old: Definitions, new: Definitions) -> list[CodeChange]:
    """What of the code changed, changed definitions first, then added, then removed ones."""
    found = []
    for path in sorted({*old, *new}):
        before, after = old.get(path, {}), new.get(path, {})
        names = sorted({*before, *after}) if before and after and ("" in before) == ("" in after) else [""]
        for name in names:
            kind = "added" if not (before if name == "" else name in before) else "changed"
            kind = "removed" if not (after if name == "" else name in after) else kind
            if kind != "changed" or (dict(before) != dict(after) if name == "" else before[name] != after[name]):
                found.append(CodeChange(path, name, kind))
    return sorted(found, key=lambda change: ("changed", "added", "removed").index(change.kind))


def environment_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What of the environment changed: `python` up to its minor version, and `packages`."""
    found = []
    before, after = (".".join(str(side["python"]).split(".")[:2]) for side in (old, new))
    if before != after:
        found.append(f"Python {before} -> {after}")
    for name in sorted({*old["packages"], *new["packages"]}):
        versions = [side["packages"].get(name, "none") for side in (old, new)]
        if versions[0] != versions[1]:
            found.append(f"{name} {versions[0]} -> {versions[1]}")
    return found
