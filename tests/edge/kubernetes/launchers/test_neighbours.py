"""Launchers of other daemons: seen for what they load, never told of, never touched."""

from dataclasses import replace
from pathlib import Path

from llmdbenchd.core.launch.manifest import launcher_pod
from llmdbenchd.core.launch.plan import LauncherPlan
from llmdbenchd.core.run.rivals import mark, marks
from llmdbenchd.core.run.sight import Running
from llmdbenchd.ports import Listed, Others
from tests.core.launch.plans import PAYLOAD, plan
from tests.edge.kubernetes.launchers.engines import REAL_TIME, Told, daemon, running, watching
from tests.fakes.cluster_api import ClusterApi

pytestmark = REAL_TIME

SERVERS = ("vllm:80", "llm/vllm-0")


def theirs(servers: tuple[str, ...] = SERVERS) -> LauncherPlan:
    """A launcher of another daemon."""
    ours = plan(run="r2")
    identity = replace(ours.identity, instance="ffffffff")
    return replace(ours, identity=identity, servers=servers)


def put(cluster: ClusterApi, of: LauncherPlan) -> None:
    owner = cluster.put("configmaps", {"metadata": {"name": f"of-{of.name}", "labels": {}}})
    pod = launcher_pod(of, PAYLOAD, owner=owner["metadata"]["uid"], secret="")
    cluster.put("pods", dict(pod))
    cluster.runs(of.name)


async def others(told: Told) -> dict[str, str]:
    """What is said next of other daemons."""
    while not isinstance(news := await told.next(), Others):
        pass
    return dict(news.rivals)


async def test_what_they_load_is_known_before_a_list_lets_anybody_begin(
    cluster: ClusterApi, config: Path
) -> None:
    put(cluster, theirs())
    async with daemon(config) as engine, watching(engine) as told:
        first, second = await told.next(), await told.next()

    assert isinstance(first, Others)
    who = f"launcher {theirs().name} of the daemon ffffffff"
    assert first.rivals == dict.fromkeys(map(mark, SERVERS), who)
    assert second == Listed({})


async def test_they_let_go_when_their_load_has_ended(cluster: ClusterApi, config: Path) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        await told.sights()
        put(cluster, theirs())
        assert set(await others(told)) == set(map(mark, SERVERS))
        cluster.ends(theirs().name, 0)
        assert await others(told) == {}

        put(cluster, replace(theirs(), name=f"{theirs().name}-again"))
        assert await others(told)
        cluster.goes("pods", f"{theirs().name}-again")
        assert await others(told) == {}
        assert theirs().name in cluster.names("pods")


async def test_our_own_and_those_that_share_are_no_rivals(
    cluster: ClusterApi, config: Path
) -> None:
    put(cluster, theirs(servers=()))
    async with daemon(config) as engine, watching(engine) as told:
        assert isinstance(await told.next(), Listed)
        await engine.create(replace(plan(), servers=SERVERS))
        cluster.runs(plan().name)
        await told.until(plan().name, lambda sight: sight == Running())

        carried = cluster.pod(plan().name)["metadata"]["annotations"]
        assert carried["llmdbenchd/target"] == marks(SERVERS)
        put(cluster, replace(theirs(), name="later"))
        assert set((await others(told)).values()) == {"launcher later of the daemon ffffffff"}


async def test_two_that_load_one_server_both_have_to_let_go(
    cluster: ClusterApi, config: Path
) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        await running(cluster, engine, told)
        for name in ("first", "second"):
            put(cluster, replace(theirs(), name=name))
            await others(told)
        cluster.goes("pods", "second")
        assert set((await others(told)).values()) == {"launcher first of the daemon ffffffff"}
        cluster.goes("pods", "first")
        assert await others(told) == {}
