"""The project's files as they are on disk now, against what was loaded."""

from __future__ import annotations

import ast
import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path

from workflows.identity.scope import Scope
from workflows.identity.specs import searched
from workflows.identity.syntax import digest_python


def changed_file(sources: Mapping[str, bytes], scope: Scope) -> str | None:
    """The first of these files, {name in a code closure: bytes as loaded}, that means something else now or is gone.

    Times and sizes are not asked: two edits can fall into one tick of the file system's clock.
    """
    return next(
        (name for name, data in sources.items() if not _is_same(name, data, _bytes(scope.path(name), name))), None
    )


def _is_same(name: str, loaded: bytes, found: bytes | None) -> bool:
    if found == loaded:
        return True
    if found is None or not name.endswith(".py"):
        return False
    try:
        return digest_python(ast.parse(found)) == digest_python(ast.parse(loaded))
    except (SyntaxError, ValueError):
        return False


def _bytes(path: Path, name: str) -> bytes | None:
    with contextlib.suppress(OSError):
        return path.read_bytes()
    with contextlib.suppress(OSError):
        outside = _outside(name)
        return outside.read_bytes() if outside else None
    return None


def _outside(name: str) -> Path | None:
    """A file outside of the project, whose name is that of its module."""
    module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    loaded = getattr(sys.modules.get(module), "__file__", None)
    if loaded:
        return Path(loaded)
    beside = (Path(place) / name for place in sys.path)
    return searched(module) or next((path for path in beside if path.is_file()), None)
