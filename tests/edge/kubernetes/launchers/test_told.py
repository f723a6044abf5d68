"""What the engine tells of its launchers: states with their reasons, and only of our own."""

from pathlib import Path

import msgspec
import pytest

from llmdbenchd.core.pods.objects import Pod
from llmdbenchd.core.run.sight import Absent, Cause, Ended, Pending, Running
from llmdbenchd.edge.kubernetes import complaints, launchers
from llmdbenchd.edge.kubernetes.knowing import Known
from llmdbenchd.ports import Unavailable
from tests.core.launch.plans import INSTANCE, ephemeral, plan
from tests.edge.kubernetes.launchers.engines import REAL_TIME, daemon, watching
from tests.fakes.cluster_api import ClusterApi
from tests.fakes.cluster_objects import Refusal

pytestmark = REAL_TIME

NAME = plan().name


async def test_with_no_launchers_the_list_is_empty(config: Path) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        assert await told.sights() == {}
        assert not engine.degraded


async def test_a_launcher_s_life_is_told(cluster: ClusterApi, config: Path) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        await told.sights()
        await engine.create(plan())
        await told.until(NAME, lambda sight: isinstance(sight, Pending))
        cluster.runs(NAME)
        await told.until(NAME, lambda sight: sight == Running())
        cluster.ends(NAME, 0)
        assert await told.until(NAME, lambda sight: isinstance(sight, Ended)) == Ended(
            Cause.EXITED, code=0
        )


async def test_what_a_daemon_before_us_made_is_in_the_list(
    cluster: ClusterApi, config: Path
) -> None:
    async with daemon(config) as engine:
        await engine.create(plan(1, 2))
        await engine.create(plan(2, 2))
    cluster.runs(plan(2, 2).name)

    async with daemon(config) as engine, watching(engine) as told:
        sights = await told.sights()
        assert isinstance(sights.pop(plan(1, 2).name), Pending)
        assert sights == {plan(2, 2).name: Running()}


async def test_pods_that_are_not_ours_are_not_told(cluster: ClusterApi, config: Path) -> None:
    async with daemon(config) as engine:
        await engine.create(plan(1, 2))
        await engine.create(plan(2, 2))
        cluster.pod(plan(1, 2).name)["metadata"]["labels"]["llmdbenchd/instance"] = "another"
        cluster.pod(plan(2, 2).name)["metadata"]["labels"]["app"] = "access"

        async with watching(engine) as told:
            assert await told.sights() == {}


async def test_a_launcher_in_which_the_results_are_kept_has_ended_when_its_harness_has(
    cluster: ClusterApi, config: Path
) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        await engine.create(ephemeral(plan()))
        cluster.runs(NAME)
        cluster.ends(NAME, 0)

        await told.until(NAME, lambda sight: isinstance(sight, Ended))
        assert cluster.pod(NAME)["status"]["phase"] == "Running"


async def test_a_failure_is_told_with_the_harness_s_last_lines_and_the_pod_s_warnings(
    cluster: ClusterApi, config: Path
) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        await told.sights()
        await engine.create(plan())
        cluster.runs(NAME)
        cluster.warns(NAME, "BackOff", "Back-off restarting failed container")
        cluster.ends(NAME, 3, message="Traceback\nKeyError: 'x'\n")

        sight = await told.until(NAME, lambda sight: isinstance(sight, Ended))
        assert isinstance(sight, Ended)
        assert sight.code == 3
        assert "KeyError: 'x'" in sight.detail
        assert "BackOff: Back-off restarting failed container" in sight.detail
        assert await engine.look(NAME) == sight


async def test_a_launcher_that_will_never_start_is_told_with_the_pod_s_warnings(
    cluster: ClusterApi, config: Path
) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        await told.sights()
        await engine.create(plan())
        cluster.warns(NAME, "Failed", "Error: the key of the secret is not there")
        waiting = {"reason": "CreateContainerConfigError", "message": "no such key"}
        cluster.moves(NAME, phase="Pending", state={"waiting": waiting})

        sight = await told.until(NAME, lambda sight: isinstance(sight, Pending) and sight.hopeless)
        assert isinstance(sight, Pending)
        assert "no such key" in sight.reason
        assert "the key of the secret is not there" in sight.reason


async def test_warnings_are_asked_for_once_for_each_failure(
    cluster: ClusterApi, config: Path
) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        await told.sights()
        await engine.create(plan())
        cluster.ends(NAME, 3)
        await told.until(NAME, lambda sight: isinstance(sight, Ended))
        cluster.ends(NAME, 3)
        await told.until(NAME, lambda sight: isinstance(sight, Ended))

    assert cluster.requests.count("GET events") == 1


async def test_without_the_right_to_read_events_a_failure_is_told_all_the_same(
    cluster: ClusterApi, config: Path
) -> None:
    cluster.refuses["GET events"] = Refusal(403, "Forbidden", "events is forbidden")
    async with daemon(config) as engine, watching(engine) as told:
        await told.sights()
        await engine.create(plan())
        cluster.ends(NAME, 3)

        sight = await told.until(NAME, lambda sight: isinstance(sight, Ended))
        assert isinstance(sight, Ended)
        assert "exit code 3" in sight.detail


