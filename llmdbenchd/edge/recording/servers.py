"""The recorder's eyes: the pods of one stack, and the log of every life of their containers."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

import msgspec

from llmdbenchd.core.nop.behind import Behind, is_over
from llmdbenchd.core.nop.cluster import ready_at
from llmdbenchd.core.nop.ending import Server
from llmdbenchd.core.nop.life import has_ended, newest, succeeded
from llmdbenchd.core.nop.report import telling
from llmdbenchd.core.nop.timeline import Recorded
from llmdbenchd.core.pods.objects import Pod
from llmdbenchd.edge.files.durable import publish
from llmdbenchd.edge.kubernetes.events import events_of
from llmdbenchd.edge.kubernetes.logfile import Successor
from llmdbenchd.edge.kubernetes.logs import LogCopy
from llmdbenchd.edge.kubernetes.reading import listed
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.edge.recording.folder import Facts, Folder, ServerFolder
from llmdbenchd.edge.recording.lives import Life, Tail, done_mark
from llmdbenchd.kit.taskset import TaskSet
from llmdbenchd.ports import Refused, Unavailable

EVENTS_S = 5.0  # between two questions about a pod's events
AGAIN_S = 2.0
SETTLE_S, TICK_S = 20.0, 0.1
T = TypeVar("T")


class Servers:
    """All pods that one recording is about.

    Args:
        session: the API server.
        folder: where all of it is kept.
        group: outlives the logs that are followed.
        kept: whether the line that says so is worth the recorder's log: told of what is new.
    """

    def __init__(
        self,
        session: Session,
        folder: Folder,
        behind: Behind,
        group: asyncio.TaskGroup,
        say: Callable[[str], None],
    ) -> None:
        self._session = session
        self._folder = folder
        self._behind = behind
        self._say = say
        self._pods: dict[str, Pod] = {}  # as last seen
        self._numbers: dict[str, int] = {}  # of the recordings in which they were met
        self._present: set[str] = set()
        self._events_at: dict[str, float] = {}
        self._ready_since: dict[str, float] = {}
        self._tails: dict[Life, Tail] = {}
        self._copies: dict[Life, LogCopy] = {}
        self._read: dict[Life, int] = {}  # newest second of those that were read to their ends
        self._tasks = TaskSet[Life](group, self._follow, lambda _: None)
        for kept in folder.servers():
            self._pods[kept.uid], facts = kept.pod(), kept.facts()
            self._numbers[kept.uid] = facts.number
            if not facts.is_gone:
                self._present.add(kept.uid)

    async def present(self) -> list[Pod]:
        """All pods that are there; nothing is kept of them.

        Raises:
            Refused, Unavailable: they could not be listed.
        """
        path = f"/api/v1/namespaces/{self._behind.namespace}/pods"
        return [pod for pod in await listed(self._session, path, Pod) if self._behind.holds(pod)]

    async def look(self, number: int, removed: frozenset[str]) -> list[Pod]:
        """See all pods, follow every log of theirs, keep what is new.

        Args:
            number: of the recording that is under way, from 0.
            removed: uids of pods that were deleted to begin a recording.

        Returns:
            Those that are there; some may be ending.

        Raises:
            Refused, Unavailable: they could not be listed.
        """
        listed = await self.present()
        here = {pod.metadata.uid: pod for pod in listed}
        for uid, pod in here.items():
            if uid not in self._pods and (uid in removed or is_over(pod)):
                continue
            if uid not in self._pods:
                self._say(f"pod {pod.metadata.name} is recorded")
                self._numbers[uid] = number
            if self._numbers[uid] == number:
                await self._keep(uid, _without_values(pod))
                await self._hear(uid)
        for uid in self._present - here.keys():
            await self._lose(uid, is_ours=uid in removed)
        self._present = here.keys() & self._pods.keys()
        for uid in self._pods:
            await self._match(uid, is_wanted=self._numbers[uid] == number)
        return listed

    async def servers(self, pods: list[Pod]) -> list[Server]:
        """The same pods with what their logs tell so far."""
        now = asyncio.get_running_loop().time()
        found = []
        for pod in pods:
            uid = pod.metadata.uid
            if ready_at(pod) is None:
                self._ready_since.pop(uid, None)
            since = self._ready_since.setdefault(uid, now) if ready_at(pod) else now
            found.append(Server(pod, await self._recorded(uid), now - since))
        return found

    async def let_go(self) -> None:
        """Follow nothing any more; hear the last events.

        Logs of lives that are over are read to their ends first, for as long as that may take.
        """
        newest_number = max(self._numbers.values(), default=0)
        for uid in self._pods:
            await self._match(uid, is_wanted=self._numbers[uid] == newest_number)
        await asyncio.sleep(TICK_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_S):
                while any(self._has_ended(life) for life in self._copies):  # noqa: ASYNC110 - copies end by themselves
                    await asyncio.sleep(TICK_S)
        for uid in self._pods:
            self._tasks.match(uid, frozenset())
            self._events_at.pop(uid, None)
            if uid in self._present:
                await self._hear(uid)

    async def _recorded(self, uid: str) -> list[Recorded]:
        found = []
        for life in sorted(self._lives(uid), key=lambda one: one.restart):
            tail = self._tails.setdefault(
                life, Tail(self._server(uid).log(life.container, life.restart))
            )
            await self._do(tail.read)
            found += [Recorded(life.restart, one) for one in telling(tail.recorder.journal)]
        return found

    def _lives(self, uid: str) -> list[Life]:
        """Every life of every container that has begun."""
        pod = self._pods[uid]
        return [
            Life(uid, pod.metadata.name, one.name, restart)
            for one in pod.spec.containers
            if (last := newest(pod, one.name)) is not None
            for restart in range(last + 1)
        ]

    async def _match(self, uid: str, *, is_wanted: bool) -> None:
        """Follow what can still tell something; of lives before the last two there is no log.

        Pods of a recording that is over tell nothing that anybody waits for.
        """
        pod = self._pods[uid]
        wanted = set()
        for life in self._lives(uid) if is_wanted else ():
            last = newest(pod, life.container) or 0
            path = self._server(uid).log(life.container, life.restart)
            if self._is_read(life) or await self._do(done_mark(path).exists):
                continue
            if life.restart >= last - 1 or await self._do(path.exists):
                wanted.add(life)
        self._tasks.match(uid, wanted)
        for life, copy in self._copies.items():
            if life.uid == uid and self._has_ended(life):
                copy.ring()

    async def _follow(self, life: Life) -> None:
        """Copy one log to its end; never raises."""
        path = self._server(life.uid).log(life.container, life.restart)
        copy = self._copies[life] = LogCopy(
            session=self._session,
            namespace=self._behind.namespace,
            pod=life.pod,
            container=life.container,
            into=path,
            is_over=partial(self._is_over, life),
            successor=partial(self._successor, life),
        )
        is_sure = life.uid not in self._present or self._successor(life) is not None
        try:
            end = await copy.run()
            self._read[life] = end.newest
            if is_sure:
                await self._do(publish, done_mark(path), b"")
            unread = f", {end.unread}" if end.unread else ""
            self._say(f"{life} has ended: {end.size} bytes{unread}")
        except (Refused, Unavailable) as error:
            self._say(f"{life}: {error}")
            await asyncio.sleep(AGAIN_S)
        finally:
            self._copies.pop(life, None)

    def _is_read(self, life: Life) -> bool:
        """Whether a log was read to its end, and no line of a successor's.

        The last look may have read those already, before the status told of it: then it is read
        once more. Where no line is so young, that would only find out that it is too late.
        """
        if life not in self._read or life.uid not in self._present:
            return False
        successor = self._successor(life)
        return successor is None or self._read[life] < successor.since

    async def _is_over(self, life: Life) -> bool:
        return self._has_ended(life)

    def _has_ended(self, life: Life) -> bool:
        is_there = life.uid in self._present
        return not is_there or has_ended(self._pods[life.uid], life.container, life.restart)

    def _successor(self, life: Life) -> Successor | None:
        """Only where the pod is there: of one that is gone nothing can be asked."""
        if life.uid not in self._present:
            return None
        found = succeeded(self._pods[life.uid], life.container, life.restart)
        return Successor(*found) if found else None

    async def _hear(self, uid: str) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._events_at.get(uid, 0.0):
            return
        self._events_at[uid] = now + EVENTS_S
        events = await events_of(self._session, self._behind.namespace, uid)
        if events:
            await self._do(self._server(uid).keep_events, events)

    async def _keep(self, uid: str, pod: Pod) -> None:
        if self._pods.get(uid) != pod:
            await self._do(self._server(uid).keep, pod, Facts(number=self._numbers[uid]))
            self._pods[uid] = pod

    async def _lose(self, uid: str, *, is_ours: bool) -> None:
        """A pod is gone, by our own hand or not; its events outlive it."""
        pod = self._pods[uid]
        self._say(f"pod {pod.metadata.name} is gone")
        self._events_at.pop(uid, None)
        await self._hear(uid)
        if not is_ours:
            facts = Facts(number=self._numbers[uid], is_gone=True)
            await self._do(self._server(uid).keep, pod, facts)

    def _server(self, uid: str) -> ServerFolder:
        return self._folder.server(uid)

    async def _do(self, work: Callable[..., T], *args: object) -> T:
        return await asyncio.to_thread(work, *args)


def _without_values(pod: Pod) -> Pod:
    """Variables may hold secrets, and nothing of ours reads them."""
    bare = tuple(msgspec.structs.replace(one, env=()) for one in pod.spec.containers)
    inits = tuple(msgspec.structs.replace(one, env=()) for one in pod.spec.init_containers)
    spec = msgspec.structs.replace(pod.spec, containers=bare, init_containers=inits)
    return msgspec.structs.replace(pod, spec=spec)
