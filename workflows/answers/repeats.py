"""Code that was copied: the same in two templates, or in a template and a module, whatever its names, comments and layout."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from workflows.answers.fragments import Block, Place, Source, blocks
from workflows.errors import ParcoursError, listed
from workflows.identity.modules import Modules
from workflows.notebooks.parameters import plain
from workflows.notebooks.template import Template
from workflows.tasks.project import current
from workflows.tasks.templates import read_template, template_code


@dataclass(frozen=True)
class Repeat:
    """One piece of code that stands in several places."""

    places: Sequence[Place]
    """Templates first."""

    @property
    def lines(self) -> int:
        """How many lines it has, where it stands first."""
        return self.places[0].lines

    @property
    def remedy(self) -> str:
        """What to do."""
        modules = [place.source.module for place in self.places if place.source.module]
        copies = list(dict.fromkeys(place.source.name for place in self.places if not place.source.module))
        if modules:
            return f"import it from {modules[0]} in {listed(copies)}"
        return f"move it to a module beside the pipelines, and import it in {listed(copies)}"

    def told(self) -> Iterator[str]:
        """The piece for people."""
        first = self.places[0].text.strip().splitlines()[0]
        yield f"{self.lines} line{'' if self.lines == 1 else 's'}: {first}"
        yield from (f"  {_where(place)}" for place in self.places)
        yield f"  {self.remedy}"

    def as_json(self) -> dict[str, Any]:
        """The piece for a program."""
        return {
            "lines": self.lines,
            "code": self.places[0].text,
            "places": [_as_json(place) for place in self.places],
            "remedy": self.remedy,
        }


@dataclass(frozen=True)
class Repeats:
    """What was found in a project."""

    found: Sequence[Repeat]
    """The longest first."""
    templates: int
    """How many templates were compared."""
    modules: int
    unread: dict[str, str]
    """The templates that cannot be read, each with the reason."""

    exit_code = 0

    def lines(self) -> list[str]:
        """The pieces, with where they stand and what to do."""
        compared = f"{_count(self.templates, 'template')} and {_count(self.modules, 'module')} compared"
        head = f"{_count(len(self.found), 'piece')} of code copied" if self.found else "no code was copied"
        told = [line for repeat in self.found for line in ("", *repeat.told())]
        return [f"{head}, {compared}", *told, *(f"not read: {why}" for why in self.unread.values())]

    def as_json(self) -> dict[str, Any]:
        """The same for a program."""
        return {
            "templates": self.templates,
            "modules": self.modules,
            "repeats": [repeat.as_json() for repeat in self.found],
            "unread": self.unread,
        }


def repeats() -> Repeats:
    """The code that stands in two or more templates, or in a template and a module of the project.

    The parameters cell and imports are left out: every template has those.
    """
    found: list[Block] = []
    unread: dict[str, str] = {}
    for name in current().templates.names():
        try:
            found += _of_template(read_template(name))
            template_code(name)  # meets the modules that it uses
        except ParcoursError as error:
            unread[name] = str(error)
    modules = list(_of_modules(current().code.modules))
    current().save()
    of_modules = [block for module in modules for block in module]
    return Repeats(repeated([*found, *of_modules]), len({b.source.name for b in found}), len(modules), unread)


def repeated(found: Sequence[Block]) -> list[Repeat]:
    """What blocks have in common that are of different sources, one of them a template; no piece within a longer one."""
    shared = _shared(found)
    places: dict[str, list[Place]] = {}
    sizes: dict[str, int] = {}
    for block in found:
        for digest, size, place in block.pieces(shared):
            places.setdefault(digest, []).append(place)
            sizes[digest] = size
    kept: list[Repeat] = []
    taken: dict[tuple[str, int], list[Place]] = {}
    for digest in sorted(sizes, key=lambda digest: -sizes[digest]):
        here = places[digest]
        if _is_copied(here) and not all(any(t.has(one) for t in taken.get(one.text_key, ())) for one in here):
            kept.append(Repeat(sorted(here, key=_order)))
            for one in here:
                taken.setdefault(one.text_key, []).append(one)
    return kept


def _shared(found: Sequence[Block]) -> set[str]:
    """The shapes of statements of which there are several; only these can be part of anything copied."""
    sources: dict[str, set[str]] = {}
    for block in found:
        for shape in block.shapes:
            sources.setdefault(shape, set()).add(block.source.name)
    return {shape for shape, names in sources.items() if len(names) > 1}


def _is_copied(places: Sequence[Place]) -> bool:
    names = {place.source.name for place in places}
    return len(names) > 1 and any(place.source.module is None for place in places)


def _of_template(template: Template) -> Iterator[Block]:
    cells = enumerate(template.code_cells, 1)
    texts = {n: plain(template.notebook["cells"][index]["source"]) for n, index in cells if index != template.index}
    # The parameters cell is not compared, but what it imports is used by the others.
    everything = {0: ast.parse(template.cell.source), **{n: ast.parse(text) for n, text in texts.items()}}
    found = blocks(Source(template.name, None, texts), everything)
    return (block for block in found if block.cell)


def _of_modules(modules: Modules) -> Iterator[list[Block]]:
    current().pipelines_files()
    for file, data in sorted(modules.sources().items()):
        if file.endswith(".py"):
            source = Source(file, modules.by_label(file) or file, {0: data.decode("utf-8", "replace")})
            yield list(blocks(source, {0: ast.parse(data)}))


def _where(place: Place) -> str:
    lines = f"line {place.first}" if place.first == place.last else f"lines {place.first} to {place.last}"
    return f"{place.source.name}, cell {place.cell}, {lines}" if place.cell else f"{place.source.name}, {lines}"


def _as_json(place: Place) -> dict[str, Any]:
    where = (
        {"module": place.source.name} if place.source.module else {"template": place.source.name, "cell": place.cell}
    )
    return {**where, "first": place.first, "last": place.last}


def _order(place: Place) -> tuple[bool, str, int, int]:
    return place.source.module is not None, place.source.name, place.cell, place.first


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
