"""A queue of names in which each name appears once and is worked on by one.

The rules are those of Kubernetes' own workqueue: adding a name that is already
waiting does nothing, and adding a name that is being worked on puts it back in
line when that work is done. No wake-up is lost; no name is handled twice at once.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager


class WorkSet:
    """Names waiting for attention, and names getting it."""

    def __init__(self) -> None:
        self._line: deque[str] = deque()
        self._dirty: set[str] = set()
        self._busy: set[str] = set()
        self._ready = asyncio.Event()

    def __repr__(self) -> str:
        return f"<WorkSet waiting={len(self._line)} busy={len(self._busy)}>"

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is being worked on."""
        return not self._line and not self._busy

    def add(self, name: str) -> None:
        """Ask for `name` to be looked at, soon and at least once."""
        if name in self._dirty:
            return
        self._dirty.add(name)
        if name not in self._busy:
            self._enqueue(name)

    def add_all(self, names: Iterable[str]) -> None:
        """Ask for each of `names` to be looked at."""
        for name in names:
            self.add(name)

    @asynccontextmanager
    async def take(self) -> AsyncIterator[str]:
        """Wait for a name, and hold it for the length of the block."""
        while not self._line:
            self._ready.clear()
            await self._ready.wait()
        name = self._line.popleft()
        self._dirty.discard(name)
        self._busy.add(name)
        try:
            yield name
        finally:
            self._busy.discard(name)
            if name in self._dirty:
                self._enqueue(name)

    def _enqueue(self, name: str) -> None:
        self._line.append(name)
        self._ready.set()
