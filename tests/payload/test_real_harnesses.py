"""Real load generators, run by their scripts against the stand-in server, beside its truth."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmdbenchd.core.results.metrics import Metrics
from llmdbenchd.core.results.summary import find_native, measure
from llmdbenchd.core.workload import prepare
from tests.daemon.real import MODEL, Simulator, harness_venvs, simulator
from tests.payload.stage import LAUNCH, PROGRAMS, Stage, assert_proven

pytestmark = [pytest.mark.slow, pytest.mark.real, pytest.mark.timeout(240)]

PROFILES = Path(__file__).parents[2] / "workload" / "profiles"
FAIL_EVERY = 4
REQUESTS = 16


def run(stage: Stage, harness: str, workload: str, server: Simulator, **variables: str) -> Metrics:
    """Run the launcher with the real tool; returns what it measured."""
    folder = stage.folder / "workspace" / "profiles" / harness
    folder.mkdir(exist_ok=True)
    (folder / "x.yaml").write_text(workload)
    stage.env |= {
        "PATH": f"{harness_venvs() / harness / 'bin'}:{os.environ['PATH']}",
        "LLMDBENCH_HARNESS_NAME": harness,
        "LLMDBENCH_RUN_EXPERIMENT_HARNESS_WORKLOAD_NAME": "x.yaml",
        "HF_HOME": str(server.cache),
        "HF_HUB_OFFLINE": "1",
        "HOME": str(stage.folder),
        **variables,
    }
    done = subprocess.run([*stage.python, LAUNCH], env=stage.env, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_proven(stage.results)
    names = find_native(harness, [path.name for path in stage.results.iterdir()])
    assert list(names) == stage.done["facts"]["native_files"]
    found = measure(harness, {name: (stage.results / name).read_bytes() for name in names})
    assert found is not None
    return found


def shipped(harness: str, profile: str, server: Simulator, **overrides: object) -> str:
    """A profile of this project for that server; in the overrides' names __ stands for a dot."""
    path = PROFILES / harness / f"{profile}.yaml.in"
    variables = {
        "LLMDBENCH_DEPLOY_CURRENT_MODEL": MODEL,
        "LLMDBENCH_HARNESS_STACK_ENDPOINT_URL": server.address,
    }
    changed = {name.replace("__", "."): value for name, value in overrides.items()}
    return prepare(path.read_text(), overrides=[changed], variables=variables, file=path.name)


def assert_truth(metrics: Metrics, server: Simulator, *, cut_off: int = 0) -> None:
    """Failures are failures at exit code 0; times are as near as a busy machine allows.

    At most `cut_off` requests are not counted, because the load ended in the middle of them.
    """
    asked, served = server.asked(), server.served()
    failed = [line for line in asked if line["outcome"] == "failed"]  # not: the client left
    assert served
    assert 0 < metrics.failures == len(failed)
    assert len(asked) - cut_off <= metrics.requests <= len(asked)
    assert metrics.ttft_ms is not None
    assert metrics.itl_ms is not None
    assert metrics.ttft_ms.mean == pytest.approx(server.mean_ms("ttft_s"), abs=60, rel=0.5)
    assert metrics.itl_ms.mean == pytest.approx(server.mean_ms("itl_s"), abs=5, rel=0.3)


def metadata(stage: Stage) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((stage.results / "run_metadata.yaml").read_text())
    return document


def test_aiperf_tells_the_truth_also_about_failures(stage: Stage, tmp_path: Path) -> None:
    harness_venvs("aiperf")
    with simulator(tmp_path, "--fail-every", "4") as server:
        fast = {"request-count": 16, "request-rate": 8, "osl": 10, "isl": 20}
        workload = shipped("aiperf", "sanity_fixed", server, **fast)
        metrics = run(stage, "aiperf", workload, server)

    assert_truth(metrics, server)
    assert metadata(stage)["harness_version"] == "0.13.0"
    assert "--random-seed=" in metadata(stage)["harness_args"]
    assert "Time to First Token" in (stage.results / "analysis" / "summary.txt").read_text()


def test_guidellm_tells_the_truth_also_about_failures(stage: Stage, tmp_path: Path) -> None:
    harness_venvs("guidellm")
    with simulator(tmp_path, "--fail-every", "4") as server:
        fast = {"spec__profile__rate": 8, "spec__constraints__0__seconds": 3}
        workload = shipped("guidellm", "sanity_random", server, **fast)
        torch = {"PYTHONPATH": str(PROGRAMS / "guidellm"), "USE_TORCH": "0"}  # a stand-in for it
        torch["GUIDELLM__MAX_WORKER_PROCESSES"] = "1"
        metrics = run(stage, "guidellm", workload, server, **torch)

    assert_truth(metrics, server, cut_off=12)
    assert metadata(stage)["harness_version"] == "0.8.1"
    config = json.loads((stage.results / "results.json").read_bytes())["config"]
    assert config["spec"]["seed"]["value"] != 42  # its own default
    assert "Server Throughput" in (stage.results / "analysis" / "summary.txt").read_text()


def test_vllm_bench_tells_the_truth_also_about_failures(stage: Stage, tmp_path: Path) -> None:
    if not (harness_venvs() / "vllm-benchmark" / "bin" / "vllm").exists():
        pytest.skip("no vLLM here: there is no recipe for it in harnesses/ (torch for the CPU)")
    with simulator(tmp_path, "--fail-every", "4") as server:
        fast = {"num-prompts": 16, "random-input-len": 20, "random-output-len": 10}
        workload = shipped("vllm-benchmark", "sanity_random", server, **fast)
        metrics = run(stage, "vllm-benchmark", workload, server)

    assert metrics.requests == 16  # the warm-up's are on the server only
    assert 0 < metrics.failures < 16
    assert metrics.ttft_ms is not None
    assert metrics.ttft_ms.mean == pytest.approx(server.mean_ms("ttft_s"), abs=60, rel=0.5)
