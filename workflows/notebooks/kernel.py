"""Kernels: one for each report, over IPC sockets in a private folder, dead with all its children afterwards."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import zmq
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

from workflows.identity.foreign import ENGINE
from workflows.identity.scope import Scope
from workflows.notebooks.guarded import FOLDER, MARK, OWNER, SCOPE, SEED, kill_marked
from workflows.notebooks.warm.lease import Fork
from workflows.notebooks.warm.provisioner import WarmProvisioner

# A unix socket's path may have 107 characters; the name of the socket takes a part of them.
_LONGEST_FOLDER = 60
_PREFIX = "parcours-"
_KNOCKING = 5
"""Milliseconds between a client's attempts to reach its kernel."""
_INLINE = "module://matplotlib_inline.backend_inline"


class EnvironmentKernelManager(AsyncKernelManager):
    """A manager of kernels in this very Python environment, whatever kernels the user has installed."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """How such a kernel starts."""
        argv = [sys.executable, "-m", "workflows.notebooks.guarded", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Parcours", language="python")


class Kernel:
    """A running kernel's manager, and the way to end it."""

    def __init__(self, manager: EnvironmentKernelManager, mark: str) -> None:
        self.manager = manager
        self._mark = mark

    @property
    def kind(self) -> str:
        """How it was started: 'warm' is forked, 'plain' is by itself."""
        return "warm" if isinstance(getattr(self.manager.provisioner, "process", None), Fork) else "plain"

    @property
    def code(self) -> int | None:
        """The code that it ended with, or the signal as a negative number; None while it runs, or once it was seen to."""
        process = getattr(self.manager.provisioner, "process", None)
        return process.poll() if process is not None else None

    def kill(self) -> None:
        """Kill the kernel, its process group, and whatever it started outside of the group."""
        process = getattr(self.manager.provisioner, "process", None)
        # Of one that is reaped, the number may be another's by now.
        if process is not None and process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        kill_marked(self._mark)
        if process is not None:
            process.wait()


@contextlib.contextmanager
def lent_kernel(
    root: Path,
    environment: Mapping[str, str],
    seed: str,
    scope: Scope | None = None,
    ahead: Sequence[str] | None = None,
) -> Iterator[tuple[Kernel, dict[str, str]]]:
    """A kernel that is still to be started, with the environment to start it in; killed at the end.

    `root` is the project's folder, whose modules the kernel can import; `environment` is what it inherits; `seed` is what its ids depend on; what happens to
    the files in `scope` is recorded. `ahead` are the modules that the parent of warm kernels imports; None is for a plain
    kernel.
    """
    folder = _private_folder()
    mark = uuid.uuid4().hex
    manager = EnvironmentKernelManager(transport="ipc", ip=str(folder / "s"), connection_file=str(folder / "k.json"))
    manager.client_class = "workflows.notebooks.client.PromptClient"
    # The kernel's sockets come to be while its client already knocks.
    manager.context.setsockopt(zmq.RECONNECT_IVL, _KNOCKING)
    if ahead is not None:
        manager.provisioner = WarmProvisioner(
            kernel_id=mark, kernel_spec=manager.kernel_spec, parent=manager, root=str(root), preload=list(ahead)
        )
    kernel = Kernel(manager, mark)
    try:
        own = {MARK: mark, OWNER: str(os.getpid()), FOLDER: str(folder), SEED: seed}
        own[SCOPE] = scope.to_json() if scope else ""
        yield kernel, {**environment, **_plots(folder, seed), **_paths(root, folder), **own}
    finally:
        kernel.kill()
        _forget(manager)
        shutil.rmtree(folder, ignore_errors=True)


def _forget(manager: EnvironmentKernelManager) -> None:
    """Close what the manager holds of a kernel that is dead."""
    process: Any = getattr(manager.provisioner, "process", None)
    for stream in (process.stdin, process.stdout, process.stderr) if process else ():
        if stream:
            stream.close()
    manager.cleanup_connection_file()
    manager.cleanup_ipc_files()
    manager._close_control_socket()
    if manager._created_context and not manager.context.closed:
        manager.context.destroy(linger=0)


def _private_folder() -> Path:
    """A new folder for a kernel's sockets, with a path short enough for them."""
    place = Path(tempfile.gettempdir())
    if len(str(place)) > _LONGEST_FOLDER:
        place = Path("/tmp")  # noqa: S108 - the folder in it is private, and short
    _sweep(place)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=place))


def _sweep(place: Path) -> None:
    """Remove the folders of processes that were killed before their kernel, and so its guard, had started."""
    for folder in place.glob(f"{_PREFIX}*-*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdecimal() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _paths(root: Path, folder: Path) -> dict[str, str]:
    """Where the kernel finds the project's modules, and folders that keep the user's own configuration out."""
    places = [str(root), str(ENGINE.parent), os.environ.get("PYTHONPATH", "")]
    return {"PYTHONPATH": os.pathsep.join(filter(None, places)), "IPYTHONDIR": str(folder / "ipython")}


def _plots(folder: Path, seed: str) -> dict[str, str]:
    """How figures are drawn: shown in the notebook, the ids in them made from their content."""
    settings = folder / "matplotlibrc"
    settings.write_text(f"svg.hashsalt: {seed}\n", encoding="utf-8")
    return {"MATPLOTLIBRC": str(settings), "MPLBACKEND": _INLINE}
