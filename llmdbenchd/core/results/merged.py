"""One report of a run with several launchers, beside the reports of each.

Counts and rates are summed. Latencies are pooled where every launcher has figures of each of its
requests; where not, there is a mean and nothing else, and the report says so.
"""

import math
import uuid
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from llmdbenchd.core.results.mend import Report, experiment_uuid
from llmdbenchd.core.results.metrics import (
    SPREADS,
    Metrics,
    combine,
    quantile,
    spread_of,
    unknown_percentiles,
)
from llmdbenchd.core.results.samples import Samples

NAME = "benchmark_report_v0.2,_merged.yaml"
VERSION = "0.2.1"


@dataclass(frozen=True, slots=True)
class Launcher:
    """What one launcher left.

    Attributes:
        metrics: of its native files.
        samples: of its single requests, or None where there are none.
        reports: its own of version 0.2, one for each stage.
    """

    metrics: Metrics
    samples: Samples | None
    reports: Sequence[Report]


@dataclass(frozen=True, slots=True)
class Pooled:
    """A run as a whole.

    Attributes:
        metrics: with percentiles of what could be pooled.
        figures: the ordered single values of what could be pooled, by name.
    """

    metrics: Metrics
    figures: Mapping[str, Sequence[float]]


def pool(launchers: Sequence[Launcher]) -> Pooled:
    """Add up two or more launchers; their notes tell what could be pooled."""
    whole = combine([launcher.metrics for launcher in launchers])
    assert whole is not None  # noqa: S101 - two or more add up to something
    figures = {name: _pooled(launchers, name) for name in SPREADS}
    known = {name: values for name, values in figures.items() if values}
    lost = [name for name in SPREADS if getattr(whole, name) is not None and name not in known]
    unknown = unknown_percentiles(len(launchers), "launchers")
    notes = [note for note in whole.notes if note != unknown]
    if lost:
        these = ", ".join(lost)
        notes.insert(0, f"{unknown}: {these} cannot be pooled" if known else unknown)
    if known:
        these = ", ".join(known) if lost else "latencies"
        of = f"the single requests of {len(launchers)} launchers"
        notes.insert(0, f"{these} are pooled from {of}")
    spreads: dict[str, Any] = {name: spread_of(values) for name, values in known.items()}
    return Pooled(replace(whole, notes=tuple(notes), **spreads), known)


def merged_report(launchers: Sequence[Launcher], pooled: Pooled, experiment_id: str) -> Report:
    """The report of the whole, by version 0.2; its description ends with how it came about.

    Args:
        launchers: two or more; the first has a report at least.
        pooled: of them.
        experiment_id: of the run.
    """
    parts = [report for launcher in launchers for report in launcher.reports]
    first, count = parts[0], len(launchers)
    said = [f"merged from {count} launchers", *pooled.metrics.notes]
    run = {
        name: value
        for name, value in first["run"].items()
        if name in {"eid", "cid", "user", "keywords"}
    }
    run["uid"] = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{experiment_uuid(experiment_id)}/merged"))
    about = first["run"].get("description", "")
    run["description"] = f"{about} ({'; '.join(said)})".strip()
    if time := _time([part["run"].get("time") or {} for part in parts]):
        run["time"] = time
    report = {"version": VERSION, "run": run, "results": _results(parts, pooled)}
    if "scenario" in first:
        report["scenario"] = _scenario(launchers, first["scenario"])
    return report


def _pooled(launchers: Sequence[Launcher], name: str) -> list[float]:
    """All values in order; none when a launcher with successes lacks its own, or some of them."""
    values: list[float] = []
    for launcher in launchers:
        if not launcher.metrics.successes:
            continue
        samples = launcher.samples
        if samples is None or samples.requests != launcher.metrics.successes:
            return []
        if not samples.figures[name]:
            return []
        values += samples.figures[name]
    return sorted(values)


