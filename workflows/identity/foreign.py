"""Where code lies that is none of the project's: the engine, the standard library, installed distributions."""

from __future__ import annotations

import site
import sys
import sysconfig
from pathlib import Path

ENGINE = Path(__file__).resolve().parent.parent


def foreign_folders(root: Path) -> tuple[Path, ...]:
    """Where the standard library and installed distributions lie; an editable install lies elsewhere."""
    places = [sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib")]
    places += [*site.getsitepackages(), site.getusersitepackages()]
    if not root.resolve().is_relative_to(Path(sys.prefix).resolve()):
        # What distributions install beside their modules, unless it is the system's Python, below whose folder all lies.
        places.append(sys.prefix)
    # A folder that holds the records of installed distributions holds them too, wherever it lies.
    places += [place for place in sys.path if place and Path(place) != root and _is_installed(Path(place))]
    return tuple({Path(place).resolve() for place in places if place})


def _is_installed(folder: Path) -> bool:
    return folder.is_dir() and any(entry.name.endswith(".dist-info") for entry in folder.iterdir())
