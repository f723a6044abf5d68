"""The window onto a claim: made once, shared, kept warm, and taken away whatever happens."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmdbenchd.core.launch.config_maps import Payload
from llmdbenchd.edge.kubernetes import access_pod
from llmdbenchd.edge.kubernetes.access_pod import AccessPods
from llmdbenchd.edge.kubernetes.payloads import Payloads
from llmdbenchd.edge.kubernetes.session import Access, Session
from llmdbenchd.ports import Gone, Refused, Unavailable
from tests.core.launch.plans import INSTANCE, PAYLOAD, plan
from tests.fakes.cluster_api import ClusterApi, serving
from tests.fakes.cluster_objects import Refusal

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker takes it so
PLAN = plan()
OLDER = Payload(INSTANCE, {"serve.py": "an older one"})
LONG_S = 3600.0


class Kubelet:
    """Starts each pod as soon as it is made, unless it has a reason not to."""

    def __init__(self, cluster: ClusterApi) -> None:
        self.cluster = cluster
        self.lacking: set[str] = set()  # images
        self.crashing: set[str] = set()

    async def run(self) -> None:
        while True:
            await self.cluster.until(lambda: bool(self._new() or self._going()))
            for name in self._going():
                self.cluster.goes("pods", name)
            for name in self._new():
                self._start(name)

    def _start(self, name: str) -> None:
        pod = self.cluster.pod(name)
        [container] = pod["spec"]["containers"]
        running: Mapping[str, Any] = {"running": {"startedAt": "2026-11-01T10:00:01Z"}}
        pod["spec"].setdefault("nodeName", "node-1")
        phase, state, ready = "Running", running, True
        if container["image"] in self.lacking:
            waiting = {"reason": "ErrImagePull", "message": "no such image"}
            phase, state, ready = "Pending", {"waiting": waiting}, False
        elif container["image"] in self.crashing:
            ended = {"exitCode": 127, "reason": "Error", "message": "no python3"}
            phase, state, ready = "Failed", {"terminated": ended}, False
        status = {"name": container["name"], "ready": ready, "state": state}
        pod["status"] = {"phase": phase, "containerStatuses": [status]}

    def _new(self) -> list[str]:
        pods = self.cluster.objects["pods"]
        return [name for name, pod in pods.items() if "containerStatuses" not in pod["status"]]

    def _going(self) -> list[str]:
        pods = self.cluster.objects["pods"]
        return [name for name, pod in pods.items() if "deletionTimestamp" in pod["metadata"]]


@asynccontextmanager
async def daemon(
    config: Path, *, warm_s: float = LONG_S, payload: Payload = PAYLOAD
) -> AsyncIterator[AccessPods]:
    async with await Session.open(Access(config)) as session, asyncio.TaskGroup() as group:
        pods = AccessPods(
            session,
            "ns",
            INSTANCE,
            payloads=Payloads(session, "ns", payload),
            image="example.test/ours:1",
            warm_s=warm_s,
        )
        running = group.create_task(pods.run())
        yield pods
        running.cancel()


@pytest.fixture
def cluster() -> ClusterApi:
    made = ClusterApi()
    has_claim(made, "ReadWriteMany")
    return made


@pytest.fixture
async def kubelet(cluster: ClusterApi) -> AsyncIterator[Kubelet]:
    made = Kubelet(cluster)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(made.run())
        yield made
        running.cancel()


@pytest.fixture
async def config(cluster: ClusterApi, kubelet: Kubelet, tmp_path: Path) -> AsyncIterator[Path]:
    assert kubelet.cluster is cluster
    async with serving(cluster, tmp_path) as path:
        yield path


def has_claim(cluster: ClusterApi, *modes: str) -> None:
    spec = {"accessModes": list(modes)}
    cluster.put("persistentvolumeclaims", {"metadata": {"name": PLAN.storage.claim}, "spec": spec})


async def used(pods: AccessPods) -> str:
    async with pods.open(PLAN, node="node-1") as door:
        return door.pod


async def test_who_comes_together_and_who_comes_soon_after_shares_one_pod(
    cluster: ClusterApi, config: Path
) -> None:
    async with daemon(config) as pods:
        together = await asyncio.gather(*(used(pods) for _ in range(5)))
        [name] = {*together, await used(pods)}

    assert cluster.names("pods") == [name]
    assert cluster.created[f"pods/{name}"] == 1


async def test_on_a_claim_of_one_node_it_goes_to_that_node_and_is_not_kept(
    cluster: ClusterApi, config: Path
) -> None:
    has_claim(cluster, "ReadWriteOnce")  # whatever the plan would have made
    async with daemon(config) as pods:
        async with pods.open(PLAN, node="the-node") as door:
            assert cluster.pod(door.pod)["spec"]["nodeName"] == "the-node"
        await cluster.until(lambda: not cluster.names("pods"))


async def test_on_a_shared_claim_it_goes_anywhere_and_goes_when_nobody_came_for_a_while(
    cluster: ClusterApi, config: Path
) -> None:
    async with daemon(config, warm_s=0.01) as pods:
        async with pods.open(PLAN, node="the-node") as door:
            assert cluster.pod(door.pod)["spec"]["nodeName"] == "node-1"
        await cluster.until(lambda: not cluster.names("pods"))


@pytest.mark.parametrize("mode", ["ReadWriteMany", "ReadWriteOnce"])
async def test_what_one_run_uses_is_not_idle_when_another_leaves(
    cluster: ClusterApi, config: Path, mode: str
) -> None:
    has_claim(cluster, mode)
    async with daemon(config, warm_s=0) as pods:
        async with pods.open(PLAN, node="node-1") as door:
            assert await used(pods) == door.pod
            with suppress(TimeoutError):
                async with asyncio.timeout(0.3):  # time enough to take it away
                    await asyncio.Event().wait()
            assert cluster.names("pods") == [door.pod]
            assert "deletionTimestamp" not in cluster.pod(door.pod)["metadata"]
        await cluster.until(lambda: not cluster.names("pods"))

    assert cluster.created[f"pods/{door.pod}"] == 1


async def test_who_comes_while_it_is_taken_away_gets_another(
    cluster: ClusterApi, config: Path
) -> None:
    async with daemon(config, warm_s=0.01) as pods:
        name = await used(pods)
        await cluster.until(lambda: f"DELETE pods/{name}" in cluster.requests)
        async with pods.open(PLAN, node="node-1") as door:
            assert "deletionTimestamp" not in cluster.pod(door.pod)["metadata"]

    assert cluster.created[f"pods/{name}"] == 2, "the old one was not waited upon"


async def test_a_claim_that_is_gone_is_said_as_that(cluster: ClusterApi, config: Path) -> None:
    cluster.goes("persistentvolumeclaims", PLAN.storage.claim)
    async with daemon(config) as pods:
        with pytest.raises(Gone, match="is gone, with the results"):
            await used(pods)


async def test_a_pod_that_runs_an_older_daemons_scripts_is_replaced(
    cluster: ClusterApi, config: Path
) -> None:
    async with daemon(config, payload=OLDER) as older:
        name = await used(older)

    async with daemon(config) as pods:
        assert await used(pods) == name

    assert cluster.created[f"pods/{name}"] == 2
    assert PAYLOAD.digest in cluster.pod(name)["metadata"]["labels"].values()


async def test_a_pod_that_a_daemon_before_us_left_is_used_and_goes(
    cluster: ClusterApi, config: Path
) -> None:
    async with daemon(config) as older:
        name = await used(older)

    async with daemon(config) as pods:
        assert await used(pods) == name
    assert cluster.created[f"pods/{name}"] == 1
    async with daemon(config, warm_s=0.01):  # though nobody asks for this claim again
        await cluster.until(lambda: not cluster.names("pods"))


async def test_a_pod_that_has_ended_is_made_anew(cluster: ClusterApi, config: Path) -> None:
    async with daemon(config) as pods:
        with suppress(ZeroDivisionError):
            async with pods.open(PLAN, node="") as door:
                cluster.pod(door.pod)["status"]["phase"] = "Succeeded"
                raise ZeroDivisionError  # what it showed did not come
        name = await used(pods)

    assert cluster.created[f"pods/{name}"] == 2


async def test_a_removal_that_failed_is_tried_again(
    cluster: ClusterApi, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_pod, "AGAIN_S", 0.01)
    cluster.refuses["DELETE pods"] = Refusal(500, "InternalError", "try again")
    async with daemon(config, warm_s=0.0) as pods:
        name = await used(pods)
        removal = f"DELETE pods/{name}"
        await cluster.until(lambda: cluster.requests.count(removal) > 1)
        del cluster.refuses["DELETE pods"]
        await cluster.until(lambda: not cluster.names("pods"))


async def test_without_the_right_to_delete_it_is_left_to_its_own_time_out(
    cluster: ClusterApi, config: Path
) -> None:
    cluster.refuses["DELETE pods"] = Refusal(403, "Forbidden", "no")
    async with daemon(config, warm_s=0.0) as pods:
        name = await used(pods)
        await cluster.until(lambda: f"DELETE pods/{name}" in cluster.requests)

        assert await used(pods) == name


@pytest.mark.parametrize("wrong", ["lacking", "crashing"])
async def test_where_a_jobs_own_image_cannot_serve_ours_does(
    cluster: ClusterApi, kubelet: Kubelet, config: Path, wrong: str
) -> None:
    getattr(kubelet, wrong).add(PLAN.pod.image)
    async with daemon(config) as pods:
        name = await used(pods)

    assert cluster.pod(name)["spec"]["containers"][0]["image"] == "example.test/ours:1"


async def test_where_no_image_can_serve_it_is_said_why(kubelet: Kubelet, config: Path) -> None:
    kubelet.crashing |= {PLAN.pod.image, "example.test/ours:1"}
    async with daemon(config) as pods:
        with pytest.raises(Unavailable, match="exit code 127: no python3"):
            await used(pods)


async def test_a_strangers_pod_of_that_name_is_not_touched(
    cluster: ClusterApi, config: Path
) -> None:
    async with daemon(config) as pods:
        name = await used(pods)
    cluster.pod(name)["metadata"]["labels"].clear()

    async with daemon(config, warm_s=0.0) as pods:
        with pytest.raises(Refused, match="is not ours"):
            await used(pods)

    assert cluster.names("pods") == [name]


async def test_each_claim_has_its_own(cluster: ClusterApi, config: Path) -> None:
    other = replace(PLAN, storage=replace(PLAN.storage, claim="other"))
    spec = {"accessModes": ["ReadWriteMany"]}
    cluster.put("persistentvolumeclaims", {"metadata": {"name": "other"}, "spec": spec})
    async with daemon(config) as pods, pods.open(other, node=""):
        await used(pods)

    assert len(cluster.names("pods")) == 2
