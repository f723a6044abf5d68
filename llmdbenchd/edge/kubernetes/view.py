"""The Kubernetes room's eye: pods as a list and then a watch, for ever.

A watch ends for many reasons, most of them ordinary: the server's time is up, a load
balancer cuts it, the server restarts or forgets our resourceVersion. None of them says
anything about pods. So it is begun again from where it was, or from a whole list where the
server cannot go on, and what is wrong meanwhile is a word in `degraded`, never an error.
"""

import random
from asyncio import sleep
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import msgspec
import structlog

from llmdbenchd.core.pods.objects import Pod, PodList, Status, WatchEvent
from llmdbenchd.core.run.limits import backoff_s
from llmdbenchd.edge.kubernetes.errors import Failed, Gone, translated
from llmdbenchd.edge.kubernetes.lines import lines_of
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.ports import Refused, Unavailable

log = structlog.get_logger()

PAGE = 500
RESTARTS = 3  # of a list whose continue token expired; then it is asked for in one piece
FIRST_S, LONGEST_S = 0.8, 30.0
HEALTHY_S = 120.0  # after which earlier trouble is forgotten
TOO_SHORT_S = 1.0  # a watch that ends so soon, and without a word, is trouble

_events = msgspec.json.Decoder(WatchEvent)
_pods = msgspec.json.Decoder(Pod)
_lists = msgspec.json.Decoder(PodList)
_statuses = msgspec.json.Decoder(Status)


@dataclass(frozen=True, slots=True)
class PodsListed:
    """A whole list, by name: a pod that is not in it does not exist."""

    pods: Mapping[str, Pod]


@dataclass(frozen=True, slots=True)
class PodSeen:
    """A pod is there, in this state."""

    pod: Pod


@dataclass(frozen=True, slots=True)
class PodGone:
    """A pod is gone; this was its last state."""

    pod: Pod


Change = PodsListed | PodSeen | PodGone


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds.

    Attributes:
        silence: without a word, bookmarks included, a watch is begun again: a frozen server
            and a half-open connection look like this, and so does a quiet namespace.
        lifetime: for which a watch is asked for, at least; at most twice as long.
        relist: after which everything is listed again, in case that something was missed.
    """

    silence: float = 75.0
    lifetime: float = 300.0
    relist: float = 750.0


@dataclass(slots=True)
class PodWatch:
    """All pods of one selector in one namespace.

    Attributes:
        degraded: why what was said last may be old, or empty.
        refused_since: since when (by `clock`) the server says no to us; None = it does not.
    """

    session: Session
    namespace: str
    selector: str
    clock: Callable[[], float]
    pace: Pace = Pace()
    degraded: str = "not listed yet"
    refused_since: float | None = None
    _tries: int = field(default=0, init=False)
    _well_since: float = field(default=0.0, init=False)
    _heard: bool = field(default=False, init=False)

    async def changes(self) -> AsyncIterator[Change]:
        """First a list, then what changes, then a list again; it never ends and never raises."""
        while True:
            try:
                listed, version = await self._list()
                self._well()
                yield listed
                async for change in self._watched(version):
                    yield change
            except Gone:
                continue  # what happened since cannot be told one by one any more
            except (Refused, Unavailable) as error:
                await self._bad(error)

    async def _watched(self, version: str) -> AsyncIterator[PodSeen | PodGone]:
        """Watch after watch, each from where the last one ended, until a list is due.

        Raises:
            Gone: the server cannot go on from there.
        """
        due = self.clock() + self.pace.relist * random.uniform(0.8, 1.2)  # noqa: S311 -- not secret
        while self.clock() < due:
            begun, self._heard = self.clock(), False
            try:
                async for event in self._one_watch(version):
                    version = event.object.metadata.resource_version or version
                    if change := event.change:
                        yield change
            except Gone:
                raise
            except (Refused, Unavailable) as error:
                if isinstance(error, Failed) and error.status == HTTPStatus.GATEWAY_TIMEOUT:
                    raise Gone(str(error)) from error  # a version that it does not have yet
                if not isinstance(error.__cause__, TimeoutError):  # else it was only quiet
                    await self._bad(error)
            else:
                if self.clock() - begun < TOO_SHORT_S and not self._heard:
                    await self._bad(Unavailable("watch pods: it ended at once, without a word"))

    async def _one_watch(self, version: str) -> "AsyncIterator[_Told]":
        lifetime = self.pace.lifetime * random.uniform(1, 2)  # noqa: S311 -- not secret
        query = {
            "labelSelector": self.selector,
            "watch": "true",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(int(lifetime)),
        }
        async with self.session.stream(
            self._path, pool="watch", query=query, silence_s=self.pace.silence
        ) as answer:
            self._well()
            async for line in lines_of(answer.content):
                self._heard = True
                if self.clock() - self._well_since > HEALTHY_S:
                    self._tries = 0
                yield _told(line)

    async def _list(self) -> tuple[PodsListed, str]:
        """Everything, in pages; in one piece where the pages take too long for the server."""
        for limit in [*[PAGE] * RESTARTS, 0]:
            try:
                return await self._pages(limit)
            except Gone:
                if limit == 0:
                    raise
        raise AssertionError  # the last one returns or raises

    async def _pages(self, limit: int) -> tuple[PodsListed, str]:
        pods: dict[str, Pod] = {}
        query = {"labelSelector": self.selector}
        if limit:
            query["limit"] = str(limit)
        while True:
            body = await self.session.ask("GET", self._path, query=query)
            try:
                page = _lists.decode(body)
            except msgspec.MsgspecError as error:
                raise Unavailable(f"list pods: not a list of pods: {error}") from error
            pods |= {pod.metadata.name: pod for pod in page.items}
            if not page.metadata.continue_:
                return PodsListed(pods), page.metadata.resource_version
            query["continue"] = page.metadata.continue_
            await sleep(0)  # decoding a page takes 10 ms: others want to live as well

    @property
    def _path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods"

    def _well(self) -> None:
        if self.degraded:
            self._well_since = self.clock()
        self.degraded, self.refused_since = "", None

    async def _bad(self, error: Exception) -> None:
        self._tries += 1
        self.degraded = str(error)
        if isinstance(error, Refused) and self.refused_since is None:
            self.refused_since = self.clock()
        pause = backoff_s(self._tries, first=FIRST_S, most=LONGEST_S) * random.uniform(0.5, 1)  # noqa: S311 -- not secret
        log.warning("watch.trouble", namespace=self.namespace, reason=str(error), tries=self._tries)
        await sleep(pause)


@dataclass(frozen=True, slots=True)
class _Told:
    """One line of a watch; bookmarks only move the version."""

    object: Pod
    change: PodSeen | PodGone | None


def _told(line: bytes) -> _Told:
    """Read a line.

    Raises:
        Gone: the server cannot go on.
        Unavailable: it ends the watch, or something that is no API server speaks.
    """
    try:
        event = _events.decode(line)
        if event.type == "ERROR":
            status = _statuses.decode(event.object)
            error = translated(status.code or 500, bytes(event.object), {}, what="watch pods")
            raise error if isinstance(error, Unavailable) else Unavailable(str(error))
        pod = _pods.decode(event.object)
    except msgspec.MsgspecError as error:
        start = line[:60].decode("utf-8", "replace")
        raise Unavailable(f"watch pods: not a watch event: {start!r}") from error
    match event.type:
        case "ADDED" | "MODIFIED":
            return _Told(pod, PodSeen(pod))
        case "DELETED":
            return _Told(pod, PodGone(pod))
        case _:
            return _Told(pod, None)
