"""Who begins when, on a real cluster: launchers without a common folder, and two daemons."""

import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from llmdbenchd.core.run.phase import Phase
from tests.daemon.household import Household
from tests.e2e import daemon
from tests.e2e.census import LAUNCHERS
from tests.e2e.cluster import Cluster
from tests.e2e.namespace import Namespace

pytestmark = [pytest.mark.kube, pytest.mark.timeout(400)]

ALONE = {"metadata": {"name": "one-pod"}, "spec": {"hard": {"pods": "1"}}}


def running(place: Namespace) -> int:
    """How many launchers run, with the containers beside them."""
    pods = place.list("pods", labelSelector=LAUNCHERS)
    return sum(pod["status"]["phase"] == "Running" for pod in pods)


def done_marks(home: Household, job: str) -> list[dict[str, Any]]:
    files = sorted((home.archive / job / "r001" / "results").rglob("DONE.json"))
    return [json.loads(file.read_text()) for file in files]


def begun(mark: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(mark["started"]).timestamp()


def over(mark: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(mark["stopped_at"]).timestamp()


def test_launchers_that_keep_their_results_begin_together_though_the_daemon_was_killed(
    home: Household, place: Namespace
) -> None:
    place.create("resourcequotas", ALONE)  # the second launcher cannot be made
    home.drop("both", daemon.light(seconds=5, each=2, storage={"mode": "ephemeral"}))
    home.wait_for("the first launcher", lambda: running(place) == 1)
    home.kill()
    home.start()
    home.wait_for("its record", lambda: home.record("both").held)
    removed = time.time()
    place.delete("resourcequotas", "one-pod")

    record = home.ended("both")

    assert record.verdict is not None
    assert record.phase is Phase.SUCCEEDED, record.verdict.reason
    first, second = done_marks(home, "both")
    assert int(removed) <= begun(first), "it did not wait for the other one"
    assert int(removed) <= begun(second), "it did not wait for the other one"
    assert max(begun(first), begun(second)) < min(over(first), over(second))
    assert not record.held


def test_launchers_that_are_left_alone_begin_all_the_same(
    home: Household, place: Namespace
) -> None:
    lone = daemon.light(
        seconds=1, each=2, storage={"mode": "ephemeral"}, harness={"wait_timeout": 0}
    )
    home.drop("left", lone)
    assert home.ended("left").phase is Phase.LEFT

    home.asked("collect", "left")

    home.wait_for("success", lambda: home.record("left").phase is Phase.SUCCEEDED)
    assert place.list("pods", labelSelector=LAUNCHERS) == []


def test_a_target_that_another_daemon_loads_is_waited_for_and_why_names_its_launcher(
    home: Household, place: Namespace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Household(
        tmp_path_factory.mktemp("other") / "house",
        settings=dict(home.settings),
        patience_s=home.patience_s,
    )
    other.start()
    try:
        mine = {**daemon.light(seconds=300), "share_target": False}
        theirs = {**daemon.light(seconds=1), "share_target": False}
        home.drop("mine", mine)
        home.in_phase("mine", Phase.RUNNING)
        [pod] = place.list("pods", labelSelector=LAUNCHERS)
        name = pod["metadata"]["name"]

        other.drop("theirs", theirs)
        other.drop("shared", daemon.light(seconds=1))
        assert other.ended("shared").phase is Phase.SUCCEEDED
        other.in_phase("theirs", Phase.READY)
        other.wait_for("its reason", lambda: name in other.asked("why", "theirs"))
        assert other.record("theirs").phase is Phase.READY
        other.kill()
        other.start()
        other.wait_for("its reason again", lambda: name in other.asked("why", "theirs"))
        assert other.record("theirs").phase is Phase.READY

        home.asked("cancel", "mine")
        home.wait_for("its end", lambda: home.record("mine").phase is Phase.CANCELLED)
        assert other.ended("theirs").phase is Phase.SUCCEEDED
    finally:
        other.close()


def test_where_the_proxy_is_forbidden_they_are_told_by_commands(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("by-exec") / "house"
    with (
        cluster.namespace("by-exec") as place,
        daemon.serving(root, cluster, place, without="pods/proxy") as house,
    ):
        house.drop("both", daemon.light(seconds=5, each=2, storage={"mode": "ephemeral"}))
        record = house.ended("both")

        assert record.verdict is not None
        assert record.phase is Phase.SUCCEEDED, record.verdict.reason
        first, second = done_marks(house, "both")
        assert max(begun(first), begun(second)) < min(over(first), over(second))
        assert [mark for mark in (first, second) if "barrier_s" in mark["facts"]]
