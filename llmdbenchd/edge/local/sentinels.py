"""The local room's bell: rings when a shim ends, or when somebody says that a look is due."""

import asyncio
import os
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Self

from llmdbenchd.edge.local.folder import Process
from llmdbenchd.edge.local.processes import alive


class Sentinels:
    """Watches processes that are not our children, by pidfd. A hint; a scan is the truth."""

    def __init__(self) -> None:
        self._bell = asyncio.Event()
        self._descriptors: dict[Process, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.keep(())

    def ring(self) -> None:
        """Say that a look is due."""
        self._bell.set()

    async def pause(self, seconds: float) -> None:
        """Sleep until the bell rings, `seconds` at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._bell.wait()
        self._bell.clear()

    def keep(self, processes: Iterable[Process]) -> None:
        """Watch these processes and no others."""
        wanted = set(processes)
        for process in self._descriptors.keys() - wanted:
            descriptor = self._descriptors.pop(process)
            asyncio.get_running_loop().remove_reader(descriptor)
            os.close(descriptor)
        for process in wanted - self._descriptors.keys():
            self._open(process)

    def _open(self, process: Process) -> None:
        try:
            descriptor = os.pidfd_open(process.pid)
        except OSError:  # gone, or no more descriptors: the next scan sees it
            return
        self._descriptors[process] = descriptor
        if alive(process.pid, process.ticks):
            asyncio.get_running_loop().add_reader(descriptor, self._ended, descriptor)
        else:  # it ended since the scan
            self.ring()

    def _ended(self, descriptor: int) -> None:
        asyncio.get_running_loop().remove_reader(descriptor)  # it stays readable for ever
        self.ring()
