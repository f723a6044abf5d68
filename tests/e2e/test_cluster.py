"""The test cluster itself is what the other tests take it for."""

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cluster.api import Api, Refused, local
from tests.cluster.images.recipes import BUSYBOX, LAUNCHER, PYTHON
from tests.e2e.cluster import Cluster
from tests.e2e.conftest import Registries
from tests.e2e.namespace import Namespace, Object, phase
from tests.e2e.simulator import MODEL, Simulator

pytestmark = [
    pytest.mark.kube,
    pytest.mark.looptime(False),  # noqa: FBT003 - the marker takes no keyword
]

READ = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=10).read().decode())"


def test_a_pod_runs_to_its_end(namespace: Namespace) -> None:
    assert namespace.run("greeter", ["echo", "hello"]) == "hello\n"


def test_a_pod_that_fails_says_how(namespace: Namespace) -> None:
    namespace.pod("failing", ["sh", "-c", "echo woe; exit 3"])

    found = namespace.ended("failing")

    state = found["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (phase(found), state["exitCode"]) == ("Failed", 3)
    assert namespace.log("failing") == "woe\n"


def test_the_model_server_answers_a_pod_by_the_name_of_its_service(
    namespace: Namespace, simulator: Simulator
) -> None:
    address = f"{simulator.address}/v1/models"

    answer = json.loads(namespace.run("asking", ["python3", "-c", READ, address], image=PYTHON))

    assert [model["id"] for model in answer["data"]] == [MODEL]


def test_names_of_the_cluster_mean_nothing_outside_of_pods(
    cluster: Cluster, simulator: Simulator
) -> None:
    if cluster.layout is None:
        pytest.skip("the names that another cluster's machines know are their business")
    name, direct = urlsplit(simulator.address).hostname, urlsplit(simulator.direct)

    with pytest.raises(OSError, match="name"):
        socket.getaddrinfo(name, 80)
    with socket.create_connection((direct.hostname, direct.port), timeout=10):
        pass


def test_the_launcher_image_has_the_real_harness_for_any_user(namespace: Namespace) -> None:
    command = ["sh", "-c", "cd /workspace && inference-perf --help && touch /requests/mine"]
    nobody = {"runAsUser": 1_000_650_000, "runAsGroup": 0}
    home = {"env": [{"name": "HOME", "value": "/tmp"}]}  # noqa: S108 - of a container

    shown = namespace.run(
        "harness", command, image=LAUNCHER, container=home, securityContext=nobody
    )

    assert "--config_file" in shown


def test_what_is_in_one_namespace_is_not_in_another(
    cluster: Cluster, namespace: Namespace, tmp_path: Path
) -> None:
    with cluster.namespace() as other:
        namespace.create("configmaps", {"metadata": {"name": "here"}})

        assert other.find("configmaps", "here") is None
        with pytest.raises(Refused, match="Forbidden"):
            stranger(cluster, other, tmp_path).get(namespace.path("configmaps"))


def test_a_slow_pull_is_seen_as_one(namespace: Namespace, registries: Registries) -> None:
    with registries(delay_s=2) as registry:
        namespace.pod("patient", ["true"], image=registry.image("slow"))
        found = namespace.ended("patient")

    pulled = [event for event in namespace.events("patient") if event["reason"] == "Pulled"]
    assert phase(found) == "Succeeded"
    assert registry.pulls == ["slow:1"]
    assert "Successfully pulled image" in pulled[0]["message"]


def test_an_image_that_is_not_there_has_a_reason(
    namespace: Namespace, registries: Registries
) -> None:
    with registries() as registry:
        registry.missing = True
        namespace.pod("waiting", ["true"], image=registry.image("nothing"))

        namespace.wait("pods", "waiting", lambda pod: waiting_for(pod) == "ErrImagePull")


def test_a_claim_is_bound_and_its_files_are_seen_from_here(namespace: Namespace) -> None:
    folder = namespace.claim()
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "workload-pvc"}}]
    mount = {"volumeMounts": [{"name": "v", "mountPath": "/requests"}]}
    write = ["sh", "-c", "echo written > /requests/file"]

    namespace.run("writer", write, image=BUSYBOX, container=mount, volumes=volumes)

    if folder is not None:
        assert (folder / "file").read_text() == "written\n"


@pytest.mark.alone
@pytest.mark.timeout(300)
def test_an_api_server_that_was_killed_comes_back(cluster: Cluster, namespace: Namespace) -> None:
    """Scheduler and kubelet look again after a minute each where it was killed often before."""
    before = cluster.pid("kube-apiserver")

    cluster.kill("kube-apiserver")

    reachable_again(cluster, not_by=before)
    namespace.pod("after", ["echo", "still here"])
    assert phase(namespace.ended("after", patience_s=240)) == "Succeeded"


@pytest.mark.alone
def test_a_node_without_its_kubelet_is_not_ready_within_seconds(cluster: Cluster) -> None:
    with cluster.without("kubelet"):
        until(lambda: readiness(cluster) == "Unknown")

    until(lambda: readiness(cluster) == "True")


def stranger(cluster: Cluster, namespace: Namespace, folder: Path) -> Api:
    """Somebody with an account and no rights."""
    namespace.create("serviceaccounts", {"metadata": {"name": "stranger"}})
    return local(cluster.kubeconfig_of(namespace, "stranger", folder / "kubeconfig"))


def waiting_for(pod: Object) -> str:
    states = [one["state"] for one in pod["status"].get("containerStatuses", [])]
    return str(states[0].get("waiting", {}).get("reason", "")) if states else ""


def readiness(cluster: Cluster) -> str:
    conditions = cluster.api.get("/api/v1/nodes/node-1")["status"]["conditions"]
    return next(str(one["status"]) for one in conditions if one["type"] == "Ready")


def reachable_again(cluster: Cluster, *, not_by: int) -> None:
    def is_so() -> bool:
        try:
            return cluster.pid("kube-apiserver") != not_by and cluster.api.text("/readyz") == b"ok"
        except (OSError, Refused):
            return False

    until(is_so)


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline, "it did not become so within a minute"
        time.sleep(0.1)
