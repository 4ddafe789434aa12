"""The places a store can be in: a folder, or an object store through fsspec. Artefacts come and go whole in both."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from workflows.errors import StoreError
from workflows.identity.canonical import digest_bytes
from workflows.passwords import masked
from workflows.store.address import PROVENANCE

STAGING = ".staging"


class Place(Protocol):
    """What a store needs from where it is. Names are relative to the store, with '/'."""

    def exists(self, name: str) -> bool:
        """Whether there is a file of this name."""

    def read(self, name: str) -> bytes:
        """A file's bytes; raises FileNotFoundError."""

    def put(self, name: str, data: bytes) -> None:
        """Make these the bytes of a file, whole, in place of what was there."""

    def folders(self, name: str) -> list[str]:
        """The names of the folders inside a folder, ascending; none where it does not exist."""

    def files(self, name: str) -> list[str]:
        """The names of the files inside a folder, ascending, without hidden ones; none where it does not exist."""

    def remove(self, name: str) -> None:
        """Delete a file; nothing happens where it does not exist."""

    def local(self, name: str, sha256: str) -> Path:
        """A path on this machine with a file's bytes, which the caller may only read."""

    def staging(self) -> Path:
        """A new folder to write an artefact in, unseen by readers."""

    def publish(self, staged: Path, name: str, is_dear: bool = True, record: str = PROVENANCE) -> bool:
        """Make a staged folder visible under a name, whole; False if another was there first.

        What is visible is what has its record, the file that comes last.
        What is dear is on the disk before: of the rest, a loss of power may leave what is not whole, as its digests show.
        """

    def move(self, name: str, target: str) -> None:
        """Take a folder out of the way; nothing happens where it does not exist."""

    def remove_folder(self, name: str, record: str) -> None:
        """Delete a folder with all that is in it, so that nobody sees a part; `record` is the file that makes it count.

        Raises StoreError where it leads out of the place or may not be deleted; nothing happens where it does not exist.
        """

    def shown(self, name: str) -> str:
        """A file or folder as the user should see it: a path or a URL."""

    @property
    def location(self) -> str:
        """Where it is, whoever asks from whatever folder: an absolute path, or a URL."""


@contextlib.contextmanager
def _refusals(place: str) -> Iterator[None]:
    """What the file system says no to, as an error for the user."""
    try:
        yield
    except OSError as error:
        raise StoreError.refused(place, error.strerror or str(error)) from error


