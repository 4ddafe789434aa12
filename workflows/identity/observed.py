"""What runs have shown of a task beyond what its code names, and the code that it adds to the task's closure."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflows.identity.canonical import digest, digest_bytes
from workflows.identity.closure import Code
from workflows.identity.memo import Memo
from workflows.identity.scope import Scope
from workflows.identity.sights import CELLS, Sight, state_of
from workflows.identity.syntax import digest_python

ABSENT = "absent"
"""The digest of a file that is not there."""
_KEPT = 1_000_000
_SETTLED = 2_000_000_000

Closure = Callable[[str], Code]
"""The code closure of a module."""


@dataclass(frozen=True)
class Observed:
    """What runs of a task have shown."""

    files: frozenset[str] = frozenset()
    """Labels of the files that it opened."""
    folders: frozenset[str] = frozenset()
    """Labels of the folders whose names it read."""
    looked: frozenset[str] = frozenset()
    """Labels of the files for which it asked whether they are there."""
    modules: frozenset[tuple[str, str]] = frozenset()
    """The modules that it imported by a computed name, each with its file's label."""

    def __or__(self, other: Observed) -> Observed:
        return Observed(*(one | two for one, two in zip(self._parts, other._parts, strict=True)))

    def __bool__(self) -> bool:
        return any(self._parts)

    def beyond(self, other: Observed) -> Observed:
        """What this shows and another does not."""
        return Observed(*(one - two for one, two in zip(self._parts, other._parts, strict=True)))

    @property
    def _parts(self) -> tuple[frozenset[Any], ...]:
        return self.files, self.folders, self.looked, self.modules

    def as_json(self) -> dict[str, Any]:
        """The record that the store keeps."""
        names = {"files": sorted(self.files), "folders": sorted(self.folders), "looked": sorted(self.looked)}
        return {"format": 1, **names, "modules": dict(sorted(self.modules))}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Observed:
        """The content of a record; raises KeyError, TypeError or AttributeError for anything else."""
        files, folders, looked = (frozenset(record[name]) for name in ("files", "folders", "looked"))
        return cls(files, folders, looked, frozenset(record["modules"].items()))

    def __str__(self) -> str:
        opened = [*sorted(self.files), *(f"{name}/" for name in sorted(self.folders))]
        imported = sorted(name for name, _ in self.modules)
        said = [("opened", opened), ("looked for", sorted(self.looked - self.files)), ("imported", imported)]
        return " and ".join(f"{verb} {', '.join(names)}" for verb, names in said if names)


NOTHING = Observed()


@dataclass(frozen=True)
class Files:
    """The project's files as they are now; `memo` keeps the digests of large ones."""

    scope: Scope
    memo: Memo
    kept: dict[str, Code] | None = None
    """What was read before, where every file is to count as it was met first."""

    def code(self, observed: Observed, closure: Closure) -> Code:
        """The code that is observed, in its present state."""
        found = Code({}, frozenset())
        for name, label in sorted(observed.modules):
            reached = closure(name)
            # What only a path that the run added leads to counts by its file.
            found = joined(found, reached if label in reached.files else self._read(label))
        for label in sorted(observed.files - found.files.keys()):
            found = joined(found, self._read(label) if self.kept is None else self._kept(label, self.kept))
        for label in sorted(observed.looked - found.files.keys()):
            found = joined(found, _file(f"{label}?", "there" if self.scope.path(label).exists() else ABSENT, None))
        for label in sorted(observed.folders):
            names = self.scope.names(self.scope.path(label))
            found = joined(found, _file(f"{label}/", ABSENT if names is None else digest(names), None))
        return found

    def _kept(self, label: str, kept: dict[str, Code]) -> Code:
        if label not in kept:
            kept[label] = self._read(label)
        return kept[label]

    def _read(self, label: str) -> Code:
        path = self.scope.path(label)
        try:
            if path.stat().st_size > _KEPT:
                return _file(label, self._large(path), None)
            data = path.read_bytes()
        except OSError:
            return _file(label, ABSENT, None)
        return _file(label, _digest(path, data), data)

    def _large(self, path: Path) -> str:
        key = f"{path} {state_of(path)}"
        known: str | None = self.memo.get(key)
        if known is None:
            with path.open("rb") as file:
                known = hashlib.file_digest(file, "sha256").hexdigest()
            # A file that is changed twice within the clock's grain has the same times; one that is older has not.
            if time.time_ns() - max(path.stat().st_mtime_ns, path.stat().st_ctime_ns) > _SETTLED:
                self.memo.put(key, known)
        return known


