"""The Kubernetes room's front door: an engine whose cluster may not be reachable yet.

A kubeconfig that is missing or wrong when the daemon starts is no reason to end: local
jobs go on, and it is read again until it works.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from llmdbenchd.core.launch.plan import IMAGE, LauncherPlan, Places
from llmdbenchd.core.run.record import Target
from llmdbenchd.core.run.sight import Sight
from llmdbenchd.core.target.asked import Asked
from llmdbenchd.edge.kubernetes.discovering import ClusterScout
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.ports import Copied, Engine, Listed, Others, Refused, Seen, Unavailable


class Connection:
    """One session for all engines of a cluster, opened by whoever needs it first."""

    def __init__(self, open_session: Callable[[], Awaitable[Session]]) -> None:
        self._open = open_session
        self._session: Session | None = None
        self._one_at_a_time = asyncio.Lock()

    async def session(self) -> Session:
        """The session.

        Raises:
            Unavailable: there is no way to the cluster now; what is wrong may be mended.
        """
        async with self._one_at_a_time:
            if self._session is None:
                try:
                    self._session = await self._open()
                except Refused as error:
                    raise Unavailable(str(error)) from error
            return self._session

    async def close(self) -> None:
        """Close all connections, if there are any."""
        if self._session is not None:
            await self._session.close()


class ConnectingScout:
    """The scout of a cluster that may not be reachable yet."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find(self, asked: Asked) -> Target:
        """The one target that is meant (`ports.Scout`)."""
        return await ClusterScout(await self._connection.session()).find(asked)


class ConnectingEngine:
    """The engine of one namespace, built when its cluster can be spoken to."""

    name = "kubernetes"

    def __init__(self, connection: Connection, build: Callable[[Session], Engine]) -> None:
        self._connection = connection
        self._build = build
        self._engine: Engine | None = None
        self._trouble = "not connected yet"

    @property
    def degraded(self) -> str:
        """Why what the watch said last may be old, or empty."""
        return self._engine.degraded if self._engine is not None else self._trouble

    @property
    def refused(self) -> str | None:
        """What the API server says to each look, if that is no; None: it does not answer."""
        return self._engine.refused if self._engine is not None else None

    def places(self, launcher: str) -> Places:  # noqa: ARG002 - the same in every pod
        """Where the launcher of this name sees its files."""
        return IMAGE

    async def watch(self) -> AsyncIterator[Listed | Seen | Others]:
        """First a `Listed`, then what changes, for ever."""
        async for news in (await self._connected()).watch():
            yield news

    async def look(self, launcher: str) -> Sight:
        """Ask the API server about one launcher."""
        return await (await self._connected()).look(launcher)

    async def create(self, plan: LauncherPlan) -> None:
        """Make the launcher, or find that it was made before."""
        await (await self._connected()).create(plan)

    async def release(self, launchers: Sequence[str]) -> None:
        """Let them begin, all at once."""
        await (await self._connected()).release(launchers)

    async def stop(self, launcher: str, grace_s: float) -> None:
        """Ask it to end."""
        await (await self._connected()).stop(launcher, grace_s)

    async def remove(self, launcher: str) -> None:
        """Take away all that is left of it."""
        await (await self._connected()).remove(launcher)

    async def follow(self, launcher: str, into: Path) -> int:
        """Copy its log as it is written."""
        return await (await self._connected()).follow(launcher, into)

    async def collect(self, plan: LauncherPlan, into: Path) -> Copied:
        """Bring its results home."""
        return await (await self._connected()).collect(plan, into)

    async def folders(self, plan: LauncherPlan) -> tuple[str, ...] | None:
        """Names of all results folders on its claim."""
        return await (await self._connected()).folders(plan)

    async def _connected(self) -> Engine:
        if self._engine is None:
            try:
                session = await self._connection.session()
            except Unavailable as error:
                self._trouble = str(error)
                raise
            if self._engine is None:
                self._engine = self._build(session)
        return self._engine
