"""What is known to be wrong in a freshly converted report, put right from its native file.

The converter of the field (llmd-benchmark-report 0.2.1) is used as it is. Each of its traps has
one function here: it changes the report in place, and yields a note for each change that a
reader of the report must know about. What cannot be put right is not published: a report that
is missing is better than one in which a failed run looks perfect.
"""

import math
import uuid
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from llmdbenchd.core.results.metrics import Metrics

Report = dict[str, Any]
"""A report as plain values: what the converter's own model dumps and loads."""


class Unpublishable(ValueError):
    """The report would say something untrue; the message says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a report comes from.

    Attributes:
        harness: the load generator.
        version: of the report, `0.1` or `0.2`.
        experiment_id: ours; its UUID5 is the report's `run.eid`.
        model: the model under load, or empty.
        native: the native file, decoded (None for what is not JSON).
        metrics: what that file (or this benchmark in it) says, or None when nothing reads it.
    """

    harness: str
    version: str
    experiment_id: str
    model: str = ""
    native: object = None
    metrics: Metrics | None = None


def mend(converted: Mapping[str, Any], origin: Origin) -> tuple[Report, tuple[str, ...]]:
    """The report as it may be published, and notes on what was changed in it.

    Raises:
        Unpublishable: it cannot be put right.
    """
    report = deepcopy(dict(converted))
    notes = [note for trap in TRAPS for note in trap(report, origin)]
    return report, tuple(notes)


def experiment_uuid(experiment_id: str) -> str:
    """The report's `run.eid` of an experiment id."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, experiment_id))


def _block(report: Report, origin: Origin, name: str) -> Report:
    """The report's `requests`, `latency` or `time`; what is changed in an absent one is lost."""
    if origin.version == "0.1":
        return report.get("metrics", {}).get(name, {})  # type: ignore[no-any-return]  # plain YAML
    whole = report.get("results", {}).get("request_performance", {}).get("aggregate", {})
    return whole.get(name, {})  # type: ignore[no-any-return]  # plain YAML


def _identity(report: Report, origin: Origin) -> Iterator[str]:
    """0.2 takes inference-perf's own experiment name, and writes a namespace that is empty."""
    if origin.version == "0.1":
        return
    run = report.setdefault("run", {})
    run["eid"] = experiment_uuid(origin.experiment_id)
    if run.get("user") == "namespace=":
        del run["user"]
    yield from ()


def _model(report: Report, origin: Origin) -> Iterator[str]:
    """0.1 knows no model unless the whole deployment is in its environment."""
    scenario = report.get("scenario", {})
    if origin.version == "0.1" and origin.model and scenario.get("model"):
        scenario["model"]["name"] = origin.model
    yield from ()


def _unlimited_rate(report: Report, _: Origin) -> Iterator[str]:
    """A rate without limit is written as infinity, which JSON does not have."""
    load = report.get("scenario", {}).get("load", {}).get("standardized") or {}
    rate = load.get("rate_qps")
    if isinstance(rate, float) and math.isinf(rate):
        del load["rate_qps"]
        yield "the rate was not limited: rate_qps is left out instead of infinity"


def _input_length(report: Report, origin: Origin) -> Iterator[str]:
    """0.1 reads inference-perf's `prompt_len`, which 0.7 calls `prompt_tokens`: length 0."""
    if origin.version != "0.1" or origin.harness != "inference-perf":
        return
    tokens = _mapping(_mapping(_mapping(origin.native).get("successes")).get("prompt_tokens"))
    length = _block(report, origin, "requests").get("input_length", {})
    if length.get("mean") == 0 and tokens.get("mean"):
        length.update({key: tokens[name] for name, key in _STATISTICS.items() if name in tokens})
        yield "input_length is taken from prompt_tokens (the converter reads prompt_len: 0)"


_STATISTICS = {
    "mean": "mean", "min": "min", "p0.1": "p0p1", "p1": "p1", "p5": "p5", "p10": "p10",
    "p25": "p25", "median": "p50", "p75": "p75", "p90": "p90", "p95": "p95", "p99": "p99",
    "p99.9": "p99p9", "max": "max",
}  # fmt: skip


