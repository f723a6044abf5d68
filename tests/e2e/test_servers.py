"""The servers' logs beside a run: from its launch to its end, whatever happens to the daemon."""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record
from llmdbenchd.edge.recording.following import EARLY
from llmdbenchd.kit.stamps import opened_at, stamp_of
from tests.daemon.household import Household
from tests.e2e import daemon, loader
from tests.e2e.cluster import Cluster
from tests.e2e.namespace import Namespace

pytestmark = [pytest.mark.kube, pytest.mark.timeout(300)]
TICK = re.compile(rb" tick (\d+)\n")


@dataclass
class Scene:
    """A daemon, and a stack in a namespace of its own."""

    house: Household
    stack: Namespace

    def job(self, **light: Any) -> Mapping[str, Any]:  # noqa: ANN401 - fields of a job file
        """A light run against the stack."""
        space = {"namespace": self.house.settings["LLMDBENCHD_NAMESPACE"]}
        fields = dict(daemon.light(follow_servers=True, harness=space, **light))
        del fields["endpoint"]
        return fields | {
            "methods": ["standalone"],
            "namespace": self.stack.name,
            "models": [loader.MODEL],
        }

    def archive(self, job: str) -> Path:
        return self.house.archive / job / "r001"

    def told(self, job: str) -> Mapping[str, Any]:
        """What run.json says of the servers."""
        found: Mapping[str, Any] = json.loads((self.archive(job) / "run.json").read_bytes())
        return dict(found["servers"])

    def followed(self) -> list[Path]:
        return list(self.house.root.glob("**/live/**/servers/servers/*/vllm/*.log"))

    def serves(self) -> str:
        """Wait until the server does, and has for long enough; returns the name of its pod."""
        ready = lambda it: bool(it["status"].get("readyReplicas"))  # noqa: E731 - a sentence
        self.stack.wait("deployments", loader.NAME, ready)
        threading.Event().wait(EARLY.total_seconds() + 3)
        [pod] = loader.pods(self.stack)
        return str(pod["metadata"]["name"])


@pytest.fixture
def scene(tmp_path: Path, cluster: Cluster) -> Iterator[Scene]:
    with (
        cluster.namespace("bench") as bench,
        cluster.namespace("stack") as stack,
        daemon.serving(tmp_path / "house", cluster, bench) as house,
    ):
        daemon.grant_stack(stack, bench)
        yield Scene(house, stack)


def test_a_servers_log_is_whole_though_the_daemon_was_killed_in_the_middle(scene: Scene) -> None:
    with loader.loading(scene.stack, seconds=0.5, before=loader.TALKS):
        pod = scene.serves()
        scene.house.drop("beside", scene.job(seconds=15))
        scene.house.in_phase("beside", Phase.RUNNING)
        scene.house.wait_for("lines of the server", lambda: any(map(ticks, scene.followed())))
        scene.house.kill()
        scene.house.start()
        record = scene.house.ended("beside")

    assert (record.phase, record.attempt) == (Phase.SUCCEEDED, 1), record
    told = scene.told("beside")
    [log] = told["logs"]
    assert (told["lacking"], log["pod"], log["restart"], log["gaps"]) == ("", pod, 0, [])
    assert log["file"] == f"logs/servers/{pod}/vllm.log"
    path = scene.archive("beside") / log["file"]
    first, *lines = path.read_bytes().splitlines(keepends=True)
    assert opened_at(first) == log["begins"]
    found = ticks(path)
    assert found[0] > 0
    assert found == list(range(found[0], found[-1] + 1))
    assert first[:19] <= lines[0][:19] <= at(record, Phase.LAUNCHING)
    assert stamp_of(lines[-1])[:19] >= at(record, Phase.COLLECTING)
    assert "1 of 1 runs are whole" in scene.house.asked("verify")


def test_a_server_that_is_made_anew_in_the_middle_has_two_logs(scene: Scene) -> None:
    with loader.loading(scene.stack, seconds=0.5, before=loader.TALKS):
        before = scene.serves()
        scene.house.drop("anew", scene.job(seconds=30))
        scene.house.in_phase("anew", Phase.RUNNING)
        scene.house.wait_for("lines of the server", lambda: any(map(ticks, scene.followed())))
        scene.stack.delete("pods", before, grace_s=1)
        scene.house.wait_for(
            "lines of another server", lambda: len([*filter(ticks, scene.followed())]) > 1
        )
        record = scene.house.ended("anew")

    assert record.phase is Phase.SUCCEEDED, record
    logs = {one["pod"]: one for one in scene.told("anew")["logs"]}
    assert len(logs) == 2
    assert logs.pop(before)["begins"]
    [(after, log)] = logs.items()
    assert (log["begins"], log["gaps"]) == (None, [])
    found = ticks(scene.archive("anew") / f"logs/servers/{after}/vllm.log")
    assert found == list(range(found[-1] + 1))


def test_servers_that_nobody_can_know_are_said_and_the_run_goes_on(scene: Scene) -> None:
    record = scene.house.run_job("abroad", daemon.light(seconds=1, follow_servers=True))

    assert record.phase is Phase.SUCCEEDED, record
    told = scene.told("abroad")
    assert "no pods of this cluster are known behind it" in told["lacking"]
    assert told["logs"] == []
    assert scene.house.told("servers.unknown")


def ticks(path: Path) -> list[int]:
    """Numbers of the lines that a server went on to write."""
    return [int(number) for number in TICK.findall(path.read_bytes())]


def at(record: Record, phase: Phase) -> bytes:
    """When a run came into a phase; cluster and daemon share this machine's clock."""
    [step] = [one for one in record.history if one.phase is phase]
    return step.at.strftime("%Y-%m-%dT%H:%M:%S").encode()
