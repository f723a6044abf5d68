"""Names and labels: whatever people call things, the API server takes it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmdbenchd.core.launch import labels
from tests.core.launch.plans import plan

VALID = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")


@given(st.text(max_size=200))
def test_any_text_becomes_a_valid_label(text: str) -> None:
    label = labels.label_value(text)

    assert len(label) <= 63
    assert VALID.fullmatch(label)


@given(st.text(max_size=200), st.text(max_size=200))
def test_two_texts_never_share_a_label(one: str, other: str) -> None:
    assert (one == other) == (labels.label_value(one) == labels.label_value(other))


@pytest.mark.parametrize("text", ["", "a", "a-job-20261101t101500-ab12", "x" * 63, "r.1_b"])
def test_what_is_a_label_already_stays_as_it_is(text: str) -> None:
    assert labels.label_value(text) == text


def test_a_long_name_keeps_its_beginning_for_people() -> None:
    assert labels.label_value("qps=5/" + "long " * 40).startswith("qps-5-long-long-long")


def test_the_launchers_of_one_attempt_share_the_name_of_their_config_map() -> None:
    shared = {labels.attempt_name(plan(index, 12).name) for index in range(1, 13)}

    assert shared == {plan(1, 12).name.removesuffix("-1-of-12")}
    assert labels.attempt_name(plan(1, 12, attempt=2).name) not in shared


def test_our_selectors_ask_for_this_daemon_and_never_for_the_app_alone() -> None:
    ours = "app.kubernetes.io/managed-by=llmdbenchd,llmdbenchd/instance=0a1b2c3d"

    assert labels.everything_of("0a1b2c3d") == ours
    assert labels.launchers_of("0a1b2c3d") == f"app=llmdbench-harness-launcher,{ours}"
    assert labels.launchers_of_everybody() == (
        "app=llmdbench-harness-launcher,app.kubernetes.io/managed-by=llmdbenchd"
    )


def test_a_launcher_carries_all_that_tells_it_from_others() -> None:
    assert labels.launcher_labels(plan(2, 3, attempt=4).identity) == {
        "app": "llmdbench-harness-launcher",
        "app.kubernetes.io/managed-by": "llmdbenchd",
        "llmdbenchd/instance": "0a1b2c3d",
        "llmdbenchd/job": "a-job",
        "llmdbenchd/run": "r1",
        "llmdbenchd/attempt": "4",
        "llmdbenchd/index": "2",
    }