def _digest(path: Path, data: bytes) -> str:
    if path.suffix == ".py":
        with contextlib.suppress(SyntaxError, ValueError):
            return digest_python(ast.parse(data))
    return digest_bytes(data)


def _file(label: str, found: str, data: bytes | None) -> Code:
    return Code({label: found}, frozenset(), {label: {"": found}}, {} if data is None else {label: data})


def joined(one: Code, other: Code) -> Code:
    """Two closures as one; a file of which they reach different parts counts with both."""
    both = one | other
    parts = {
        label: digest(sorted((one.files[label], found)))
        for label, found in other.files.items()
        if one.files.get(label, found) != found
    }
    definitions = {label: {**one.definitions.get(label, {}), **other.definitions.get(label, {})} for label in parts}
    return both | Code(parts, frozenset(), definitions)


def unseen(
    sights: Sequence[Sight],
    code: Code,
    closure: Closure,
    at_import: Callable[[str], Iterable[Sight]],
    is_explained: Callable[[Sight], bool] = lambda _: False,
) -> Observed:
    """What was seen that a closure does not name.

    Imports by a statement are named by the code that holds it. What a module does while it is imported counts for those
    whose closure holds the module, but for what `is_explained` says is named by a definition of it, which they do not reach.
    """
    found, known, stated = Observed(), set(code.files), set(code.sources)
    # Who imports by a computed name may take anything from the module.
    undecided = {CELLS if path.endswith(".ipynb") else path for path in code.undecided}
    whole = {label for label in known if "" in code.definitions.get(label, {"": ""})}
    while True:
        seen = [*sights, *(sight for label in sorted(known) for sight in at_import(label))]
        reached = _reached(seen, known)
        decided = reached - undecided | {CELLS} - undecided
        new = [
            sight
            for sight in seen
            if _counts(sight, known, whole, reached, decided, stated) and not is_explained(sight)
        ]
        if not new:
            return found
        # What imports may be found to count itself, and then names what it imports.
        for sight in [sight for sight in new if sight.kind != "import"] or new[:1]:
            found |= _as_observed(sight)
            known.add(_named(sight))
            whole.add(_named(sight))
            if sight.kind in ("module", "call", "import"):
                known.update(closure(sight.what).files)
                stated.update(closure(sight.what).sources)


def _reached(seen: Iterable[Sight], known: set[str]) -> set[str]:
    """The files whose imports are named by code that is known."""
    importers: dict[str, set[str]] = {}
    for sight in seen:
        if sight.kind == "import":
            importers.setdefault(sight.by, set()).add(sight.label)
    reached, waiting = set(known), list(known)
    while waiting:
        new = importers.get(waiting.pop(), set()) - reached
        reached |= new
        waiting.extend(new)
    return reached


def _counts(
    sight: Sight, known: set[str], whole: set[str], reached: set[str], decided: set[str], stated: set[str]
) -> bool:
    if sight.kind == "look" and sight.label in known:
        return False
    if sight.kind in ("load", "write") or _named(sight) in (whole if sight.kind in ("module", "call") else known):
        return False
    if sight.kind == "call":
        # Where the name is in the text, the closure has what is taken from the module.
        return sight.by not in decided
    if sight.kind == "import":
        # A statement that is read may find another module than its text tells, by a path that was added.
        return sight.by not in reached | {CELLS} or sight.label not in stated
    return not sight.by or sight.by in known


def _as_observed(sight: Sight) -> Observed:
    if sight.kind == "file":
        return Observed(files=frozenset({sight.label}))
    if sight.kind == "folder":
        return Observed(folders=frozenset({sight.label}))
    if sight.kind == "look":
        return Observed(looked=frozenset({sight.label}))
    return Observed(modules=frozenset({(sight.what, sight.label)}))


def _named(sight: Sight) -> str:
    return sight.label + {"folder": "/", "look": "?"}.get(sight.kind, "")


def scratch(sights: Iterable[Sight]) -> tuple[set[str], set[str]]:
    """The files that a run wrote, and those among them that it had read before."""
    read: set[str] = set()
    written: set[str] = set()
    kept: set[str] = set()
    for sight in sights:
        if sight.kind == "write":
            kept |= {sight.label} & read - written
            written.add(sight.label)
        elif sight.kind == "file":
            read.add(sight.label)
    return written, kept


def changed(sights: Iterable[Sight], counted: Iterable[str], scope: Scope) -> str | None:
    """A file or folder among those that count that is no longer what the run saw, if there is one."""
    counted = set(counted)
    for sight in sights:
        if (
            sight.kind in ("file", "folder")
            and _named(sight) in counted
            and state_of(scope.path(sight.label)) != sight.what
        ):
            return _named(sight)
    return None
