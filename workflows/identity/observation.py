"""What a run really does: the project's files it opens, the folders it lists, the modules it imports, as it happens."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import linecache
import os
import pkgutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from workflows.identity import unannounced
from workflows.identity.scope import Scope
from workflows.identity.sights import CELLS, Kind, Recording, Sight, state_of
from workflows.identity.unannounced import MACHINERY

_ASKED = frozenset(asked.__code__.co_filename for asked in (os.path.exists, Path.exists, Path.stat))
# These import a package to find the files in it, which are seen themselves.
_FINDING = ("importlib/resources/_common.py", "importlib/resources/__init__.py")
# These show the source of code that is running anyway, or look for installed distributions wherever Python does.
_SHOWING = (
    linecache.__file__,
    "importlib/metadata/__init__.py",
    "importlib_metadata/__init__.py",
    "pkg_resources/__init__.py",
)


class _Observer:
    """The eyes of this process: one for all, because what looks on cannot be taken away again."""

    def __init__(self) -> None:
        self.scope: Scope | None = None
        self.recordings: list[Recording] = []
        self.at_import: dict[str, dict[Sight, None]] = {}
        self.cached: dict[Any, dict[Sight, None]] = {}
        self._foreign: set[str] = set()
        self._is_installed = False
        self._handlers: dict[str, Callable[..., None]] = {
            "open": self._opened,
            "os.listdir": self._listed,
            "os.scandir": self._listed,
            "os.mkdir": self._wrote,
            "os.remove": self._wrote,
            "os.rename": self._moved,
            "import": self._extension,
            "sqlite3.connect": self._connected,
            "ctypes.dlopen": self._connected,
            "subprocess.Popen": self._started,
        }

    def install(self, scope: Scope) -> None:
        if self.scope is not None and self.scope.root != scope.root:
            # Files of another project may have the same labels.
            self.at_import.clear()
        self.scope = scope
        self._foreign = set()
        if not self._is_installed:
            self._is_installed = True
            # Asked now, because the answer looks for Luigi in folders, which would be seen.
            scope.kind(os.__file__)
            sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        handler = self._handlers.get(event)
        if handler is not None and self.scope is not None:
            # What cannot be understood here must not make the run fail.
            with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
                handler(*arguments)

    def _opened(self, path: Any, mode: Any, flags: int) -> None:
        reads = flags & os.O_ACCMODE != os.O_WRONLY and not flags & (os.O_TRUNC | os.O_EXCL)
        if flags & os.O_ACCMODE != os.O_RDONLY:
            self._see("write", path)
        if reads:
            self._see("file", path)

    def _listed(self, path: Any) -> None:
        self._see("folder", "." if path is None else path)

    def _wrote(self, path: Any, *_: Any) -> None:
        self._see("write", path)

    def _moved(self, source: Any, target: Any, *_: Any) -> None:
        self._see("write", source)
        self._see("write", target)

    def _extension(self, _: str, file: Any, *__: Any) -> None:
        if file:
            self._see("file", file)

    def _connected(self, place: Any) -> None:
        if place and place != ":memory:":
            self._see("file", os.fsdecode(place).removeprefix("file:").partition("?")[0])

    def _started(self, _: Any, arguments: Any, folder: Any, __: Any) -> None:
        for argument in [arguments] if isinstance(arguments, str | bytes) else arguments:
            path = Path(os.fsdecode(folder or ""), os.fsdecode(argument))
            if path.is_file():
                self._see("file", path)

    def _see(self, kind: Kind, path: Any, frame: FrameType | None = None) -> None:
        assert self.scope is not None
        if isinstance(path, int):
            return
        # Above this, the handler and the hook is who acts; that is sooner known than whose file it is.
        frame = frame or sys._getframe(3)
        during = self._during(frame)
        if during is None:
            return
        text = os.fsdecode(path)
        if "__pycache__" in text and kind == "file":
            text = importlib.util.source_from_cache(text)
        label = self.scope.label_of_data(text)
        if label is None:
            return
        is_machinery = frame.f_code.co_filename.startswith(MACHINERY)
        if is_machinery and kind != "file":
            # The folders on the path are listed for finding modules only.
            return
        if is_machinery and _is_noted(frame):
            kind = "load"
        state = state_of(text)
        if kind in ("file", "load") and state.startswith("folder"):
            return
        sight = Sight(kind, label, during, "" if kind == "write" else state)
        for function in self._caching(frame):
            self.cached.setdefault(function, {})[sight] = None
        self._keep(sight, "" if kind == "load" else during)

    def _caching(self, frame: FrameType | None) -> Iterator[Any]:
        """The functions of the project at work here whose results are kept by functools."""
        assert self.scope is not None
        while frame is not None:
            code = frame.f_code
            if self.scope.kind(code.co_filename) == "own":
                around: Any = frame.f_globals
                found = functools.reduce(_attribute, code.co_qualname.split("."), around)
                if isinstance(found, functools._lru_cache_wrapper):
                    yield found
            frame = frame.f_back

    def _keep(self, sight: Sight, during: str) -> None:
        if during:
            self.at_import.setdefault(during, {})[sight] = None
        for recording in self.recordings:
            recording.add(sight)

    def read(self, path: Any, frame: FrameType) -> None:
        """Note a file, or a folder with all files in it."""
        if self.scope is None:
            return
        if Path(path).is_dir():
            self._see("folder", path, frame)
        for found in Path(path).rglob("*") if Path(path).is_dir() else [path]:
            self._see("file", found, frame)

    def looked(self, path: Any, frame: FrameType) -> None:
        """Note that the project's own code asks for a file that is not there, or for one that it may never open."""
        asking: FrameType | None = frame
        while asking is not None and asking.f_code.co_filename in _ASKED:
            asking = asking.f_back
        if self.scope is None or isinstance(path, int) or asking is None:
            return
        if self.scope.kind(asking.f_code.co_filename) in ("own", "cell") and not Path(path).is_dir():
            self._see("look", path, asking)

    def is_foreign(self, name: str) -> bool:
        """Whether a module, and so what is in it, is known to be none of the project's."""
        return name in self._foreign

    def imported(self, names: Sequence[str], frame: FrameType, is_statement: bool) -> None:
        """Note modules of the project's own that were asked for, loaded before or not."""
        own = [(name, label) for name in names if (label := self._label_of_module(name))]
        during = self._during(frame) if own and self.scope else None
        if during is None or self.scope is None:
            return
        while frame.f_back is not None and frame.f_code.co_filename == importlib.__file__:
            frame = frame.f_back
        file = frame.f_code.co_filename
        holder = self.scope.kind(file)
        if file.endswith(_FINDING) or frame.f_code is pkgutil.get_data.__code__:
            return
        importer = CELLS if holder == "cell" else None
        if holder == "own":
            importer = self.scope.label_of_code(file, frame.f_globals.get("__name__", ""))
        for name, label in own:
            # Code that is no file of the project is named by nothing, nor is what it imports.
            kind: Kind = "import" if is_statement else "call"
            self._keep(Sight(kind, label, importer, name) if importer else Sight("module", label, during, name), during)

    def _label_of_module(self, name: str) -> str | None:
        file = getattr(sys.modules.get(name), "__file__", None)
        label = self.scope.label_of_code(file, name) if file and self.scope else None
        if label is None and (file or name.partition(".")[0] in sys.stdlib_module_names):
            self._foreign.add(name)
        return label

    def _during(self, frame: FrameType | None) -> str | None:
        """The module of the project at whose import this happens, '' for none; None where it is not the project's doing."""
        assert self.scope is not None
        is_own = False
        while frame is not None:
            code = frame.f_code
            kind = self.scope.kind(code.co_filename)
            if kind == "cell":
                return ""
            if kind == "own":
                is_own = True
                if code.co_name == "<module>":
                    return self.scope.label_of_code(code.co_filename, frame.f_globals.get("__name__", "")) or ""
            elif kind == "engine":
                return "" if is_own else None
            elif code.co_filename.endswith(_SHOWING):
                return None
            frame = frame.f_back
        # A thread of its own.
        return ""


