"""A client that waits for its kernel as long as it takes, and no longer."""

from __future__ import annotations

import asyncio
import contextlib
from queue import Empty
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient

_UNHEARD = 0.5
"""Seconds without a word after which the kernel is asked for one."""


class PromptClient(AsyncKernelClient):
    """A client for a kernel that says when somebody listens to its output."""

    def start_channels(self, *_: Any, **__: Any) -> None:
        """Open the channels of requests and outputs; nobody answers questions, and the process shows whether it lives."""
        super().start_channels(stdin=False, hb=False, control=False)

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until outputs arrive and requests are answered; raises RuntimeError when the kernel ends before, or is late."""
        ready = asyncio.ensure_future(self._answer())
        alive = asyncio.ensure_future(self._death())
        try:
            await asyncio.wait({ready, alive}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                raise RuntimeError("it died" if alive.done() else f"it did not answer within {timeout:g} s")
            ready.result()
        finally:
            for task in (ready, alive):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _answer(self) -> None:
        await self._heard()
        asked = self.kernel_info()
        reply: Any = None
        while reply is None or reply["parent_header"].get("msg_id") != asked:
            reply = await self.get_shell_msg()
        self._handle_kernel_info_reply(reply)
        while (await self._output("status", asked))["content"]["execution_state"] != "idle":
            pass

    async def _heard(self) -> None:
        """Wait for the first output, before which all that the kernel publishes is lost: its welcome, or another.

        Where ipykernel publishes something at the moment when somebody begins to listen, it never welcomes them, because
        ZeroMQ tells of a new listener once, and tells whoever uses the socket next.
        """
        while True:
            with contextlib.suppress(Empty):
                await self.get_iopub_msg(timeout=_UNHEARD)
                return
            # The answer is published, too.
            self.kernel_info()

    async def _output(self, kind: str, asked: str | None = None) -> Any:
        while True:
            message = await self.get_iopub_msg()
            if message["msg_type"] == kind and asked in (None, message["parent_header"].get("msg_id")):
                return message

    async def _death(self) -> None:
        while await self.is_alive():
            await asyncio.sleep(0.2)
