"""Names are deterministic, valid, and never collide."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmdbenchd.core.job import names

NOW = datetime(2026, 3, 1, 8, 5, 9, tzinfo=UTC)
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
JOB_ID = re.compile(r"[a-z0-9]([-a-z0-9]{0,46}[a-z0-9])?")


def test_a_jobs_id_has_its_files_name_its_time_and_four_digits() -> None:
    assert names.job_id("Nightly run_2", NOW, "0a1f") == "nightly-run-2-20260301t080509-0a1f"


def test_a_jobs_id_is_in_utc_wherever_it_was_dropped() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=9)))

    assert names.job_id("x", elsewhere, "0a1f") == names.job_id("x", NOW, "0a1f")


@given(st.text(max_size=300))
def test_any_files_name_gives_a_valid_id(stem: str) -> None:
    found = names.job_id(stem, NOW, "0a1f")

    assert JOB_ID.fullmatch(found)
    assert len(found) <= 48


def test_a_long_name_is_cut_and_what_makes_it_unique_is_kept() -> None:
    found = names.job_id("x" * 26 + "-" + "y" * 100, NOW, "0a1f")
    launcher = names.launcher("h" * 100, "0123abcd", 1, 1, 1)

    assert found == "x" * 26 + "-20260301t080509-0a1f"
    assert len(launcher) == 63
    assert launcher.endswith("h-launcher-0123abcd-1-1-of-1")


@given(st.text(max_size=80), st.integers(1, 10_000), st.integers(1, 1000))
def test_any_launchers_name_is_a_dns_label(harness: str, attempt: int, of: int) -> None:
    found = names.launcher(harness, "0123abcd", attempt, of, of)

    assert LABEL.fullmatch(found)
    assert found.endswith(f"-launcher-0123abcd-{attempt}-{of}-of-{of}")


def test_a_launchers_name_is_the_eras_with_our_run_in_it() -> None:
    found = names.launcher("inference-perf", "0123abcd", 1, 2, 3)

    assert found == "llmdbench-inference-perf-launcher-0123abcd-1-2-of-3"


def test_two_runs_never_share_their_eight_digits_by_the_way_names_are_joined() -> None:
    assert re.fullmatch(r"[0-9a-f]{8}", names.run8("a", "b", "c"))
    assert (
        len({names.run8("a", "bc", "d"), names.run8("ab", "c", "d"), names.run8("a", "b", "cd")})
        == 3
    )


@pytest.mark.parametrize(
    ("method", "model", "expected"),
    [
        ("modelservice", "meta-llama/Llama-3.2-1B-Instruct", "llm-d-1b-instruct"),
        ("standalone", "facebook/opt-125m", "standalone-125m-opt"),
        ("endpoint", "meta-llama/Llama-2-7b-chat-hf", "endpoint-7b-hf"),
        ("endpoint", "openai-community/gpt2", "endpoint-gpt2-base"),
        ("modelservice", "Qwen/Qwen2.5-0.5B", "llm-d-0-5b-base"),
        ("modelservice", "mistralai/Mixtral-8x7B-v0.1", "llm-d-8x7b-base"),
        ("my_vllm.pod", "/models/x/", "my-vllm-pod-x-base"),
    ],
)
def test_a_stacks_name_has_the_eras_form(method: str, model: str, expected: str) -> None:
    assert names.stack_name(method, model) == expected


def test_a_results_folder_is_the_eras_and_never_the_same_twice() -> None:
    stack = "llm-d-1b-instruct"
    first = names.experiment_id(1772352309, "0123abcd")
    second = names.experiment_id(1772352309, "0123abcd", "rate 5/s", attempt=2)

    assert names.results_folder("nop", first, stack, 1) == f"nop_1772352309-0123abcd_{stack}_1"
    assert names.results_folder("nop", second, stack, 3) == (
        f"nop_1772352309-0123abcd-rate_5_s-a2_{stack}_3"
    )
