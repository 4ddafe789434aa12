"""How an artefact, or a lone report, came to be: the whole tree, as far as the store still has it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from workflows.answers.bars import drawn, first_lines
from workflows.answers.found import Found, find, store
from workflows.answers.origin import Made, Origin, trace
from workflows.answers.profile import Profile, profile
from workflows.answers.tree import Drawing, accepted, nested, own, reuse, when_and_who
from workflows.errors import listed
from workflows.evaluation.measures import Measure, from_json
from workflows.store.address import MEASURES, NOTEBOOK
from workflows.store.artefacts import Artefact
from workflows.store.provenance import Provenance, commit_of


@dataclass(frozen=True)
class Explanation:
    """What lies at a path, and its origin."""

    found: Found
    origin: Origin
    measures: list[Measure]
    """Those of the result itself."""
    shows_code: bool
    """Whether people want to see the definitions that made each result."""
    profile: Profile | None = None
    """Where the time went, if that was asked."""

    @property
    def exit_code(self) -> int:
        """1 where the bytes are not those that were recorded."""
        return 1 if self.found.damage else 0

    def as_json(self) -> dict[str, Any]:
        """Each record with its inputs' records in place, and the code of them all by its digest."""
        return {
            **nested(self.origin),
            "measures": [vars(measure) for measure in self.measures],
            "damage": self.found.damage,
            "definitions": {digest: store().code.record(digest) for digest in self._codes},
            **({"profile": self.profile.as_json()} if self.profile else {}),
        }

    def lines(self) -> list[str]:
        """The result, its tree one line for each result or its time, and if wanted the code."""
        told = (
            [*self._title(), *drawn(self.profile)] if self.profile else [*self._head(), *Drawing(self.origin).lines()]
        )
        return [*told, *(self._code_lines() if self.shows_code else ())]

    def _title(self) -> Iterator[str]:
        record = self.found.record
        if self.found.damage:
            yield f"damaged: {self.found.damage}; what follows is what was recorded"
        how = "failed" if record.failure else "made"
        yield (
            f"{self.origin.root.name}  {how} {when_and_who(record)}, {record.seconds:.1f} s, {commit_of(record.code)}"
        )

    def _head(self) -> Iterator[str]:
        record = self.found.record
        yield from self._title()
        yield f"version {record.version}"
        packages = (f"{name} {version}" for name, version in record.environment["packages"].items())
        yield f"Python {listed([record.environment['python'], *packages])}"
        if not record.template and (facts := own(record)):
            yield listed(facts)
        yield from [*reuse(self.origin.root), *accepted(record)]
        if record.failure:
            yield "failed in cell {cell} of {of}: {reason}".format(**record.failure)
        if self.measures:
            yield f"measures {listed(map(str, self.measures))}"

    @cached_property
    def _codes(self) -> dict[str, list[Made]]:
        """The results that each code made, by the code's digest."""
        found: dict[str, list[Made]] = {}
        for made in self.origin.results.values():
            if made.record:
                found.setdefault(made.record.code["digest"], []).append(made)
        return found

    def _code_lines(self) -> Iterator[str]:
        for digest, results in self._codes.items():
            yield ""
            yield f"code {digest[:16]} of {listed(dict.fromkeys(made.task for made in results))}"
            yield from _definitions(store().code.record(digest), results[0].record)
            observed = dict.fromkeys(o for made in results if made.record for o in made.record.code.get("observed", ()))
            if observed:
                yield f"  seen while it ran: {listed(observed)}"


def explain(path: str, shows_code: bool = False, shows_timing: bool = False) -> Explanation:
    """How what lies at a path, or under a version's first digits, came to be; raises PathError where nothing does."""
    found = find(path)
    origin = trace(found.record, store())
    times = profile(origin, found.record, _first_lines(found)) if shows_timing else None
    return Explanation(found, origin, _measures(found), shows_code, times)


def _measures(found: Found) -> list[Measure]:
    """The measures beside the record, or in the store's copy of a lone page's artefact."""
    if found.damage or MEASURES not in found.record.outputs:
        return []
    data = _beside(found, MEASURES)
    return from_json(data) if data else []


def _first_lines(found: Found) -> Sequence[str]:
    """The first line of each code cell of a report, if its notebook is at hand."""
    try:
        cells = json.loads(_beside(found, NOTEBOOK) or b"")["cells"]
        return first_lines("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    except (ValueError, KeyError, TypeError):
        return []


def _beside(found: Found, name: str) -> bytes | None:
    """The bytes of a file beside the record, or in the store's copy of a lone page's artefact."""
    if found.folder:
        file = found.folder / name
        return file.read_bytes() if file.is_file() else None
    kept = _kept(found)
    return store().bytes_of(f"{kept.path}/{name}") if kept else None


def _kept(found: Found) -> Artefact | None:
    """The store's artefact of what was found."""
    return store().by_version(found.record.task, found.date, found.record.version)


def _definitions(code: dict[str, Any] | None, record: Provenance | None) -> Iterator[str]:
    """Each file with what of it counted."""
    if code is None:
        yield "  (its definitions are not in the store, only the names of its files)"
        yield from (f"  {file}" for file in (record.code["files"] if record else ()))
        return
    width = max(map(len, code["definitions"]), default=0)
    for file, names in code["definitions"].items():
        why = code["undecided"].get(file)
        yield f"  {file:<{width}}  {listed(filter(None, names), f'whole: {why}' if why else 'whole')}"
