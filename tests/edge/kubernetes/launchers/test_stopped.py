"""Stopping launchers, with and without the only copy of their results in them."""

from pathlib import Path

import pytest

from llmdbenchd.core.run.sight import Absent, Cause, Ended, Pending
from llmdbenchd.ports import Refused, Unavailable
from tests.core.launch.plans import plan
from tests.edge.kubernetes.launchers.engines import REAL_TIME, Shelf, daemon, running, watching
from tests.fakes.cluster_api import ClusterApi

pytestmark = REAL_TIME

NAME = plan().name


async def test_a_launcher_on_a_claim_is_stopped_by_deleting_its_pod(
    cluster: ClusterApi, config: Path
) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        await running(cluster, engine, told)
        await engine.stop(NAME, 12.5)

        assert cluster.pod(NAME)["metadata"]["deletionGracePeriodSeconds"] == 13
        cluster.ends(NAME, 143)
        cluster.goes("pods", NAME)
        sight = await told.until(NAME, lambda sight: isinstance(sight, Ended))
        assert isinstance(sight, Ended)
        assert sight.cause is Cause.STOPPED
        assert sight.code == 143


async def test_stopping_asks_for_no_warnings(cluster: ClusterApi, config: Path) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        await running(cluster, engine, told)
        await engine.stop(NAME, 1)
        cluster.ends(NAME, 137)
        await told.until(NAME, lambda sight: isinstance(sight, Ended))

    assert "GET events" not in cluster.requests


async def test_a_launcher_that_never_started_is_gone_at_once(config: Path) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        await told.sights()
        await engine.create(plan())
        await told.until(NAME, lambda sight: isinstance(sight, Pending))
        await engine.stop(NAME, 0)

        await told.until(NAME, lambda sight: sight == Absent())


async def test_a_daemon_that_was_restarted_can_stop_what_it_has_not_seen(
    cluster: ClusterApi, config: Path
) -> None:
    async with daemon(config) as engine:
        await engine.create(plan())
    cluster.runs(NAME)

    async with daemon(config) as engine:
        await engine.stop(NAME, 5)
        await engine.stop("llmdbench-nobody", 5)
    assert "deletionTimestamp" in cluster.pod(NAME)["metadata"]


async def test_another_pod_that_took_the_name_is_not_stopped(
    cluster: ClusterApi, config: Path
) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        await running(cluster, engine, told)
        cluster.pod(NAME)["metadata"] = cluster.pod(NAME)["metadata"] | {"uid": "another"}
        await engine.stop(NAME, 5)

    assert "deletionTimestamp" not in cluster.pod(NAME)["metadata"]


async def test_a_launcher_that_holds_its_results_is_asked_and_not_deleted(
    cluster: ClusterApi, config: Path
) -> None:
    shelf = Shelf()
    async with daemon(config, shelf) as engine, watching(engine) as told:
        await running(cluster, engine, told, keeps=True)
        await engine.stop(NAME, 5)

        assert shelf.stopped == [NAME]
        assert "deletionTimestamp" not in cluster.pod(NAME)["metadata"]
        cluster.ends(NAME, 143)
        sight = await told.until(NAME, lambda sight: isinstance(sight, Ended))
        assert isinstance(sight, Ended)
        assert sight.cause is Cause.STOPPED


async def test_a_launcher_that_was_asked_in_vain_is_deleted(
    cluster: ClusterApi, config: Path
) -> None:
    shelf = Shelf()
    async with daemon(config, shelf) as engine, watching(engine) as told:
        await running(cluster, engine, told, keeps=True)
        await engine.stop(NAME, 5)
        await engine.stop(NAME, 5)

    assert shelf.stopped == [NAME]
    assert "deletionTimestamp" in cluster.pod(NAME)["metadata"]


async def test_where_asking_is_forbidden_the_load_ends_all_the_same(
    cluster: ClusterApi, config: Path
) -> None:
    shelf = Shelf(trouble=Refused("pods/proxy is forbidden"))
    async with daemon(config, shelf) as engine, watching(engine) as told:
        await running(cluster, engine, told, keeps=True)
        await engine.stop(NAME, 5)

    assert "deletionTimestamp" in cluster.pod(NAME)["metadata"]


async def test_results_are_not_given_up_for_one_lost_answer(
    cluster: ClusterApi, config: Path
) -> None:
    shelf = Shelf(trouble=Unavailable("503"))
    async with daemon(config, shelf) as engine, watching(engine) as told:
        await running(cluster, engine, told, keeps=True)
        with pytest.raises(Unavailable):
            await engine.stop(NAME, 5)

    assert "deletionTimestamp" not in cluster.pod(NAME)["metadata"]
