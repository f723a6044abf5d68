"""How a server loads is recorded from the cluster: no load, no pod, every start told.

The server is the stand-in that we ship: what it was told to say is what must come home.
"""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from llmdbenchd.core.nop.stages import CATEGORIES
from llmdbenchd.core.run.phase import Phase
from tests.e2e import loader
from tests.e2e.loader import SLEEPS, TOLD, VALUES
from tests.e2e.rotation import MARK, wait_for_rotation
from tests.e2e.scene import Scene

pytestmark = [pytest.mark.kube, pytest.mark.timeout(300)]
REPORT = "reports/1/benchmark_report,_result.yaml.yaml"


def test_a_cold_load_becomes_an_archive_that_tells_what_the_server_was_told(scene: Scene) -> None:
    with loader.loading(scene.stack):
        scene.stack.wait(
            "deployments", loader.NAME, lambda it: bool(it["status"].get("readyReplicas"))
        )
        [before] = loader.pods(scene.stack)
        record = scene.house.run_job("cold", scene.job(nop={"restart": True, "repeat": 2}))

    assert record.phase is Phase.SUCCEEDED, record
    told, home = scene.chart("cold"), scene.home("cold")
    assert before["metadata"]["name"] not in {one["name"].split("_")[0] for one in told["servers"]}
    assert [one["ending"] for one in told["starts"]] == ["ready", "ready"]
    for start in told["starts"]:
        assert start["is_cold"]
        check_told(start)
        titles = {bar["title"] for bar in start["bars"]}
        assert {"schedule", "image pull", "import", "model load", "readiness lag"} <= titles
    for server in told["servers"]:
        check_cycles(server["cycles"])
        assert server["gaps"] == []
    check_result(yaml.safe_load((home / "results/1/result.yaml").read_text()))
    check_report(home)
    check_texts(home, starts=2)
    assert "1 of 1 runs are whole" in scene.house.asked("verify")


def check_told(start: dict[str, Any]) -> None:
    """Every number of the stand-in's start was read."""
    told = start["told"]
    more = {name: kept[0]["value"] for name, kept in told["more"].items()}
    assert TOLD.items() <= (told["headline"] | more).items()


def check_cycles(cycles: list[dict[str, Any]]) -> None:
    """By our clock each takes at least as long as by the server's."""
    assert [(one["level"], one["trouble"]) for one in cycles] == [(1, ""), (2, "")]
    for one in cycles:
        assert one["sleep_s"] >= VALUES["sleep_s"]
        assert one["wake_s"] >= VALUES["wake_s"]
        assert one["first_token_s"]
    assert cycles[1]["reload_s"] >= VALUES["weights_load_s"]


def check_result(document: dict[str, Any]) -> None:
    """`result.yaml` of every start."""
    assert document["scenario"]["sleep_mode"] is True
    assert document["scenario"]["platform"]["engines"][0]["version"] == loader.VERSION
    for one in document["vllm_metrics"]:
        assert one["load"]["time"] == TOLD["model_load_s"]
        assert one["load"]["size"] == TOLD["model_load_size_gib"]
        assert one["dynamo_bytecode_transform"] == TOLD["dynamo_s"]
        assert one["compile_graph"] == TOLD["graph_compile_s"]
        assert one["torch_compile"] == TOLD["torch_compile_s"]
        assert one["memory_profiling"] == {
            "initial_free": TOLD["initial_free_gib"],
            "after_free": TOLD["free_after_profiling_gib"],
            "time": TOLD["memory_profiling_s"],
        }
        sleeps = [each for each in one["sleep_wake"] if each["type"] == "sleep"]
        assert [each["level"] for each in sleeps] == [1, 2]
        for each in sleeps:
            values = SLEEPS[each["level"]]
            assert each["time"] == values["sleep_s"]
            assert each["gpu_freed"] == values["sleep_freed_gib"]
            assert each["gpu_in_use"] == values["sleep_in_use_gib"]
        wakes = [each["time"] for each in one["sleep_wake"] if each["type"] == "wake"]
        assert wakes == [VALUES["wake_s"]] * 3  # all at once; weights, then the KV cache
        assert {each["title"] for each in one["categories"]} == {
            row.title for row in CATEGORIES if not row.parent
        }


def check_report(home: Path) -> None:
    """The standard report, made by the field's own converter."""
    facts = json.loads((home / "run.json").read_bytes())["reports"]
    assert (facts["problems"], facts["made"]) == ([], [REPORT])
    report = yaml.safe_load((home / REPORT).read_text())
    assert report["version"] == "0.1"
    [[_, *starts]] = [
        one["value"] for one in report["metrics"]["metadata"] if one["name"] == "vllm_metrics"
    ]
    for one in starts:
        assert one["load"]["time"] == {"units": "s", "value": TOLD["model_load_s"]}


