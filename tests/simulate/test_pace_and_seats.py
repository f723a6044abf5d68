"""Tokens keep their times whatever came before; seats are given in the order of arrival."""

import asyncio

import pytest

from llmdbenchd.simulate.pace import Pace, until
from llmdbenchd.simulate.seats import Seats


async def test_a_delay_is_caught_up_and_never_added_to_later_tokens() -> None:
    clock = asyncio.get_running_loop().time
    pace = Pace(clock(), ttft_s=0.5, itl_s=0.1)
    times: list[float] = []
    for place in range(10):
        await until(pace.due(place))
        times.append(round(clock() - pace.start, 3))
        await asyncio.sleep(0.25 if place == 2 else 0.03)  # the world is slow

    assert times[:3] == pytest.approx([0.5, 0.6, 0.7], abs=0.01)
    assert times[3] == pytest.approx(0.95, abs=0.01)  # 0.15 late
    assert times[-1] == pytest.approx(pace.due(9) - pace.start, abs=0.01)


async def test_a_moment_that_is_past_still_lets_others_run() -> None:
    turns: list[str] = []

    async def other() -> None:
        turns.append("other")

    async with asyncio.TaskGroup() as group:
        group.create_task(other())
        await until(0.0)
        turns.append("late")

    assert turns == ["other", "late"]


async def hold(seats: Seats, name: str, order: list[tuple[str, bool]]) -> None:
    async with seats.seat() as waited:
        order.append((name, waited))
        await asyncio.sleep(1)


async def test_requests_beyond_the_limit_wait_in_line() -> None:
    seats = Seats(1)
    order: list[tuple[str, bool]] = []
    async with asyncio.TaskGroup() as group:
        for name in ("first", "second", "third"):
            group.create_task(hold(seats, name, order))
        await asyncio.sleep(0.5)
        assert (seats.running, seats.waiting) == (1, 2)
        await asyncio.sleep(1)
        assert (seats.running, seats.waiting) == (1, 1)

    assert order == [("first", False), ("second", True), ("third", True)]
    assert (seats.running, seats.waiting) == (0, 0)


async def test_who_leaves_the_line_or_the_seat_takes_no_place() -> None:
    seats = Seats(1)
    order: list[tuple[str, bool]] = []
    async with asyncio.TaskGroup() as group:
        sitting = group.create_task(hold(seats, "sitting", order))
        waiting = group.create_task(hold(seats, "waiting", order))
        await asyncio.sleep(0.1)
        waiting.cancel()
        await asyncio.sleep(0.1)
        assert (seats.running, seats.waiting) == (1, 0)
        sitting.cancel()
        await asyncio.sleep(0.1)
        await hold(seats, "last", order)

    assert order == [("sitting", False), ("last", False)]
    assert (seats.running, seats.waiting) == (0, 0)


async def test_without_a_limit_nobody_waits() -> None:
    seats = Seats(None)
    async with asyncio.TaskGroup() as group:
        for _ in range(100):
            group.create_task(hold(seats, "one", []))
        await asyncio.sleep(0.5)
        assert (seats.running, seats.waiting) == (100, 0)
