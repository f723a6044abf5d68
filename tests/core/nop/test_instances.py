"""Instances of the inference launcher: their options, and which of them are ours."""

import pytest

from llmdbenchd.core.nop.instances import (
    Instance,
    Listing,
    Unclear,
    Untold,
    Wanted,
    ended,
    launcher_of,
    options_like,
    options_of,
    ours,
    why_not,
)
from tests.core.nop.recorded import TEXTS, recorded

WANTED = Wanted("--port 8002 --model m", frozenset({"old"}))


def test_the_standalone_servers_arguments_become_options() -> None:
    args = {"model_tag": "m", "port": 8000, "model": "m", "enable_sleep_mode": True,
            "enforce_eager": False, "max_model_len": 4096, "revision": None,
            "model_loader_extra_config": {"a": 1}, "served_model_name": ["x", "y"]}  # fmt: skip

    assert options_of(args, 8002) == (
        "--port 8002 --model m --enable-sleep-mode --no-enforce-eager --max-model-len 4096 "
        '--model-loader-extra-config {"a":1} --served-model-name ["x","y"]'
    )


def test_ours_is_what_was_not_there_before_and_has_our_options() -> None:
    listing = Listing(3, 3, (Instance("old"), Instance("new", options=WANTED.options),
                             Instance("theirs", options="--port 9")))  # fmt: skip

    assert ours(WANTED, listing) == ("new",)
    assert ours(WANTED, Listing(1, 1, (Instance("old"),))) == ()
    assert ours(WANTED, Listing(1, 1, (Instance("untold"),))) == ("untold",)


def test_what_may_be_somebody_elses_is_not_touched() -> None:
    with pytest.raises(Unclear, match="a, b"):
        ours(WANTED, Listing(2, 2, (Instance("a"), Instance("b"))))


def test_nothing_is_started_beside_somebody_elses() -> None:
    listing = Listing(2, 1, (Instance("old", "running"), Instance("left", "stopped")))

    assert why_not(listing) == "the launcher runs instances that are not ours: old (running)"
    assert why_not(Listing(1, 0, (Instance("left", "stopped"),))) == ""


def test_the_model_is_named_also_where_it_stood_without_its_flag() -> None:
    assert options_of({"model_tag": "a/b", "port": 1}, 2) == "--port 2 --model a/b"
    assert options_of({"model_tag": "a/b", "model": "a/b"}, 2) == "--port 2 --model a/b"
    assert options_of({"model_tag": None}, 2) == "--port 2"


def test_an_instance_is_started_as_the_log_of_the_other_says() -> None:
    first, last = recorded(TEXTS)[0].attempt, recorded(TEXTS[2:])[0].attempt

    told = "--port 8002 --model a/b --enable-sleep-mode"
    assert options_like([first], 8002) == told
    assert options_like([first, last], 8002) == told


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (TEXTS[2:], "does not tell its arguments"),
        (("vLLM API server version 0.8.5", "args: Namespace(model='a/b', port=8000)"), "defaults"),
    ],
)
def test_arguments_that_are_not_told_are_not_made_up(texts: tuple[str, ...], why: str) -> None:
    with pytest.raises(Untold, match=why):
        options_like([one.attempt for one in recorded(texts)], 8002)


def test_an_instance_that_is_over_or_unknown_will_not_be_ready() -> None:
    listing = Listing(2, 1, (Instance("a", "running"), Instance("b", "stopped")))

    assert ended("a", listing) == ""
    assert ended("b", listing) == "instance b is stopped"
    assert ended("c", listing) == "the launcher knows nothing of instance c any more"


def test_which_container_is_the_launcher() -> None:
    assert launcher_of(["vllm-launcher-x", "vllm"]) == "vllm-launcher-x"
    assert launcher_of(["vllm", "beside", "proxy"]) == "beside"
    assert launcher_of(["vllm"]) == ""
