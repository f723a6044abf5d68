"""A server that a recording sent to sleep is awake again, whatever ends that recording."""

import json
from pathlib import Path

import pytest

from llmdbenchd.core.run.phase import Phase
from tests.e2e import loader
from tests.e2e.scene import Scene

pytestmark = [pytest.mark.kube, pytest.mark.timeout(300)]
SLOW_TO_WAKE = ("--load-value", "wake_s=4")  # so that it is met asleep


def is_asleep(scene: Scene) -> bool:
    """What the server itself says."""
    [pod] = loader.pods(scene.stack)
    server = scene.stack.path("pods", f"{pod['metadata']['name']}:{loader.PORT}")
    asleep: bool = scene.stack.api.get(f"{server}/proxy/is_sleeping")["is_sleeping"]
    return asleep


def begin(scene: Scene, job: str) -> None:
    """Until it was put to sleep."""
    scene.stack.wait("deployments", loader.NAME, lambda it: bool(it["status"].get("readyReplicas")))
    scene.house.drop(job, scene.job())
    scene.house.wait_for("its sleep", lambda: is_asleep(scene))


def cycles(home: Path) -> list[tuple[int, str]]:
    """Levels, and what came of them."""
    told = json.loads((home / "results/1/recordings.json").read_bytes())
    return [(one["level"], one["trouble"]) for one in told[0]["cycles"]]


def test_a_cancel_in_the_middle_of_a_sleep_wakes_the_server_and_keeps_what_was_seen(
    scene: Scene,
) -> None:
    with loader.loading(scene.stack, *SLOW_TO_WAKE):
        begin(scene, "cancelled")
        scene.house.asked("cancel", "cancelled")
        record = scene.house.ended("cancelled")

        assert not is_asleep(scene)
    assert record.phase is Phase.CANCELLED, record
    home = scene.home("cancelled")
    assert cycles(home) == [(1, "stopped in the middle of it, and woken again")]
    assert (home / "results/1/analysis/result.txt").exists()


def test_a_daemon_that_is_stopped_wakes_the_server_and_the_next_one_goes_on(scene: Scene) -> None:
    with loader.loading(scene.stack, *SLOW_TO_WAKE):
        begin(scene, "stopped")
        assert scene.house.stop() == 0
        assert not is_asleep(scene)

        scene.house.start()
        record = scene.house.ended("stopped")

    assert record.phase is Phase.SUCCEEDED, record
    assert cycles(scene.home("stopped")) == [(1, "interrupted, and woken again"), (2, "")]


def test_a_server_that_a_killed_daemon_left_asleep_is_woken_by_the_next_one(scene: Scene) -> None:
    with loader.loading(scene.stack, *SLOW_TO_WAKE):
        begin(scene, "killed")
        scene.house.kill()
        assert is_asleep(scene)

        scene.house.start()
        scene.house.ended("killed")
        assert not is_asleep(scene)

    assert cycles(scene.home("killed")) == [(1, "interrupted, and woken again"), (2, "")]
