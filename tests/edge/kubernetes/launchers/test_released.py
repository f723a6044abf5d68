"""Launchers that cannot see each other begin together: nobody is told before all could."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from llmdbenchd.core.launch.plan import LauncherPlan
from llmdbenchd.core.run.sight import Running
from llmdbenchd.edge.kubernetes.launchers import KubernetesEngine
from llmdbenchd.ports import Refused
from tests.core.launch.plans import ephemeral, plan
from tests.edge.kubernetes.launchers.engines import REAL_TIME, Told, daemon, watching
from tests.fakes.cluster_api import ClusterApi

pytestmark = REAL_TIME


def launchers(count: int = 2) -> list[LauncherPlan]:
    return [ephemeral(plan(index, count)) for index in range(1, count + 1)]


@dataclass
class Keeps:
    """The containers beside the launchers: who could begin, and who was told."""

    ready: set[str] = field(default_factory=set)
    deaf: dict[str, int] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    asked: int = 0

    def answer(self, method: str, pod: str, rest: str) -> web.Response:
        name, word = pod.partition(":")[0], rest.rpartition("/")[2]
        if self.deaf.get(name, 0):
            self.deaf[name] -= 1
            return web.Response(status=503, text="no such container yet")
        if (method, word) == ("POST", "go"):
            self.told.append(name)
            return web.Response(text="told\n")
        self.asked += 1
        return web.Response(text="true" if name in self.ready else "false")


@pytest.fixture
def keeps(cluster: ClusterApi) -> Keeps:
    made = Keeps()
    cluster.proxy = made.answer
    return made


async def all_running(cluster: ClusterApi, engine: KubernetesEngine, told: Told) -> list[str]:
    await told.sights()
    names = []
    for one in launchers():
        await engine.create(one)
        cluster.runs(one.name)
        await told.until(one.name, lambda sight: sight == Running())
        names.append(one.name)
    return names


async def test_nobody_is_told_before_the_last_one_could_begin(
    cluster: ClusterApi, config: Path, keeps: Keeps
) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        first, second = await all_running(cluster, engine, told)
        keeps.ready = {first}
        release = asyncio.create_task(engine.release([first, second]))
        await cluster.until(lambda: keeps.asked >= 5)
        assert keeps.told == []

        keeps.ready.add(second)
        await release

    assert sorted(keeps.told) == [first, second]


async def test_after_a_restart_all_are_told_again_and_it_does_no_harm(
    cluster: ClusterApi, config: Path, keeps: Keeps
) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        names = await all_running(cluster, engine, told)
        keeps.ready = set(names)
        await engine.release(names)
    async with daemon(config) as engine:  # whose watch has told of nobody yet
        await engine.release(names)

    assert sorted(keeps.told) == sorted(names * 2)


async def test_who_does_not_hear_is_told_again(
    cluster: ClusterApi, config: Path, keeps: Keeps
) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        names = await all_running(cluster, engine, told)
        keeps.ready = set(names)
        keeps.deaf = {names[0]: 2}
        await engine.release(names)

    assert sorted(keeps.told) == names


async def test_who_has_ended_or_is_gone_is_waited_for_by_nobody(
    cluster: ClusterApi, config: Path, keeps: Keeps
) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        first, second = await all_running(cluster, engine, told)
        keeps.ready = {second}
        release = asyncio.create_task(engine.release([first, second, "llmdbench-nobody"]))
        await cluster.until(lambda: keeps.asked >= 3)
        cluster.ends(first, 137)
        await told.until(first, lambda sight: sight != Running())
        await release

    assert keeps.told == [second]


async def test_where_neither_way_is_allowed_it_is_a_sentence(
    cluster: ClusterApi, config: Path, keeps: Keeps
) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        names = await all_running(cluster, engine, told)
        cluster.proxy = lambda *_: web.Response(status=403, text="no pods/proxy")
        with pytest.raises(Refused, match="cannot be told to begin together"):
            await engine.release(names)

    assert keeps.told == []