class Folder:
    """A store in a folder of this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._swept = False

    @classmethod
    def opened(cls, root: Path) -> Folder:
        """A folder that exists or can be made when there is something to put there; raises StoreError where none can be."""
        above = root
        # Path.exists() raises where a folder above may not be read.
        while not os.path.lexists(above):
            above = above.parent
        if not os.path.isdir(above):  # noqa: PTH112
            raise StoreError.unusable(str(root), f"{above} is no folder")
        if above != root and not _takes_folders(above, root):
            raise StoreError.unusable(str(root), f"no folder can be made in {above}")
        return cls(root)

    def exists(self, name: str) -> bool:
        # Asked tens of thousands of times for one question, where building a Path would take longer than the look.
        return os.path.isfile(f"{self.root}/{name}")  # noqa: PTH113

    def read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def put(self, name: str, data: bytes) -> None:
        target = self.root / name
        with _refusals(str(self.root)):
            target.parent.mkdir(parents=True, exist_ok=True)
            # In the staging folder, which is swept when this process is killed.
            staged = self.staging()
            try:
                (staged / target.name).write_bytes(data)
                (staged / target.name).replace(target)
            finally:
                shutil.rmtree(staged, ignore_errors=True)

    def folders(self, name: str) -> list[str]:
        try:
            with os.scandir(self.root / name) as entries:
                return sorted(entry.name for entry in entries if entry.is_dir())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def files(self, name: str) -> list[str]:
        try:
            with os.scandir(self.root / name) as entries:
                return sorted(entry.name for entry in entries if entry.is_file() and not entry.name.startswith("."))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def remove(self, name: str) -> None:
        with _refusals(str(self.root)):
            (self.root / name).unlink(missing_ok=True)

    def local(self, name: str, sha256: str) -> Path:
        return self.root / name

    def staging(self) -> Path:
        with _refusals(str(self.root)):
            self._sweep()
            staged = self.root / STAGING / f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:12]}"
            # Tried as a rule with success, where looking for the folders above would take as long again.
            try:
                os.mkdir(staged)  # noqa: PTH102
            except FileNotFoundError:
                staged.mkdir(parents=True)
        return staged

    def publish(self, staged: Path, name: str, is_dear: bool = True, record: str = PROVENANCE) -> bool:
        target = self.root / name
        with _refusals(str(self.root)):
            if is_dear:
                for file in staged.iterdir():
                    _flush(file)
                _flush(staged)
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
            elif (staged / record).is_file() and target.is_dir() and not (target / record).is_file():
                # Not an artefact, so nobody reads it; a rename needs the place empty.
                self.move(name, f"damaged/{name}-{uuid.uuid4().hex[:8]}")
            try:
                staged.rename(target)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
                return False
            if is_dear:
                _flush(target.parent)
        return True

    def move(self, name: str, target: str) -> None:
        with _refusals(str(self.root)), contextlib.suppress(FileNotFoundError):
            (self.root / target).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).rename(self.root / target)

    def remove_folder(self, name: str, record: str) -> None:
        if os.path.realpath(self.root / name) != f"{self.location}/{name}":
            raise StoreError.elsewhere(self.shown(name))
        staged = self.staging()
        with _refusals(self.shown(name)):
            try:
                # Gone at once; what a killed process leaves of it is swept.
                with contextlib.suppress(FileNotFoundError):
                    (self.root / name).rename(staged / "removed")
            finally:
                shutil.rmtree(staged, ignore_errors=True)

    def shown(self, name: str) -> str:
        # Asked for every artefact of a backfill.
        path, here = f"{self.root}{os.sep}{name}".rstrip(os.sep), os.getcwd()  # noqa: PTH109 - quicker by far
        return "." if path == here else path.removeprefix(f"{here.rstrip(os.sep)}{os.sep}")

    @property
    def location(self) -> str:
        return os.path.realpath(self.root)

    def _sweep(self) -> None:
        """Remove what killed processes of this machine left in the staging folder, once for each process."""
        if self._swept:
            return
        self._swept = True
        for name in self.folders(STAGING):
            host, _, process = name.rpartition("-")[0].rpartition("-")
            if host == socket.gethostname() and process.isdecimal() and not _alive(int(process)):
                shutil.rmtree(self.root / STAGING / name, ignore_errors=True)


class ObjectStore:
    """A store under an fsspec URL. `provenance.json` is put last, and what is read is kept in a folder of this machine."""

    def __init__(self, url: str, cache: Path) -> None:
        import fsspec

        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise StoreError.unusable(url, str(error)) from error
        self._url = masked(url.rstrip("/"))
        self._cache = Folder(cache / "objects")

    def exists(self, name: str) -> bool:
        return bool(self._files.isfile(self._at(name)))

    def read(self, name: str) -> bytes:
        data: bytes = self._files.cat_file(self._at(name))
        return data

    def put(self, name: str, data: bytes) -> None:
        with _refusals(self._url):
            self._files.pipe_file(self._at(name), data)

    def folders(self, name: str) -> list[str]:
        return self._listed(name, "directory")

    def files(self, name: str) -> list[str]:
        # What another process put there since the last look counts, too.
        self._files.invalidate_cache()
        return self._listed(name, "file")

    def remove(self, name: str) -> None:
        with _refusals(self._url), contextlib.suppress(FileNotFoundError):
            self._files.rm_file(self._at(name))

    def local(self, name: str, sha256: str) -> Path:
        path = self._cache.root / sha256 / Path(name).name
        # A copy that went bad here says nothing about the store: it is fetched again.
        if not path.is_file() or digest_bytes(path.read_bytes()) != sha256:
            data = self.read(name)
            with _refusals(str(self._cache.root)):
                path.parent.mkdir(parents=True, exist_ok=True)
                beside = path.with_name(f".{uuid.uuid4().hex}")
                beside.write_bytes(data)
                beside.replace(path)
        return path

    def staging(self) -> Path:
        return self._cache.staging()

    def publish(self, staged: Path, name: str, is_dear: bool = True, record: str = PROVENANCE) -> bool:
        if self.exists(f"{name}/{record}"):
            return False
        for file in sorted(staged.iterdir(), key=lambda file: file.name == record):
            with _refusals(self._url):
                self._files.pipe_file(self._at(f"{name}/{file.name}"), file.read_bytes())
        return True

    def move(self, name: str, target: str) -> None:
        if self._files.exists(self._at(name)):
            # The record goes first: from then on the artefact does not exist.
            with contextlib.suppress(FileNotFoundError):
                self._files.mv(self._at(f"{name}/{PROVENANCE}"), self._at(f"{target}/{PROVENANCE}"))
            self._files.mv(self._at(name), self._at(target), recursive=True)

    def remove_folder(self, name: str, record: str) -> None:
        self.remove(f"{name}/{record}")
        with _refusals(self._url), contextlib.suppress(FileNotFoundError):
            self._files.rm(self._at(name), recursive=True)

    def shown(self, name: str) -> str:
        return f"{self._url}/{name}"

    @property
    def location(self) -> str:
        return self._url

    def _listed(self, name: str, kind: str) -> list[str]:
        try:
            entries: list[dict[str, Any]] = self._files.ls(self._at(name), detail=True)
        except FileNotFoundError:
            return []
        return sorted(Path(entry["name"]).name for entry in entries if entry["type"] == kind)

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"


def write_new(path: Path, data: bytes) -> None:
    """Write a file that nobody has seen yet."""
    left = memoryview(data)
    # Without the buffers of Path.write_bytes(), which take longer to make than a small file.
    with path.open("wb", buffering=0) as file:
        # Where there is little room, a part is written first.
        while left:
            left = left[file.write(left) :]


def _takes_folders(above: Path, root: Path) -> bool:
    if not os.access(above, os.W_OK | os.X_OK):
        return False
    if not os.statvfs(above).f_blocks:
        # Without room, as the file systems of the kernel are, in which root is told yes: only the attempt tells.
        with contextlib.suppress(OSError):
            root.mkdir(parents=True, exist_ok=True)
        return root.is_dir()
    return True


def _flush(path: Path) -> None:
    """Have a file's bytes, or a folder's names, on the disk before anything refers to them."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
