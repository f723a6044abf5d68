"""The ten metrics of the field's page, by its names and in its units: `summary.txt` of a run."""

from dataclasses import dataclass

from llmdbenchd.core.results.document import RunFacts
from llmdbenchd.core.results.metrics import SPREADS, Metrics


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: as people write it.
        unit: of the figures below `field`.
        formula: of one request, or of the run.
        field: of `Metrics`, and of a row of `results --json`.
    """

    name: str
    unit: str
    formula: str
    field: str


METRICS = (
    Metric("Output tokens / second", "tokens/s", "sum(output tokens) / duration",
           "output_tokens_per_s"),
    Metric("Input tokens / second", "tokens/s", "sum(input tokens) / duration",
           "input_tokens_per_s"),
    Metric("Requests / second", "qps", "completed requests / duration", "requests_per_s"),
    Metric("Time to first token (TTFT)", "ms", "first token time - send time", "ttft_ms"),
    Metric("Time per output token (TPOT)", "ms per output token",
           "(request latency - TTFT) / (output tokens - 1)", "tpot_ms"),
    Metric("Time per request", "s per request", "TTFT + TPOT * (output tokens - 1)",
           "request_latency_s"),
    Metric("Normalized time per output token (NTPOT)", "ms per output token",
           "request latency / output tokens", "ntpot_ms"),
    Metric("Inter-token latency (ITL)", "ms per output token",
           "time between consecutive output tokens of one request", "itl_ms"),
    Metric("Failure rate", "queries", "failed requests (and their share of all)", "failure_rate"),
    Metric("Benchmark duration", "s", "stop - start of the load", "duration_s"),
)  # fmt: skip

_WIDTH = 42
_FIGURES = ("mean", "p50", "p90", "p99")


def summary_text(facts: RunFacts, told: str = "") -> bytes:
    """What a person reads first about a run; a figure that nobody measured is a dash.

    Args:
        facts: of the run.
        told: by a harness that sends no load, in place of such figures.
    """
    lines = [f"{facts.job}/{facts.run}: {facts.phase} ({facts.reason})", _what(facts), ""]
    if facts.metrics is not None:
        lines += _table(facts.metrics)
    else:
        lines.append(told.rstrip("\n") or "Nothing was measured.")
    notes = [*(facts.metrics.notes if facts.metrics else ()), *facts.notes, *_not_analysed(facts)]
    lines += ["", *(f"Note: {note}." for note in notes)] if notes else []
    return ("\n".join(lines) + "\n").encode()


def _not_analysed(facts: RunFacts) -> list[str]:
    problems = facts.analysis.problems if facts.analysis else ()
    return [f"local analysis: {problem}" for problem in problems]


def _what(facts: RunFacts) -> str:
    said = f"{facts.harness} on {facts.model}"
    if facts.treatment:
        said += f", treatment {facts.treatment}"
    return said + f", {len(facts.launchers)} launchers" * (len(facts.launchers) > 1)


def _table(metrics: Metrics) -> list[str]:
    latencies = [metric for metric in METRICS if _is_spread(metric)]
    single = [
        f"{metric.name:{_WIDTH}}{_single(metrics, metric):>10}  {metric.unit}"
        for metric in METRICS
        if not _is_spread(metric)
    ]
    heading = " " * _WIDTH + "".join(f"{name:>10}" for name in _FIGURES)
    return [*single, "", heading, *(_row(metric, metrics) for metric in latencies)]


def _is_spread(metric: Metric) -> bool:
    return metric.field in SPREADS


def _single(metrics: Metrics, metric: Metric) -> str:
    if metric.field == "failure_rate":
        share = metrics.failure_rate
        return f"{metrics.failures}" + ("" if share is None else f" ({share:.1%})")
    return _figure(getattr(metrics, metric.field))


def _row(metric: Metric, metrics: Metrics) -> str:
    spread = getattr(metrics, metric.field)
    found = (_figure(getattr(spread, name, None)) for name in _FIGURES)
    return f"{metric.name:{_WIDTH}}" + "".join(f"{text:>10}" for text in found) + f"  {metric.unit}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
