"""What harnesses say of each request, where they say it: latencies that can be pooled."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from llmdbenchd.core.results.metrics import SPREADS
from llmdbenchd.core.results.readers import Unreadable


@dataclass(slots=True)
class Samples:
    """Single values of one launcher.

    Attributes:
        requests: how many requests that succeeded they are of.
        figures: of each latency by its name in `Metrics`, in its unit; `itl_ms` has one for each
            gap where the harness says so.
    """

    requests: int = 0
    figures: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in SPREADS})

    def add(
        self, *, latency_s: float, ttft_ms: float | None, gaps_ms: Sequence[float], tokens: float
    ) -> None:
        """Add one request that succeeded.

        Args:
            latency_s: from sending it to its last byte.
            ttft_ms: None when it was not streamed.
            gaps_ms: between its tokens.
            tokens: of its output.
        """
        self.requests += 1
        self.figures["request_latency_s"].append(latency_s)
        if tokens:
            self.figures["ntpot_ms"].append(latency_s * 1000 / tokens)
        if ttft_ms is None:
            return
        self.figures["ttft_ms"].append(ttft_ms)
        self.figures["itl_ms"].extend(gaps_ms)
        if tokens > 1 and gaps_ms:
            self.figures["tpot_ms"].append(sum(gaps_ms) / (tokens - 1))


def sources(harness: str, names: Iterable[str]) -> tuple[str, ...]:
    """The files among `names` that have figures of each request."""
    pattern = _SOURCES[harness][0] if harness in _SOURCES else None
    return tuple(sorted(name for name in names if pattern and pattern.fullmatch(name)))


def read_samples(harness: str, texts: Iterable[str | bytes]) -> Samples:
    """All that the files (their contents) of one launcher say.

    Raises:
        Unreadable: one is torn or not as expected.
    """
    samples = Samples()
    for text in texts:
        try:
            _SOURCES[harness][1](text, samples)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            said = f"{type(error).__name__}: {error}"
            raise Unreadable(f"the figures of single requests cannot be read: {said}") from error
    return samples


def _inference_perf(text: str | bytes, samples: Samples) -> None:
    for request in json.loads(text):
        if request["error"] is not None:
            continue
        sent, answer = request["start_time"], request["info"]["response_metrics"]
        times = answer.get("output_token_times") or []
        is_streamed = len(times) > 1
        samples.add(
            latency_s=request["end_time"] - sent,
            ttft_ms=(times[0] - sent) * 1000 if is_streamed else None,
            gaps_ms=[(late - early) * 1000 for early, late in pairwise(times)],
            tokens=answer["output_tokens"],
        )


def _guidellm(text: str | bytes, samples: Samples) -> None:
    for benchmark in json.loads(text)["benchmarks"]:
        for request in benchmark["requests"]["successful"]:
            tokens, gap = request["output_tokens"] or 0, request["inter_token_latency_ms"]
            samples.add(
                latency_s=request["request_latency"],
                ttft_ms=request["time_to_first_token_ms"],
                gaps_ms=[] if gap is None else [gap] * (tokens - 1),  # it weighs them so
                tokens=tokens,
            )


def _vllm(text: str | bytes, samples: Samples) -> None:
    document = json.loads(text)
    latencies = document.get("latencies") or []
    if "ttfts" not in document:
        if len(latencies) == document["completed"]:
            samples.requests = len(latencies)
            samples.figures["request_latency_s"] += latencies
        return
    for index, tokens in enumerate(document["output_lens"]):
        if not tokens or document["errors"][index]:
            continue
        first, gaps = document["ttfts"][index], document["itls"][index]
        is_listed = len(latencies) == len(document["output_lens"])
        samples.add(
            latency_s=latencies[index] if is_listed else first + sum(gaps),
            ttft_ms=first * 1000,
            gaps_ms=[gap * 1000 for gap in gaps],
            tokens=tokens,
        )


def _aiperf(text: str | bytes, samples: Samples) -> None:
    for line in text.splitlines():
        request = json.loads(line)
        if request.get("error"):
            continue
        figures = {name: figure["value"] for name, figure in request["metrics"].items()}
        samples.add(
            latency_s=figures["request_latency"] / 1000,
            ttft_ms=figures.get("time_to_first_token"),
            gaps_ms=(),
            tokens=figures.get("output_sequence_length", 0),
        )
        if (gap := figures.get("inter_token_latency")) is not None:  # as our TPOT is computed
            samples.figures["tpot_ms"].append(gap)
            samples.figures["itl_ms"].append(gap)


_Reader = Callable[[Any, Samples], None]
_SOURCES: Mapping[str, tuple[re.Pattern[str], _Reader]] = {
    "inference-perf": (re.compile(r"per_request_lifecycle_metrics\.json"), _inference_perf),
    "guidellm": (re.compile(r"results\.json"), _guidellm),
    "vllm-benchmark": (re.compile(r"openai.*\.json"), _vllm),
    "inferencemax": (re.compile(r"(?!DONE\.json$).+\.json"), _vllm),
    "aiperf": (re.compile(r"profile_export\.jsonl"), _aiperf),
}
