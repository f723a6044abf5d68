"""Counters and histograms under vLLM's own names, in the text that Prometheus reads."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import accumulate

_TTFT = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5),
    *(10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0),
)
_ITL = (
    *(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5),
    *(10.0, 20.0, 40.0, 80.0),
)
_LATENCY = (
    *(0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0),
    *(120.0, 240.0, 480.0, 960.0, 1920.0, 7680.0),
)
_HELP = {
    "vllm:num_requests_running": "Requests being served now.",
    "vllm:num_requests_waiting": "Requests in line now.",
    "vllm:prompt_tokens_total": "Prompt tokens of requests that got their first token.",
    "vllm:generation_tokens_total": "Tokens made.",
    "vllm:request_success_total": "Requests that ended, by reason.",
    "vllm:time_to_first_token_seconds": "From arrival to the first token.",
    "vllm:inter_token_latency_seconds": "From token to token.",
    "vllm:e2e_request_latency_seconds": "From arrival to the end.",
}


class Histogram:
    """Values sorted into buckets by their upper bounds (inclusive)."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value, in seconds."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def lines(self, name: str, labels: str) -> Iterator[str]:
        """The family of this name, each bucket with all that is below it."""
        yield from _head(name, "histogram")
        names = (*map(str, self._bounds), "+Inf")
        total = 0
        for bound, total in zip(names, accumulate(self._counts), strict=True):
            yield f'{name}_bucket{{{labels},le="{bound}"}} {total}.0'
        yield f"{name}_count{{{labels}}} {total}.0"
        yield f"{name}_sum{{{labels}}} {self._sum!r}"


class Metrics:
    """What the server counts about itself since it started.

    Attributes:
        prompt_tokens: of requests that got their first token.
        generation_tokens: made so far.
        finished: requests by the reason they ended: `stop` never happens here.
        ttft: seconds to first token; `itl`: between tokens; `latency`: to the last token.
    """

    def __init__(self) -> None:
        self.prompt_tokens = 0
        self.generation_tokens = 0
        self.finished = {"stop": 0, "length": 0, "abort": 0}
        self.ttft = Histogram(_TTFT)
        self.itl = Histogram(_ITL)
        self.latency = Histogram(_LATENCY)

    def render(self, model: str, *, running: int, waiting: int) -> str:
        """The whole page for `/metrics`.

        Args:
            model: the label of every sample.
            running: requests being served now.
            waiting: requests in line now.
        """
        labels = f'engine="0",model_name="{_escaped(model)}"'
        ended = {
            f'{labels},finished_reason="{reason}"': count for reason, count in self.finished.items()
        }
        blocks = (
            _plain("vllm:num_requests_running", "gauge", {labels: running}),
            _plain("vllm:num_requests_waiting", "gauge", {labels: waiting}),
            _plain("vllm:prompt_tokens_total", "counter", {labels: self.prompt_tokens}),
            _plain("vllm:generation_tokens_total", "counter", {labels: self.generation_tokens}),
            _plain("vllm:request_success_total", "counter", ended),
            self.ttft.lines("vllm:time_to_first_token_seconds", labels),
            self.itl.lines("vllm:inter_token_latency_seconds", labels),
            self.latency.lines("vllm:e2e_request_latency_seconds", labels),
        )
        return "".join(f"{line}\n" for block in blocks for line in block)


def _plain(name: str, kind: str, samples: Mapping[str, int]) -> Iterator[str]:
    yield from _head(name, kind)
    for labels, value in samples.items():
        yield f"{name}{{{labels}}} {value}.0"


def _head(name: str, kind: str) -> Iterator[str]:
    yield f"# HELP {name} {_HELP[name]}"
    yield f"# TYPE {name} {kind}"


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
