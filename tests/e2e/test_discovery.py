"""Stacks are found by what they are, not by what a person wrote down about them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record
from tests.daemon.household import Household
from tests.e2e import daemon, gateways
from tests.e2e import simulator as simulators
from tests.e2e.cluster import Cluster
from tests.e2e.namespace import Namespace
from tests.e2e.simulator import MODEL, NAME, Simulator

pytestmark = [pytest.mark.kube, pytest.mark.timeout(400)]


@dataclass
class Scene:
    """A daemon, and two stacks in namespaces of their own which it may look at."""

    house: Household
    bench: Namespace
    alone: Simulator
    gated: Simulator

    def job(self, method: str, server: Simulator, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a job file
        """A small job against one of them, by method."""
        harness = {"env": dict(server.harness_env), "namespace": self.bench.name}
        return {
            "methods": [method],
            "namespace": server.namespace.name,
            "models": [MODEL],
            "workload": "sanity_fixed",
            "overrides": {"load.stages.0.duration": 3, "load.stages.0.rate": 2},
            "harness": {**daemon.SMALL, **harness},
            **fields,
        }


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Iterator[Scene]:
    gateways.install(cluster.api)
    root = tmp_path_factory.mktemp("scene") / "house"
    with (
        cluster.namespace("bench") as bench,
        cluster.namespace("alone") as alone,
        cluster.namespace("gated") as gated,
        daemon.serving(root, cluster, bench) as house,
        simulators.serving(alone) as one,
        simulators.serving(gated) as other,
    ):
        for stack in (alone, gated):
            daemon.grant_stack(stack, bench)
        simulators.label(one)
        gateways.before(gated, NAME)
        yield Scene(house, bench, one, other)


def _span(record: Record) -> tuple[Any, Any]:
    """When it held its target."""
    first = next(step.at for step in record.history if step.phase is Phase.LAUNCHING)
    last = next(step.at for step in record.history if step.phase is Phase.COLLECTING)
    return first, last


def test_a_stack_with_the_label_is_found_loaded_and_archived(scene: Scene) -> None:
    record = scene.house.run_job("standalone", scene.job("standalone", scene.alone))

    assert record.phase is Phase.SUCCEEDED, record
    assert record.target is not None
    pod = scene.alone.pod()
    assert f"{scene.alone.namespace.name}/{pod}" in record.target.servers
    assert record.target.nodes
    assert record.target.note == ""
    assert "1 of 1 runs are whole" in scene.house.asked("verify", "standalone")


def test_a_gateway_without_an_address_is_waited_for_and_then_found(scene: Scene) -> None:
    house, job = scene.house, scene.job("modelservice", scene.gated, models=["auto"])
    house.drop("gated", job)
    house.wait_for_event("target.not_ready", job="gated")
    house.wait_for("the reason", lambda: "has no address yet" in house.asked("why", "gated"))

    gateways.give_address(scene.gated.namespace, scene.gated.direct.split("/")[-1].split(":")[0])
    record = house.ended("gated")

    assert record.phase is Phase.SUCCEEDED, record
    assert record.target is not None
    assert record.target.found.startswith(f"Gateway {scene.gated.namespace.name}/inference-gateway")
    assert record.target.model == MODEL, "models: [auto] is what is served"
    assert any(one.endswith(scene.gated.pod()) for one in record.target.servers)
    assert json.loads(house.asked("results", "gated", "--json"))[0]["model"] == MODEL


def test_two_urls_of_one_pod_are_never_loaded_at_once_and_why_names_the_holder(
    scene: Scene,
) -> None:
    house, server = scene.house, scene.alone
    house.drop("by-name", scene.job("standalone", server))
    by_ip = scene.job("standalone", server) | {"endpoint": server.direct}
    del by_ip["methods"]
    house.in_phase("by-name", Phase.RUNNING)
    house.drop("by-ip", by_ip)
    house.in_phase("by-ip", Phase.READY)
    told = house.asked("why", "by-ip")
    assert "by-name/r001 (RUNNING)" in told, told

    first, second = house.ended("by-name"), house.ended("by-ip")

    assert (first.phase, second.phase) == (Phase.SUCCEEDED, Phase.SUCCEEDED)
    assert first.target is not None
    assert second.target is not None
    assert first.target.endpoint != second.target.endpoint
    assert _span(first)[1] <= _span(second)[0]


def test_another_model_than_asked_for_is_refused_before_a_pod_is_made(scene: Scene) -> None:
    record = scene.house.run_job("other", scene.job("standalone", scene.alone, models=["gpt2"]))

    assert record.phase is Phase.FAILED
    assert record.verdict is not None
    assert f"serves {MODEL}, and not gpt2" in record.verdict.reason
    assert record.seen == ()


def test_a_preflight_says_of_every_part_how_it_is_and_makes_nothing(scene: Scene) -> None:
    before = scene.bench.list("pods")

    code, found = _preflight(scene, scene.job("standalone", scene.alone))

    assert code == 0, found
    assert {one["verdict"] for one in found.values()} == {"ok"}, found
    assert f"serves {MODEL}" in found["target"]["said"]
    assert len(scene.bench.list("pods")) == len(before)


def test_a_preflight_quotes_the_quota_that_has_no_room_left(scene: Scene) -> None:
    spec = {"hard": {"requests.cpu": "100", "limits.cpu": "100"}}
    scene.bench.create("resourcequotas", {"metadata": {"name": "small"}, "spec": spec})
    try:
        job = scene.job("standalone", scene.alone)
        job["harness"] |= {"parallelism": 2, "cpu": "60"}
        code, found = _preflight(scene, job, until="warn")
    finally:
        scene.bench.delete("resourcequotas", "small")

    assert code == 0
    assert "exceeded quota: small" in found["room"]["said"]


def test_what_nothing_needs_any_more_goes_and_claims_stay(scene: Scene) -> None:
    scene.house.run_job("tidy", scene.job("standalone", scene.alone))
    scene.house.stop()
    try:
        told = json.loads(scene.house.asked("cleanup", "--json"))["objects"]
        assert {one["became"] for one in told if one["kind"] != "claim"} <= {"removed"}
        ours = "app.kubernetes.io/managed-by=llmdbenchd"
        assert scene.bench.list("configmaps", labelSelector=ours) == []
        assert len(scene.bench.list("persistentvolumeclaims")) == 1
    finally:
        scene.house.start()


def _preflight(
    scene: Scene, job: Mapping[str, Any], until: str = "ok"
) -> tuple[int, dict[str, dict[str, Any]]]:
    """What `check --cluster` says, by what was looked at; a new quota is counted after a moment."""
    file = scene.house.root / "preflight.yaml"
    file.write_text(yaml.safe_dump(dict(job)))
    found, code = dict[str, dict[str, Any]](), -1
    for _ in range(20):
        done = scene.house.cli("check", str(file), "--cluster", "--json")
        code = done.returncode
        found = {one["check"]: one for one in json.loads(done.stdout)["cluster"]}
        if found.get("room", {}).get("verdict") == until:
            break
    return code, found
