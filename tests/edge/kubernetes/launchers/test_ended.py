"""Ending launchers and taking away what is left of them, and of nobody else's."""

from contextlib import suppress
from pathlib import Path

import pytest

from llmdbenchd.core.launch.config_maps import Payload
from llmdbenchd.core.run.sight import Absent, Ended, Pending, Running
from llmdbenchd.edge.kubernetes import sweeping
from llmdbenchd.ports import Unavailable
from tests.core.launch.plans import INSTANCE, PAYLOAD, plan
from tests.edge.kubernetes.launchers.engines import REAL_TIME, daemon, running, watching
from tests.fakes.cluster_api import ClusterApi
from tests.fakes.cluster_objects import Refusal

pytestmark = REAL_TIME

NAME = plan().name
OWNER = NAME.removesuffix("-1-of-1")
NEWER = Payload(INSTANCE, {"launch.py": "print('newer')\n"})


async def test_an_ended_launcher_is_removed_with_its_owner_and_then_absent(
    cluster: ClusterApi, config: Path
) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        await running(cluster, engine, told)
        cluster.ends(NAME, 0)
        await told.until(NAME, lambda sight: isinstance(sight, Ended))
        await engine.remove(NAME)

        assert await engine.look(NAME) == Absent()
        await told.until(NAME, lambda sight: sight == Absent())
        await engine.remove(NAME)
    assert not cluster.names("pods")
    assert cluster.names("configmaps") == [PAYLOAD.name]


async def test_another_config_map_that_took_the_owner_s_name_stays(
    cluster: ClusterApi, config: Path
) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        await running(cluster, engine, told)
        cluster.ends(NAME, 0)
        await told.until(NAME, lambda sight: isinstance(sight, Ended))
        owner = cluster.objects["configmaps"][OWNER]
        owner["metadata"] = owner["metadata"] | {"uid": "another", "labels": {}}
        await engine.remove(NAME)

    assert not cluster.names("pods")
    assert OWNER in cluster.names("configmaps")


async def test_what_is_still_is_removed_at_once_and_what_still_runs_gets_its_grace(
    cluster: ClusterApi, config: Path
) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        await running(cluster, engine, told, keeps=True)
        cluster.ends(NAME, 0)
        await told.until(NAME, lambda sight: isinstance(sight, Ended))
        del cluster.pod(NAME)["metadata"]["ownerReferences"]  # else it goes with its owner
        await engine.remove(NAME)
        assert cluster.pod(NAME)["metadata"]["deletionGracePeriodSeconds"] == 30

        cluster.goes("pods", NAME)
        await engine.create(plan(run="r2"))
        other = plan(run="r2").name
        cluster.runs(other)
        cluster.ends(other, 0)
        cluster.pod(other)["status"]["phase"] = "Running"  # for a second or two
        await told.until(other, lambda sight: isinstance(sight, Ended))
        del cluster.pod(other)["metadata"]["ownerReferences"]
        await engine.remove(other)
        assert not cluster.names("pods")


async def test_a_run_costs_few_requests(cluster: ClusterApi, config: Path) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        await running(cluster, engine, told)
        await engine.look(NAME)
        cluster.ends(NAME, 0)
        await told.until(NAME, lambda sight: isinstance(sight, Ended))
        await engine.remove(NAME)
        await engine.look(NAME)
        await told.until(NAME, lambda sight: sight == Absent())

    ours = [request for request in cluster.requests if request != "GET configmaps"]  # the sweep
    assert ours == [
        "GET pods",
        "POST configmaps",
        "POST configmaps",
        "POST pods",
        f"GET pods/{NAME}",
        f"DELETE configmaps/{OWNER}",
        f"DELETE pods/{NAME}",
        f"GET pods/{NAME}",
    ]


