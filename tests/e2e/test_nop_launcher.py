"""The launcher variant: a server like the standalone one is started, recorded, ended again."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmdbenchd.core.run.phase import Phase
from tests.e2e import launcher_stack
from tests.e2e.launcher_stack import LauncherStack, values_of
from tests.e2e.scene import Scene

pytestmark = [pytest.mark.kube, pytest.mark.timeout(300)]


class Launching(Scene):
    """The same, its stack with a launcher."""

    def job(self, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a job file
        """A recording of the stack with its launcher, asked for as the field does."""
        asked = {"LLMDBENCH_VLLM_STANDALONE_LAUNCHER": True}
        return super().job(models=[launcher_stack.MODEL], variables=asked, **fields)

    def results(self, job: str) -> Path:
        return self.home(job) / "results/1"

    def document(self, job: str) -> dict[str, Any]:
        text = (self.results(job) / "result.yaml").read_text(encoding="utf-8")
        told: dict[str, Any] = yaml.safe_load(text)
        return told

    def starts(self, job: str) -> dict[str, Any]:
        """The starts of the timeline, by name."""
        told = json.loads((self.results(job) / "timeline.json").read_text(encoding="utf-8"))
        return {one["name"]: one for one in told["starts"]}

    def launch(self, job: str) -> dict[str, Any]:
        """The only instance that was asked for."""
        [one] = json.loads((self.results(job) / "recordings.json").read_text(encoding="utf-8"))
        [found] = one["launches"]
        told: dict[str, Any] = found
        return told

    def is_loading(self, stack: LauncherStack) -> None:
        """Wait until the launcher's server tells of its load in our copy of its log."""
        pattern = "**/recordings/*/launched/*.log"

        def told() -> bool:
            return any("load model" in path.read_text() for path in self.house.root.glob(pattern))

        self.house.wait_for("a launched server that loads", told)
        assert len(stack.instances()) == 1


@pytest.fixture
def scene(scene: Scene) -> Launching:
    """A daemon with the rights to record a stack, and that stack's namespace."""
    return Launching(scene.house, scene.stack)


def test_one_report_has_what_both_servers_told_and_the_launched_one_is_gone(
    scene: Launching,
) -> None:
    with launcher_stack.standing(scene.stack) as stack:
        record = scene.house.run_job("both", scene.job())

        assert record.phase is Phase.SUCCEEDED, record
        assert stack.instances() == []
        pod = stack.pod()
    document = scene.document("both")
    standalone, launched = document["vllm_metrics"]
    assert (standalone["name"], launched["name"]) == ("vLLM Standalone", "vLLM Launcher")
    starts = scene.starts("both")
    for name, container in (("vLLM Standalone", "vllm"), ("vLLM Launcher", "launcher")):
        assert starts[name]["ending"] == "ready"
        assert values_of(container).items() <= starts[name]["told"]["headline"].items()
    versions = [one["version"] for one in document["scenario"]["platform"]["engines"]]
    assert [one.removeprefix("v") for one in versions] == ["0.19.1", "0.20.0"]
    for metrics in (standalone, launched):
        assert [one["type"] for one in metrics["sleep_wake"]] == [
            *("sleep", "wake"),
            *("sleep", "wake", "wake"),  # weights and KV cache apart
        ]
    launch = scene.launch("both")
    assert launch["wanted"]["options"].startswith("--port 8002 --model llmdbench/tiny ")
    assert (launch["trouble"], launch["is_over"]) == ("", True)
    home = scene.results("both")
    for folder in (f"{pod}_vllm", f"{pod}_launcher-instance"):
        assert "Model Loading" in (home / folder / "categories.log").read_text()
        assert "Application startup complete." in (home / folder / "vllm.log").read_text()
    text = (home / "analysis/result.txt").read_text()
    assert text.index("vLLM Standalone: ready") < text.index("vLLM Launcher: ready")
    facts = json.loads((home.parents[1] / "run.json").read_bytes())["reports"]
    assert (facts["problems"], facts["made"]) == (
        [],
        ["reports/1/benchmark_report,_result.yaml.yaml"],
    )
    assert "1 of 1 runs are whole" in scene.house.asked("verify")


def test_a_daemon_killed_while_the_launched_server_loads_goes_on_with_the_same_one(
    scene: Launching,
) -> None:
    with launcher_stack.standing(scene.stack, launched_s=20.0) as stack:
        scene.house.drop("killed", scene.job())
        scene.is_loading(stack)
        scene.house.kill()
        [before] = stack.instances()
        scene.house.start()
        record = scene.house.ended("killed")

        assert record.phase is Phase.SUCCEEDED, record
        assert stack.instances() == []
    assert scene.launch("killed")["instance"] == before["instance_id"]
    assert scene.starts("killed")["vLLM Launcher"]["ending"] == "ready"


def test_a_run_that_is_cancelled_after_a_kill_leaves_no_launched_server(
    scene: Launching,
) -> None:
    with launcher_stack.standing(scene.stack, launched_s=120.0) as stack:
        scene.house.drop("cancelled", scene.job())
        scene.is_loading(stack)
        scene.house.kill()
        scene.house.start()
        assert scene.house.cli("cancel", "cancelled").returncode == 0
        record = scene.house.ended("cancelled")

        assert record.phase is Phase.CANCELLED, record
        assert stack.instances() == []
    assert scene.starts("cancelled")["vLLM Standalone"]["ending"] == "ready"
    assert scene.starts("cancelled")["vLLM Launcher"]["ending"] == "cut off"


def test_a_launched_server_that_fails_fails_the_run_with_its_words(scene: Launching) -> None:
    with launcher_stack.standing(scene.stack, launched=("--load-fail", "memory")) as stack:
        record = scene.house.run_job("failed", scene.job())

        assert record.phase is Phase.FAILED, record
        assert stack.instances() == []
    assert record.verdict is not None
    assert "its log says: " in record.verdict.reason
    assert "out of memory" in record.verdict.reason
    starts = scene.starts("failed")
    assert starts["vLLM Standalone"]["ending"] == "ready"
    assert starts["vLLM Launcher"]["ending"] == "failed"
