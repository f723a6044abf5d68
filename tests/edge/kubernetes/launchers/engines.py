"""Engines for tests: a daemon at an API server in memory, and what it is told."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from llmdbenchd.core.launch.config_maps import Payload
from llmdbenchd.core.launch.plan import LauncherPlan, Storage
from llmdbenchd.core.pods.objects import Pod
from llmdbenchd.core.run.sight import Running, Sight
from llmdbenchd.edge.kubernetes.launchers import KubernetesEngine
from llmdbenchd.edge.kubernetes.payloads import Payloads
from llmdbenchd.edge.kubernetes.session import Access, Session
from llmdbenchd.ports import Copied, Listed, Others, Seen, Unavailable
from tests.core.launch.plans import INSTANCE, PAYLOAD, ephemeral, plan
from tests.fakes.cluster_api import ClusterApi

REAL_TIME = pytest.mark.looptime(False)  # noqa: FBT003 - the marker's only argument
PATIENCE_S = 20.0


@dataclass
class Shelf:
    """Claims and results as far as the engine is concerned; `trouble` comes of asking `keep`."""

    ensured: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    trouble: Exception | None = None

    async def ensure(self, storage: Storage, attempt: str) -> None:  # noqa: ARG002 - remembers all
        self.ensured.append(storage.claim)

    async def folders(self, plan: LauncherPlan) -> tuple[str, ...] | None:
        return (plan.results_folder,)

    async def collect(self, plan: LauncherPlan, into: Path) -> Copied:
        raise Unavailable(f"{plan.name} {into}")

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def stop(self, pod: Pod) -> None:
        self.stopped.append(pod.metadata.name)
        if self.trouble is not None:
            raise self.trouble


@asynccontextmanager
async def daemon(
    config: Path, shelf: Shelf | None = None, *, payload: Payload = PAYLOAD
) -> AsyncIterator[KubernetesEngine]:
    """The engine of a daemon that lives as long as the block."""
    shelf = shelf or Shelf()
    async with await Session.open(Access(kubeconfig=config)) as session:
        payloads = Payloads(session, "ns", payload)
        yield KubernetesEngine(
            session,
            "ns",
            INSTANCE,
            payloads=payloads,
            claims=shelf,
            collector=shelf,
            clock=asyncio.get_running_loop().time,
        )


class Told:
    """What a watch told, as it comes."""

    def __init__(self, news: AsyncGenerator[Listed | Seen | Others, None]) -> None:
        self._news = news

    async def next(self) -> Listed | Seen | Others:
        async with asyncio.timeout(PATIENCE_S):
            return await anext(self._news)

    async def sights(self) -> dict[str, Sight]:
        """The next list."""
        while not isinstance(news := await self.next(), Listed):
            pass
        return dict(news.sights)

    async def until(self, launcher: str, wanted: Callable[[Sight], bool]) -> Sight:
        """The first sight of the launcher that is as wanted."""
        while True:
            news = await self.next()
            sight = news.sights.get(launcher) if isinstance(news, Listed) else None
            if isinstance(news, Seen) and news.launcher == launcher:
                sight = news.sight
            if sight is not None and wanted(sight):
                return sight


@asynccontextmanager
async def watching(engine: KubernetesEngine) -> AsyncIterator[Told]:
    """Listen to the engine's watch for as long as the block."""
    async with aclosing(
        cast("AsyncGenerator[Listed | Seen | Others, None]", engine.watch())
    ) as news:
        yield Told(news)


async def running(
    cluster: ClusterApi, engine: KubernetesEngine, told: Told, *, keeps: bool = False
) -> None:
    """Make the launcher, and see it run; `keeps` its results itself."""
    await told.sights()
    asked = ephemeral(plan()) if keeps else plan()
    name = asked.name
    await engine.create(asked)
    cluster.runs(name)
    await told.until(name, lambda sight: sight == Running())
