"""The files of a report, and the package of it for work by hand."""

from __future__ import annotations

import tempfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from flask import Blueprint, Response, abort, request, send_file

from workflows.answers.found import Found, find, store
from workflows.errors import PathError
from workflows.identity.canonical import digest_bytes
from workflows.store.address import FAILURE, NOTEBOOK, PROVENANCE, REPORT
from workflows.web import places
from workflows.web.asking import ask
from workflows.web.headers import as_report

pages = Blueprint("report_files", __name__)
LARGEST = 200_000_000
"""Bytes of tables that a package may hold."""
_TYPES = {".html": "text/html; charset=utf-8", ".json": "application/json", ".ipynb": "application/x-ipynb+json"}
_ABOUT = {
    REPORT: "the page, which opens without a network",
    NOTEBOOK: "the notebook as it ran, with its outputs",
    PROVENANCE: "how it came to be",
    FAILURE: "how it came to be",
    "measures.json": "the measures",
}
_packing = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class File:
    """A file of a report."""

    name: str
    about: str
    bytes: int
    sha256: str
    is_damaged: bool
    """Whether it is not what was written."""


def files(path: str, found: Found) -> list[File]:
    """The files of a report that can be downloaded."""
    return list(_files(path, found))


def packed_size(found: Found) -> int:
    """How many bytes the tables have that a package of a report holds."""
    sizes = 0
    for given in found.record.inputs:
        artefact = store().by_version(given["task"], given.get("date", "-"), given["version"])
        outputs = artefact.provenance.outputs if artefact else {}
        sizes += sum(output["bytes"] for output in outputs.values())
    return sizes


@pages.get("/reports/<path:path>/files/<name>")
def file(path: str, name: str) -> Response:
    """A file of a report: its page to be shown, on an origin of its own, all else to be kept."""
    path, name = places.report(path), places.file(name)
    found = _found(path)
    if name not in _names(found):
        abort(404, "There is no such file.")
    data = store().bytes_of(f"{path}/{name}")
    if data is None:
        abort(404, "There is no such file.")
    digest = digest_bytes(data)
    if digest != found.record.outputs.get(name, {}).get("sha256", digest):
        abort(409, f"{name} is not what was written; make the report again.")
    answer = as_report(Response(data, content_type=_TYPES.get(Path(name).suffix, "application/octet-stream")))
    # A browser refuses to open what is sandboxed by itself where it also asks for a window of its own origin only.
    answer.headers["Cross-Origin-Opener-Policy"] = "unsafe-none"
    if name != REPORT or "download" in request.args:
        _as_attachment(answer, f"{places.label(path)}-{name}")
    answer.set_etag(digest)
    return answer.make_conditional(request)  # type: ignore[return-value]


@pages.get("/reports/<path:path>/notebook.zip")
def notebook(path: str) -> Response:
    """The report's notebook with its values, data and modules, as `parcours reproduce` lays it."""
    path = places.report(path)
    found = _found(path)
    size = packed_size(found)
    if size > LARGEST:
        abort(413, f"Its tables have {size:,} bytes, more than {LARGEST:,}; use the command of this tab instead.")
    if not _packing.acquire(blocking=False):
        abort(503, "Two reports are being packed at the moment; try again in a few seconds.")
    try:
        packed = _packed(path, found)
    finally:
        _packing.release()
    return send_file(packed, "application/zip", as_attachment=True, download_name=f"{places.label(path)}.zip")


def _packed(path: str, found: Found) -> BinaryIO:
    """What is laid, in a file without a name, which is gone when it is closed."""
    with tempfile.TemporaryDirectory(prefix="parcours-") as folder:
        laid = Path(folder) / places.label(path)
        reply = ask("reproduce", found.shown, "--into", str(laid))
        if not reply.is_answered or not laid.is_dir():
            abort(503, reply.said or "It could not be laid.")
        packed: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - whoever sends it closes it
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(file for file in laid.rglob("*") if file.is_file()):
                archive.write(file, file.relative_to(folder))
    packed.seek(0)
    return packed


def _found(path: str) -> Found:
    try:
        return find(store().shown(path))
    except PathError:
        abort(404, "This report is not in the store, or cannot be read.")


def _files(path: str, found: Found) -> Iterator[File]:
    for name in _names(found):
        data = store().bytes_of(f"{path}/{name}")
        if data is not None:
            digest = digest_bytes(data)
            recorded = found.record.outputs.get(name, {}).get("sha256", digest)
            yield File(name, _ABOUT.get(name, ""), len(data), digest, digest != recorded)


def _names(found: Found) -> list[str]:
    if found.record.failure:
        return [REPORT, NOTEBOOK, FAILURE]
    return [*found.record.outputs, PROVENANCE]


def _as_attachment(answer: Response, name: str) -> None:
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
