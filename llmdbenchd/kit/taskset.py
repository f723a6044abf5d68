"""Keep background tasks equal to a wanted set, owner by owner."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Generic, TypeVar

Work = TypeVar("Work", bound=Hashable)


class TaskSet(Generic[Work]):
    """Tasks by the piece of work that they do, owned by a TaskGroup that outlives them.

    Args:
        group: where the tasks live.
        start: makes the coroutine for a piece of work; it must not raise.
        ended: told the owner whenever one of its tasks is over, so that it looks again.
    """

    def __init__(
        self,
        group: asyncio.TaskGroup,
        start: Callable[[Work], Coroutine[None, None, None]],
        ended: Callable[[str], None],
    ) -> None:
        self._group = group
        self._start = start
        self._ended = ended
        self._tasks: dict[str, dict[Work, asyncio.Task[None]]] = {}
        self._stopping: set[Work] = set()

    def __len__(self) -> int:
        return sum(len(tasks) for tasks in self._tasks.values())

    def of(self, owner: str) -> frozenset[Work]:
        """The owner's work under way, that still tidying up included."""
        return frozenset(self._tasks.get(owner, {}))

    def match(self, owner: str, wanted: AbstractSet[Work]) -> None:
        """Start what the owner misses and cancel what it does not want any more.

        Work that is wanted again while its last task tidies up waits for the next
        call (which `ended` brings about): two tasks never do the same work.
        """
        running = self._tasks.setdefault(owner, {})
        for work in set(running) - wanted - self._stopping:
            self._stopping.add(work)
            running[work].cancel()
        for work in wanted - set(running):
            task = self._group.create_task(self._start(work), name=str(work))
            running[work] = task
            task.add_done_callback(partial(self._forget, owner, work))
        if not running:
            del self._tasks[owner]

    def _forget(self, owner: str, work: Work, _: "asyncio.Task[None]") -> None:
        tasks = self._tasks.get(owner, {})
        tasks.pop(work, None)
        self._stopping.discard(work)
        if not tasks:
            self._tasks.pop(owner, None)
        self._ended(owner)
