"""`vllm bench serve` and InferenceMAX's script: warm-up, seed, percentiles, one result."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmdbenchd.core.results.summary import find_native, measure
from llmdbenchd.core.results.verdict import Evidence, Outcome, judge
from tests.payload.stage import PROGRAMS, Stage, assert_proven

PROFILE = """\
model: m
base-url: http://127.0.0.1:1
dataset-name: random
num-prompts: 20
ignore-eos: none
"""


class Bench:
    """A launcher that runs the fake in place of the real load generator."""

    def __init__(self, stage: Stage, harness: str, profile: str) -> None:
        self.stage = stage
        self.calls = stage.folder / "calls"
        folder = stage.folder / "workspace" / "profiles" / harness
        folder.mkdir()
        (folder / "x.yaml").write_text(profile)
        stage.env |= {
            "LLMDBENCH_HARNESS_NAME": harness,
            "LLMDBENCH_RUN_EXPERIMENT_HARNESS_WORKLOAD_NAME": "x",
            "FAKE_BENCH_CALLS": str(self.calls),
        }

    def run(self, **variables: str) -> list[dict[str, str]]:
        """Run it; returns the options of each start of the load generator."""
        self.stage.env |= variables
        outcome = self.stage.run()
        assert outcome.returncode == 0, outcome.stderr
        starts = [json.loads(line) for line in self.calls.read_text().splitlines()]
        return [dict(word.partition("=")[::2] for word in start) for start in starts]

    @property
    def metadata(self) -> dict[str, Any]:
        """`run_metadata.yaml`."""
        text = (self.stage.results / "run_metadata.yaml").read_text()
        document: dict[str, Any] = yaml.safe_load(text)
        return document


@pytest.fixture
def vllm(stage: Stage) -> Bench:
    """A launcher with the fake `vllm`."""
    return Bench(stage, "vllm-benchmark", PROFILE)


@pytest.fixture
def inferencemax(stage: Stage) -> Bench:
    """A launcher in an image with InferenceMAX's script."""
    bench = Bench(stage, "inferencemax", f"executable: serving.py\n{PROFILE}")
    source = stage.folder / "workspace" / "bench_serving"
    source.mkdir()
    shutil.copy(PROGRAMS / "vllm", source / "serving.py")
    (stage.folder / "workspace" / "repos.txt").write_text("bench_serving: https://h/r 499c0b17\n")
    return bench


def test_a_warm_up_of_three_prompts_comes_first_and_leaves_no_result(vllm: Bench) -> None:
    warm_up, load = vllm.run()

    assert (warm_up["--num-prompts"], load["--num-prompts"]) == ("3", "20")
    assert "--save-result" not in warm_up
    assert vllm.stage.done["facts"]["native_files"] == ["openai-infqps-tiny-20260102-030405.json"]
    assert_proven(vllm.stage.results)


def test_a_failed_warm_up_is_told_and_the_load_runs_all_the_same(vllm: Bench) -> None:
    assert len(vllm.run(FAKE_BENCH_WARM_UP_RC="3")) == 2

    assert b"the warm-up failed (exit code 3)" in vllm.stage.log("stderr")
    assert vllm.stage.done["exit_code"] == 0


def test_the_summary_is_the_loads_own_table_and_never_the_warm_ups(vllm: Bench) -> None:
    vllm.run()

    summary = (vllm.stage.results / "analysis" / "summary.txt").read_text()
    assert summary.startswith("============ Serving Benchmark Result")
    assert "requests:                     20\n" in summary
    assert b" 3\n" not in vllm.stage.log()


def test_the_seed_is_recorded_differs_between_launchers_and_may_be_given(
    vllm: Bench, tmp_path: Path
) -> None:
    seeds = {vllm.run()[1]["--seed"]}
    assert f"--seed={min(seeds)}" in vllm.metadata["harness_args"]
    for index in (2, 3):
        results = str(tmp_path / f"vllm-benchmark_1700000000_stack_{index}")
        seeds.add(vllm.run(LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR=results)[-1]["--seed"])
    assert len(seeds) == 3

    given = Bench(Stage(tmp_path / "given"), "vllm-benchmark", PROFILE + "seed: 7\n")
    assert given.run()[1]["--seed"] == "7"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("", "ttft,tpot,itl,e2el"),
        ("percentile-metrics: ttft,tpot,itl\n", "ttft,tpot,itl,e2el"),
        ('percentile_metrics: "e2el"\n', "e2el,ttft,tpot,itl"),
    ],
)
def test_percentiles_of_the_whole_request_are_always_asked_for_so_that_reports_convert(
    stage: Stage, asked: str, expected: str
) -> None:
    _, load = Bench(stage, "vllm-benchmark", PROFILE + asked).run()

    assert load["--percentile-metrics"] == expected
    assert load["--metric-percentiles"] == "0.1,1,5,10,25,75,90,95,99,99.9"


@pytest.mark.parametrize(
    "asked", ["backend: vllm\n", "label: mine\n", "result-filename: mine.json\n"]
)
def test_whatever_a_profile_calls_the_result_it_is_found(stage: Stage, asked: str) -> None:
    Bench(
        stage, "vllm-benchmark", PROFILE + asked + "result-dir: /nowhere\nsave-result: none"
    ).run()

    assert stage.done["facts"]["native_files"] == ["openai-x.json"]


def test_one_of_several_launchers_keeps_what_a_merged_report_needs(vllm: Bench) -> None:
    _, load = vllm.run(LLMDBENCH_HARNESS_LOAD_PARALLELISM="2")

    assert "--save-detailed" in load


def test_exit_code_0_with_no_request_completed_is_a_failed_run(vllm: Bench) -> None:
    vllm.run(FAKE_BENCH_COMPLETED="0")
    results = vllm.stage.results
    names = find_native("vllm-benchmark", [path.name for path in results.iterdir()])
    metrics = measure("vllm-benchmark", {name: (results / name).read_bytes() for name in names})

    assert vllm.stage.done["exit_code"] == 0
    assert metrics is not None
    assert metrics.ttft_ms is None  # the file says 0.0: a perfect one
    evidence = Evidence("", len(names), metrics.requests, metrics.failures, "")
    assert judge(evidence, 0.99).outcome is Outcome.FAILED


def test_the_metadata_tells_the_load_generators_arguments_not_the_shells(vllm: Bench) -> None:
    vllm.run()

    assert vllm.metadata["harness_args"].startswith("bench serve --model=m --base-url=")


def test_inferencemax_runs_the_script_of_the_profile_from_its_folder(inferencemax: Bench) -> None:
    warm_up, load = inferencemax.run()

    assert (warm_up["--num-prompts"], load["--result-filename"]) == ("3", "result.json")
    assert "--executable" not in load
    assert inferencemax.stage.done["facts"]["native_files"] == ["result.json"]
    assert inferencemax.metadata["harness_version"] == "499c0b17"


def test_inferencemax_without_its_script_says_where_it_was_sought(inferencemax: Bench) -> None:
    shutil.rmtree(inferencemax.stage.folder / "workspace" / "bench_serving")

    assert inferencemax.stage.run().returncode == 127
    assert (
        "bench_serving/serving.py is not there" in inferencemax.stage.done["problems"][0]["detail"]
    )


def test_a_profile_that_is_no_list_of_options_is_refused_with_its_line(stage: Stage) -> None:
    bench = Bench(stage, "vllm-benchmark", "load: {stages: []}\n")

    assert bench.stage.run().returncode == 66
    assert "line 1" in bench.stage.done["problems"][0]["detail"]
    assert not bench.calls.exists()
