"""Options that make no sense are refused, all of them at once; failures are planned by them."""

from pathlib import Path
from typing import Any

import pytest

from llmdbenchd.simulate.faults import planned_fault
from llmdbenchd.simulate.options import Options, WrongOptions


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"ttft_s": -1.0}, "ttft"),
        ({"itl_s": float("nan")}, "itl"),
        ({"startup_s": float("inf")}, "startup-duration"),
        ({"failure_rate": 10.0}, "10 % is 0.1"),
        ({"failure_rate": float("nan")}, "failure-injection-rate"),
        ({"fail_every": 0}, "leave it out"),
        ({"max_num_seqs": 0}, "max-num-seqs"),
        ({"max_model_len": 0}, "max-model-len"),
        ({"refuse_after": -1}, "refuse-after"),
        ({"port": 65536}, "port"),
        ({"models": ()}, "at least one"),
        ({"models": ("a", "a")}, "twice"),
        ({"models": ("",)}, "empty"),
        ({"models": ("a/b/c",), "hf_cache": Path("x")}, "a hub could hold"),
        ({"models": ("../up",), "hf_cache": Path("x")}, "a hub could hold"),
    ],
)
def test_an_option_that_makes_no_sense_is_named(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(WrongOptions, match=words):
        Options(**wrong)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(WrongOptions) as caught:
        Options(port=-1, ttft_s=-1.0, fail_every=0)

    assert len(caught.value.problems) == 3


def failures(options: Options, count: int = 1000) -> list[int]:
    return [number for number in range(1, count + 1) if planned_fault(options, number)]


def test_nothing_fails_unless_it_is_asked_to() -> None:
    assert failures(Options()) == []


def test_every_nth_request_fails() -> None:
    assert failures(Options(fail_every=4), 10) == [4, 8]


def test_after_so_many_requests_all_are_refused() -> None:
    fault = planned_fault(Options(refuse_after=2, fail_every=1), 3)

    assert failures(Options(refuse_after=2), 5) == [3, 4, 5]
    assert failures(Options(refuse_after=0), 2) == [1, 2]
    assert fault is not None
    assert fault.status == 503


def test_a_share_of_requests_fails_and_the_seed_says_which() -> None:
    some = failures(Options(failure_rate=0.2, seed=1))

    assert 150 < len(some) < 250
    assert some == failures(Options(failure_rate=0.2, seed=1))
    assert some != failures(Options(failure_rate=0.2, seed=2))
    assert len(failures(Options(failure_rate=1.0))) == 1000
