"""Instances of the inference launcher: their options, and which of them are ours."""

import pytest

from llmdbenchd.core.nop.instances import (
    Instance,
    Listing,
    Unclear,
    Wanted,
    options_of,
    ours,
    why_not,
)

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
    listing = Listing(1, 1, (Instance("old", "running"),))

    assert why_not(listing) == "the launcher has instances that are not ours: old (running)"
    assert why_not(listing, {"old"}) is None
