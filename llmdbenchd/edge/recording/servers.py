"""The recorder's eyes: the pods of one stack, and the log of every life of their containers."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import msgspec

from llmdbenchd.core.nop.behind import Behind, is_over
from llmdbenchd.core.nop.cluster import ready_at
from llmdbenchd.core.nop.ending import Server
from llmdbenchd.core.nop.report import telling
from llmdbenchd.core.nop.timeline import Recorded
from llmdbenchd.core.pods.objects import Pod
from llmdbenchd.edge.kubernetes.events import events_of
from llmdbenchd.edge.kubernetes.reading import listed
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.edge.recording.folder import Facts, Folder, ServerFolder
from llmdbenchd.edge.recording.lives import Life, Span, Tail
from llmdbenchd.edge.recording.logs import Logs

EVENTS_S = 5.0  # between two questions about a pod's events
ALL = Span()
T = TypeVar("T")


class Servers:
    """All pods that one recording is about.

    Args:
        session: the API server.
        folder: where all of it is kept.
        behind: which pods.
        group: outlives the logs that are followed.
        say: told of what is new.
        span: what of their logs is of interest.
        hears: whether their events are kept too.
    """

    def __init__(  # noqa: PLR0913 - each is named where it is made
        self,
        session: Session,
        folder: Folder,
        behind: Behind,
        group: asyncio.TaskGroup,
        say: Callable[[str], None],
        *,
        span: Span = ALL,
        hears: bool = True,
    ) -> None:
        self._session = session
        self._folder = folder
        self._behind = behind
        self._say = say
        self._hears = hears
        self._logs = Logs(session, behind.namespace, folder=folder, group=group, say=say, span=span)
        self._numbers: dict[str, int] = {}  # of the recordings in which they were met
        self._events_at: dict[str, float] = {}
        self._ready_since: dict[str, float] = {}
        self._tails: dict[Life, Tail] = {}
        for kept in folder.servers():
            self._logs.pods[kept.uid], facts = kept.pod(), kept.facts()
            self._numbers[kept.uid] = facts.number
            if not facts.is_gone:
                self._logs.present.add(kept.uid)

    async def present(self) -> list[Pod]:
        """All pods that are there; nothing is kept of them.

        Raises:
            Refused, Unavailable: they could not be listed.
        """
        path = f"/api/v1/namespaces/{self._behind.namespace}/pods"
        pods = await listed(self._session, path, Pod, query=self._behind.query)
        return [pod for pod in pods if self._behind.holds(pod)]

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
            if uid not in self._logs.pods and (uid in removed or is_over(pod)):
                continue
            if uid not in self._logs.pods:
                self._say(f"pod {pod.metadata.name} is recorded")
                self._numbers[uid] = number
            if self._numbers[uid] == number:
                await self._keep(uid, _without_values(pod))
                await self._hear(uid)
        for uid in self._logs.present - here.keys():
            await self._lose(uid, is_ours=uid in removed)
        self._logs.present = here.keys() & self._logs.pods.keys()
        for uid in self._logs.pods:
            await self._logs.match(uid, is_wanted=self._numbers[uid] == number)
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

    async def let_go(self) -> list[str]:
        """Follow nothing any more; hear the last events.

        Logs of lives that are over are read to their ends first, for as long as that may take.

        Returns:
            A sentence for each log that may lack something.
        """
        newest_number = max(self._numbers.values(), default=0)
        for uid in self._logs.pods:
            await self._logs.match(uid, is_wanted=self._numbers[uid] == newest_number)
        lacking = await self._logs.settle()
        for uid in self._logs.present:
            self._events_at.pop(uid, None)
            await self._hear(uid)
        return lacking

    async def _recorded(self, uid: str) -> list[Recorded]:
        found = []
        for life in sorted(self._logs.lives(uid), key=lambda one: one.restart):
            tail = self._tails.setdefault(
                life, Tail(self._server(uid).log(life.container, life.restart))
            )
            await self._do(tail.read)
            found += [Recorded(life.restart, one) for one in telling(tail.recorder.journal)]
        return found

    async def _hear(self, uid: str) -> None:
        now = asyncio.get_running_loop().time()
        if not self._hears or now < self._events_at.get(uid, 0.0):
            return
        self._events_at[uid] = now + EVENTS_S
        events = await events_of(self._session, self._behind.namespace, uid)
        if events:
            await self._do(self._server(uid).keep_events, events)

    async def _keep(self, uid: str, pod: Pod) -> None:
        if self._logs.pods.get(uid) != pod:
            await self._do(self._server(uid).keep, pod, Facts(number=self._numbers[uid]))
            self._logs.pods[uid] = pod

    async def _lose(self, uid: str, *, is_ours: bool) -> None:
        """A pod is gone, by our own hand or not; its events outlive it."""
        pod = self._logs.pods[uid]
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
