"""How each harness writes down what it measured: one reader for each kind of native file.

A reader takes the decoded JSON of one file and returns one `Metrics` for each benchmark
that the file holds. Units are those of the harness versions that were measured
(inference-perf 0.7: seconds; guidellm 0.8: milliseconds, request latency in seconds; vllm bench:
milliseconds; aiperf: each figure names its own).
"""

import math
from collections.abc import Mapping

from llmdbenchd.core.results.metrics import Metrics, Spread, spread_of


class Unreadable(ValueError):
    """A native file that does not say what it must; the message says what is missing."""


def inference_perf(document: object) -> tuple[Metrics, ...]:
    """`stage_<n>_lifecycle_metrics.json` or `summary_lifecycle_metrics.json`."""
    successes, failures = (
        _count(document, "successes", "count"),
        _count(document, "failures", "count"),
    )

    def latency(name: str, scale: float) -> Spread | None:
        return _spread(
            _at(document, "successes", "latency", name),
            ("mean", "median", "p90", "p99"),
            scale=scale if successes else None,
        )

    def rate(name: str) -> float | None:
        return _number(document, "successes", "throughput", name)

    return (
        Metrics(
            requests=successes + failures,
            failures=failures,
            duration_s=_number(document, "benchmark_time_seconds"),
            requests_per_s=rate("requests_per_sec"),
            input_tokens_per_s=rate("input_tokens_per_sec"),
            output_tokens_per_s=rate("output_tokens_per_sec"),
            ttft_ms=latency("time_to_first_token", 1000),
            itl_ms=latency("inter_token_latency", 1000),
            tpot_ms=latency("time_per_output_token", 1000),
            ntpot_ms=latency("normalized_time_per_output_token", 1000),
            request_latency_s=latency("request_latency", 1),
        ),
    )


def guidellm(document: object) -> tuple[Metrics, ...]:
    """`results.json`, one `Metrics` for each of its benchmarks.

    What guidellm calls time per output token counts the first token: it is our NTPOT.
    """
    benchmarks = _at(document, "benchmarks")
    if not isinstance(benchmarks, list) or not benchmarks:
        raise Unreadable("`benchmarks` is missing or empty")
    return tuple(_guidellm_benchmark(benchmark) for benchmark in benchmarks)


def _guidellm_benchmark(benchmark: object) -> Metrics:
    successes = _count(benchmark, "metrics", "request_totals", "successful")
    failures = _count(benchmark, "metrics", "request_totals", "errored")
    cut_off = _number(benchmark, "metrics", "request_totals", "incomplete")

    def latency(name: str) -> Spread | None:
        figures = _at(benchmark, "metrics", name, "successful")
        return _spread(
            figures,
            ("mean", "median", "percentiles.p90", "percentiles.p99"),
            scale=1 if successes and _number(figures, "count") else None,
        )

    def rate(name: str) -> float | None:
        return _number(benchmark, "metrics", name, "successful", "mean")

    per_token, notes = _guidellm_tpot(benchmark, successes)
    if cut_off:
        notes = (*notes, f"{cut_off:.0f} requests were cut off by the end of the time")
    return Metrics(
        requests=successes + failures,
        failures=failures,
        duration_s=_number(benchmark, "duration"),
        requests_per_s=rate("requests_per_second"),
        input_tokens_per_s=rate("prompt_tokens_per_second"),
        output_tokens_per_s=rate("output_tokens_per_second"),
        ttft_ms=latency("time_to_first_token_ms"),
        itl_ms=latency("inter_token_latency_ms"),
        tpot_ms=per_token,
        ntpot_ms=latency("time_per_output_token_ms"),
        request_latency_s=latency("request_latency"),
        notes=notes,
    )


def _guidellm_tpot(benchmark: object, successes: int) -> tuple[Spread | None, tuple[str, ...]]:
    """Time per output token without the first, which guidellm says for each request only."""
    requests = _at(benchmark, "requests", "successful")
    known = [
        (latency * 1000 - first) / (tokens - 1)
        for request in (requests if isinstance(requests, list) else ())
        if (latency := _number(request, "request_latency")) is not None
        and (first := _number(request, "time_to_first_token_ms")) is not None
        and (tokens := _number(request, "output_tokens") or 0) > 1
    ]
    is_part = 0 < len(known) < successes
    note = f"tpot_ms is that of {len(known)} of {successes} requests"
    return spread_of(known), (note,) if is_part else ()


