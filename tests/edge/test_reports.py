"""The real converter, with each of its traps: what is published is true, and valid."""

import json
import os
import shutil
import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml
from llmd_benchmark_report import import_benchmark_report

from llmdbenchd.edge.reports import ReportContext, ReportFacts, convert

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003  # as the plugin spells it

DATA = Path(__file__).parents[1] / "data/inference-perf"
CONTEXT = ReportContext(
    experiment_id="exp-1", model="org/model", description="a try", keywords=("one", "two")
)
STAGE_0 = "stage_0_lifecycle_metrics.json"
V01 = f"benchmark_report,_{STAGE_0}.yaml"
V02 = f"benchmark_report_v0.2,_{STAGE_0}.yaml"


async def made(tmp_path: Path, run: str) -> ReportFacts:
    return await convert(DATA / run, "inference-perf", into=tmp_path / "out", context=CONTEXT)


def report(tmp_path: Path, name: str) -> Any:  # noqa: ANN401  # a report
    path = tmp_path / "out" / name
    import_benchmark_report(str(path))  # by the package's own model
    return yaml.safe_load(path.read_text())


def aggregate(tmp_path: Path, name: str) -> Any:  # noqa: ANN401  # part of a report
    return report(tmp_path, name)["results"]["request_performance"]["aggregate"]


def write(folder: Path, name: str, document: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(document))
    return folder


async def test_every_stage_becomes_both_versions_and_the_summary_none(tmp_path: Path) -> None:
    facts = await made(tmp_path, "stages")

    assert facts.problems == ()
    assert set(facts.made) == {
        f"{prefix},_stage_{n}_lifecycle_metrics.json.yaml"
        for prefix in ("benchmark_report", "benchmark_report_v0.2")
        for n in (0, 1)
    }
    assert sorted(os.listdir(tmp_path / "out")) == sorted(facts.made)  # noqa: PTH208  # names
    assert [
        report(tmp_path, f"benchmark_report_v0.2,_stage_{n}_lifecycle_metrics.json.yaml")[
            "scenario"
        ]["load"]["standardized"]["rate_qps"]
        for n in (0, 1)
    ] == [4.0, 8.0]


