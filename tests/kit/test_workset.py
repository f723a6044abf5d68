"""The queue of names: never two at once, no wake-up lost, everybody's turn comes."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmdbenchd.kit.workset import WorkSet


async def taken(work: WorkSet) -> str:
    """Take one name, work on it for no time at all, and say which it was."""
    async with work.take() as name:
        return name


async def test_names_are_taken_in_the_order_in_which_they_came() -> None:
    work = WorkSet()
    work.add_all(["a", "b", "c"])

    assert [await taken(work) for _ in range(3)] == ["a", "b", "c"]
    assert work.is_idle


async def test_a_name_that_waits_already_is_not_put_in_line_twice() -> None:
    work = WorkSet()
    work.add_all(["a", "b", "a", "a"])

    assert [await taken(work) for _ in range(2)] == ["a", "b"]
    assert work.is_idle


async def test_who_waits_for_a_name_is_woken_by_it() -> None:
    work = WorkSet()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(taken(work))
        await asyncio.sleep(1)
        assert not waiting.done()
        work.add("a")

    assert waiting.result() == "a"


async def test_a_wake_up_during_the_work_is_not_lost() -> None:
    work = WorkSet()
    work.add("a")
    async with work.take() as name:
        work.add(name)
        work.add(name)

    assert await taken(work) == "a"
    assert work.is_idle


async def test_a_name_in_work_is_given_to_nobody_else() -> None:
    work = WorkSet()
    work.add("a")
    async with asyncio.TaskGroup() as group, work.take() as name:
        work.add(name)
        other = group.create_task(taken(work))
        await asyncio.sleep(1)
        assert not other.done()

    assert other.result() == "a"


async def test_a_name_that_is_always_woken_again_does_not_starve_the_others() -> None:
    work = WorkSet()
    work.add_all(["greedy", "modest"])
    seen = []
    for _ in range(4):
        async with work.take() as name:
            seen.append(name)
            work.add("greedy")

    assert seen == ["greedy", "modest", "greedy", "greedy"]


async def test_work_that_fails_frees_its_name() -> None:
    work = WorkSet()
    work.add("a")

    async def fail() -> None:
        async with work.take() as name:
            work.add(name)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert await taken(work) == "a"
    assert work.is_idle


async def test_a_worker_that_is_cancelled_while_it_waits_takes_nothing_along() -> None:
    work = WorkSet()
    worker = asyncio.create_task(taken(work))
    await asyncio.sleep(1)
    work.add("a")
    worker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await worker

    assert await taken(work) == "a"


async def test_it_says_how_many_wait_and_how_many_are_in_work() -> None:
    work = WorkSet()
    work.add_all(["a", "b"])
    async with work.take():
        assert repr(work) == "<WorkSet waiting=1 busy=1>"
        assert not work.is_idle


@given(
    adds=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), max_size=30),
    workers=st.integers(1, 4),
    length=st.integers(1, 3),
)
def test_each_add_is_followed_by_a_look_and_never_two_look_at_once(
    adds: list[tuple[str, int]], workers: int, length: int
) -> None:
    """Each look notes how many adds it came after; the last add must have been seen."""
    made: dict[str, int] = {}
    seen: dict[str, int] = {}
    busy: set[str] = set()

    async def look_forever(work: WorkSet) -> None:
        while True:
            async with work.take() as name:
                assert name not in busy
                busy.add(name)
                seen[name] = made.get(name, 0)
                await _rounds(length)
                busy.discard(name)

    async def story() -> None:
        work = WorkSet()
        looking = [asyncio.create_task(look_forever(work)) for _ in range(workers)]
        for name, rounds in adds:
            made[name] = made.get(name, 0) + 1
            work.add(name)
            await _rounds(rounds)
        await _rounds(10 * (len(adds) + 1))
        assert work.is_idle
        assert seen == made
        for task in looking:
            assert not task.done() or task.exception() is None
            task.cancel()
        await asyncio.wait(looking)

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(story())


async def _rounds(count: int) -> None:
    """Let everybody else move `count` times."""
    for _ in range(count):
        await asyncio.sleep(0)
