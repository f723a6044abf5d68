"""One report for N launchers: sums, pooled latencies, and no figure that cannot be known."""

from dataclasses import replace
from typing import Any

import pytest
from llmd_benchmark_report import load_benchmark_report

from llmdbenchd.core.results.mend import experiment_uuid
from llmdbenchd.core.results.merged import Launcher, merged_report, pool
from llmdbenchd.core.results.metrics import Metrics, Spread
from llmdbenchd.core.results.samples import Samples

NOTE = "percentiles of 2 launchers together are not known, only those of each"
METRICS = Metrics(
    requests=2, failures=0, duration_s=5.0, requests_per_s=0.4, input_tokens_per_s=20.0,
    output_tokens_per_s=1.2, ttft_ms=Spread(50.0, 50.0), itl_ms=Spread(10.0),
    request_latency_s=Spread(0.07),
)  # fmt: skip
FAILED = Metrics(requests=2, failures=2, duration_s=6.0)


def report(**standardized: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON as it goes
    load = {
        "tool": "x", "tool_version": "1", "parallelism": 1, "source": "random",
        "input_seq_len": {"distribution": "fixed", "value": 50},
    }  # fmt: skip
    length = {"units": "count", "mean": 50.0}
    requests = {"total": 2, "failures": 0, "input_length": length, "output_length": length}
    return {
        "version": "0.2.1",
        "run": {
            "uid": "u", "eid": experiment_uuid("7"), "pid": "p", "description": "about",
            "time": {"start": "2026-01-02T03:04:05Z", "end": "2026-01-02T03:05:05Z"},
        },
        "scenario": {
            "load": {
                "metadata": {"schema_version": "0.0.1", "cfg_id": "c"},
                "standardized": load | standardized,
                "native": {"config": {}},
            }
        },
        "results": {"request_performance": {"aggregate": {"requests": requests}}},
    }  # fmt: skip


def launcher(*ttfts: float, metrics: Metrics = METRICS) -> Launcher:
    samples = Samples()
    for ttft in ttfts:
        samples.add(latency_s=ttft / 1000 + 0.02, ttft_ms=ttft, gaps_ms=[10.0, 10.0], tokens=3)
    return Launcher(metrics, samples, [report(rate_qps=2.0, stage=0)])


def merged(*launchers: Launcher) -> dict[str, Any]:
    document = merged_report(launchers, pool(launchers), "7")
    load_benchmark_report(document)  # the field's own model takes it
    return document


def aggregate(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["results"]["request_performance"]["aggregate"]
    return found


def test_counts_and_rates_are_summed() -> None:
    document = merged(launcher(40, 60), launcher(80, 100))

    assert aggregate(document)["requests"]["total"] == 4
    assert aggregate(document)["requests"]["input_length"]["mean"] == 50.0
    rates = {name: value["mean"] for name, value in aggregate(document)["throughput"].items()}
    assert rates == pytest.approx(
        {"input_token_rate": 40, "output_token_rate": 2.4, "total_token_rate": 42.4,
         "request_rate": 0.8}
    )  # fmt: skip
    standardized = document["scenario"]["load"]["standardized"]
    assert (standardized["parallelism"], standardized["rate_qps"]) == (2, 4.0)


def test_latencies_are_pooled_from_single_requests_and_not_averaged() -> None:
    launchers = [launcher(40, 60), launcher(80, 1000)]

    metrics = pool(launchers).metrics

    assert metrics.ttft_ms is not None
    assert (metrics.ttft_ms.mean, metrics.ttft_ms.p50) == (295.0, 70.0)
    assert metrics.notes == ("latencies are pooled from the single requests of 2 launchers",)
    ttft = aggregate(merged(*launchers))["latency"]["time_to_first_token"]
    assert (ttft["units"], ttft["min"], ttft["p50"], ttft["max"]) == ("ms", 40, 70, 1000)


def test_what_cannot_be_pooled_has_a_mean_and_says_so() -> None:
    launchers = [launcher(40, 60), replace(launcher(), samples=None)]

    metrics = pool(launchers).metrics
    document = merged(*launchers)

    assert metrics.ttft_ms == Spread(50.0)
    assert metrics.notes == (NOTE,)
    assert NOTE in document["run"]["description"]
    ttft = aggregate(document)["latency"]["time_to_first_token"]
    assert ttft == {"units": "ms", "mean": 50.0}


def test_a_launcher_that_kept_only_some_of_its_requests_is_not_pooled() -> None:
    metrics = pool([launcher(40, 60), launcher(80)]).metrics

    assert metrics.ttft_ms == Spread(50.0)
    assert metrics.notes == (NOTE,)


def test_a_latency_that_one_launcher_has_no_single_values_of_is_named() -> None:
    half = launcher(80, 100)
    assert half.samples is not None
    half.samples.figures["itl_ms"].clear()

    metrics = pool([launcher(40, 60), half]).metrics

    assert metrics.itl_ms == Spread(10.0)
    assert metrics.notes[1] == f"{NOTE}: itl_ms cannot be pooled"


def test_a_launcher_whose_requests_all_failed_adds_failures_and_no_latency() -> None:
    launchers = [launcher(40, 60), replace(launcher(metrics=FAILED), samples=None)]
    document = merged(*launchers)

    requests = aggregate(document)["requests"]
    assert (requests["total"], requests["failures"]) == (4, 2)
    assert aggregate(document)["latency"]["time_to_first_token"]["mean"] == 50.0
    assert "request_rate" not in aggregate(document)["throughput"]


def test_the_whole_has_an_identity_of_its_own_and_lasts_from_first_to_last() -> None:
    late = report()
    late["run"]["time"] = {"start": "2026-01-02T03:04:06Z", "end": "2026-01-02T03:06:00Z"}
    run = merged(launcher(40, 60), replace(launcher(80, 100), reports=[late]))["run"]

    assert run["eid"] == experiment_uuid("7")
    assert run["uid"] not in {"u", run["eid"]}
    assert "pid" not in run
    assert run["time"] == {"start": "2026-01-02T03:04:05Z", "end": "2026-01-02T03:06:00Z"}
    assert run["description"].startswith("about (merged from 2 launchers; ")


def test_stages_have_no_rate_in_common() -> None:
    stages = [report(rate_qps=2.0, stage=0), report(rate_qps=4.0, stage=1)]
    document = merged(replace(launcher(40, 60), reports=stages), launcher(80, 100))

    standardized = document["scenario"]["load"]["standardized"]
    assert "rate_qps" not in standardized
    assert standardized.get("stage") is None


def test_what_a_part_does_not_say_the_whole_does_not_invent() -> None:
    bare = report()
    del bare["scenario"], bare["run"]["time"], bare["run"]["description"]
    counts = aggregate(bare)["requests"]
    del counts["input_length"]
    counts["incomplete"] = 1
    one = replace(launcher(40, 60), reports=[bare])
    document = merged(one, replace(launcher(80, 100), reports=[bare]))

    assert "scenario" not in document
    assert "time" not in document["run"]
    assert aggregate(document)["requests"]["total"] == 6  # two were cut off by the end of the time
    assert aggregate(document)["requests"]["incomplete"] == 2
    assert "input_length" not in aggregate(document)["requests"]

    loadless = report()
    loadless["scenario"] = {"stack": []}
    lone = replace(launcher(40, 60), reports=[loadless])
    assert merged(lone, launcher(80, 100))["scenario"] == {"stack": []}
