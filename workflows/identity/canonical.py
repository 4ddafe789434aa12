"""One spelling for each value, and the digest over it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

# Within the processor's cache, and below what the C library takes from the system anew each time.
_CHUNK = 1 << 16


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces; raises TypeError for what JSON cannot hold, ValueError for NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any) -> str:
    """The sha256 over the canonical JSON of a value, in 64 hex digits."""
    return digest_bytes(canonical_json(value).encode("utf-8", "surrogatepass"))


def digest_bytes(data: bytes) -> str:
    """The sha256 of bytes, in 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def digest_file(path: Path) -> str:
    """The sha256 of a file's bytes, in 64 hex digits."""
    found, chunk = hashlib.sha256(), bytearray(_CHUNK)
    view = memoryview(chunk)
    with path.open("rb", buffering=0) as file:
        while size := file.readinto(view):
            found.update(view[:size])
    return found.hexdigest()
