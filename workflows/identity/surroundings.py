"""What stages and kernels run in, the same for whoever runs them: time zone, locale, hash seed, plot settings."""

from __future__ import annotations

import contextlib
import functools
import locale
import multiprocessing
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

FIXED = {
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    # What plots and archives write for the time at which they were made: the first that a ZIP file can hold.
    "SOURCE_DATE_EPOCH": "315532800",
    # An empty file is found before the user's own, and after one in the folder where the code runs, the project's.
    "MATPLOTLIBRC": os.devnull,
    "MPLBACKEND": "agg",
}
"""Variables of the environment that are the same everywhere."""

THREADS = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "BLIS_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "POLARS_MAX_THREADS",
    ),
    "1",
)
"""Variables unless they are given: one thread for a computation, whatever the machine and however many workers.

Sums that several threads share out differ in their last digits with the number of threads, and so would results. Arrow, which
takes its number from the first of these, gives the same rows with any.
"""

# What changes Python itself, the look of numbers and tables, or colours. MPLCONFIGDIR stays: fonts are cached there.
_PERSONAL = re.compile(
    r"LANG|LANGUAGE|LC_.*|PANDAS_.*|PLOTLY_.*|BOKEH_.*|ALTAIR_.*|NPY_.*|POLARS_FMT_.*"
    r"|(JUPYTER_)?(COLUMNS|LINES)|NO_COLOR|COLORFGBG"
    r"|PYTHON(?!PATH$|HOME$|USERBASE$|NOUSERSITE$|PYCACHEPREFIX$|DONTWRITEBYTECODE$|MALLOC$|FAULTHANDLER$).*"
)
_SEED = "PYTHONHASHSEED"


def fixed(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of an environment without what is a user's own, and with what is the same everywhere."""
    return {**THREADS, **{name: value for name, value in environment.items() if not _is_personal(name)}, **FIXED}


@functools.cache
def _is_personal(name: str) -> bool:
    return _PERSONAL.fullmatch(name) is not None


@contextlib.contextmanager
def fixed_surroundings() -> Iterator[None]:
    """Time zone, locale and environment as they are everywhere; the process's own afterwards."""
    own, spoken = dict(os.environ), locale.setlocale(locale.LC_ALL)
    _settle(own, fixed(own), FIXED["LC_ALL"])
    try:
        yield
    finally:
        _settle(dict(os.environ), own, spoken)


def restart_with_fixed_seed(programs: Iterable[str], prepare: Callable[[], None] = lambda: None) -> None:
    """Have a command start itself anew where its sets of texts would come in another order each time.

    The hash seed of a running process cannot be changed, nor can the threads of libraries that are loaded. Nothing happens where it is fixed already, or where this
    process was not started as one of `programs`, ends of paths: in a notebook, a test, a child. `prepare` is called just
    before.
    """
    is_fixed = not sys.flags.hash_randomization or sys.flags.ignore_environment or os.environ.get(_SEED) == "0"
    if is_fixed or multiprocessing.parent_process() is not None or not any(map(_is_started_as, programs)):
        return
    prepare()
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**THREADS, **os.environ, _SEED: "0"})  # noqa: S606 - itself


def _is_started_as(program: str) -> bool:
    return f"/{sys.argv[0]}".endswith(f"/{program}")


def _settle(now: Mapping[str, str], environment: Mapping[str, str], spoken: str) -> None:
    # Thousands of tasks may be made in a row, and setting every variable would take longer than many of them.
    for name in now.keys() - environment.keys():
        del os.environ[name]
    for name, value in environment.items():
        if now.get(name) != value:
            os.environ[name] = value
    time.tzset()
    try:
        locale.setlocale(locale.LC_ALL, spoken)
    except locale.Error:
        # Some systems know no C.UTF-8; there C is the one that everybody has.
        locale.setlocale(locale.LC_ALL, "C")
