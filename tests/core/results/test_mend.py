"""What a converted report may say, decided without a converter."""

from typing import Any

import pytest

from llmdbenchd.core.results.conversions import Conversion, conversions, is_known
from llmdbenchd.core.results.mend import Origin, Unpublishable, experiment_uuid, mend
from llmdbenchd.core.results.metrics import Metrics, Spread

METRICS = Metrics(
    requests=10, failures=0,
    ttft_ms=Spread(50.0), ntpot_ms=Spread(10.8), request_latency_s=Spread(0.54),
)  # fmt: skip


def origin(
    *, harness: str = "guidellm", version: str = "0.2", native: object = None,
    metrics: Metrics | None = METRICS,
) -> Origin:  # fmt: skip
    return Origin(
        harness=harness, version=version, experiment_id="x", native=native, metrics=metrics
    )


def converted(**parts: object) -> dict[str, Any]:
    aggregate = {"requests": {"total": 10, "failures": 0}, **parts}
    return {"run": {"uid": "u"}, "results": {"request_performance": {"aggregate": aggregate}}}


def aggregate(report: dict[str, Any]) -> Any:  # noqa: ANN401  # part of a report
    return report["results"]["request_performance"]["aggregate"]


@pytest.mark.parametrize(
    ("name", "units", "mean"),
    [
        ("time_to_first_token", "ms", 50.0),
        ("time_to_first_token", "s", 0.05),
        ("normalized_time_per_output_token", "s/token", 0.0108),
        ("request_latency", "ms", 540.0),
        ("request_latency", "s", 0.54),
    ],
)
def test_the_same_latency_in_another_unit_is_the_same(name: str, units: str, mean: float) -> None:
    latency = {name: {"units": units, "mean": mean}}

    report, notes = mend(converted(latency=latency), origin())

    assert aggregate(report)["latency"] == latency
    assert notes == ()


@pytest.mark.parametrize(
    "statistics",
    [
        {"units": "s", "mean": 50.0},
        {"units": "ms", "mean": 0.05},
        {"units": "ms", "mean": 51.0},
        {"units": "ms"},
        {"units": "count", "mean": 50.0},
    ],
)
def test_a_latency_that_is_not_the_native_one_is_never_published(
    statistics: dict[str, object],
) -> None:
    with pytest.raises(Unpublishable, match=r"time_to_first_token is .* the native file says 50"):
        mend(converted(latency={"time_to_first_token": statistics}), origin())


def test_what_was_converted_is_not_changed_itself() -> None:
    before = converted()

    mend(before, origin())

    assert before == converted()


def test_our_experiment_replaces_the_harness_own() -> None:
    before = converted()
    before["run"] |= {"eid": "inference-perf-experiment-1", "user": "namespace="}

    report, _ = mend(before, origin())

    assert report["run"] == {"uid": "u", "eid": experiment_uuid("x")}


def test_requests_that_were_cut_off_are_part_of_the_reports_total() -> None:
    requests = {"total": 12, "failures": 0, "incomplete": 2}

    report, notes = mend(converted(requests=requests), origin())

    assert aggregate(report)["requests"] == requests
    assert notes == ()


def test_counts_that_differ_are_those_of_the_native_file() -> None:
    report, notes = mend(converted(requests={"total": 9}), origin())

    assert aggregate(report)["requests"] == {"total": 10, "failures": 0}
    assert "the converter says 9, None" in notes[0]


def test_aiperfs_version_is_found_and_its_constants_are_noted() -> None:
    before = converted()
    before["scenario"] = {"load": {"standardized": {"tool_version": ""}}}

    report, notes = mend(before, origin(harness="aiperf", native={"aiperf_version": "0.13.0"}))

    assert report["scenario"]["load"]["standardized"]["tool_version"] == "0.13.0"
    assert any("constants" in note for note in notes)


def test_a_report_of_what_nothing_reads_is_only_given_its_identity() -> None:
    report, notes = mend(
        {"run": {"uid": "u"}, "results": {"session_performance": {}}}, origin(metrics=None)
    )

    assert report["run"]["eid"] == experiment_uuid("x")
    assert notes == ()


def test_sessions_are_reported_in_0_2_only() -> None:
    name = "stage_0_session_lifecycle_metrics.json"

    assert conversions("inference-perf", [name]) == (
        Conversion(name, "0.2", f"benchmark_report_v0.2,_{name}.yaml"),
    )


def test_an_unknown_harness_has_no_conversions() -> None:
    assert not is_known("mine")
    assert conversions("mine", ["results.json"]) == ()
