"""The Kubernetes room's eye: pods as a list and then a watch, for ever.

A watch ends for many reasons, most of them ordinary: the server's time is up, a load
balancer cuts it, the server restarts or forgets our resourceVersion. None of them says
anything about pods. So it is begun again from where it was, or from a whole list where the
server cannot go on, and what is wrong meanwhile is a word in `degraded`, never an error.

A pod is who its uid says. One that a list lacks, or whose name another pod has by now, is
told to be gone, with the state that was seen last.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from http import HTTPStatus

import structlog

from llmdbenchd.core.pods.objects import Pod
from llmdbenchd.core.run.limits import backoff_s
from llmdbenchd.edge.kubernetes.errors import Failed, Gone, world
from llmdbenchd.edge.kubernetes.lines import lines_of
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.edge.kubernetes.telegrams import (
    Change,
    PodGone,
    PodSeen,
    PodsListed,
    Told,
    page_of,
    told,
)
from llmdbenchd.ports import Refused, Unavailable

__all__ = ["Change", "Pace", "PodGone", "PodSeen", "PodWatch", "PodsListed"]

log = structlog.get_logger()

PAGE = 500
RESTARTS = 3  # of a list whose continue token expired; then it is asked for in one piece
FIRST_S, LONGEST_S = 0.8, 30.0  # pauses after trouble
HEALTHY_S = 120.0  # after which earlier trouble is forgotten
WORTH_S = 10.0  # after which the next pause is a tenth of it at most
STEADY_S = 1.0  # a watch that ends so soon is trouble, unless it was once, and told something
SHORTEST_S = 10.0  # that a watch is asked for
NOT_LISTED = "not listed yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds.

    Attributes:
        silence: without a word, bookmarks included, a watch is begun again: a frozen server
            and a half-open connection look like this, and so does a quiet namespace.
        answer: within which a watch must begin to be answered.
        lifetime: for which a watch is asked for, at least; at most twice as long.
        relist: after which everything is listed again, in case that something was missed;
            a fifth more or less.
    """

    silence: float = 75.0
    answer: float = 30.0
    lifetime: float = 300.0
    relist: float = 750.0


class _Silence(Unavailable):
    """An answered watch told nothing for long; mostly there was nothing to tell."""


