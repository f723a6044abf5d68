"""The recorder's pens: the log of every life of some pods' containers, each copied to its end."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from llmdbenchd.core.nop.life import began_by, has_ended, newest, succeeded, was_over_by
from llmdbenchd.core.pods.objects import Pod
from llmdbenchd.edge.files.durable import publish
from llmdbenchd.edge.kubernetes.logfile import Successor
from llmdbenchd.edge.kubernetes.logs import LogCopy
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.edge.recording.folder import Folder
from llmdbenchd.edge.recording.lives import Life, Span, done_mark
from llmdbenchd.kit.taskset import TaskSet
from llmdbenchd.ports import Refused, Unavailable

AGAIN_S = 2.0
SETTLE_S, TICK_S = 20.0, 0.1
T = TypeVar("T")


class Logs:
    """Copies in progress.

    Args:
        session: the API server.
        namespace: where the pods are.
        folder: where the logs are kept.
        group: outlives the logs that are followed.
        say: told of what is new.
        span: what of the logs is of interest.

    Attributes:
        pods: as last seen, by uid; `present` are those that are still there. Whoever sees them
            keeps both.
    """

    def __init__(
        self,
        session: Session,
        namespace: str,
        *,
        folder: Folder,
        group: asyncio.TaskGroup,
        say: Callable[[str], None],
        span: Span,
    ) -> None:
        self.pods: dict[str, Pod] = {}
        self.present: set[str] = set()
        self._session = session
        self._namespace = namespace
        self._folder = folder
        self._say = say
        self._span = span
        self._copies: dict[Life, LogCopy] = {}
        self._lacking: dict[Life, str] = {}
        self._read: dict[Life, int] = {}  # newest second of those that were read to their ends
        self._tasks = TaskSet[Life](group, self._follow, lambda _: None)

    def lives(self, uid: str) -> list[Life]:
        """Every life of every container that has begun."""
        pod = self.pods[uid]
        return [
            Life(uid, pod.metadata.name, one.name, restart)
            for one in pod.spec.containers
            if (last := newest(pod, one.name)) is not None
            for restart in range(last + 1)
        ]

    async def match(self, uid: str, *, is_wanted: bool) -> None:
        """Follow what can still tell something; of lives before the last two there is no log.

        Pods of a recording that is over tell nothing that anybody waits for.
        """
        pod = self.pods[uid]
        wanted = set()
        for life in self.lives(uid) if is_wanted else ():
            last = newest(pod, life.container) or 0
            path = self._folder.server(uid).log(life.container, life.restart)
            if self._is_read(life) or await _do(done_mark(path).exists):
                continue
            if was_over_by(pod, life.container, life.restart, self._span.since):
                continue
            if life.restart >= last - 1 or await _do(path.exists):
                wanted.add(life)
        self._tasks.match(uid, wanted)
        for life, copy in self._copies.items():
            if life.uid == uid and self._has_ended(life):
                copy.ring()

    async def settle(self) -> list[str]:
        """Let what is over be read to its end, for as long as that may take, and stop.

        Returns:
            A sentence for each log that may lack something.
        """
        await asyncio.sleep(TICK_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_S):
                while any(self._has_ended(life) for life in self._copies):  # noqa: ASYNC110 - copies end by themselves
                    await asyncio.sleep(TICK_S)
        for life in filter(self._has_ended, self._copies):
            self._lacking[life] = f"{life}: it was not read to its end within {SETTLE_S:g} s"
        for uid in self.pods:
            self._tasks.match(uid, frozenset())
        return list(self._lacking.values())

    async def _follow(self, life: Life) -> None:
        """Copy one log to its end; never raises."""
        path = self._folder.server(life.uid).log(life.container, life.restart)
        pod, since = self.pods[life.uid], self._span.since
        begins_late = since and began_by(pod, life.container, life.restart, since)
        copy = self._copies[life] = LogCopy(
            session=self._session,
            namespace=self._namespace,
            pod=life.pod,
            container=life.container,
            into=path,
            is_over=partial(self._is_over, life),
            successor=partial(self._successor, life),
            begin=since if begins_late else None,
            is_enough=self._span.is_over,
        )
        is_sure = life.uid not in self.present or self._successor(life) is not None
        try:
            end = await copy.run()
            self._read[life] = end.newest
            self._note(life, end.unread)
            if is_sure:
                await _do(publish, done_mark(path), b"")
            unread = f", {end.unread}" if end.unread else ""
            self._say(f"{life} was read: {end.size} bytes{unread}")
        except (Refused, Unavailable) as error:
            self._note(life, str(error))
            self._say(f"{life}: {error}")
            await asyncio.sleep(AGAIN_S)
        finally:
            self._copies.pop(life, None)

    def _note(self, life: Life, trouble: str) -> None:
        self._lacking.pop(life, None)
        if trouble:
            self._lacking[life] = f"{life}: {trouble}"

    def _is_read(self, life: Life) -> bool:
        """Whether a log was read to its end, and no line of a successor's.

        The last look may have read those already, before the status told of it: then it is read
        once more. Where no line is so young, that would only find out that it is too late.
        """
        if life not in self._read or life.uid not in self.present:
            return False
        successor = self._successor(life)
        return successor is None or self._read[life] < successor.since

    async def _is_over(self, life: Life) -> bool:
        is_there = life.uid in self.present
        return not is_there or has_ended(self.pods[life.uid], life.container, life.restart)

    def _has_ended(self, life: Life) -> bool:
        is_there = life.uid in self.present
        return (
            self._span.is_over()
            or not is_there
            or has_ended(self.pods[life.uid], life.container, life.restart)
        )

    def _successor(self, life: Life) -> Successor | None:
        """Only where the pod is there: of one that is gone nothing can be asked."""
        if life.uid not in self.present:
            return None
        found = succeeded(self.pods[life.uid], life.container, life.restart)
        return Successor(*found) if found else None


async def _do(work: Callable[..., T], *args: object) -> T:
    return await asyncio.to_thread(work, *args)