def vllm_benchmark(document: object) -> tuple[Metrics, ...]:
    """`openai-*.json` of `vllm bench serve`, and the same keys of inferencemax."""
    asked, successes = _count(document, "num_prompts"), _count(document, "completed")
    if successes > asked:
        raise Unreadable(f"`completed` ({successes}) is more than `num_prompts` ({asked})")

    def latency(name: str, scale: float = 1) -> Spread | None:
        return _spread(
            document,
            (f"mean_{name}_ms", f"median_{name}_ms", f"p90_{name}_ms", f"p99_{name}_ms"),
            scale=scale if successes else None,
        )

    total, output = (
        _number(document, "total_token_throughput"),
        _number(document, "output_throughput"),
    )
    tokens = _number(document, "total_output_tokens")
    whole = latency("e2el", 0.001)
    ntpot, notes = _by_output(whole, tokens / successes if tokens and successes else None)
    return (
        Metrics(
            requests=asked,
            failures=asked - successes,
            duration_s=_number(document, "duration"),
            requests_per_s=_number(document, "request_throughput"),
            input_tokens_per_s=None if total is None or output is None else total - output,
            output_tokens_per_s=output,
            ttft_ms=latency("ttft"),
            itl_ms=latency("itl"),
            tpot_ms=latency("tpot"),
            ntpot_ms=ntpot,
            request_latency_s=whole,
            notes=notes,
        ),
    )


_MILLISECONDS = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1000.0, "sec": 1000.0}


def aiperf(document: object) -> tuple[Metrics, ...]:
    """`profile_export_aiperf.json`.

    Its inter-token latency is, for each request, what we call TPOT; the mean is the same.
    """
    successes = int(_number(document, "request_count", "avg") or 0)
    errors = _at(document, "error_summary")
    failures = sum(_count(error, "count") for error in errors) if isinstance(errors, list) else 0
    if not successes and not failures:
        raise Unreadable("neither `request_count` nor `error_summary` counts a request")

    def latency(name: str, unit_ms: float = 1) -> Spread | None:
        scale = _MILLISECONDS.get(str(_at(document, name, "unit")))
        return _spread(
            _at(document, name),
            ("avg", "p50", "p90", "p99"),
            scale=scale / unit_ms if scale and successes else None,
        )

    def average(name: str) -> float | None:
        return _number(document, name, "avg")

    whole = latency("request_latency", 1000)
    ntpot, notes = _by_output(whole, average("output_sequence_length"))
    return (
        Metrics(
            requests=successes + failures,
            failures=failures,
            duration_s=average("benchmark_duration"),
            requests_per_s=average("request_throughput"),
            input_tokens_per_s=average("input_token_throughput"),
            output_tokens_per_s=average("output_token_throughput"),
            ttft_ms=latency("time_to_first_token"),
            itl_ms=latency("inter_token_latency"),
            tpot_ms=latency("inter_token_latency"),
            ntpot_ms=ntpot,
            request_latency_s=whole,
            notes=notes,
        ),
    )


def _by_output(
    latency_s: Spread | None, tokens: float | None
) -> tuple[Spread | None, tuple[str, ...]]:
    """NTPOT of a harness that does not say it, from two means, and a note that it is so."""
    if latency_s is None or latency_s.mean is None or not tokens:
        return None, ()
    note = "ntpot_ms is mean request latency divided by mean output length"
    return Spread(mean=latency_s.mean * 1000 / tokens), (note,)


def _at(document: object, *path: str) -> object:
    for key in path:
        if not isinstance(document, Mapping):
            return None
        document = document.get(key)
    return document


def _number(document: object, *path: str) -> float | None:
    value = _at(document, *path)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _count(document: object, *path: str) -> int:
    value = _number(document, *path)
    if value is None or value < 0:
        raise Unreadable(f"`{'.'.join(path)}` is not a count")
    return int(value)


def _spread(
    figures: object, names: tuple[str, str, str, str], *, scale: float | None
) -> Spread | None:
    """The four figures of `names`, scaled; None without a mean, or when `scale` is None."""
    found = [_number(figures, *name.split(".")) for name in names]
    if scale is None or found[0] is None:
        return None
    return Spread(*(None if figure is None else figure * scale for figure in found))
