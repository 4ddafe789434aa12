"""What a parent of kernels imports ahead: installed packages only, and nothing that looks for a running notebook."""

from __future__ import annotations

import importlib
import importlib.util
import io
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

# What every kernel imports before its first cell, and what pandas and pyplot import when they are first used.
ALWAYS = (
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
    "ipykernel.subshell_manager",
    "IPython.core.completerlib",
    "IPython.core.debugger_backport",
    "IPython.core.logger",
    "IPython.core.magics",
    "IPython.core.oinspect",
    "IPython.core.pylabtools",
    "IPython.display",
    "IPython.extensions.storemagic",
    "bdb",
    "faulthandler",
    "matplotlib_inline.config",
    "pdb",
    "psutil",
    "runpy",
    "tornado.platform.asyncio",
    "workflows.evaluation.measures",
    "workflows.identity.observation",
)
_WITH = {
    "matplotlib": (
        "matplotlib.axes",
        "matplotlib.backends.backend_agg",
        "matplotlib.backends.backend_svg",
        "matplotlib.backends.registry",
        "matplotlib.dates",
        "matplotlib.figure",
        "matplotlib.font_manager",
        "matplotlib.projections",
        "matplotlib.pyplot",
        "matplotlib.style",
        "matplotlib.ticker",
    ),
    "pandas": (
        "pandas.core.arrays.arrow.extension_types",
        "pandas.io.formats.html",
        "pandas.io.formats.style",
        "pandas.io.parquet",
    ),
    "pyarrow": ("pyarrow.compute", "pyarrow.dataset", "pyarrow.parquet"),
}
_WITH["pandas"] += _WITH["pyarrow"]


class Later(BaseException):
    """A module asks for the notebook that imports it: it must be imported there. Nobody catches this by the way."""


def preload(names: Sequence[str], folders: Sequence[Path]) -> list[str]:
    """Import what kernels always need, and those of these modules that lie in `folders`.

    Returns the names that must not be imported ahead after all: they said something, which a notebook would show, or
    asked for the notebook and went on without.
    """
    # A module may keep the function that draws ids from the moment when it is imported, and so must find the kernel's.
    importlib.import_module("workflows.notebooks.repeatable").provide_ids()
    with _no_notebook() as asked:
        with _listening():
            for name in ALWAYS:
                _import(name)
        unfit = []
        for name in names:
            if _lies_in(name, folders):
                asked.clear()
                with _listening() as said:
                    imported = [_import(part) for part in (name, *_WITH.get(name, ()))]
                if said() or (asked and all(imported)):
                    unfit.append(name)
    _touch()
    return unfit


@contextmanager
def _listening() -> Iterator[Callable[[], bool]]:
    """Whether anything was printed or warned of in this block."""
    warned: list[object] = []
    streams, show = (sys.stdout, sys.stderr), warnings.showwarning
    sys.stdout, sys.stderr = heard = io.StringIO(), io.StringIO()
    warnings.showwarning = lambda *warning, **_: warned.append(warning)
    try:
        yield lambda: bool(warned) or any(stream.getvalue() for stream in heard)
    finally:
        (sys.stdout, sys.stderr), warnings.showwarning = streams, show


def _lies_in(name: str, folders: Iterable[Path]) -> bool:
    try:
        spec = importlib.util.find_spec(name.partition(".")[0])
    except (ImportError, ValueError, AttributeError):
        return False
    if spec is None or not spec.origin:
        return False
    origin = Path(spec.origin).resolve()
    return spec.origin == "built-in" or any(origin.is_relative_to(folder) for folder in folders)


def _import(name: str) -> bool:
    """Import a module as a cell would; what is left of one that cannot be imported here is forgotten."""
    before = set(sys.modules)
    try:
        exec(f"import {name}", {"__name__": "__main__"})  # noqa: S102 - so that warnings are a cell's
    except (Exception, Later, SystemExit):
        for new in set(sys.modules) - before:
            if new.partition(".")[0] not in sys.modules:
                del sys.modules[new]
        return False
    return True


@contextmanager
def _no_notebook() -> Iterator[list[type]]:
    """Have every module that asks for the running notebook stop, because there is none yet; gives who was asked."""
    from IPython.core.interactiveshell import InteractiveShell

    asked: list[type] = []

    def later(cls: type) -> NoReturn:
        asked.append(cls)
        raise Later

    InteractiveShell.initialized = classmethod(later)  # type: ignore[method-assign, assignment]
    try:
        yield asked
    finally:
        del InteractiveShell.initialized


def _touch() -> None:
    """Do once what is slow the first time and leaves nothing but caches, which children then share."""
    if pandas := sys.modules.get("pandas"):
        frame = pandas.DataFrame({"number": [1.5, 2.5], "text": ["a", "b"], "time": pandas.Timestamp(0)})
        frame._repr_html_()
        repr(frame.describe())
        frame.groupby("text")["number"].agg(["mean", "max"]).sort_values("mean").reset_index().merge(frame, on="text")
    if "matplotlib.figure" in sys.modules:
        figure = sys.modules["matplotlib.figure"].Figure(layout="constrained")
        axes = figure.subplots()
        axes.plot([1, 2], label="a")
        axes.bar([1, 2], [1, 2])
        axes.scatter([1, 2], [1, 2])
        axes.set(title="a", xlabel="b", ylabel="c")
        axes.legend()
        for form in ("png", "svg"):
            figure.savefig(io.BytesIO(), format=form, bbox_inches="tight")