@dataclass(slots=True)
class PodWatch:
    """All pods of one selector in one namespace.

    Attributes:
        clock: seconds that never go back, and go on while the machine sleeps.
        degraded: why what was said last may be old, or empty.
        last_heard: when (by `clock`) the server last told something of pods: a list, an
            event, a bookmark, or that there is nothing; None = never.
        refused: what the server says to a list, if that is no; None: it does not answer.
    """

    session: Session
    namespace: str
    selector: str
    clock: Callable[[], float]
    pace: Pace = Pace()
    degraded: str = field(default=NOT_LISTED, init=False)
    last_heard: float | None = field(default=None, init=False)
    refused: str | None = field(default=None, init=False)
    _known: dict[str, Pod] = field(default_factory=dict, init=False)
    _tries: int = field(default=0, init=False)
    _well_since: float = field(default=0.0, init=False)
    _is_relisted: bool = field(default=False, init=False)

    async def changes(self) -> AsyncIterator[Change]:
        """First a list, then what changes, then a list again; it never ends and never raises.

        Before each further list those are told to be gone that it lacks.
        """
        while True:
            try:
                async with aclosing(self._listed_and_watched()) as changes:
                    async for change in changes:
                        yield change
            except Gone as error:
                await self._begin_anew(error)
            except Refused as error:
                self.refused = str(error)
                await self._rest(error)
            except Unavailable as error:
                await self._rest(error)

    async def _listed_and_watched(self) -> AsyncGenerator[Change, None]:
        """A list, and what changes until the next one is due.

        Raises:
            Gone: the server cannot go on from there.
            Refused, Unavailable: the list failed.
        """
        listed, version = await self._list()
        self.refused = ""
        for gone in self._replace(listed):
            yield PodGone(gone)
        yield listed
        due = self.clock() + self.pace.relist * random.uniform(0.8, 1.2)  # noqa: S311 -- not secret
        silences, was_short, was_refused = 0, False, False
        while self.clock() < due and silences < 2:  # noqa: PLR2004 -- twice is no chance any more
            begun, before = self.clock(), version
            try:
                async with aclosing(self._one_watch(version, due - begun)) as telling:
                    async for one in telling:
                        version, silences = one.version or version, 0
                        for change in self._applied(one.change):
                            yield change
            except Gone:
                raise
            except _Silence:
                silences += 1
            except Refused as error:
                await self._rest(error)
                if was_refused:
                    return  # a list tells whether nothing may be read any more
                was_refused = True
            except Unavailable as error:
                await self._rest(_or_gone(error))
            else:
                is_short = self.clock() - begun < STEADY_S
                if is_short and (was_short or version == before):
                    await self._rest(Unavailable("watch pods: it ended as soon as it began"))
                was_short = is_short

    async def _one_watch(self, version: str, left_s: float) -> AsyncGenerator[Told, None]:
        """What one watch tells, until the server or the network ends it."""
        lifetime = self.pace.lifetime * random.uniform(1, 2)  # noqa: S311 -- not secret
        query = {
            "labelSelector": self.selector,
            "watch": "true",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(int(max(SHORTEST_S, min(lifetime, left_s)))),
        }
        is_answered = False
        try:
            async with AsyncExitStack() as watch:
                with world("watch pods"):
                    async with asyncio.timeout(self.pace.answer):
                        stream = self.session.stream(
                            self._path, pool="watch", query=query, silence_s=self.pace.silence
                        )
                        answer = await watch.enter_async_context(stream)
                is_answered = True
                loop = asyncio.get_running_loop()
                watch.callback(loop.call_later(STEADY_S, self._is_steady).cancel)
                async for line in lines_of(answer.content):
                    one = told(line)
                    self._has_told(one, version)
                    yield one
        except Unavailable as error:
            if is_answered and isinstance(error.__cause__, TimeoutError):
                raise _Silence(str(error)) from error
            raise

    async def _list(self) -> tuple[PodsListed, str]:
        """Everything, in pages; in one piece where the pages take too long for the server."""
        for _ in range(RESTARTS):
            try:
                return await self._pages(PAGE)
            except Gone:
                await asyncio.sleep(0)  # its continue token expired
        return await self._pages(0)

    async def _pages(self, limit: int) -> tuple[PodsListed, str]:
        pods: dict[str, Pod] = {}
        query = {"labelSelector": self.selector} | ({"limit": str(limit)} if limit else {})
        while True:
            page = page_of(await self.session.ask("GET", self._path, query=query))
            self.last_heard = self.clock()
            pods |= {pod.metadata.name: pod for pod in page.items}
            if not page.metadata.continue_:
                if self.degraded == NOT_LISTED:  # after trouble, a watch must show that it is over
                    self._is_well()
                return PodsListed(pods), page.metadata.resource_version
            query["continue"] = page.metadata.continue_
            await asyncio.sleep(0)  # decoding a page takes 10 ms: others want to live as well

    @property
    def _path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods"

    def _replace(self, listed: PodsListed) -> list[Pod]:
        """Keep what is listed; returns what is not there any more."""
        before, self._known = self._known, {pod.metadata.uid: pod for pod in listed.pods.values()}
        return [pod for uid, pod in before.items() if uid not in self._known]

    def _applied(self, change: PodSeen | PodGone | None) -> list[Change]:
        """Keep a change; returns it, after the end of another pod of that name."""
        match change:
            case PodSeen(pod=pod):
                uid, name = pod.metadata.uid, pod.metadata.name
                other = [] if uid in self._known else self._others(name)
                self._known[uid] = pod
                return [*map(PodGone, other), change]
            case PodGone(pod=pod):
                self._known.pop(pod.metadata.uid, None)
                return [change]
            case None:
                return []

    def _others(self, name: str) -> list[Pod]:
        others = [pod for pod in self._known.values() if pod.metadata.name == name]
        for pod in others:
            del self._known[pod.metadata.uid]
        return others

    def _has_told(self, one: Told, since: str) -> None:
        self.last_heard = self.clock()
        if one.change is not None or one.version != since:  # no proof is the word that we gave it
            self._is_steady()

    def _is_steady(self) -> None:
        """A watch tells something new, or has stood for a while."""
        self.last_heard, self._is_relisted = self.clock(), False
        if self.degraded:
            self._is_well()

    def _is_well(self) -> None:
        if self._tries:
            log.info("watch.recovered", **self._who, tries=self._tries)
        self.degraded, self._well_since = "", self.clock()

    async def _begin_anew(self, error: Gone) -> None:
        """The server forgot where we were: list at once, unless that did not help before."""
        if self._is_relisted:
            await self._rest(error)
        else:
            log.info("watch.relisting", **self._who, reason=str(error))
        self._is_relisted = True

    async def _rest(self, error: Exception) -> None:
        """Say what is wrong, and wait: longer each time, and never long after a good while."""
        now, most = self.clock(), LONGEST_S
        if not self.degraded:
            well_s = now - self._well_since
            self._tries = 0 if well_s > HEALTHY_S else self._tries
            most = min(most, well_s / 10) if well_s > WORTH_S else most
        self._tries += 1
        if not isinstance(error, Refused):
            self.refused = None
        if str(error) != self.degraded:
            log.warning("watch.trouble", **self._who, reason=str(error), tries=self._tries)
        self.degraded = str(error)
        pause = backoff_s(self._tries, first=FIRST_S, most=most)
        await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 -- not secret

    @property
    def _who(self) -> dict[str, str]:
        return {"namespace": self.namespace, "selector": self.selector}


def _or_gone(error: Unavailable) -> Unavailable:
    """The error, or what it means here.

    Raises:
        Gone: a server that does not have our version yet says 504 to it.
    """
    if isinstance(error, Failed) and error.status == HTTPStatus.GATEWAY_TIMEOUT:
        raise Gone(str(error), error.status) from error
    return error
