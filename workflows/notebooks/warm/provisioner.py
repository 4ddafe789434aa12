"""A provisioner of kernels for Jupyter's tools: each kernel is forked from a process that has imported what it needs.

In a kernel's kernel.json: {"metadata": {"kernel_provisioner": {"provisioner_name": "parcours-warm",
"config": {"preload": ["pandas"]}}}}.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import List, Unicode

from workflows.notebooks.warm import lease
from workflows.notebooks.warm.fresh import Request

_said: set[str] = set()


class WarmProvisioner(LocalProvisioner):
    """Kernels by fork; where that is not to be had, plain ones."""

    preload: Any = List(Unicode(), help="what kernels import, to be imported ahead").tag(config=True)
    root: Any = Unicode("", help="the folder of the project, whose modules are never imported ahead").tag(config=True)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork a kernel that was to be started by `python -m`, or start it."""
        folder = str(kwargs.get("cwd") or Path.cwd())
        try:
            request = _request(cmd, kwargs["env"], folder)
            root = Path(self.root or folder)
            fork = lease.fork(request, root, list(self.preload))
        except lease.Refused as reason:
            say_plain(str(reason))
            return await super().launch_kernel(cmd, **kwargs)
        self.process: Any = fork
        self.pid = self.pgid = fork.pid
        self.cwd = folder
        return self.connection_info

    async def wait(self) -> int | None:
        """Wait for the kernel's end, without looking at the clock."""
        if not isinstance(self.process, lease.Fork) or self.process.poll() is not None:
            return await super().wait()
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self.process.handle, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(self.process.handle)
        code = self.process.wait()
        self.process = None
        return code


def say_plain(reason: str) -> None:
    """Say once that kernels are started the plain way, and why."""
    if reason not in _said:
        _said.add(reason)
        with contextlib.suppress(OSError, AttributeError):
            sys.stderr.write(f"kernels start cold: {reason}\n")


def _request(cmd: list[str], environment: dict[str, str], folder: str) -> Request:
    """What a kernel's command asks for; raises Refused for one that is no module of this very Python."""
    program, option, *words = [*cmd, "", ""][: max(len(cmd), 2)]
    if option != "-m" or not words or not _is_this_python(program):
        raise lease.Refused(f"'{' '.join(cmd[:2])}' is not '{sys.executable} -m'")
    return Request(words[0], words[1:], environment, folder)


def _is_this_python(program: str) -> bool:
    # Not resolved: the links of two environments lead to the same file.
    return os.path.abspath(program) == os.path.abspath(sys.executable)  # noqa: PTH100
