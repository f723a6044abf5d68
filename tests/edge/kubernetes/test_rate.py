"""One pace for all transfers together."""

import asyncio

import pytest

from llmdbenchd.edge.kubernetes.rate import ByteRate


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_without_a_limit_nobody_waits() -> None:
    await ByteRate().spend(1 << 60)

    assert now() == 0


async def test_bytes_take_the_time_that_they_cost() -> None:
    rate = ByteRate(1000)

    for _ in range(10):
        await rate.spend(500)

    assert now() == pytest.approx(5)


async def test_all_who_transfer_share_one_pace() -> None:
    rate = ByteRate(1000)

    async def transfer() -> None:
        for _ in range(10):
            await rate.spend(100)

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(transfer())

    assert now() == pytest.approx(3)


async def test_what_was_not_spent_is_not_saved_up() -> None:
    rate = ByteRate(1000)
    await rate.spend(1000)
    await asyncio.sleep(100)

    await rate.spend(1000)

    assert now() == pytest.approx(102)
