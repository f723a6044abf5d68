"""Patience grows with each failed try, up to a limit."""

import pytest

from llmdbenchd.core.run.limits import backoff_s


def test_each_wait_is_twice_the_one_before_up_to_the_most() -> None:
    assert [backoff_s(tries) for tries in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_the_first_and_the_longest_wait_can_be_chosen() -> None:
    assert [backoff_s(tries, first=30, most=100) for tries in (1, 2, 3)] == [30, 60, 100]
    assert backoff_s(1, first=200, most=100) == 100


@pytest.mark.parametrize("tries", [31, 1000, 10**9])
def test_any_number_of_tries_has_an_answer(tries: int) -> None:
    assert backoff_s(tries) == 60
