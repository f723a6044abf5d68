"""Native files of real runs, read in the units that people compare.

`tests/data/inference-perf` holds short runs of inference-perf 0.7.0 against a server with a
known truth: TTFT 20 ms, ITL 5 ms.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from llmdbenchd.core.results.metrics import Metrics, Spread
from llmdbenchd.core.results.readers import Unreadable
from llmdbenchd.core.results.summary import HARNESSES, find_native, measure

DATA = Path(__file__).parents[2] / "data/inference-perf"


def native(run: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (DATA / run).iterdir()}


def measured(harness: str, files: dict[str, bytes]) -> Metrics:
    metrics = measure(harness, files)
    assert metrics is not None
    return metrics


def mean(spread: Spread | None) -> float:
    assert spread is not None
    assert spread.mean is not None
    return spread.mean


def test_only_the_harness_own_result_files_are_native() -> None:
    names = [
        "stage_10_lifecycle_metrics.json", "stage_2_lifecycle_metrics.json",
        "summary_lifecycle_metrics.json", "stage_0_session_lifecycle_metrics.json",
        "per_request_lifecycle_metrics.json", "validation.json", "config.yaml", "stdout.log",
        "inference-perf.partial.stage_0.yaml", "analysis/stage_0_lifecycle_metrics.json",
        "benchmark_report,_stage_0_lifecycle_metrics.json.yaml", "MANIFEST.jsonl",
    ]  # fmt: skip

    assert find_native("inference-perf", names) == (
        "stage_0_session_lifecycle_metrics.json",
        "stage_2_lifecycle_metrics.json",
        "stage_10_lifecycle_metrics.json",
        "summary_lifecycle_metrics.json",
    )


@pytest.mark.parametrize(
    ("harness", "name"),
    [
        ("guidellm", "results.json"),
        ("vllm-benchmark", "openai-2.0qps-known-20261124-022144.json"),
        ("inferencemax", "result.json"),
        ("aiperf", "profile_export_aiperf.json"),
        ("nop", "result.yaml"),
    ],
)
def test_each_harness_names_its_results_in_its_own_way(harness: str, name: str) -> None:
    assert find_native(harness, [name, "stdout.log", "run_metadata.yaml", "DONE.json"]) == (name,)
    assert harness in HARNESSES


def test_an_unknown_harness_has_no_native_files_and_no_figures() -> None:
    assert find_native("mine", ["results.json"]) == ()
    assert measure("mine", {"results.json": b"{}"}) is None


def test_a_run_on_a_known_server_reads_what_the_server_did() -> None:
    metrics = measured("inference-perf", native("mixed"))

    assert (metrics.requests, metrics.failures) == (12, 3)
    assert mean(metrics.ttft_ms) == pytest.approx(20, rel=0.25)
    assert mean(metrics.itl_ms) == pytest.approx(5, rel=0.02)
    assert mean(metrics.tpot_ms) == pytest.approx(5, rel=0.02)
    assert mean(metrics.ntpot_ms) == pytest.approx(6.8, rel=0.02)
    assert mean(metrics.request_latency_s) == pytest.approx(0.068, rel=0.02)
    assert metrics.ttft_ms is not None
    assert metrics.ttft_ms.p99 == pytest.approx(27.92667508)


def test_the_summary_speaks_for_all_stages_and_says_that_pauses_dilute_its_rates() -> None:
    metrics = measured("inference-perf", native("stages"))

    assert metrics.requests == 24
    assert metrics.duration_s == pytest.approx(7.1257826)
    assert metrics.requests_per_s == pytest.approx(3.3680510)
    assert metrics.ttft_ms is not None
    assert metrics.ttft_ms.p99 is not None
    assert metrics.notes == (
        "duration and rates include 3.6 s of pauses between 2 stages; within them 6.82 requests/s",
    )


def test_without_a_summary_the_stages_are_joined() -> None:
    files = native("stages")
    del files["summary_lifecycle_metrics.json"]

    metrics = measured("inference-perf", files)

    assert metrics.requests == 24
    assert metrics.duration_s == pytest.approx(3.5207043)
    assert metrics.requests_per_s == pytest.approx(6.8168178)
    assert mean(metrics.ttft_ms) == pytest.approx(21.8665455)
    assert metrics.ttft_ms is not None
    assert metrics.ttft_ms.p99 is None


def test_a_run_in_which_everything_failed_has_no_latency_at_all() -> None:
    metrics = measured("inference-perf", native("allfail"))

    assert (metrics.requests, metrics.failures, metrics.failure_rate) == (8, 8, 1.0)
    assert metrics.ttft_ms is metrics.request_latency_s is metrics.itl_ms is None
    assert metrics.requests_per_s == 0.0


def test_a_run_without_streaming_has_no_time_to_first_token_but_a_latency() -> None:
    metrics = measured("inference-perf", native("nostream"))

    assert metrics.ttft_ms is metrics.itl_ms is metrics.tpot_ms is None
    assert mean(metrics.request_latency_s) == pytest.approx(0.07175003)


def test_a_latency_of_zero_is_a_measurement() -> None:
    document = json.loads((DATA / "mixed/summary_lifecycle_metrics.json").read_text())
    document["successes"]["latency"]["time_to_first_token"]["mean"] = 0

    metrics = measured(
        "inference-perf", {"summary_lifecycle_metrics.json": json.dumps(document).encode()}
    )

    assert mean(metrics.ttft_ms) == 0.0


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"successes": {"count": "3"}}', b"[" * 100_000, b"null"],
)
def test_a_file_that_does_not_count_requests_is_named(content: bytes) -> None:
    with pytest.raises(Unreadable, match=r"stage_0_lifecycle_metrics\.json"):
        measure("inference-perf", {"stage_0_lifecycle_metrics.json": content})


def test_infinities_and_nans_are_no_figures() -> None:
    content = b'{"num_prompts": 2, "completed": 2, "duration": NaN, "mean_ttft_ms": Infinity}'

    metrics = measured("vllm-benchmark", {"openai-x.json": content})

    assert metrics.duration_s is None
    assert metrics.ttft_ms is None


def vllm(completed: int) -> bytes:
    latencies = {
        f"{statistic}_{name}_ms": 0.0 if not completed else value
        for name, value in (("ttft", 50.0), ("tpot", 10.0), ("itl", 10.0), ("e2el", 540.0))
        for statistic in ("mean", "median", "p90", "p99")
    }
    return json.dumps(
        {"num_prompts": 5, "completed": completed, "duration": 2.0, "request_throughput": 2.5,
         "output_throughput": 100.0, "total_token_throughput": 250.0, **latencies}
    ).encode()  # fmt: skip


def test_vllm_speaks_in_milliseconds_and_of_both_kinds_of_tokens_together() -> None:
    metrics = measured("vllm-benchmark", {"openai-x.json": vllm(4)})

    assert (metrics.requests, metrics.failures) == (5, 1)
    assert mean(metrics.ttft_ms) == 50.0
    assert mean(metrics.request_latency_s) == pytest.approx(0.54)
    assert metrics.input_tokens_per_s == 150.0
    assert metrics.ntpot_ms is None


def test_vllm_writes_zeros_when_everything_failed_and_they_are_not_believed() -> None:
    metrics = measured("vllm-benchmark", {"openai-x.json": vllm(0)})

    assert (metrics.requests, metrics.failures) == (5, 5)
    assert metrics.ttft_ms is metrics.itl_ms is metrics.request_latency_s is None


def guidellm(**totals: int) -> dict[str, Any]:
    def of(value: float) -> dict[str, Any]:
        figures = {"mean": value, "median": value, "count": totals["successful"]}
        return {"successful": {**figures, "percentiles": {"p90": value, "p99": value}}}

    return {
        "duration": 10.0,
        "metrics": {
            "request_totals": totals,
            "time_to_first_token_ms": of(52.0),
            "inter_token_latency_ms": of(10.0),
            "time_per_output_token_ms": of(10.8),
            "request_latency": of(0.54),
            "requests_per_second": of(2.0),
        },
    }


def test_guidellm_calls_ntpot_tpot_and_cut_off_requests_are_neither_good_nor_bad() -> None:
    benchmark = guidellm(successful=30, errored=2, incomplete=1)

    metrics = measured(
        "guidellm", {"results.json": json.dumps({"benchmarks": [benchmark]}).encode()}
    )

    assert (metrics.requests, metrics.failures) == (32, 2)
    assert mean(metrics.ntpot_ms) == 10.8
    assert metrics.tpot_ms is None
    assert mean(metrics.request_latency_s) == 0.54
    assert metrics.notes == ("1 requests were cut off by the end of the time",)


def test_guidellms_tpot_is_computed_of_the_requests_that_it_kept() -> None:
    kept = {"request_latency": 0.55, "time_to_first_token_ms": 50.0, "output_tokens": 51}
    one_token = kept | {"output_tokens": 1}
    benchmark = guidellm(successful=3, errored=0, incomplete=0)
    benchmark["requests"] = {"successful": [kept, one_token, {}]}

    metrics = measured(
        "guidellm", {"results.json": json.dumps({"benchmarks": [benchmark]}).encode()}
    )

    assert metrics.tpot_ms == Spread(10.0, 10.0, 10.0, 10.0)
    assert metrics.notes == ("tpot_ms is that of 1 of 3 requests",)


def test_ntpot_of_two_means_says_so() -> None:
    content = json.loads(vllm(4)) | {"total_output_tokens": 200}

    metrics = measured("vllm-benchmark", {"openai-x.json": json.dumps(content).encode()})

    assert mean(metrics.ntpot_ms) == pytest.approx(10.8)
    assert metrics.notes == ("ntpot_ms is mean request latency divided by mean output length",)


def test_requests_that_were_cut_off_do_not_hide_that_all_others_failed() -> None:
    benchmark = guidellm(successful=0, errored=30, incomplete=5)

    metrics = measured(
        "guidellm", {"results.json": json.dumps({"benchmarks": [benchmark]}).encode()}
    )

    assert metrics.failure_rate == 1.0
    assert metrics.ttft_ms is None


def test_aiperf_names_the_unit_of_each_figure() -> None:
    content = {
        "request_count": {"unit": "requests", "avg": 16.0},
        "error_summary": [{"count": 3}, {"count": 1}],
        "time_to_first_token": {"unit": "s", "avg": 0.05, "p50": 0.05, "p90": 0.05, "p99": 0.05},
        "request_latency": {"unit": "ms", "avg": 540.0},
        "inter_token_latency": {"unit": "parsecs", "avg": 10.0},
    }

    metrics = measured("aiperf", {"profile_export_aiperf.json": json.dumps(content).encode()})

    assert (metrics.requests, metrics.failures) == (20, 4)
    assert mean(metrics.ttft_ms) == pytest.approx(50.0)
    assert mean(metrics.request_latency_s) == pytest.approx(0.54)
    assert metrics.itl_ms is None


@pytest.mark.parametrize(
    ("harness", "name", "content"),
    [
        ("guidellm", "results.json", b'{"benchmarks": []}'),
        ("vllm-benchmark", "openai-x.json", b'{"num_prompts": 1, "completed": 2}'),
        ("aiperf", "profile_export_aiperf.json", b"{}"),
    ],
)
def test_a_file_that_contradicts_itself_is_named(harness: str, name: str, content: bytes) -> None:
    with pytest.raises(Unreadable, match=name):
        measure(harness, {name: content})


def test_a_native_file_whose_figures_nothing_reads_says_nothing() -> None:
    assert measure("nop", {"result.yaml": b"metrics: {}"}) is None


def test_a_summary_that_does_not_say_how_long_it_took_has_no_note_on_pauses() -> None:
    files = native("stages")
    document = json.loads(files["summary_lifecycle_metrics.json"])
    document["benchmark_time_seconds"] = None
    files["summary_lifecycle_metrics.json"] = json.dumps(document).encode()

    assert measured("inference-perf", files).notes == ()