def check_texts(home: Path, *, starts: int) -> None:
    """What is for people, and the raw logs with whom they are of."""
    results = home / "results/1"
    logs = sorted(results.glob("*_vllm/vllm.log"))
    assert len(logs) == starts
    for log in logs:
        assert b"Application startup complete." in log.read_bytes()
        categories = (log.parent / "categories.log").read_text()
        assert all(f"Log category : {row.title}\n" in categories for row in CATEGORIES)
    page = (results / "analysis/result.txt").read_text()
    assert f"model load, download included     : {TOLD['model_load_s']:g} s" in page
    assert "not DEBUG" not in page
    assert (home / "summary.txt").read_text().endswith(page)
    assert ET.fromstring((results / "timeline.svg").read_text()) is not None  # noqa: S314 - our own


def test_a_server_killed_in_the_middle_of_loading_has_two_starts_and_a_right_verdict(
    scene: Scene,
) -> None:
    with loader.loading(scene.stack, before=loader.ONCE, sleeps=False):
        record = scene.house.run_job("once", scene.job())

    assert record.phase is Phase.SUCCEEDED, record
    check_two_lives(scene.chart("once"))


def check_two_lives(told: dict[str, Any]) -> None:
    """The first was killed while it loaded, the second came up."""
    first, second = told["starts"]
    assert (first["ending"], second["ending"]) == ("cut off", "ready")
    assert (first["log"], second["log"]) == ("vllm-0.log", "vllm.log")
    assert not {"model_load_s", "engine_init_s"} & first["told"]["headline"].keys()
    check_told(second)
    [server] = told["servers"]
    assert (server["restarts"], server["verdict"]) == (1, "ready")
    assert "137" in server["lives"][0]["why"]


@pytest.mark.slow
def test_a_server_killed_after_its_log_was_rotated_unread_has_its_gap_marked(scene: Scene) -> None:
    words = scene.stack.claim("words")
    if words is None:
        pytest.skip("the node of another cluster has no folder that is seen from here")
    with loader.loading(
        scene.stack, before=loader.CHATTERS, sleeps=False, mounts=[loader.claimed("words")]
    ):
        scene.house.drop("gap", scene.job())
        scene.house.wait_for(
            "a start in a log", lambda: any(b"Starting to load" in log for log in scene.logs())
        )
        scene.house.kill()
        [pod] = loader.pods(scene.stack)
        (words / "burst").touch()
        wait_for_rotation(scene.stack, pod["metadata"]["name"], "vllm", "non-default args")
        scene.house.start()
        scene.house.wait_for("the gap's mark", lambda: any(MARK in log for log in scene.logs()))
        (words / "die").touch()
        record = scene.house.ended("gap")

    assert record.phase is Phase.SUCCEEDED, record
    assert record.verdict is not None
    assert record.verdict.reason == "a server became ready"
    told, home = scene.chart("gap"), scene.home("gap")
    check_two_lives(told)
    [gap] = told["servers"][0]["gaps"]
    assert gap.startswith("vllm-0.log: lines after 20")
    [first, last] = json.loads((home / "run.json").read_bytes())["server_logs"]
    assert first["path"].endswith("_vllm/vllm-0.log")
    assert [one["why"] for one in first["gaps"]] == ["the log was rotated while nobody read it"]
    assert last["gaps"] == []
    assert (home / first["path"]).read_bytes().count(MARK) == 1
    assert f"log gap: {gap}" in (home / "summary.txt").read_text()
    assert "1 of 1 runs are whole" in scene.house.asked("verify")


def test_a_server_that_dies_again_and_again_fails_the_run(scene: Scene) -> None:
    with loader.loading(scene.stack, *loader.DIES, seconds=6):  # the API's times have seconds
        record = scene.house.run_job("never", scene.job())

    assert record.phase is Phase.FAILED, record
    assert record.verdict is not None
    assert "ended 2 times" in record.verdict.reason
    told = scene.chart("never")
    assert [one["ending"] for one in told["starts"]] == ["cut off", "cut off"]
    [server] = told["servers"]
    assert (server["restarts"], server["lives_without_log"]) == (1, [])
    assert [life["restart"] for life in server["lives"]] == [0, 1]
    assert all("137" in life["why"] for life in server["lives"])


def test_a_pod_that_is_deleted_while_it_loads_leaves_its_log_and_another_is_recorded(
    scene: Scene,
) -> None:
    with loader.loading(scene.stack, seconds=12, sleeps=False):
        scene.house.drop("gone", scene.job())
        scene.house.wait_for(
            "a start in a log", lambda: any(b"Dynamo" in log for log in scene.logs())
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
    assert (scene.home("slow") / "logs/launcher-1.log").stat().st_size