async def test_warnings_that_do_not_come_are_not_waited_for_and_then_not_asked_for(
    cluster: ClusterApi, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(complaints, "WITHIN_S", 0.05)
    cluster.hangs.add("GET events")
    async with daemon(config) as engine, watching(engine) as told:
        await told.sights()
        for index in (1, 2):
            await engine.create(plan(index, 2))
            cluster.ends(plan(index, 2).name, 3)
            await told.until(plan(index, 2).name, lambda sight: isinstance(sight, Ended))

    assert cluster.requests.count("GET events") == 1


async def test_a_good_end_asks_for_no_warnings(cluster: ClusterApi, config: Path) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        await told.sights()
        await engine.create(plan())
        cluster.ends(NAME, 0)
        await told.until(NAME, lambda sight: isinstance(sight, Ended))

    assert "GET events" not in cluster.requests


async def test_a_volume_that_cannot_be_mounted_is_told_although_no_pod_says_so(
    cluster: ClusterApi, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launchers, "TICK_S", 0.05)
    async with daemon(config) as engine, watching(engine) as told:
        await told.sights()
        await engine.create(plan())
        cluster.binds(NAME)
        cluster.warns(NAME, "FailedMount", "MountVolume.SetUp failed: no such export")

        sight = await told.until(
            NAME, lambda sight: isinstance(sight, Pending) and "FailedMount" in sight.reason
        )
        assert isinstance(sight, Pending)
        assert sight.reason.endswith("MountVolume.SetUp failed: no such export")
        assert not sight.hopeless
        assert sight.waits == "bind", "a volume that is missing is no slow pull"


async def test_an_image_that_is_pulled_after_a_mount_had_failed_is_a_pull(
    cluster: ClusterApi, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launchers, "TICK_S", 0.05)
    creating = {"waiting": {"reason": "ContainerCreating"}}
    async with daemon(config) as engine, watching(engine) as told:
        await told.sights()
        await engine.create(plan())
        cluster.binds(NAME)
        cluster.moves(NAME, phase="Pending", state=creating)
        await told.until(NAME, lambda sight: isinstance(sight, Pending) and sight.waits == "pull")
        cluster.warns(NAME, "FailedMount", "MountVolume.SetUp failed: configmap not found")
        await told.until(NAME, lambda sight: isinstance(sight, Pending) and sight.waits == "bind")
        cluster.warns(NAME, "Pulling", "Pulling image", kind="Normal")

        await told.until(NAME, lambda sight: isinstance(sight, Pending) and sight.waits == "pull")


async def test_a_launcher_that_somebody_deleted_by_force_is_gone(
    cluster: ClusterApi, config: Path
) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        await told.sights()
        await engine.create(plan())
        cluster.runs(NAME)
        await told.until(NAME, lambda sight: sight == Running())
        cluster.goes("pods", NAME)

        assert await told.until(NAME, lambda sight: sight == Absent()) == Absent()
        assert await engine.look(NAME) == Absent()


async def test_how_a_launcher_ended_is_told_although_it_is_gone_already(
    cluster: ClusterApi, config: Path
) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        await told.sights()
        await engine.create(plan())
        cluster.runs(NAME)
        await told.until(NAME, lambda sight: sight == Running())
        cluster.ends(NAME, 5)
        cluster.goes("pods", NAME)

        for _ in range(2):  # of the end, and of the pod's going
            sight = await told.until(NAME, lambda sight: not isinstance(sight, Running))
            assert isinstance(sight, Ended)
            assert sight.code == 5


async def test_how_a_launcher_ended_while_nobody_could_see_is_not_hidden_by_the_next_list(
    cluster: ClusterApi, config: Path
) -> None:
    known = Known(INSTANCE)
    async with daemon(config) as engine:
        await engine.create(plan())
        cluster.ends(NAME, 5)
    pod = msgspec.json.decode(msgspec.json.encode(cluster.pod(NAME)), type=Pod)

    known.seen(pod)
    assert isinstance(known.left(pod), Ended)
    assert known.listed([]) == {NAME: pod}
    assert known.listed([]) == {}


async def test_what_cannot_be_read_is_never_absent(cluster: ClusterApi, config: Path) -> None:
    async with daemon(config) as engine:
        await engine.create(plan())
        for refusal in (
            Refusal(403, "Forbidden", "pods is forbidden"),
            Refusal(500, "InternalError", "etcd is on fire"),
        ):
            cluster.refuses["GET pods"] = refusal
            with pytest.raises(Unavailable):
                await engine.look(NAME)


async def test_a_watch_that_breaks_is_begun_again(cluster: ClusterApi, config: Path) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        await told.sights()
        await engine.create(plan())
        await told.until(NAME, lambda sight: isinstance(sight, Pending))
        cluster.breaks_watches()
        cluster.runs(NAME)

        await told.until(NAME, lambda sight: sight == Running())


async def test_a_listener_may_go_away_at_any_time(config: Path) -> None:
    async with daemon(config) as engine:
        for _ in range(2):
            async with watching(engine) as told:
                await told.sights()
