"""Each known trap of the converter, plainly; `tests/edge/test_reports.py` has the real one."""

from typing import Any

import pytest

from llmdbenchd.core.results.mend import Origin, Unpublishable, mend
from llmdbenchd.core.results.metrics import Metrics, Spread

GOOD = Metrics(requests=10, failures=0, duration_s=15.1, ttft_ms=Spread(50.0))
FAILED = Metrics(requests=10, failures=10)
TTFT = {"units": "ms", "mean": 50.0}


def origin(
    *, harness: str = "inference-perf", version: str = "0.1", native: object = None,
    metrics: Metrics | None = GOOD,
) -> Origin:  # fmt: skip
    return Origin(
        harness=harness, version=version, experiment_id="x", model="m", native=native,
        metrics=metrics,
    )  # fmt: skip


def v01(**metrics: object) -> dict[str, Any]:
    blocks = {"requests": {"total": 10, "failures": 0}, "time": {"duration": 14.5}, **metrics}
    return {"version": "0.1", "scenario": {"model": {"name": "unknown"}}, "metrics": blocks}


def v02(**load: object) -> dict[str, Any]:
    return {"run": {"uid": "u"}, "scenario": {"load": {"standardized": load}}, "results": {}}


def test_an_input_length_of_zero_is_taken_from_prompt_tokens() -> None:
    requests = {"total": 10, "failures": 0, "input_length": {"units": "count", "mean": 0}}
    native = {"successes": {"prompt_tokens": {"mean": 50.0, "median": 49.0, "total": 500.0}}}

    report, notes = mend(v01(requests=requests), origin(native=native))

    length = report["metrics"]["requests"]["input_length"]
    assert length == {"units": "count", "mean": 50.0, "p50": 49.0}
    assert "prompt_tokens" in notes[0]


@pytest.mark.parametrize("native", [None, [], {"successes": None}, {"successes": {}}])
def test_an_input_length_that_nothing_corrects_stays(native: object) -> None:
    requests = {"total": 10, "failures": 0, "input_length": {"units": "count", "mean": 0}}

    report, _ = mend(v01(requests=requests), origin(native=native))

    assert report["metrics"]["requests"]["input_length"]["mean"] == 0


def test_the_duration_is_the_benchmarks_and_the_model_is_ours() -> None:
    report, _ = mend(v01(), origin())

    assert report["metrics"]["time"]["duration"] == 15.1
    assert report["scenario"]["model"]["name"] == "m"


def test_the_date_of_vllm_is_the_end() -> None:
    report, _ = mend(v01(time={"start": 5.0}), origin(harness="vllm-benchmark"))

    assert report["metrics"]["time"] == {"stop": 5.0}


def test_a_rate_without_limit_is_left_out_and_a_finite_one_stays() -> None:
    unlimited, notes = mend(v02(rate_qps=float("inf")), origin(version="0.2"))
    limited, no_notes = mend(v02(rate_qps=2.0), origin(version="0.2"))

    assert unlimited["scenario"]["load"]["standardized"] == {}
    assert "not limited" in notes[0]
    assert limited["scenario"]["load"]["standardized"] == {"rate_qps": 2.0}
    assert no_notes == ()


@pytest.mark.parametrize(
    ("metrics", "why"),
    [(FAILED, "all 10 requests failed"), (Metrics(requests=10, failures=0), "none was measured")],
)
def test_0_1_is_not_published_without_a_time_to_first_token(metrics: Metrics, why: str) -> None:
    with pytest.raises(Unpublishable, match=why):
        mend(
            v01(latency={"time_to_first_token": {"units": "s", "mean": 0}}), origin(metrics=metrics)
        )


def test_a_latency_that_was_not_measured_is_taken_out() -> None:
    zero = {"units": "s", "mean": 0}

    report, notes = mend(
        v01(latency={"time_to_first_token": TTFT, "request_latency": zero}), origin()
    )

    assert report["metrics"]["latency"] == {"time_to_first_token": TTFT}
    assert any(note.startswith("request_latency was not measured") for note in notes)


def test_a_report_without_a_scenario_is_not_given_one() -> None:
    report, _ = mend({"run": {}, "results": {}}, origin(version="0.2", harness="aiperf"))

    assert "scenario" not in report


def test_aiperfs_own_version_is_not_overwritten() -> None:
    report, _ = mend(v02(tool_version="1"), origin(version="0.2", harness="aiperf", native={}))

    assert report["scenario"]["load"]["standardized"]["tool_version"] == "1"
