"""How many requests are served at once, and the line of those that wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Seats:
    """Seats for requests, given in the order of arrival.

    Attributes:
        running: requests that have a seat.
        waiting: requests in line for one.
    """

    def __init__(self, limit: int | None) -> None:
        """Make `limit` seats; None makes as many as are wanted."""
        self.running = 0
        self.waiting = 0
        self._free = None if limit is None else asyncio.Semaphore(limit)

    @asynccontextmanager
    async def seat(self) -> AsyncIterator[bool]:
        """Hold a seat for the length of the block; yields whether it had to be waited for."""
        waited = await self._sit()
        self.running += 1
        try:
            yield waited
        finally:
            self.running -= 1
            if self._free is not None:
                self._free.release()

    async def _sit(self) -> bool:
        if self._free is None:
            return False
        waited = self._free.locked()
        self.waiting += 1
        try:
            await self._free.acquire()
        finally:
            self.waiting -= 1
        return waited