def _scenario(launchers: Sequence[Launcher], scenario: Report) -> Report:
    """What was loaded, and how: as the first launcher says, N times."""
    whole, count = deepcopy(scenario), len(launchers)
    load = (whole.get("load") or {}).get("standardized")
    if load is None:
        return whole
    load["parallelism"] = count
    if len(launchers[0].reports) > 1:  # several stages: the rates are theirs
        for name in ("stage", "rate_qps", "concurrency"):
            load.pop(name, None)
    for name in ("rate_qps", "concurrency"):
        if load.get(name) is not None:
            load[name] *= count
    return whole


def _time(times: Sequence[Mapping[str, str]]) -> Report:
    """From the first start to the last end, where all are known."""
    found: Report = {}
    choices: tuple[tuple[str, Callable[..., str]], ...] = (("start", min), ("end", max))
    for name, choose in choices:
        known = [time[name] for time in times if time.get(name)]
        if len(known) == len(times):
            found[name] = choose(known, key=datetime.fromisoformat)
    return found


def _results(parts: Sequence[Report], pooled: Pooled) -> Report:
    whole = [part["results"]["request_performance"]["aggregate"] for part in parts]
    requests: Report = {"total": pooled.metrics.requests, "failures": pooled.metrics.failures}
    cut_off = [part["requests"].get("incomplete") for part in whole]
    if None not in cut_off:
        requests["incomplete"] = sum(cut_off)
        requests["total"] += requests["incomplete"]
    for name in ("input_length", "output_length"):
        if length := _length(whole, name):
            requests[name] = length
    aggregate = {
        "requests": requests,
        "latency": _latencies(pooled),
        "throughput": _throughput(pooled.metrics),
    }
    return {"request_performance": {"aggregate": aggregate}}


def _length(parts: Sequence[Report], name: str) -> Report | None:
    """The mean over all parts, weighted by requests that succeeded."""
    known = [
        (part["requests"]["total"] - (part["requests"].get("failures") or 0), length["mean"])
        for part in parts
        if (length := part["requests"].get(name))
    ]
    weight = sum(successes for successes, _ in known)
    if not weight or len(known) < len(parts):
        return None
    return {"units": "count", "mean": sum(count * mean for count, mean in known) / weight}


def _latencies(pooled: Pooled) -> Report:
    found: Report = {}
    for attribute, (name, units) in _LATENCIES.items():
        spread = getattr(pooled.metrics, attribute)
        if spread is not None:
            values = pooled.figures.get(attribute)
            figures = _statistics(values) if values else {"mean": spread.mean}
            found[name] = {"units": units, **figures}
    return found


_LATENCIES = {
    "ttft_ms": ("time_to_first_token", "ms"),
    "itl_ms": ("inter_token_latency", "ms/token"),
    "tpot_ms": ("time_per_output_token", "ms/token"),
    "ntpot_ms": ("normalized_time_per_output_token", "ms/token"),
    "request_latency_s": ("request_latency", "s"),
}
_PERCENTILES = {
    "min": 0.0, "p0p1": 0.001, "p1": 0.01, "p5": 0.05, "p10": 0.1, "p25": 0.25, "p50": 0.5,
    "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99p9": 0.999, "max": 1.0,
}  # fmt: skip


def _statistics(ordered: Sequence[float]) -> Report:
    mean = sum(ordered) / len(ordered)
    variance = sum((value - mean) ** 2 for value in ordered) / len(ordered)
    shares = {name: quantile(ordered, share) for name, share in _PERCENTILES.items()}
    return {"mean": mean, "stddev": math.sqrt(variance), **shares}


def _throughput(metrics: Metrics) -> Report:
    figures: dict[str, Any] = {
        "input_token_rate": (metrics.input_tokens_per_s, "tokens/s"),
        "output_token_rate": (metrics.output_tokens_per_s, "tokens/s"),
        "total_token_rate": (_both(metrics), "tokens/s"),
        "request_rate": (metrics.requests_per_s, "queries/s"),
    }
    return {
        name: {"units": units, "mean": figure}
        for name, (figure, units) in figures.items()
        if figure is not None
    }


def _both(metrics: Metrics) -> float | None:
    rates = (metrics.input_tokens_per_s, metrics.output_tokens_per_s)
    return None if None in rates else sum(rate or 0.0 for rate in rates)
