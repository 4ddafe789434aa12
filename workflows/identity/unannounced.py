"""What Python announces to no hook: imports of loaded modules, looks at files, and files that Arrow opens by itself."""

from __future__ import annotations

import builtins
import contextlib
import functools
import genericpath
import itertools
import opcode
import os
import pathlib
import sys
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any, Protocol

MACHINERY = "<frozen importlib._bootstrap"
"""How the file names of Python's import machinery begin."""
_IMPORT_STATEMENT = opcode.opmap["IMPORT_NAME"]
_READERS = {
    "pyarrow.parquet.core": ("ParquetDataset.__init__", "ParquetFile.__init__"),
    "pyarrow.dataset": ("dataset",),
    "pyarrow.csv": ("read_csv", "open_csv"),
    "pyarrow.json": ("read_json",),
    "pyarrow": ("memory_map",),
}
# What they call it that they read.
_SOURCES = ("source", "path_or_paths", "input_file", "path")
# pathlib keeps its code in a module of its own from Python 3.13 on.
_LOOKING = (genericpath, sys.modules.get("pathlib._local", pathlib))


class Witness(Protocol):
    """Who is told; `frame` is that of the code that acts."""

    def imported(self, names: Sequence[str], frame: FrameType, is_statement: bool) -> None:
        """Modules were asked for, loaded before or not."""

    def looked(self, path: Any, frame: FrameType) -> None:
        """It was asked whether there is a file."""

    def read(self, path: Any, frame: FrameType) -> None:
        """A file or a folder of files is about to be read."""

    def is_foreign(self, name: str) -> bool:
        """Whether a module is known to be none of the project's."""


def begin(witness: Witness) -> Callable[[], None]:
    """Have a witness told from now on; returns how to end that."""
    undo = contextlib.ExitStack()
    undo.callback(_note_imports(witness, lambda: _note_readers(witness, undo)))
    _note_looks(witness, undo)
    _note_readers(witness, undo)
    return undo.close


@contextlib.contextmanager
def told(witness: Witness) -> Iterator[None]:
    """Have a witness told in this block."""
    end = begin(witness)
    try:
        yield
    finally:
        end()


def _note_imports(witness: Witness, arrow_loaded: Callable[[], None]) -> Callable[[], None]:
    machinery: Any = sys.modules["_frozen_importlib"]
    statement, by_name = builtins.__import__, machinery._gcd_import

    # Under the names that Python gives them, because they may be given by name.
    def import_(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:  # noqa: A002
        __tracebackhide__ = True
        module = statement(name, globals, locals, fromlist, level)
        if name.startswith("pyarrow"):
            arrow_loaded()
        if level or not witness.is_foreign(name):
            with contextlib.suppress(AttributeError, TypeError, ValueError):
                frame = sys._getframe(1)
                names, is_statement = _named(name, globals, fromlist, level), _is_statement(frame)
                # The packages around a module that is named when the program runs are in that module's closure.
                witness.imported([*_around(names[0]), *names] if is_statement else names, frame, is_statement)
        return module

    def import_by_name(name: str, package: Any = None, level: int = 0) -> Any:
        __tracebackhide__ = True
        module = by_name(name, package, level)
        frame = sys._getframe(1)
        # The machinery imports the packages around a module so, which are in the module's closure.
        if not frame.f_code.co_filename.startswith(MACHINERY) and not witness.is_foreign(module.__name__):
            with contextlib.suppress(AttributeError, TypeError, ValueError):
                witness.imported([module.__name__], frame, is_statement=False)
        return module

    def restore() -> None:
        builtins.__import__, machinery._gcd_import = statement, by_name

    builtins.__import__, machinery._gcd_import = import_, import_by_name
    return restore


def _named(name: str, around: Any, fromlist: Any, level: int) -> list[str]:
    """The modules that an import may name."""
    if level:
        package = around.get("__package__") or ""
        kept = package.split(".")[: len(package.split(".")) - (level - 1)]
        name = ".".join([*kept, name] if name else kept)
    return [name, *(f"{name}.{part}" for part in fromlist or () if isinstance(part, str))]


def _around(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def _is_statement(frame: FrameType) -> bool:
    return frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] == _IMPORT_STATEMENT


class _Looking:
    """The module `os`, as those see it who ask it for files."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def stat(self, path: Any, *arguments: Any, **named: Any) -> os.stat_result:
        """What `os` says of a file."""
        with contextlib.suppress(OSError, ValueError, TypeError):
            self._witness.looked(path, sys._getframe(1))
        return os.stat(path, *arguments, **named)  # noqa: PTH116 - this is what pathlib asks


def _note_looks(witness: Witness, undo: contextlib.ExitStack) -> None:
    for module in _LOOKING:
        # By their own global name, because `exists` and its like may be held under any other.
        _replace(module, "os", _Looking(witness), undo)


def _note_readers(witness: Witness, undo: contextlib.ExitStack) -> None:
    """Have the readers of the modules that are loaded by now tell what they read."""
    for name, readers in _READERS.items():
        for reader in readers if name in sys.modules else ():
            inside, _, attribute = reader.rpartition(".")
            holder = getattr(sys.modules[name], inside, None) if inside else sys.modules[name]
            # While the module is being loaded, not everything is there yet.
            original = getattr(holder, attribute, None) if holder is not None else None
            if original is not None and not hasattr(original, "is_telling"):
                _replace(holder, attribute, _telling(original, witness), undo)


def _telling(original: Callable[..., Any], witness: Witness) -> Callable[..., Any]:
    @functools.wraps(original)
    def reading(*arguments: Any, **named: Any) -> Any:
        __tracebackhide__ = True
        given = [*arguments[: 2 if original.__name__ == "__init__" else 1], *map(named.get, _SOURCES)]
        for path in itertools.chain.from_iterable(one if isinstance(one, list | tuple) else [one] for one in given):
            if isinstance(path, str | os.PathLike):
                with contextlib.suppress(OSError, ValueError):
                    witness.read(path, sys._getframe(1))
        return original(*arguments, **named)

    reading.is_telling = True  # type: ignore[attr-defined]
    return reading


def _replace(holder: Any, attribute: str, other: Any, undo: contextlib.ExitStack) -> None:
    undo.callback(setattr, holder, attribute, getattr(holder, attribute))
    setattr(holder, attribute, other)
