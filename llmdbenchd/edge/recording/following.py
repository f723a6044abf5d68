"""The recorder's side job: the logs of a run's servers, beside the load that others send.

Nothing here decides about the run. What is kept lies in the folder of a recording, without an
order, and goes on from there after a kill.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from llmdbenchd.core.nop.behind import Behind
from llmdbenchd.core.target.asked import Asked
from llmdbenchd.edge.files.staging import made
from llmdbenchd.edge.kubernetes.connecting import Connection
from llmdbenchd.edge.kubernetes.discovering import ClusterScout
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.edge.recording.folder import Folder
from llmdbenchd.edge.recording.lives import Span
from llmdbenchd.edge.recording.servers import Servers
from llmdbenchd.ports import NotReady, Refused, Unavailable

LOOK_S = 2.0  # between looks at the pods; their logs are followed as they are written
TICK_S = 0.25  # between questions whether the run is over
EARLY = timedelta(seconds=10)  # before the run: the clock that stamps the lines is not ours


@dataclass(frozen=True, slots=True)
class Follower:
    """Follows servers of one cluster; fits `controllers.servers.ServerLogs`.

    Args:
        connection: the cluster, which may not be reachable yet.
        clock: this moment.
    """

    connection: Connection
    clock: Callable[[], datetime]

    async def follow(
        self, asked: Asked, into: Path, *, since: datetime, is_over: Callable[[], bool]
    ) -> str:
        """Follow them until it is over; returns what the logs may lack, or nothing.

        Raises:
            Refused: it cannot be known which pods they are.
            Unavailable: the cluster or the disk; call again, and it goes on.
        """
        session = await self.connection.session()
        await asyncio.to_thread(made, into)
        span = Span(int((since - EARLY).timestamp()), is_over)
        following = _Following(Folder(into), session, span, self.clock)
        try:
            return await following.run(asked)
        except ExceptionGroup as errors:
            raise _first(errors) from errors


@dataclass(slots=True)
class _Following:
    """The servers of one run."""

    folder: Folder
    session: Session
    span: Span
    clock: Callable[[], datetime]
    trouble: str = ""

    async def run(self, asked: Asked) -> str:
        behind = await self._behind(asked)
        if behind is None:
            return f"the servers were not known before the run was over: {self.trouble}"
        async with asyncio.TaskGroup() as group:
            servers = Servers(
                self.session,
                self.folder,
                behind,
                group,
                self._say,
                span=self.span,
                hears=False,
            )
            while not self.span.is_over():
                await self._look(servers)
                await self._pause()
            await self._look(servers)
            lacking = await servers.let_go()
        return "; ".join([*([self.trouble] if self.trouble else []), *lacking])

    async def _behind(self, asked: Asked) -> Behind | None:
        """Which pods; None where nobody could say so before it was over."""
        scout = ClusterScout(self.session)
        behind = await asyncio.to_thread(self.folder.behind)
        while behind is None:
            try:
                behind = await scout.behind(asked)
            except NotReady as error:
                self._note(str(error))
                if self.span.is_over():
                    return None
                await self._pause()
                continue
            self.trouble = ""
            await asyncio.to_thread(self.folder.keep_behind, behind)
        return behind

    async def _look(self, servers: Servers) -> None:
        """See the pods; a look that fails says nothing about them, and the next one may not."""
        try:
            await servers.look(0, frozenset())
        except (Refused, Unavailable) as error:
            self._note(f"the pods cannot be looked at: {error}")
        else:
            self.trouble = ""

    async def _pause(self) -> None:
        """Until the next look, or until it is over."""
        loop = asyncio.get_running_loop()
        until = loop.time() + LOOK_S
        while loop.time() < until and not self.span.is_over():  # noqa: ASYNC110 - a record tells only who asks
            await asyncio.sleep(TICK_S)

    def _note(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._say(trouble)

    def _say(self, text: str) -> None:
        stamp = self.clock().astimezone(UTC).isoformat(timespec="microseconds")
        self.folder.say(f"{stamp[:-6]}000Z", text)


def _first(errors: BaseExceptionGroup[Exception]) -> Exception:
    """Of several errors the first says enough."""
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
