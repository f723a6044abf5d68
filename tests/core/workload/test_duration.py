"""How long a load lasts, as far as its workload says it."""

import pytest

from llmdbenchd.core.workload.duration import load_s, patience_s

GUIDELLM = "spec: {{profile: {{{}}}, constraints: [{{kind: {}, seconds: 120}}]}}"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("load: {stages: [{rate: 1, duration: 300}, {rate: 2, duration: 60.5}]}", 360.5),
        ("load: {stages: [{rate: 1}, 7, {duration: x}, {duration: .inf}]}", 0),
        ("load: {stages: {duration: 5}}", 0),
        (GUIDELLM.format("rate: [1, 2, 4, 8]", "max_duration"), 480),
        (GUIDELLM.format("streams: [1, 2]", "max_duration"), 240),
        (GUIDELLM.format("rate: 1", "max_duration"), 120),
        (GUIDELLM.format("rate: 1", "max_requests"), 0),
        ("{num-prompts: 200, request-rate: 2}", 100),
        ("{request-count: 240, request-rate: 2}", 120),
        ("{num-prompts: 200, request-rate: inf}", 0),
        ("{num-prompts: 200, request-rate: .inf}", 0),
        ("num-prompts: 200", 0),
        ("just words", 0),
        ("", 0),
    ],
)
def test_the_workloads_of_each_tool_say_how_long_they_last(text: str, seconds: float) -> None:
    assert load_s(text) == seconds


def test_the_last_answers_and_the_reports_have_their_time_too() -> None:
    assert patience_s(0) == 60
    assert patience_s(7200) == 8700
