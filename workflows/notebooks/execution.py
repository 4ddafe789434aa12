"""A notebook run from its first cell to its last, within its deadlines."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from jupyter_core.utils import ensure_event_loop
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from workflows.identity.canonical import digest
from workflows.identity.scope import Scope
from workflows.identity.sights import Sight, spooled
from workflows.identity.surroundings import fixed
from workflows.notebooks.guarded import FOLDER, OPTIONS, SEEN
from workflows.notebooks.kernel import Kernel, lent_kernel
from workflows.notebooks.outputs import settled
from workflows.store.timing import Stopwatch

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_LINE = re.compile(r"Cell In\s?\[\d+\], line (\d+)")
_STARTUP = 60
_CRASHES = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL})

Watcher = Callable[[nbformat.NotebookNode, int, int], None]
"""Told the notebook so far, how many code cells are done, and of how many."""


@dataclass(frozen=True)
class Failure:
    """Why a notebook did not come to its end."""

    cell: int
    """The code cell, from 1; 0 where the kernel did not even start."""
    of: int
    """How many code cells the notebook has."""
    reason: str
    """What happened, in one line."""
    line: str
    """The line of the cell that failed, if one did."""


@dataclass(frozen=True)
class Limits:
    """How long a notebook may take."""

    cell: float | None
    """Seconds for one cell; None for no limit."""
    whole: float | None
    """Seconds for the whole notebook; None for no limit."""


@dataclass(frozen=True)
class Execution:
    """An executed notebook, whole or up to where it failed."""

    notebook: nbformat.NotebookNode
    failure: Failure | None
    observed: Sequence[Sight] = ()
    """What it did with the project's files and modules."""


def execute(
    notebook: dict[str, Any],
    folder: Path,
    root: Path,
    limits: Limits,
    watcher: Watcher,
    seed: str = "",
    scope: Scope | None = None,
    ahead: Sequence[str] | None = None,
    environment: Mapping[str, str] | None = None,
    timing: Stopwatch | None = None,
) -> Execution:
    """Run a notebook's cells in a kernel of their own, in a folder, with the modules of the project at `root`.

    The kernel and everything it started is dead when this returns or raises. The same cells give the same bytes, as far
    as it is not the cells that differ; ids in outputs depend on `seed`. What the cells do with the files in `scope` is
    observed. The kernel is forked from a process that has imported the modules `ahead`; None is for one that starts by itself.
    It finds the variables of `environment`, by default this process's own as `fixed` leaves them.
    """
    timing = timing or Stopwatch()
    timing.lap("prepare")
    node = nbformat.from_dict(notebook)
    code = [index for index, cell in enumerate(node.cells) if cell.cell_type == "code"]
    found = fixed(os.environ) if environment is None else environment
    with _own_loop(), lent_kernel(root, found, digest(seed), scope, ahead) as (kernel, variables):
        run = _Run(node, code, kernel, limits, watcher, timing)
        failure = run.through(folder, variables)
    timing.lap("end" if timing.kernel else "kernel")
    for cell in node.cells:
        # What nbclient notes of its own running would make equal reports differ.
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = settled(cell.outputs)
    return Execution(node, failure, run.observed)


@contextlib.contextmanager
def _own_loop() -> Iterator[None]:
    """The thread's event loop, which nbclient makes and never closes: each would keep three descriptors of a thread."""
    try:
        yield
    finally:
        loop = ensure_event_loop()
        if not loop.is_running():
            _end_tasks(loop)
            loop.close()


