"""The Kubernetes room's scribe: a container's log into a file as it is written, each line once.

A stream of the API server ends for many reasons and says none of them: its end says nothing
about the container. So the copy goes on, from what the file holds, until the pod's status
says that the container has ended, and then until one more read of the log brings nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom
from typing import Protocol

import aiohttp

from llmdbenchd.edge.kubernetes.errors import QUOTED
from llmdbenchd.edge.kubernetes.logfile import LogFile, NotWritten, Successor, log_file
from llmdbenchd.edge.kubernetes.logtrouble import Patience, Trouble, passing, trouble_of
from llmdbenchd.edge.kubernetes.pools import Pool
from llmdbenchd.kit.resume import Bookmark, Replay
from llmdbenchd.kit.stamps import BEGINNING, Gap, mark, opening, second_of, stamp_of
from llmdbenchd.ports import Refused, Unavailable

BREATH_S = 0.5  # between looks at a stream: a look costs as much as twenty lines
BUSY = 1 << 15  # bytes that a look brings from a stream that has more
QUIET_S = 0.1  # a stream that brings nothing for so long brings nothing of an ended container
SILENCE_S = 60.0  # then a stream is asked for anew: half of a connection may be gone
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0  # between streams


class Streams(Protocol):
    """What is needed of a session."""

    def stream(
        self, path: str, *, pool: Pool, query: Mapping[str, str], silence_s: float | None
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """A GET whose answer is read as it comes; its status is checked."""
        ...


@dataclass(frozen=True, slots=True)
class LogEnd:
    """The container has ended, and what can be had of its log is on disk.

    Attributes:
        size: of the copy in bytes, stamps included.
        gaps: places where lines may be missing, as they are marked in it.
        unread: why it may lack its end; empty if it was read to the last byte.
        newest: second of its last line, since the epoch; 0 if it has none.
    """

    size: int
    gaps: tuple[Gap, ...]
    unread: str = ""
    newest: int = field(default=0, compare=False)


@dataclass(slots=True, kw_only=True)
class LogCopy:
    """A copy in progress. What it knows is in the file, so a kill at any moment loses nothing.

    Attributes:
        into: the file. Its lines keep their stamps (`kit.stamps.plain` takes them off).
        is_over: whether the pod's status says that the container has ended, or that there is
            no such pod (any more). May raise `Refused` or `Unavailable`: then nobody knows.
        successor: who has the container's name by now, as far as the pod's status tells; it
            tells so only of a life that is over.
        begin: the second, since the epoch, with which the copy begins; its first line says so.
            None: with the log's first line.
        is_enough: whether nobody wants what is written from now on: it ends with one more read.
    """

    session: Streams
    namespace: str
    pod: str
    container: str
    into: Path
    is_over: Callable[[], Awaitable[bool]]
    successor: Callable[[], Successor | None] = lambda: None
    begin: int | None = None
    is_enough: Callable[[], bool] = lambda: False
    _bell: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _waiting: asyncio.Timeout | None = field(default=None, init=False)
    _was_rung: bool = field(default=False, init=False)  # since the look began

    def ring(self) -> None:
        """Say that the pod was seen to change: so an end is noticed before the stream's own.

        A log that was not there yet is looked at again at once, too.
        """
        self._was_rung = True
        self._bell.set()
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(0)

    async def run(self) -> LogEnd:
        """Copy until the container has ended and all of its log that can be had is on disk.

        Trouble between here and the container is waited for, however long it takes.

        Raises:
            NotWritten: the file cannot be written now; call again, and it goes on.
        """
        async with log_file(self.into) as file:
            unread = await self._copy(file)
            gaps = await file.seal()
            size = file.size
            newest = (await file.rewind()).newest  # marks do not count for it, and do for the size
            return LogEnd(size, gaps, unread, newest)

    async def _copy(self, file: LogFile) -> str:
        """Look again and again; returns why the end of the log cannot be read, or nothing."""
        pauses, patience = _Pauses(FIRST_PAUSE_S), Patience()
        while True:
            self._was_rung = False
            enough = self.is_enough()
            over = await self._has_ended()  # asked before the look: nothing is written after it
            size = file.size
            trouble = await self._look(file, follow=not over)
            if over and trouble is None and (enough or file.size == size):
                return ""
            trouble = trouble.briefly() if trouble is not None and enough else trouble
            if over and trouble is not None and patience.is_at_end(trouble):
                await self._mark_end(file, trouble)
                return trouble.what
            pause_s = pauses.next(trouble, has_news=file.size > size)
            if not self._was_rung:
                await self._pause(pause_s)

    async def _mark_end(self, file: LogFile, trouble: Trouble) -> None:
        """Say in the copy itself that its end is missing; what never began has none."""
        last = (await file.give_up()).stamp or (self._nothing if trouble.loses else b"")
        await self._open(file)
        if last:
            why = " ".join(trouble.what.split())[:QUOTED]
            await file.add(mark(Gap(last.decode(), None, f"they could not be read: {why}")))

    @property
    def _nothing(self) -> bytes:
        """The stamp before the first line."""
        return BEGINNING.encode() if self.begin is None else stamp_of(opening(self.begin))

    async def _open(self, file: LogFile) -> None:
        """Say at the top where the copy begins; a mark alone is no line, and is written again."""
        if self.begin is not None and not file.size:
            await file.add(opening(self.begin))

    async def _has_ended(self) -> bool:
        self._bell.clear()
        try:
            return self.is_enough() or await self.is_over()
        except (Refused, Unavailable):
            return False

    async def _look(self, file: LogFile, *, follow: bool) -> Trouble | None:
        """Read from where the file ends to where the answer ends; why it was no whole answer.

        Before the status told of a successor, its lines may have come to us as this life's: they
        are taken back, and this life's own are asked for.
        """
        successor = self.successor()
        if successor is not None:
            await file.cut(successor.since)
            if not successor.is_next:
                return Trouble(f"log of {self.pod}: {self.container} started twice meanwhile", 0)
        try:
            said = await self._read(file, follow=follow, successor=successor)
        except NotWritten:
            raise
        except _Another:
            said = f"log of {self.pod}: what is called previous is another life's by now"
            return Trouble(said, 0)
        except (Refused, Unavailable) as error:
            return trouble_of(error, self.pod)
        return passing(f"log of {self.pod}: {said}") if said else None

    async def _read(self, file: LogFile, *, follow: bool, successor: Successor | None) -> str:
        """Read one answer to its end; returns what the kubelet said in place of the log.

        Raises:
            _Another: this life's log was asked for, and the kubelet gives the successor's: it
                knows of an end before the status tells of it.
        """
        known = await file.rewind()
        await self._open(file)
        replay = Replay(known)
        async with self.session.stream(
            f"/api/v1/namespaces/{self.namespace}/pods/{self.pod}/log",
            pool="logs",
            query=self._query(self._since(known), follow=follow, previous=successor is not None),
            silence_s=SILENCE_S,
        ) as response:
            if successor is not None:
                begun = await _beginning(response)
                if (second_of(begun) or 0) >= successor.since:
                    raise _Another
                await file.add(replay.feed(begun))
            read = self._next if follow else _rest
            while chunk := await read(response):
                await file.add(replay.feed(chunk))
                if follow and len(chunk) < BUSY:
                    await self._breathe(response)
        said = replay.strange.decode("utf-8", "replace")
        if not follow and not said:
            await file.add(replay.finish())
        return said

    def _since(self, known: Bookmark) -> int | None:
        """From when on to ask. What lies before the copy's beginning is not known, and no gap."""
        asked = [one for one in (known.since, self.begin) if one is not None]
        return max(asked, default=None)

    def _query(self, since: int | None, *, follow: bool, previous: bool) -> Mapping[str, str]:
        """Never `tailLines`: it would be applied first, and cap what is told again."""
        query = {"container": self.container, "timestamps": "true"}
        if follow:
            query["follow"] = "true"
        if previous:
            query["previous"] = "true"
        if since is not None:
            query["sinceTime"] = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return query

    async def _next(self, response: aiohttp.ClientResponse) -> bytes:
        """The next words; nothing when there are no more, or when the container has ended."""
        while not self._bell.is_set() or not await self._has_ended():
            try:
                async with asyncio.timeout(None) as self._waiting:
                    return await response.content.readany()
            except TimeoutError:
                if not self._bell.is_set():
                    raise
            finally:
                self._waiting = None
        self.ring()  # nobody pauses from here on
        with suppress(TimeoutError):  # what is on its way to us may be rotated away there
            async with asyncio.timeout(QUIET_S):
                return await response.content.readany()
        return b""

    async def _breathe(self, response: aiohttp.ClientResponse) -> None:
        """Let words gather in the kernel for a moment, where they cost nothing."""
        transport = response.connection.transport if response.connection else None
        if transport is None or transport.is_closing():
            return  # the answer is here to its end
        transport.pause_reading()
        try:
            await self._pause(BREATH_S)
        finally:
            if not transport.is_closing():
                transport.resume_reading()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._bell.wait()


async def _rest(response: aiohttp.ClientResponse) -> bytes:
    return await response.content.readany()


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """Enough to see the first line's stamp."""
    begun = b""
    while len(begun) <= len(BEGINNING) and (more := await _rest(response)):
        begun += more
    return begun


class _Another(Exception):
    """This is another life's log."""


@dataclass(slots=True)
class _Pauses:
    """Longer and longer between looks that bring nothing, and never the same for all."""

    seconds: float

    def next(self, trouble: Trouble | None, *, has_news: bool) -> float:
        if has_news:
            self.seconds = FIRST_PAUSE_S
        pause_s, self.seconds = self.seconds, min(2 * self.seconds, LONGEST_PAUSE_S)
        return max(pause_s * SystemRandom().uniform(0.6, 1), trouble.pause_s if trouble else 0)