_observer = _Observer()


def watch(scope: Scope) -> None:
    """From now on see what happens to the files in scope; what the project's modules do while they are imported is kept."""
    _observer.install(scope)


def at_import(label: str) -> list[Sight]:
    """What a module of the project did when this process imported it."""
    return list(_observer.at_import.get(label, ()))


def imported_modules() -> list[str]:
    """The modules that did anything when this process imported them."""
    return list(_observer.at_import)


def is_import_stale() -> bool:
    """Whether a file is another than when a module opened it while it was imported."""
    scope = _observer.scope
    sights = [sight for module in imported_modules() for sight in at_import(module) if sight.kind in ("file", "folder")]
    return scope is not None and any(state_of(scope.path(sight.label)) != sight.what for sight in sights)


def forget(modules: Iterable[str]) -> None:
    """Forget what these modules did when they were imported, because they will be imported anew."""
    for name in modules:
        file = getattr(sys.modules.get(name), "__file__", None)
        if file and _observer.scope:
            _observer.at_import.pop(_observer.scope.label_of_code(file, name) or "", None)


@contextlib.contextmanager
def recording(spool: Path) -> Iterator[Recording]:
    """Record what this process, and those it forks, do in this block; nothing where nobody watches."""
    found = Recording(spool, os.getpid())
    hits = {function: function.cache_info().hits for function in _observer.cached}
    _observer.recordings.append(found)
    try:
        with unannounced.told(_observer):
            yield found
    finally:
        _observer.recordings.remove(found)
        found.close()
        for function, before in hits.items():
            # What it returned may come from what it opened in an earlier run of this process.
            for sight in _observer.cached[function] if function.cache_info().hits != before else ():
                found.add(sight)


def record_to(spool: Path) -> None:
    """Record everything that this process does from here to its end, for another process to read."""
    _observer.recordings.append(Recording(spool))
    unannounced.begin(_observer)


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """Keep what the project's modules do that are imported in this block."""
    with unannounced.told(_observer):
        yield


def _attribute(holder: Any, name: str) -> Any:
    return holder.get(name) if isinstance(holder, dict) else getattr(holder, name, None)


def _is_noted(frame: FrameType | None) -> bool:
    """Whether the import machinery works for an import that is noted, and not for one who loads a file by its path."""
    while frame is not None and frame.f_code.co_filename.startswith(MACHINERY):
        if frame.f_code.co_name in ("_find_and_load", "_find_and_load_unlocked"):
            return True
        frame = frame.f_back
    # It loads a package only to find the files in it.
    return frame is not None and frame.f_code is pkgutil.get_data.__code__
