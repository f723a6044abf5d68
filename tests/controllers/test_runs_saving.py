"""Saved first, then done: what the heart does while the disk is slow or full."""

import asyncio

import pytest

from llmdbenchd.controllers.runs import AGAIN_S
from llmdbenchd.core.launch.plan import LauncherPlan
from llmdbenchd.core.run import facts
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.ports import Listed
from tests.core.run.cases import AHEAD, GOOD, record
from tests.fakes.house import House

KEY = "j/r001"
RUNNING = record(Phase.RUNNING, deadline=AHEAD.after(3000), seen=(1,))


@pytest.fixture
def house() -> House:
    return House()


async def test_a_decision_that_could_not_be_saved_is_not_taken(house: House) -> None:
    house.ledger.is_full = True
    house.open(record(Phase.READY))
    await house.settle()
    assert house.runs[KEY].phase is Phase.READY
    assert house.engine.launchers == {}

    house.ledger.is_full = False
    await house.wait_s(AGAIN_S)
    assert house.on_disk().phase is Phase.RUNNING
    assert list(house.engine.started.values()) == [1]


async def test_the_record_is_on_disk_before_the_world_is_asked(house: House) -> None:
    seen: list[Phase] = []

    async def create(plan: LauncherPlan) -> None:
        seen.append(house.on_disk().phase)
        await make(plan)

    make, house.engine.create = house.engine.create, create  # type: ignore[method-assign]  # watched
    house.open(record(Phase.READY))
    await house.settle()

    assert seen == [Phase.LAUNCHING]


@pytest.mark.parametrize("is_full", [False, True])
async def test_what_is_learnt_during_a_save_is_kept(house: House, *, is_full: bool) -> None:
    house.ledger.takes_s, house.ledger.is_full = 10, is_full
    house.open(record(Phase.READY))
    await asyncio.sleep(0)
    async with asyncio.TaskGroup() as group:
        group.create_task(house.runs.one_pass(KEY))
        await asyncio.sleep(5)
        house.learn(KEY, facts.cancel_asked)
    assert house.runs[KEY].cancels == 1

    house.ledger.is_full = False
    await house.wait_s(AGAIN_S)
    assert house.on_disk().cancels == 1


async def test_a_run_whose_launch_is_being_saved_counts_as_launching(house: House) -> None:
    house.ledger.takes_s = 10
    house.open(record(Phase.READY))
    await asyncio.sleep(0)
    async with asyncio.TaskGroup() as group:
        group.create_task(house.runs.one_pass(KEY))
        await asyncio.sleep(5)
        assert [one.phase for one in house.runs] == [Phase.LAUNCHING]
        assert house.runs[KEY].phase is Phase.READY


async def test_a_run_whose_end_is_being_saved_counts_as_running(house: House) -> None:
    house.open(RUNNING)
    house.engine.put(house.launcher(), GOOD)
    house.view.apply(Listed(dict(house.engine.launchers)))
    house.ledger.takes_s = 10
    async with asyncio.TaskGroup() as group:
        group.create_task(house.runs.one_pass(KEY))
        await asyncio.sleep(5)
        assert [one.phase for one in house.runs] == [Phase.RUNNING]


async def test_who_waits_for_the_disk_is_told_when_all_is_on_it(house: House) -> None:
    house.ledger.is_full = True
    house.open(RUNNING)
    house.learn(KEY, facts.cancel_asked)
    waiting = asyncio.create_task(house.runs.kept([KEY, "nobody/r001"]))
    await house.settle()
    assert not waiting.done()

    house.ledger.is_full = False
    await house.wait_s(AGAIN_S)
    await waiting
    assert house.on_disk().cancels == 1