def _end_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """End what an interrupted run leaves waiting for the kernel, before it complains that the kernel is gone."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))


class _Run:
    """One pass over a notebook's cells."""

    def __init__(
        self, node: Any, code: list[int], kernel: Kernel, limits: Limits, watcher: Watcher, timing: Stopwatch
    ) -> None:
        self._node, self._code, self._kernel, self._limits, self._watcher = node, code, kernel, limits, watcher
        self._timing = timing
        self._done = 0
        self._expired = False
        self._ended: int | None = None
        self.observed: Sequence[Sight] = ()

    def through(self, folder: Path, environment: dict[str, str]) -> Failure | None:
        """Start the kernel and run the cells; the first failure ends the run."""
        client = NotebookClient(
            self._node,
            km=self._kernel.manager,
            timeout_func=lambda _: self._limits.cell,
            startup_timeout=_STARTUP,
            record_timing=False,
            store_widget_state=False,
            extra_arguments=list(OPTIONS),
            ipython_hist_file="",
        )
        timer = threading.Timer(self._limits.whole, self._expire) if self._limits.whole else None
        if timer:
            timer.daemon = True
            timer.start()
        try:
            with client.setup_kernel(cwd=str(folder), env=environment):
                try:
                    self._through_cells(client)
                except DeadKernelError:
                    # Whoever cleans up after it forgets that.
                    self._ended = self._kernel.code
                    raise
                finally:
                    # Before the kernel ends, whose guard removes the folder.
                    self.observed = spooled(Path(environment[FOLDER], SEEN))
        except CellExecutionError as error:
            return self._failure(_sentence(error), _failing_line(self._current, error.traceback))
        except CellTimeoutError:
            return self._failure(
                f"it took longer than cell_timeout, {self._limits.cell:g} s, and the kernel was killed; the limit is set in luigi.cfg, [workflows]"
            )
        except (DeadKernelError, RuntimeError) as error:
            return self._failure(self._death(error))
        finally:
            if timer:
                timer.cancel()
                timer.join()
            if client.kc is not None:
                client.kc.stop_channels()
        return None

    def _through_cells(self, client: NotebookClient) -> None:
        self._timing.kernel = self._kernel.kind
        self._timing.lap("kernel")
        self._watcher(self._node, 0, len(self._code))
        for index in self._code:
            self._execute(client, index)
            self._done += 1
            self._watcher(self._node, self._done, len(self._code))

    def _execute(self, client: NotebookClient, index: int) -> None:
        try:
            client.execute_cell(self._node.cells[index], index)
        except KeyboardInterrupt:
            _end_tasks(ensure_event_loop())
            raise
        finally:
            self._timing.cell()

    @property
    def _current(self) -> Any:
        return self._node.cells[self._code[self._done]]

    def _expire(self) -> None:
        self._expired = True
        self._kernel.kill()

    def _failure(self, reason: str, line: str = "") -> Failure:
        cell = self._done + 1
        if not line and self._done < len(self._code):
            # The cell has no error of its own to show: say in its place what happened.
            self._current.outputs.append(
                nbformat.v4.new_output("error", ename="Stopped", evalue=reason, traceback=[f"Stopped: {reason}"])
            )
        return Failure(cell, len(self._code), reason, line)

    def _death(self, error: Exception) -> str:
        if self._expired:
            return f"the report took longer than report_timeout, {self._limits.whole:g} s, and the kernel was killed; the limit is set in luigi.cfg, [workflows]"
        if isinstance(error, DeadKernelError):
            return _end(self._ended)
        return f"the kernel did not start: {error}"


def _end(code: int | None) -> str:
    """What ended a kernel that nobody here killed."""
    if code is None or code == -signal.SIGKILL:
        return "the kernel died: it was killed from outside, or ran out of memory, and then needs less data at once or a larger machine"
    if code >= 0:
        return f"the kernel died: the cell, or what it calls, ended the process with code {code}"
    number = signal.Signals(-code)
    why = "compiled code that the cell calls crashed" if number in _CRASHES else "it was ended from outside"
    return f"the kernel died: {why} ({number.name})"


def _sentence(error: CellExecutionError) -> str:
    text = " ".join(_ANSI.sub("", str(error.evalue)).split())
    return f"{error.ename}: {text}" if text else str(error.ename)


def _failing_line(cell: Any, traceback: str) -> str:
    """The line of the cell where the traceback enters it."""
    found = _LINE.search(_ANSI.sub("", traceback))
    lines = cell.source.split("\n")
    number = int(found[1]) if found else 0
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""
