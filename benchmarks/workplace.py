"""What the benchmarks share: a project of the example's templates and data with an empty store, and what commands take."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LUIGI = Path(sys.executable).parent / "luigi"


@contextlib.contextmanager
def workplace() -> Iterator[Path]:
    """The folder; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="parcours-bench-") as name:
        furnish(Path(name))
        yield Path(name)


def furnish(folder: Path) -> None:
    """Lay the project into a folder."""
    database = ROOT / "data" / "nyc.db"
    subprocess.run([sys.executable, "-m", "workflows.flights.database", database], check=True, env=_environment())
    shutil.copytree(ROOT / "templates", folder / "templates", dirs_exist_ok=True)
    shutil.copy(ROOT / "luigi.cfg", folder)
    os.environ["PARCOURS_DATABASE"] = f"sqlite:///{database}"


@dataclass(frozen=True)
class Taken:
    """What a command took, or the ratio of two."""

    wall: float
    """Seconds by the clock."""
    processor: float
    """Seconds that it computed; on a machine with other work, the time without that."""
    told: str = ""
    """What it printed."""

    def __truediv__(self, other: Taken) -> Taken:
        return Taken(self.wall / other.wall, self.processor / other.processor)


def taken(
    command: list[str],
    folder: Path,
    path: Path | None = None,
    variables: Mapping[str, str] | None = None,
    codes: Container[int] = (0,),
) -> Taken:
    """Run a command with the code of the checkout that this file lies in, whatever is installed; it ends with one of the codes."""
    environment = {**_environment(path), **(variables or {})}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, env=environment, text=True)
    if done.returncode not in codes:
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Taken(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout)


def parcours(folder: Path, *arguments: str, **variables: str) -> Taken:
    """Run a `parcours` command; that it found something worse is no error."""
    return taken([sys.executable, "-m", "workflows.cli", *arguments], folder, variables=variables, codes=(0, 1))


def compare(ours: list[Taken], theirs: list[Taken], names: tuple[str, str], goal: float) -> None:
    """Print the medians of both sides, run in turn, and that of their ratios."""
    width = max(map(len, names))
    for name, side in zip(names, (ours, theirs), strict=True):
        middle = _median(side)
        print(f"{name:<{width}}   {middle.wall:.3f} s, processor {middle.processor:.3f} s   (median of {len(side)})")
    ratio = _median([a / b for a, b in zip(ours, theirs, strict=True)])
    print(
        f"{'ratio':<{width}}   {ratio.wall:.2f}, processor {ratio.processor:.2f}   goal: at most {goal:g}", flush=True
    )


def outrun(ours: list[float], theirs: list[float], names: tuple[str, str], goal: float) -> None:
    """Print the medians in seconds of both sides, run in turn, and how many times faster ours is."""
    width = max(map(len, names))
    for name, side in zip(names, (ours, theirs), strict=True):
        print(f"{name:<{width}}   {statistics.median(side):.3f} s   (median of {len(side)})")
    ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
    print(f"{'faster':<{width}}   {ratio:.1f} times   goal: at least {goal:g}", flush=True)


def _median(found: list[Taken]) -> Taken:
    return Taken(statistics.median(t.wall for t in found), statistics.median(t.processor for t in found))


def _environment(path: Path | None = None) -> dict[str, str]:
    places = [path, ROOT, *filter(None, [os.environ.get("PYTHONPATH")])]
    # With compiled modules, as an installed Parcours has them, and Luigi beside it.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": os.pathsep.join(map(str, filter(None, places)))}