@pytest.mark.parametrize("loses_replies", [False, True])
@pytest.mark.parametrize("requests", range(1, 5))
async def test_whoever_dies_while_removing_is_followed_by_one_who_ends_the_work(
    cluster: ClusterApi,
    config: Path,
    requests: int,
    loses_replies: bool,  # noqa: FBT001 - parametrized
) -> None:
    async with daemon(config) as engine:
        await engine.create(plan())
    cluster.runs(NAME)
    cluster.ends(NAME, 0)
    cluster.requests.clear()
    cluster.dies_after, cluster.loses_replies = requests, loses_replies
    async with daemon(config) as engine:
        with suppress(Unavailable):
            await engine.remove(NAME)
    cluster.dies_after = None

    async with daemon(config) as engine, watching(engine) as told:
        if NAME in await told.sights():
            await engine.remove(NAME)
        await cluster.until(lambda: cluster.names("configmaps") == [PAYLOAD.name])
    assert not cluster.names("pods")


async def test_a_launcher_that_ended_and_was_deleted_is_removed_with_its_owner(
    cluster: ClusterApi, config: Path
) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        await running(cluster, engine, told)
        await engine.stop(NAME, 5)
        cluster.ends(NAME, 143)
        cluster.goes("pods", NAME)
        for _ in range(2):
            await told.until(NAME, lambda sight: isinstance(sight, Ended))
        await engine.remove(NAME)

        assert await engine.look(NAME) == Absent()
    assert cluster.names("configmaps") == [PAYLOAD.name]


async def test_an_owner_without_launchers_is_swept_away(
    cluster: ClusterApi, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "PAUSE_S", 0.02)
    async with daemon(config) as engine, watching(engine) as told:
        await told.sights()
        await engine.create(plan())
        await told.until(NAME, lambda sight: isinstance(sight, Pending))
        await engine.stop(NAME, 5)
        await told.until(NAME, lambda sight: sight == Absent())

        await cluster.until(lambda: cluster.names("configmaps") == [PAYLOAD.name])


async def test_what_a_daemon_before_us_did_not_finish_is_swept_away_or_used(
    cluster: ClusterApi, config: Path
) -> None:
    cluster.dies_after = 3  # the pod is never made
    async with daemon(config) as engine:
        with pytest.raises(Unavailable):
            await engine.create(plan())
    cluster.dies_after = None
    assert OWNER in cluster.names("configmaps")

    async with daemon(config) as engine, watching(engine) as told:
        await told.sights()
        await engine.create(plan())
        await engine._sweeper.sweep()
        cluster.runs(NAME)
        await told.until(NAME, lambda sight: sight == Running())
    assert OWNER in cluster.names("configmaps")


async def test_the_payload_of_a_daemon_before_us_goes_when_nothing_runs_it(
    cluster: ClusterApi, config: Path
) -> None:
    theirs = cluster.put("configmaps", {"metadata": {"name": "theirs", "labels": {}}})
    async with daemon(config) as engine:
        await engine.create(plan())

    async with daemon(config, payload=NEWER) as engine, watching(engine) as told:
        await told.sights()
        await engine.create(plan(run="r2"))
        await engine._sweeper.sweep()
        assert {PAYLOAD.name, NEWER.name} <= set(cluster.names("configmaps"))
        await engine.remove(NAME)

    async with daemon(config, payload=NEWER) as engine, watching(engine) as told:
        await told.sights()
        await cluster.until(lambda: PAYLOAD.name not in cluster.names("configmaps"))
    assert NEWER.name in cluster.names("configmaps")
    assert cluster.objects["configmaps"]["theirs"] is theirs


async def test_a_payload_that_somebody_deleted_is_made_again(
    cluster: ClusterApi, config: Path
) -> None:
    async with daemon(config) as engine:
        await engine.create(plan())
        cluster.goes("configmaps", PAYLOAD.name)
        await engine._sweeper.sweep()
        await engine.create(plan(run="r2"))

    assert PAYLOAD.name in cluster.names("configmaps")


async def test_without_the_right_to_sweep_the_rest_goes_on(
    cluster: ClusterApi, config: Path
) -> None:
    cluster.refuses["GET configmaps"] = Refusal(403, "Forbidden", "configmaps is forbidden")
    async with daemon(config) as engine, watching(engine) as told:
        await running(cluster, engine, told)
        await cluster.until(lambda: "GET configmaps" in cluster.requests)
        cluster.ends(NAME, 0)
        await told.until(NAME, lambda sight: isinstance(sight, Ended))
