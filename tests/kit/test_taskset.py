"""Background tasks are made equal to what is wanted, owner by owner."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from llmdbenchd.kit.taskset import TaskSet


@dataclass
class Workshop:
    """Work that lasts until it is told to end, and remembers what happened to it."""

    begun: list[str] = field(default_factory=list)
    under_way: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)
    over: dict[str, asyncio.Event] = field(default_factory=dict)
    tidying_s: float = 0.0

    async def work(self, name: str) -> None:
        assert name not in self.under_way, "two tasks do the same work"
        self.begun.append(name)
        self.under_way.add(name)
        try:
            await self.over.setdefault(name, asyncio.Event()).wait()
        finally:
            await asyncio.sleep(self.tidying_s)
            self.under_way.discard(name)

    def end(self, name: str) -> None:
        self.over[name].set()


@pytest.fixture
def shop() -> Workshop:
    return Workshop()


@pytest.fixture
async def tasks(shop: Workshop) -> AsyncIterator[TaskSet[str]]:
    async with asyncio.TaskGroup() as group:
        made = TaskSet(group, shop.work, shop.told.append)
        yield made
        shop.tidying_s = 0.0
        for owner in ("a", "b"):
            made.match(owner, frozenset())


async def test_what_is_wanted_is_begun_once(tasks: TaskSet[str], shop: Workshop) -> None:
    for _ in range(3):
        tasks.match("a", {"log", "copy"})
        await asyncio.sleep(1)

    assert sorted(shop.begun) == ["copy", "log"]
    assert tasks.of("a") == {"log", "copy"}
    assert len(tasks) == 2


async def test_only_the_difference_is_begun_and_ended(tasks: TaskSet[str], shop: Workshop) -> None:
    tasks.match("a", {"log", "copy"})
    await asyncio.sleep(1)
    tasks.match("a", {"copy", "report"})
    await asyncio.sleep(1)

    assert shop.under_way == {"copy", "report"}
    assert sorted(shop.begun) == ["copy", "log", "report"]


async def test_owners_do_not_disturb_each_other(tasks: TaskSet[str], shop: Workshop) -> None:
    tasks.match("a", {"a's"})
    tasks.match("b", {"b's"})
    await asyncio.sleep(1)
    tasks.match("a", frozenset())
    await asyncio.sleep(1)

    assert shop.under_way == {"b's"}
    assert tasks.of("a") == frozenset()
    assert tasks.of("b") == {"b's"}


async def test_the_owner_is_told_when_its_work_is_over(tasks: TaskSet[str], shop: Workshop) -> None:
    tasks.match("a", {"log"})
    tasks.match("b", {"copy"})
    await asyncio.sleep(1)
    shop.end("log")
    await asyncio.sleep(1)

    assert shop.told == ["a"]
    assert len(tasks) == 1


async def test_the_owner_is_told_of_cancelled_work_too(tasks: TaskSet[str], shop: Workshop) -> None:
    tasks.match("a", {"log"})
    await asyncio.sleep(1)
    tasks.match("a", frozenset())
    await asyncio.sleep(1)

    assert shop.told == ["a"]


async def test_work_that_is_wanted_again_waits_until_its_last_task_has_tidied_up(
    tasks: TaskSet[str], shop: Workshop
) -> None:
    shop.tidying_s = 10
    tasks.match("a", {"log"})
    await asyncio.sleep(1)
    tasks.match("a", frozenset())
    tasks.match("a", {"log"})
    await asyncio.sleep(1)
    assert tasks.of("a") == {"log"}, "it is still tidying up"
    assert shop.begun == ["log"]

    await asyncio.sleep(20)
    assert shop.told == ["a"], "so the owner looks again"
    tasks.match("a", {"log"})
    await asyncio.sleep(1)
    assert shop.begun == ["log", "log"]


async def test_tidying_up_is_not_interrupted_by_being_unwanted_again(
    tasks: TaskSet[str], shop: Workshop
) -> None:
    shop.tidying_s = 10
    tasks.match("a", {"log"})
    await asyncio.sleep(1)
    tasks.match("a", frozenset())
    await asyncio.sleep(1)
    tasks.match("a", frozenset())
    await asyncio.sleep(5)
    assert shop.under_way == {"log"}, "a second cancel would have cut the tidying short"

    await asyncio.sleep(5)
    assert shop.under_way == set()


async def test_work_that_was_stopped_can_be_stopped_again_later(
    tasks: TaskSet[str], shop: Workshop
) -> None:
    for _ in range(2):
        tasks.match("a", {"log"})
        await asyncio.sleep(1)
        tasks.match("a", frozenset())
        await asyncio.sleep(1)

    assert shop.begun == ["log", "log"]
    assert shop.under_way == set()


async def test_an_owner_that_wants_nothing_leaves_no_trace(tasks: TaskSet[str]) -> None:
    tasks.match("a", frozenset())

    assert len(tasks) == 0
    assert tasks._tasks == {}


async def test_all_work_ends_with_the_group_that_owns_it(shop: Workshop) -> None:
    async def daemon() -> None:
        async with asyncio.TaskGroup() as group:
            TaskSet(group, shop.work, shop.told.append).match("a", {"log", "copy"})
            await asyncio.sleep(1)
            raise ZeroDivisionError

    with pytest.raises(ExceptionGroup):
        await daemon()

    assert shop.under_way == set()
    assert shop.told == ["a", "a"]