async def test_a_summary_alone_is_converted_where_the_converter_can(tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    shutil.copy(DATA / "stages/summary_lifecycle_metrics.json", results)

    facts = await convert(results, "inference-perf", into=tmp_path / "out", context=CONTEXT)

    assert facts.made == ("benchmark_report_v0.2,_summary_lifecycle_metrics.json.yaml",)
    assert facts.problems == ()


async def test_the_input_length_of_0_1_is_taken_from_prompt_tokens(tmp_path: Path) -> None:
    facts = await made(tmp_path, "mixed")

    length = report(tmp_path, V01)["metrics"]["requests"]["input_length"]
    assert length["mean"] == pytest.approx(38.7777, abs=1e-3)
    assert (length["p50"], length["p99p9"], length["units"]) == (
        39.0,
        pytest.approx(58.92),
        "count",
    )
    assert length["mean"] == aggregate(tmp_path, V02)["requests"]["input_length"]["mean"]
    assert any("prompt_tokens" in note for note in facts.notes)


async def test_the_duration_of_0_1_is_that_of_the_benchmark(tmp_path: Path) -> None:
    facts = await made(tmp_path, "mixed")

    assert report(tmp_path, V01)["metrics"]["time"]["duration"] == pytest.approx(2.4795421)
    assert any("duration" in note for note in facts.notes)


async def test_reports_carry_our_experiment_model_description_and_keywords(tmp_path: Path) -> None:
    await made(tmp_path, "mixed")

    run = report(tmp_path, V02)["run"]
    assert run["eid"] == str(uuid.uuid5(uuid.NAMESPACE_URL, "exp-1"))
    assert (run["description"], run["keywords"]) == ("a try", ["one", "two"])
    assert report(tmp_path, V01)["scenario"]["model"]["name"] == "org/model"


async def test_the_launchers_run_metadata_is_read(tmp_path: Path) -> None:
    results = tmp_path / "results"
    shutil.copytree(DATA / "stages", results)
    shutil.copy(DATA / "run_metadata.yaml", results)

    facts = await convert(results, "inference-perf", into=tmp_path / "out", context=CONTEXT)

    whole = report(tmp_path, V02)
    assert facts.problems == ()
    assert whole["scenario"]["load"]["standardized"]["tool_version"] == "0.7.0"
    assert whole["scenario"]["stack"][0]["standardized"]["model"]["name"] == "known"
    assert whole["run"]["eid"] == str(uuid.uuid5(uuid.NAMESPACE_URL, "exp-1"))
    assert "user" not in whole["run"]


async def test_a_run_that_failed_entirely_never_reads_as_a_perfect_one(tmp_path: Path) -> None:
    facts = await made(tmp_path, "allfail")

    assert facts.made == (V02,)
    assert aggregate(tmp_path, V02)["requests"]["total"] == 8
    assert aggregate(tmp_path, V02)["requests"]["failures"] == 8
    assert not aggregate(tmp_path, V02).get("latency")
    (problem,) = facts.problems
    assert problem.startswith(f"{STAGE_0} to version 0.1")
    assert problem.endswith("all 8 requests failed")


async def test_a_run_without_streaming_has_no_time_to_first_token_of_zero(tmp_path: Path) -> None:
    facts = await made(tmp_path, "nostream")

    assert facts.made == (V02,)
    assert "time_to_first_token" not in aggregate(tmp_path, V02)["latency"]
    assert aggregate(tmp_path, V02)["latency"]["request_latency"]["mean"] > 0
    assert "none was measured" in facts.problems[0]


async def test_converting_again_gives_the_same_reports(tmp_path: Path) -> None:
    first = await made(tmp_path, "stages")
    again = await made(tmp_path, "stages")

    assert again == first


async def test_a_harness_that_nobody_knows_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    facts = await convert(DATA / "mixed", "mine", into=tmp_path / "out", context=CONTEXT)

    assert facts.made == ()
    assert "'mine'" in facts.problems[0]


async def test_a_folder_without_native_files_is_a_problem(tmp_path: Path) -> None:
    facts = await convert(tmp_path, "guidellm", into=tmp_path / "out", context=CONTEXT)

    assert "guidellm left no native result file" in facts.problems[0]


async def test_one_torn_file_does_not_keep_the_others_from_their_reports(tmp_path: Path) -> None:
    results = tmp_path / "results"
    shutil.copytree(DATA / "stages", results)
    (results / STAGE_0).write_text('{"successes": ')

    facts = await convert(results, "inference-perf", into=tmp_path / "out", context=CONTEXT)

    assert len(facts.made) == 2
    assert all(STAGE_0 in problem for problem in facts.problems)
    assert len(facts.problems) == 2


def vllm(**changes: object) -> dict[str, object]:
    latencies = {
        f"{statistic}_{name}_ms": value
        for name, value in (("ttft", 50.0), ("tpot", 10.0), ("itl", 10.0), ("e2el", 540.0))
        for statistic in ("mean", "median", "std", "p90", "p99")
    }
    return {
        "date": "20261124-022144", "backend": "openai", "model_id": "m", "num_prompts": 5,
        "request_rate": 2.0, "max_concurrency": None, "duration": 2.0, "completed": 5,
        "total_input_tokens": 250, "total_output_tokens": 250, "request_throughput": 2.5,
        "output_throughput": 125.0, "total_token_throughput": 250.0, **latencies, **changes,
    }  # fmt: skip


async def of_vllm(tmp_path: Path, **changes: object) -> ReportFacts:
    results = write(tmp_path / "results", "openai-x.json", vllm(**changes))
    return await convert(results, "vllm-benchmark", into=tmp_path / "out", context=CONTEXT)


async def test_an_unlimited_rate_is_left_out_rather_than_infinite(tmp_path: Path) -> None:
    facts = await of_vllm(tmp_path, request_rate="inf")

    whole = report(tmp_path, "benchmark_report_v0.2,_openai-x.json.yaml")
    json.dumps(whole, allow_nan=False)
    assert "rate_qps" not in whole["scenario"]["load"]["standardized"]
    assert any("not limited" in note for note in facts.notes)


async def test_the_date_of_vllm_is_the_end_and_its_failures_are_counted(tmp_path: Path) -> None:
    facts = await of_vllm(tmp_path, completed=4)

    metrics = report(tmp_path, "benchmark_report,_openai-x.json.yaml")["metrics"]
    assert metrics["time"]["stop"] == 1795486904.0
    assert "start" not in metrics["time"]
    assert (metrics["requests"]["total"], metrics["requests"]["failures"]) == (5, 1)
    assert facts.problems == ()


async def test_the_zeros_of_a_vllm_run_that_failed_are_not_published(tmp_path: Path) -> None:
    zeros = {name: 0.0 for name in vllm() if name.endswith("_ms")}

    facts = await of_vllm(tmp_path, completed=0, total_output_tokens=0, **zeros)

    assert facts.made == ("benchmark_report_v0.2,_openai-x.json.yaml",)
    assert not aggregate(tmp_path, facts.made[0]).get("latency")
    assert aggregate(tmp_path, facts.made[0])["requests"]["failures"] == 5
    assert "all 5 requests failed" in facts.problems[0]


async def test_a_vllm_run_without_e2el_has_no_report_and_the_reason_says_so(
    tmp_path: Path,
) -> None:
    without = {name: None for name in vllm() if "e2el" in name}

    facts = await of_vllm(tmp_path, **without)

    assert facts.made == ()
    assert len(facts.problems) == 2
    assert all("request_latency" in problem for problem in facts.problems)


async def test_a_nop_result_is_asked_for_in_0_1_only(tmp_path: Path) -> None:
    results = write(tmp_path / "results", "result.yaml", {"metrics": {}})

    facts = await convert(results, "nop", into=tmp_path / "out", context=CONTEXT)

    (problem,) = facts.problems
    assert problem.startswith("result.yaml to version 0.1")


async def test_aiperf_is_converted_to_both_versions_in_its_own_units(tmp_path: Path) -> None:
    def of(unit: str, value: float) -> dict[str, object]:
        names = ("avg", "p1", "p5", "p10", "p25", "p50", "p75", "p90", "p95", "p99", "min", "max")
        return {"unit": unit, **dict.fromkeys(names, value), "std": 0.0, "count": 5}

    native = {
        "aiperf_version": "0.13.0", "request_count": {"unit": "requests", "avg": 5.0},
        "time_to_first_token": of("ms", 52.0), "inter_token_latency": of("ms", 10.0),
        "request_latency": of("ms", 540.0), "input_sequence_length": of("tokens", 50.0),
        "output_sequence_length": of("tokens", 50.0), "error_summary": [],
        "output_token_throughput": {"unit": "tokens/sec", "avg": 96.0},
        "total_token_throughput": {"unit": "tokens/sec", "avg": 192.0},
        "request_throughput": {"unit": "requests/sec", "avg": 1.9},
        "benchmark_duration": {"unit": "sec", "avg": 15.0},
    }  # fmt: skip
    results = write(tmp_path / "results", "profile_export_aiperf.json", native)

    facts = await convert(results, "aiperf", into=tmp_path / "out", context=CONTEXT)

    assert facts.problems == ()
    v02, v01 = (report(tmp_path, name) for name in facts.made)
    latency = v02["results"]["request_performance"]["aggregate"]["latency"]
    assert latency["time_to_first_token"]["mean"] == pytest.approx(0.052)
    assert latency["time_to_first_token"]["units"] == "s"
    assert v02["scenario"]["load"]["standardized"]["tool_version"] == "0.13.0"
    assert v01["metrics"]["requests"]["total"] == 5
