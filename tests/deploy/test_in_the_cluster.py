"""The daemon as a Deployment, from our own manifests: it takes a job, dies, and adopts its run."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmdbenchd.edge.kubernetes.execute import execute
from llmdbenchd.edge.kubernetes.session import Access, Session
from tests.cluster.images.recipes import LIGHT, SIMULATOR
from tests.e2e import daemon
from tests.e2e.cluster import Cluster
from tests.e2e.namespace import Namespace

pytestmark = [
    pytest.mark.kube,
    pytest.mark.timeout(240),
    pytest.mark.looptime(False),  # noqa: FBT003 - the marker knows no keyword
]
MANIFEST = Path(__file__).parents[2] / "deploy" / "deployment.yaml"
LAUNCHERS = "app=llmdbench-harness-launcher"
OURS = "app.kubernetes.io/name=llmdbenchd"
PATIENCE_S = 90.0


@dataclass
class Deployed:
    """The daemon in its namespace."""

    cluster: Cluster
    place: Namespace

    def pod(self) -> str:
        """The daemon's pod that is not on its way out."""
        found = self.place.list("pods", labelSelector=OURS)
        [name] = [one["metadata"]["name"] for one in found if not _is_ending(one)]
        return str(name)

    def wait_until_available(self) -> None:
        """As `kubectl rollout status` does."""

        def is_available(found: dict[str, Any]) -> bool:
            return bool(found.get("status", {}).get("availableReplicas"))

        self.place.wait("deployments", "llmdbenchd", is_available, patience_s=PATIENCE_S)

    def say(self, *words: str, stdin: str = "") -> tuple[int, str]:
        """Exit code and output of a command in the pod, as `kubectl exec` gives them."""
        return asyncio.run(self._say(words, stdin))

    def status(self) -> list[dict[str, Any]]:
        """The runs, as `status` tells them."""
        code, said = self.say("llmdbenchd", "status", "--json")
        assert code == 0, said
        runs: list[dict[str, Any]] = json.loads(said)["runs"]
        return runs

    def wait_for(self, phase: str) -> dict[str, Any]:
        """The only run, when it is in this phase."""
        deadline = time.monotonic() + PATIENCE_S
        while not (runs := self.status()) or runs[0]["phase"] != phase:
            assert time.monotonic() < deadline, (runs, self.place.log(self.pod()))
            time.sleep(0.5)
        [run] = runs
        return run

    async def _say(self, words: tuple[str, ...], stdin: str) -> tuple[int, str]:
        said = bytearray()

        async def sink(_: int, data: bytes) -> None:
            said.extend(data)

        async def typed() -> Any:  # noqa: ANN401 - an asynchronous generator
            yield stdin.encode()

        where = self.place.name, self.pod(), "llmdbenchd"
        async with await Session.open(Access(self.cluster.kubeconfig)) as session:
            result = await execute(
                session, *where, words, stdin=typed() if stdin else None, sink=sink
            )
        return result.code, said.decode()


@pytest.fixture
def deployed(cluster: Cluster, namespace: Namespace) -> Iterator[Deployed]:
    daemon.grant(namespace)
    namespace.volume()
    namespace.volume("llmdbenchd", size="50Gi")
    claim, deployment = yaml.safe_load_all(MANIFEST.read_text(encoding="utf-8"))
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    container["image"] = SIMULATOR
    container["env"].append({"name": "LLMDBENCHD_IMAGE", "value": LIGHT})
    namespace.create("persistentvolumeclaims", claim)
    namespace.create("deployments", deployment)
    made = Deployed(cluster, namespace)
    made.wait_until_available()
    yield made
    namespace.delete("deployments", "llmdbenchd")


def test_a_run_outlives_the_pod_of_its_daemon(deployed: Deployed) -> None:
    code, said = deployed.say("llmdbenchd", "doctor")
    assert code == 0, said
    assert f"{deployed.place.name}: all 17 for launchers" in said

    job = yaml.safe_dump({"id": "inside", **daemon.light(seconds=12)})
    code, said = deployed.say("llmdbenchd", "submit", "-", stdin=job)
    assert (code, said) == (0, "inside\n")
    deployed.wait_for("RUNNING")
    [launcher] = deployed.place.list("pods", labelSelector=LAUNCHERS)

    first = deployed.pod()
    deployed.place.delete("pods", first, grace_s=0)
    deployed.place.wait("deployments", "llmdbenchd", lambda found: not _has_pods(found))
    deployed.wait_until_available()

    assert deployed.pod() != first
    run = deployed.wait_for("SUCCEEDED")
    assert run["attempt"] == 1, "the launcher was adopted, not made again"
    code, said = deployed.say("llmdbenchd", "verify")
    assert (code, "1 of 1 runs are whole" in said) == (0, True), said
    code, said = deployed.say("llmdbenchd", "fsck")
    assert code == 0, said
    assert deployed.place.find("pods", launcher["metadata"]["name"]) is None


def _has_pods(deployment: dict[str, Any]) -> bool:
    return bool(deployment.get("status", {}).get("availableReplicas"))


def _is_ending(pod: dict[str, Any]) -> bool:
    return "deletionTimestamp" in pod["metadata"]
