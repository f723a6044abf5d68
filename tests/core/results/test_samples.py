"""What each harness says of single requests becomes latencies that can be pooled."""

import json
from typing import Any

import pytest

from llmdbenchd.core.results.readers import Unreadable
from llmdbenchd.core.results.samples import Samples, read_samples, sources


def read(harness: str, document: object) -> Samples:
    return read_samples(harness, [json.dumps(document)])


def assert_one_request_of_the_known_server(samples: Samples) -> None:
    """50 ms to the first of three tokens, 10 ms to each further one."""
    assert samples.requests == 1
    assert samples.figures["ttft_ms"] == pytest.approx([50])
    assert samples.figures["tpot_ms"] == pytest.approx([10])
    assert samples.figures["ntpot_ms"] == pytest.approx([70 / 3])
    assert samples.figures["request_latency_s"] == pytest.approx([0.07])
    assert set(map(round, samples.figures["itl_ms"])) == {10}


@pytest.mark.parametrize(
    ("harness", "names", "expected"),
    [
        (
            "inference-perf",
            ["per_request_lifecycle_metrics.json", "stage_0_lifecycle_metrics.json"],
            ("per_request_lifecycle_metrics.json",),
        ),
        (
            "aiperf",
            ["profile_export.jsonl", "profile_export_aiperf.json"],
            ("profile_export.jsonl",),
        ),
        ("nop", ["result.yaml"], ()),
    ],
)
def test_the_files_with_single_requests_are_known(
    harness: str, names: list[str], expected: tuple[str, ...]
) -> None:
    assert sources(harness, names) == expected


def perf(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON as it goes
    answer = {"output_tokens": 3, "output_token_times": [7.05, 7.06, 7.07]}
    request = {"start_time": 7.0, "end_time": 7.07, "error": None}
    return request | {"info": {"response_metrics": answer | changes}}


def test_inference_perf() -> None:
    failed = perf() | {"error": {"error_type": "HTTP Error 500"}}

    assert_one_request_of_the_known_server(read("inference-perf", [perf(), failed]))


def test_what_was_not_streamed_has_no_first_token() -> None:
    samples = read("inference-perf", [perf(output_token_times=None), perf(output_tokens=0)])

    assert samples.requests == 2
    assert len(samples.figures["ttft_ms"]) == 1
    assert len(samples.figures["request_latency_s"]) == 2
    assert len(samples.figures["ntpot_ms"]) == 1
    assert samples.figures["tpot_ms"] == []


def test_guidellm() -> None:
    request = {"request_latency": 0.07, "time_to_first_token_ms": 50.0, "output_tokens": 3}
    whole = request | {"inter_token_latency_ms": 10.0}
    document = {"benchmarks": [{"requests": {"successful": [whole], "errored": [{}]}}]}

    samples = read("guidellm", document)

    assert_one_request_of_the_known_server(samples)
    assert len(samples.figures["itl_ms"]) == 2

    none: dict[str, Any] = whole | {"inter_token_latency_ms": None, "output_tokens": None}
    document["benchmarks"][0]["requests"]["successful"] = [none]
    assert read("guidellm", document).figures["itl_ms"] == []


VLLM: dict[str, Any] = {
    "completed": 1, "output_lens": [3, 0, 3], "errors": ["", "", "refused"],
    "ttfts": [0.05, 0.0, 0.0], "itls": [[0.01, 0.01], [], []],
}  # fmt: skip


@pytest.mark.parametrize("latencies", [None, [0.07, 0.0, 0.0]])
def test_vllm_with_details(latencies: list[float] | None) -> None:
    assert_one_request_of_the_known_server(read("vllm-benchmark", VLLM | {"latencies": latencies}))


def test_vllm_without_details_says_only_how_long_requests_took() -> None:
    samples = read("vllm-benchmark", {"completed": 2, "latencies": [0.5, 0.6]})

    assert samples.requests == 2
    assert samples.figures["request_latency_s"] == [0.5, 0.6]
    assert samples.figures["ttft_ms"] == []
    assert read("vllm-benchmark", {"completed": 2}).requests == 0


def test_aiperf() -> None:
    def line(**metrics: float) -> str:
        return json.dumps({"metrics": {name: {"value": value} for name, value in metrics.items()}})

    whole = line(request_latency=70.0, time_to_first_token=50.0, inter_token_latency=10.0,
                 output_sequence_length=3)  # fmt: skip
    failed = json.dumps({"metrics": {}, "error": {"code": 500}})

    assert_one_request_of_the_known_server(read_samples("aiperf", [f"{whole}\n{failed}\n"]))
    assert read_samples("aiperf", [line(request_latency=70.0)]).figures["itl_ms"] == []


@pytest.mark.parametrize(
    ("harness", "text"),
    [
        ("inference-perf", "{"),
        ("inference-perf", "[{}]"),
        ("guidellm", "[]"),
        ("vllm-benchmark", '{"completed": 1, "ttfts": [1], "output_lens": 3}'),
        ("aiperf", "[]"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(harness: str, text: str) -> None:
    with pytest.raises(Unreadable, match="the figures of single requests cannot be read"):
        read_samples(harness, [text])
