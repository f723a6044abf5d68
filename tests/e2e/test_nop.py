"""How a server loads is recorded from the cluster: no load, no pod, every start told."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmdbenchd.core.run.phase import Phase
from tests.daemon.household import Household
from tests.e2e import daemon, loader
from tests.e2e.cluster import Cluster
from tests.e2e.loader import MODEL, TOLD
from tests.e2e.namespace import Namespace

pytestmark = [pytest.mark.kube, pytest.mark.timeout(300)]


@dataclass
class Scene:
    """A daemon, and a stack in a namespace of its own."""

    house: Household
    stack: Namespace

    def job(self, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a job file
        """A recording of the stack."""
        return {
            "harness": "nop",
            "methods": ["standalone"],
            "namespace": self.stack.name,
            "models": [MODEL],
            **fields,
        }

    def archive(self, job: str) -> Path:
        return self.house.archive / job / "r001"

    def chart(self, job: str) -> dict[str, Any]:
        text = (self.archive(job) / "results/1/timeline.json").read_text(encoding="utf-8")
        told: dict[str, Any] = json.loads(text)
        return told


@pytest.fixture
def scene(tmp_path: Path, cluster: Cluster) -> Iterator[Scene]:
    with (
        cluster.namespace("bench") as bench,
        cluster.namespace("stack") as stack,
        daemon.serving(tmp_path / "house", cluster, bench) as house,
    ):
        daemon.grant_stack(stack, bench, recording=True)
        yield Scene(house, stack)


def test_a_cold_load_becomes_an_archive_that_tells_what_the_server_told(scene: Scene) -> None:
    with loader.loading(scene.stack):
        scene.stack.wait(
            "deployments", loader.NAME, lambda it: bool(it["status"].get("readyReplicas"))
        )
        [before] = loader.pods(scene.stack)
        record = scene.house.run_job("cold", scene.job(nop={"restart": True, "repeat": 2}))

    assert record.phase is Phase.SUCCEEDED, record
    told = scene.chart("cold")
    assert [one["ending"] for one in told["starts"]] == ["ready", "ready"]
    assert before["metadata"]["name"] not in {one["name"].split("_")[0] for one in told["servers"]}
    for start in told["starts"]:
        assert start["is_cold"]
        assert TOLD.items() <= start["told"]["headline"].items()
        titles = {bar["title"] for bar in start["bars"]}
        assert {"schedule", "image pull", "import", "model load", "readiness lag"} <= titles
    for server in told["servers"]:
        assert [(one["level"], one["trouble"]) for one in server["cycles"]] == [(1, ""), (2, "")]
        assert all(one["sleep_s"] >= 0.2 and one["first_token_s"] for one in server["cycles"])
        assert server["gaps"] == []
    home = scene.archive("cold")
    document = yaml.safe_load((home / "results/1/result.yaml").read_text(encoding="utf-8"))
    assert document["vllm_metrics"][0]["load"]["time"] == TOLD["model_load_s"]
    assert [one["type"] for one in document["vllm_metrics"][0]["sleep_wake"]] == [
        "sleep",
        "wake",
    ] * 2
    facts = json.loads((home / "run.json").read_bytes())["reports"]
    assert facts["problems"] == []
    assert facts["made"] == ["reports/1/benchmark_report,_result.yaml.yaml"]
    names = {path.name for path in (home / "results/1").rglob("*")}
    assert {"vllm.log", "categories.log", "timeline.svg", "result.txt"} <= names
    assert "1 of 1 runs are whole" in scene.house.asked("verify")


def test_a_server_killed_in_the_middle_of_loading_has_two_starts_and_a_right_verdict(
    scene: Scene,
) -> None:
    with loader.loading(scene.stack, dies="once", sleeps=False):
        record = scene.house.run_job("once", scene.job())

    assert record.phase is Phase.SUCCEEDED, record
    told = scene.chart("once")
    first, second = told["starts"]
    assert (first["ending"], second["ending"]) == ("cut off", "ready")
    assert (first["log"], second["log"]) == ("vllm-0.log", "vllm.log")
    assert "engine_init_s" not in first["told"]["headline"]
    assert TOLD.items() <= second["told"]["headline"].items()
    [server] = told["servers"]
    assert server["restarts"] == 1
    assert "137" in server["lives"][0]["why"]


def test_a_server_that_dies_again_and_again_fails_the_run(scene: Scene) -> None:
    with loader.loading(scene.stack, dies="always", seconds=6):  # 3 s a life: the API has seconds
        record = scene.house.run_job("never", scene.job())

    assert record.phase is Phase.FAILED, record
    assert record.verdict is not None
    assert "ended 2 times" in record.verdict.reason
    told = scene.chart("never")
    assert [one["ending"] for one in told["starts"]] == ["cut off", "cut off"]
    [server] = told["servers"]
    assert (server["restarts"], server["lives_without_log"]) == (1, [])
    assert [life["restart"] for life in server["lives"]] == [0, 1]


def test_a_pod_that_is_deleted_while_it_loads_leaves_its_log_and_another_is_recorded(
    scene: Scene,
) -> None:
    with loader.loading(scene.stack, seconds=12, sleeps=False):
        scene.house.drop("gone", scene.job())
        scene.house.wait_for(
            "a start in a log",
            lambda: any("Dynamo" in path.read_text() for path in _logs(scene.house)),
        )
        [pod] = loader.pods(scene.stack)
        scene.stack.delete("pods", pod["metadata"]["name"], grace_s=1)
        scene.house.kill()  # and the daemon is killed as well
        scene.house.start()
        record = scene.house.ended("gone")

    assert record.phase is Phase.SUCCEEDED, record
    told = scene.chart("gone")
    assert [one["ending"] for one in told["starts"]] == ["cut off", "ready"]
    assert [one["verdict"] for one in told["servers"]] == ["gone", "ready"]


def test_time_that_is_up_has_a_name_and_keeps_what_was_recorded(scene: Scene) -> None:
    with loader.loading(scene.stack, seconds=300):
        job = scene.job(harness={"name": "nop", "wait_timeout": 15})
        record = scene.house.run_job("slow", job)

    assert record.phase is Phase.FAILED
    assert record.verdict is not None
    assert record.verdict.kind == "timeout:run"
    assert (scene.archive("slow") / "logs/launcher-1.log").stat().st_size


def _logs(house: Household) -> list[Path]:
    return list(house.root.glob("**/recordings/*/servers/*/vllm/*.log"))
