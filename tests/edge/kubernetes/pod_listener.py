"""Somebody who listens to a watch of pods, for tests."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from llmdbenchd.edge.kubernetes.view import Change, Pace, PodGone, PodSeen, PodsListed, PodWatch

SELECTOR = "app=launcher"
PATIENCE_S = 20_000.0  # of the loop, whose clock jumps unless the network is real


class Listener:
    """What a watch told so far, in words: `list a b`, `seen a`, `gone a`.

    Attributes:
        heard: all that was asked for with `next`, `until` or `hours`; `changes` the same
            as it came.
    """

    def __init__(self, watch: PodWatch) -> None:
        self.watch = watch
        self.heard: list[str] = []
        self.changes: list[Change] = []
        self._coming: asyncio.Queue[Change] = asyncio.Queue()

    async def listen(self) -> None:
        """Hear all that is told."""
        async for change in self.watch.changes():
            self._coming.put_nowait(change)

    async def next(self, patience_s: float = PATIENCE_S) -> str:
        """The next word."""
        async with asyncio.timeout(patience_s):
            change = await self._coming.get()
        self.changes.append(change)
        self.heard.append(_word(change))
        return self.heard[-1]

    async def until(self, word: str, patience_s: float = PATIENCE_S) -> list[str]:
        """All up to this word, and this word."""
        begun = len(self.heard)
        async with asyncio.timeout(patience_s):
            while await self.next(patience_s) != word:
                pass
        return self.heard[begun:]

    async def hours(self, *, of: float) -> None:
        """Listen for so many seconds, whatever comes."""
        with suppress(TimeoutError):
            await self.until("nobody says this", of)


def _word(change: Change) -> str:
    match change:
        case PodsListed(pods=pods):
            return " ".join(["list", *sorted(pods)])
        case PodSeen(pod=pod):
            return f"seen {pod.metadata.name}"
        case PodGone(pod=pod):
            return f"gone {pod.metadata.name}"


@asynccontextmanager
async def listening(
    session: Any,  # noqa: ANN401 - a session, or what does as one
    *,
    pace: Pace | None = None,
    clock: Callable[[], float] | None = None,
    namespace: str = "bench",
    selector: str = SELECTOR,
) -> AsyncIterator[Listener]:
    """Listen to pods for as long as the block; a listener that fails is an error."""
    clock = clock or asyncio.get_running_loop().time
    listener = Listener(PodWatch(session, namespace, selector, clock=clock, pace=pace or Pace()))
    task = asyncio.create_task(listener.listen())
    try:
        yield listener
        assert not task.done()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
