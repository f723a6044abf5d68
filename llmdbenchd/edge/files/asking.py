"""The control folder as the daemon sees it (`ports.Request`): what is asked, done, refused."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor
from contextlib import aclosing
from functools import partial
from pathlib import Path

from llmdbenchd.edge.files import control
from llmdbenchd.edge.files.control import Control
from llmdbenchd.edge.files.durable import translated
from llmdbenchd.edge.files.inbox import PAUSED
from llmdbenchd.ports import Request


class FileRequests:
    """Requests in `queue/control/`, and the file PAUSED that two of them are about."""

    def __init__(self, queue: Path, disk: Executor, *, scan_s: float, polling: bool) -> None:
        self._queue = queue
        self._control = Control(queue)
        self._disk = disk
        self._scan_s = scan_s
        self._polling = polling
        self._open: dict[str, control.Request] = {}

    async def arrivals(self) -> AsyncIterator[Sequence[Request]]:
        """What is pending, whenever it changes and now and then, for ever."""
        found = control.requests(
            self._control, self._disk, scan_s=self._scan_s, polling=self._polling
        )
        async with aclosing(found):
            async for group in found:
                self._open = {one.path.name: one for one in group}
                yield [
                    Request(name, one.asked, one.job, one.run, one.owner)
                    for name, one in self._open.items()
                ]

    async def done(self, request: Request) -> None:
        """It was carried out: its file goes."""
        await self._do(partial(self._control.done, self._open[request.name]))

    async def refused(self, request: Request, why: str) -> None:
        """It will not be carried out: its file is set aside, with the reason."""
        await self._do(partial(self._control.refused, self._open[request.name], why))

    async def pause(self, *, paused: bool) -> None:
        """Make the file PAUSED be there, or not."""
        await self._do(partial(_put, self._queue / PAUSED, there=paused))

    async def _do(self, work: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._disk, work)


def _put(path: Path, *, there: bool) -> None:
    with translated(path):
        if there:
            path.touch()
        else:
            path.unlink(missing_ok=True)
