"""The metrics page reads like vLLM's own."""

from llmdbenchd.simulate.metrics import Histogram, Metrics

FAMILIES = {
    "vllm:num_requests_running": "gauge",
    "vllm:num_requests_waiting": "gauge",
    "vllm:prompt_tokens_total": "counter",
    "vllm:generation_tokens_total": "counter",
    "vllm:request_success_total": "counter",
    "vllm:time_to_first_token_seconds": "histogram",
    "vllm:inter_token_latency_seconds": "histogram",
    "vllm:e2e_request_latency_seconds": "histogram",
}


def test_every_family_is_there_with_its_kind() -> None:
    lines = Metrics().render("m", running=0, waiting=0).splitlines()
    kinds = dict(line.split()[2:4] for line in lines if line.startswith("# TYPE"))

    assert kinds == FAMILIES


def test_a_bucket_counts_all_that_is_below_its_bound() -> None:
    histogram = Histogram((0.1, 0.5))
    for value in (0.05, 0.1, 0.3, 7.0):
        histogram.observe(value)
    name = "vllm:time_to_first_token_seconds"
    samples = [line for line in histogram.lines(name, "a") if not line.startswith("#")]

    assert samples == [
        f'{name}_bucket{{a,le="0.1"}} 2.0',
        f'{name}_bucket{{a,le="0.5"}} 3.0',
        f'{name}_bucket{{a,le="+Inf"}} 4.0',
        f"{name}_count{{a}} 4.0",
        f"{name}_sum{{a}} 7.45",
    ]


def test_a_strange_model_name_does_not_break_the_page() -> None:
    text = Metrics().render('a"b\\c\nd', running=2, waiting=3)

    assert 'num_requests_running{engine="0",model_name="a\\"b\\\\c\\nd"} 2.0' in text
    assert 'num_requests_waiting{engine="0",model_name="a\\"b\\\\c\\nd"} 3.0' in text