def _times(report: Report, origin: Origin) -> Iterator[str]:
    """0.1 takes the time of sending for the duration, and vllm's date for the start."""
    if origin.version != "0.1":
        return
    time = _block(report, origin, "time")
    if origin.harness == "inference-perf" and origin.metrics and origin.metrics.duration_s:
        time["duration"] = origin.metrics.duration_s
        yield "duration is that of the benchmark (the converter takes that of sending)"
    if origin.harness == "vllm-benchmark" and "start" in time and "stop" not in time:
        time["stop"] = time.pop("start")
        yield "the file's date is the end of the run (the converter takes it for the start)"


def _aiperf(report: Report, origin: Origin) -> Iterator[str]:
    """The version of aiperf is not found, and its distributions are constants."""
    load = report.get("scenario", {}).get("load", {}).get("standardized")
    if origin.harness != "aiperf" or not load:
        return
    version = _mapping(origin.native).get("aiperf_version")
    if not load.get("tool_version") and isinstance(version, str):
        load["tool_version"] = version
    yield "source and distribution are constants of the converter, not what the run did"


def _counts(report: Report, origin: Origin) -> Iterator[str]:
    """0.1 counts vllm's completed requests as all of them, and leaves out the failures."""
    requests, metrics = _block(report, origin, "requests"), origin.metrics
    if metrics is None or not requests:
        return
    total = metrics.requests + (requests.get("incomplete") or 0)
    said = (requests.get("total"), requests.get("failures"))
    if said != (total, metrics.failures):
        requests.update(total=total, failures=metrics.failures)
        yield f"total and failures are the harness's own (the converter says {said[0]}, {said[1]})"


def _latencies(report: Report, origin: Origin) -> Iterator[str]:
    """Where nothing succeeded, or nothing was streamed, a latency reads 0: a perfect one."""
    if origin.metrics is None:
        return
    latency = _block(report, origin, "latency")
    for name, (attribute, unit_ms) in _LATENCIES.items():
        if name not in latency:
            continue
        measured = getattr(origin.metrics, attribute)
        if measured is None:
            if origin.version == "0.1" and name == "time_to_first_token":
                raise Unpublishable(_why_not(origin.metrics))
            del latency[name]
            yield f"{name} was not measured (the converter writes a figure all the same)"
        else:
            _agree(name, latency[name], measured.mean * unit_ms)


def _why_not(metrics: Metrics) -> str:
    why = "it must have a time to first token, and none was measured"
    if metrics.requests and not metrics.successes:
        return f"{why}: all {metrics.requests} requests failed"
    return why


def _agree(name: str, statistics: Report, expected_ms: float) -> None:
    """Units differ between harnesses, so they are read, and the figure is compared."""
    unit_ms = _MILLISECONDS.get(str(statistics.get("units")))
    mean = statistics.get("mean")
    if (
        unit_ms is None
        or mean is None
        or not math.isclose(mean * unit_ms, expected_ms, rel_tol=1e-6)
    ):
        raise Unpublishable(
            f"{name} is {mean} {statistics.get('units')}, the native file says {expected_ms} ms"
        )


_LATENCIES = {  # of the report: (of `Metrics`, its unit in milliseconds)
    "time_to_first_token": ("ttft_ms", 1),
    "inter_token_latency": ("itl_ms", 1),
    "time_per_output_token": ("tpot_ms", 1),
    "normalized_time_per_output_token": ("ntpot_ms", 1),
    "request_latency": ("request_latency_s", 1000),
}
_MILLISECONDS = {"ms": 1, "ms/token": 1, "s": 1000, "s/token": 1000}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


Trap = Callable[[Report, Origin], Iterator[str]]

TRAPS: tuple[Trap, ...] = (
    _identity,
    _model,
    _unlimited_rate,
    _input_length,
    _times,
    _aiperf,
    _counts,
    _latencies,
)
