"""A folder laid for work by hand: there whole or not at all, and never over something else."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from workflows.errors import PathError
from workflows.notebooks.template import Template


def check_free(folder: Path) -> None:
    """Refuse a folder in which something is, or that cannot be one."""
    try:
        if folder.resolve() == Path.cwd():
            raise PathError.not_empty(folder, "is the current folder")
        if folder.is_dir() and any(folder.iterdir()):
            raise PathError.not_empty(folder, "is not empty")
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise PathError.not_empty(folder, "is there already, and no folder")
    except OSError as error:
        raise PathError.not_laid(folder, error.strerror or str(error)) from error


@contextlib.contextmanager
def laid(folder: Path) -> Iterator[Path]:
    """A folder beside the one that is asked for, which takes its place once everything lies in it."""
    check_free(folder)
    beside = None
    try:
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=folder.absolute().parent, prefix=f".{folder.name}-"))
        yield beside
        beside.chmod(0o777 & ~_mask())
        # Over an empty folder a rename goes through, over one that was filled meanwhile it does not.
        beside.rename(folder.absolute())
    except OSError as error:
        raise PathError.not_laid(folder, error.strerror or str(error)) from error
    finally:
        if beside:
            shutil.rmtree(beside, ignore_errors=True)


def write(path: Path, data: bytes) -> None:
    """Write a file of a laid folder, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def write_notebook(path: Path, template: Template, given: Mapping[str, Any], tables: Mapping[str, str]) -> None:
    """Write a template with values, from JSON, and the paths of tables in place; what is its default stays as it is written."""
    values = {
        name: value
        for name, value in template.validated(given).items()
        if name not in template.values or template.values[name] != value
    }
    notebook = template.filled({**values, **tables})
    write(path, (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass"))


def _mask() -> int:
    """The permissions that new files are not to have; Python can only read it by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
