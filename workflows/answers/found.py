"""What lies at a path: an artefact, a failed report or a lone page, with its record, and whether it is as it was written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from workflows import settings
from workflows.errors import PathError
from workflows.identity.canonical import digest_bytes
from workflows.passwords import masked
from workflows.store.address import NOTEBOOK, PROVENANCE, REPORT
from workflows.store.artefacts import Artefact, Store
from workflows.store.provenance import ChangedRecord, Provenance

_OPENED = '<script type="application/json" id="provenance">'
_VERSION = re.compile(r"[0-9a-f]{8,64}")


@dataclass(frozen=True)
class Found:
    """What lies at a path."""

    shown: str
    """The path as it was given."""
    record: Provenance
    folder: Path | None
    """The folder of the artefact or the failed report; None for a lone page."""
    damage: str | None
    """What is not as it was written, in a sentence."""

    @property
    def date(self) -> str:
        """The date of the result, or '-'."""
        return self.record.parameters.get("date", "-")


@cache
def _opened(location: str, cache: Path, catalog: str) -> Store:
    return Store.at(location, cache, catalog)


def store() -> Store:
    """The store of the current directory's project, opened once; its pipelines need not be loaded to read it."""
    found = settings.load()
    return _opened(found.store, found.cache, found.catalog)


def find(shown: str) -> Found:
    """What lies at a path, or under a version's first digits (eight or more); raises PathError for anything else."""
    if "://" in shown:
        return _remote(shown)
    path = Path(shown)
    if not path.name:
        shown = str(path.absolute())
    if _VERSION.fullmatch(shown) and not path.exists():
        return find(_named(shown))
    try:
        path = _recording(path)
        if path.is_dir():
            raise PathError.no_artefact(shown, "is a folder without provenance")
        if path.exists() and not path.is_file():
            raise PathError.no_artefact(shown, "is no regular file")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise PathError.no_artefact(shown, "does not exist") from error
    except UnicodeDecodeError as error:
        raise PathError.no_artefact(shown, "cannot be read as text") from error
    except OSError as error:
        raise PathError.no_artefact(shown, f"cannot be read ({error.strerror})") from error
    record = read(text if path.name == PROVENANCE else _embedded(text, shown), shown)
    if path.name == PROVENANCE:
        return Found(shown, record, path.parent, _damage_in(path.parent, record))
    if (path.parent / NOTEBOOK).is_file() and record.failure:
        return Found(shown, record, path.parent, None)
    return Found(shown, record, None, _damage_of_page(path, record))


def read(text: str, shown: str) -> Provenance:
    """The record in a text; raises PathError where it is none, or not of the shape that answers are read from."""
    try:
        record = Provenance.from_json(text, shown)
    except ChangedRecord as error:
        raise PathError.changed(shown) from error
    except (ValueError, RecursionError) as error:
        raise PathError.no_artefact(shown, "has no readable provenance") from error
    if not is_legible(record):
        raise PathError.no_artefact(shown, "has no readable provenance")
    return record


def _recording(path: Path) -> Path:
    """The file that holds the provenance of what lies at a path."""
    if path.is_dir():
        return next((path / name for name in (PROVENANCE, REPORT) if (path / name).is_file()), path)
    beside = path.parent / PROVENANCE
    if path.is_file() and path.name != PROVENANCE and beside.is_file():
        # A page that was put into an artefact's folder by hand speaks for itself.
        return beside if path.suffix != ".html" or path.name == REPORT else path
    if path.is_file() and path.suffix != ".html" and path.name != PROVENANCE and (path.parent / REPORT).is_file():
        return path.parent / REPORT
    return path


def _embedded(text: str, shown: str) -> str:
    # The page's own record comes last; a cell may show another page with one.
    _, opened, rest = text.rpartition(_OPENED)
    if not opened:
        raise PathError.no_artefact(shown, "holds no provenance")
    return rest.partition("</script>")[0]


def _named(version: str) -> str:
    """The path of the one artefact whose version begins so."""
    found = store().named(version)
    if len(found) != 1:
        raise PathError.no_version(version, [store().shown(name) for name in found])
    return store().shown(found[0])


def _remote(shown: str) -> Found:
    """What lies in a store that is no folder."""
    root, shown = store().shown(""), masked(shown)
    if not shown.startswith(root):
        raise PathError.no_artefact(shown, f"is not in the store {root}")
    name = shown.removeprefix(root).rstrip("/")
    for folder in (name, name.rpartition("/")[0]):
        artefact = store().at_path(folder)
        if artefact:
            return Found(shown, artefact.provenance, None, _damage_in_store(artefact))
        page = store().bytes_of(f"{folder}/{REPORT}")
        if page:
            return Found(shown, read(_embedded(page.decode("utf-8", "replace"), shown), shown), None, None)
    raise PathError.no_artefact(shown, "does not exist")


def _damage_in(folder: Path, record: Provenance) -> str | None:
    """What of an artefact's folder is not as its record says."""
    is_in_store = folder.absolute().parent.parent.name == record.task
    if is_in_store and folder.absolute().name[-16:] != record.version[:16]:
        return f"{PROVENANCE} says version {record.version[:16]}, its folder {folder.absolute().name[-16:]}"
    if not is_in_store and not any((folder / name).exists() for name in record.outputs):
        # A record by itself vouches for no bytes.
        return None
    for name, output in record.outputs.items():
        try:
            if digest_bytes((folder / name).read_bytes()) != output["sha256"]:
                return f"{name} is not what was written"
        except OSError:
            return f"{name} cannot be read"
    return None


def _damage_in_store(artefact: Artefact) -> str | None:
    for name, output in artefact.provenance.outputs.items():
        if digest_bytes(store().bytes_of(f"{artefact.path}/{name}") or b"") != output["sha256"]:
            return f"{name} is not what was written"
    return None


def _damage_of_page(path: Path, record: Provenance) -> str | None:
    """Whether a lone page differs from the one that the store has of its version."""
    kept = store().by_version(record.task, record.parameters.get("date", "-"), record.version)
    if record.failure or kept is None or REPORT not in kept.provenance.outputs:
        return None
    is_same = digest_bytes(path.read_bytes()) == kept.provenance.outputs[REPORT]["sha256"]
    return None if is_same else f"{path.name} is not what was written"


def is_legible(record: Provenance) -> bool:
    """Whether what answers say of a record can be said; its outer shape is checked already."""
    try:
        return (
            datetime.fromisoformat(record.started).tzinfo is not None
            and _VERSION.fullmatch(record.version) is not None
            and _are(float | int, record.seconds)
            and _are(str, record.host, record.user, record.task_id, record.reused_from or "")
            and _are(str | None, record.code["commit"])
            and _are(bool, record.code["dirty"])
            and _are(str, *record.parameters.values(), *record.environment["packages"].values())
            and all(_is_place(i["task"]) and _is_place(i.get("date", "-")) for i in record.inputs)
            and _is_place(record.task)
            and (record.template is None or _is_place(record.template["name"]))
            and _is_place(record.parameters.get("date", "-"))
            and _has(record.source, "database", "query", "fingerprint", "rows")
            and _has(record.failure, "cell", "of", "reason", "line")
            and _has(record.accepted, "reason", "user", "time")
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return False


def _are(kind: Any, *values: Any) -> bool:
    return all(isinstance(value, kind) for value in values)


def _is_place(name: Any) -> bool:
    """Whether a name is that of one folder, and leads to no other."""
    return isinstance(name, str) and bool(name) and "/" not in name and name not in (".", "..")


def _has(part: Mapping[str, Any] | None, *names: str) -> bool:
    return part is None or all(name in part for name in names)
