"""Files that texts in the code name, beside the code, above it or in the project's folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from workflows.identity.canonical import canonical_json, digest_bytes
from workflows.identity.modules import Module, Modules


@dataclass
class NamedFiles:
    """The files, each looked for once."""

    modules: Modules
    answers: dict[str, list[str] | None] = field(default_factory=dict)
    """What was found for each question: the file's name and the digest of its bytes."""
    sources: dict[str, bytes] = field(default_factory=dict)
    """The bytes of each file that was found."""
    _root: Path = field(init=False)

    def __post_init__(self) -> None:
        self._root = self.modules.root.resolve()

    def find(self, module: Module, text: str) -> str | None:
        """The name of the file, if a text in a module or in a notebook's cells names one."""
        notebook = "" if module.name else self._relative(module.path)
        key = canonical_json([module.name, notebook, text])
        if key not in self.answers:
            shown = self._look(module, text)
            self.answers[key] = [shown, digest_bytes(self.sources[shown])] if shown else None
        answer = self.answers[key]
        return answer[0] if answer else None

    def ask_again(self, key: str) -> list[str] | None:
        """The present answer to a question that was asked once."""
        name, notebook, text = json.loads(key)
        module = self.modules.get(name) if name else Module("", self._root / notebook, {}, b"")
        if module is not None:
            self.find(module, text)
        return self.answers.get(key)

    def _look(self, module: Module, text: str) -> str | None:
        for path in self._candidates(module.path.parent, text):
            # Most texts name none, and to resolve a path takes longer than to look.
            if path.is_file() and (found := path.resolve()) != module.path:
                inside = found.is_relative_to(self._root)
                beside = "/".join([*module.name.split(".")[:-1], text])
                shown = found.relative_to(self._root).as_posix() if inside else beside
                self.sources[shown] = found.read_bytes()
                return shown
        return None

    def _candidates(self, folder: Path, text: str) -> Iterator[Path]:
        while True:
            yield folder / text
            if folder == self._root or self._root not in folder.parents:
                break
            folder = folder.parent
        yield self._root / text

    def _relative(self, path: Path) -> str:
        return str(path.relative_to(self._root)) if path.is_relative_to(self._root) else str(path)
