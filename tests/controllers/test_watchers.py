"""The watch: opened again for ever, more slowly each time, and everybody is looked at first."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from llmdbenchd.controllers.sites import Site
from llmdbenchd.controllers.watchers import watch_launchers
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Target
from llmdbenchd.core.run.rivals import mark
from llmdbenchd.core.run.sight import Absent, Running
from llmdbenchd.ports import Unavailable
from tests.core.run.cases import AHEAD, GOOD, record
from tests.fakes.house import House

NAME = "j-r001-1-1-of-1"


class Completed:
    """How often a view became complete."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, site: Site) -> None:
        assert site.view.is_complete
        self.times += 1


@pytest.fixture
def completed() -> Completed:
    return Completed()


@pytest.fixture
async def house(completed: Completed) -> AsyncIterator[House]:
    house = House()
    house.engine.launchers[NAME] = Running()
    house.runs.open([record(Phase.RUNNING, deadline=AHEAD, seen=(1,))])
    watch = watch_launchers(
        house.site, house.runs, complete=completed, others=house.admission.refresh
    )
    watching = asyncio.create_task(watch)
    yield house
    assert not watching.done(), "the watch goes on for ever"
    watching.cancel()
    await asyncio.wait([watching])


async def passes(house: House) -> int:
    """How many looks the news of the last second asked for."""
    await asyncio.sleep(1)
    before = house.runs.passes
    while not house.runs.work.is_idle:
        async with house.runs.work.take() as key:
            await house.runs.one_pass(key)
    return house.runs.passes - before


async def test_a_complete_look_wakes_every_run_and_is_told_once(
    house: House, completed: Completed
) -> None:
    assert await passes(house) == 1
    assert house.view.look(NAME) == Running()

    house.engine.end_watch()
    await passes(house)
    assert completed.times == 1


async def test_what_moves_wakes_its_run(house: House) -> None:
    await passes(house)
    house.engine.put(NAME, GOOD)

    assert await passes(house) == 1
    assert house.runs["j/r001"].phase is Phase.COLLECTING


async def test_what_somebody_else_does_wakes_nobody(house: House) -> None:
    await passes(house)
    house.engine.put("somebody-else's", Running())

    assert await passes(house) == 0
    assert house.view.look("somebody-else's") == Running()


async def test_a_broken_watch_is_opened_again_and_what_was_missed_is_seen(house: House) -> None:
    await passes(house)
    house.engine.end_watch(Unavailable("the connection was closed"))
    await asyncio.sleep(0.5)
    house.engine.launchers.pop(NAME)  # nobody watches now
    assert house.view.look(NAME) == Running()

    await asyncio.sleep(1)
    assert house.view.look(NAME) == Absent()


async def test_each_try_that_fails_waits_longer_than_the_one_before(house: House) -> None:
    await passes(house)
    house.engine.is_away = True
    house.engine.end_watch(Unavailable("gone"))
    with capture_logs() as logged:
        await asyncio.sleep(1 + 2 + 4 + 8 + 16 + 32 + 60 + 60)

    assert {line["event"] for line in logged} == {"watch.broken"}
    assert [line["tries"] for line in logged] == [1, 2, 3, 4, 5, 6, 7, 8]

    house.engine.is_away = False
    await asyncio.sleep(61)
    assert house.engine.watch_is_open.is_set()


async def test_a_watch_that_worked_begins_its_waits_anew(house: House) -> None:
    await passes(house)
    with capture_logs() as logged:
        for _ in range(5):
            house.engine.end_watch(Unavailable("gone"))
            await asyncio.sleep(1.5)

    assert [line["tries"] for line in logged] == [1, 1, 1, 1, 1]


async def test_a_watch_that_ends_without_an_error_is_opened_again(house: House) -> None:
    await passes(house)
    house.engine.end_watch()
    await asyncio.sleep(0.5)
    assert not house.engine.watch_is_open.is_set()

    await asyncio.sleep(1)
    assert house.engine.watch_is_open.is_set()


async def test_what_others_load_counts_for_whoever_is_looked_at_in_the_same_moment(
    house: House,
) -> None:
    """An older turn was taken up between the news and the turns: two loaded one server."""
    waiting = record(Phase.READY, job="k", target=Target("http://x", ("x",)))
    house.runs.open([waiting])
    await asyncio.sleep(1)
    assert house.admission.has_turn(waiting)

    house.engine.others({mark("x"): "launcher p of the daemon 0a1b2c3d"})
    while not house.view.rivals:  # noqa: ASYNC110 - the very next moment is meant
        await asyncio.sleep(0)

    assert not house.admission.has_turn(waiting)


async def test_what_other_daemons_load_is_taken_in_and_the_turns_are_computed_anew(
    house: House,
) -> None:
    """Nobody's launcher of ours moves: without being told no run would ever notice."""
    rivals = {mark("x"): "launcher p of the daemon 0a1b2c3d"}
    waiting = record(Phase.READY, job="k", target=Target("http://x", ("x",)))
    house.engine.others(rivals)
    await asyncio.sleep(1)
    house.runs.open([waiting])
    await asyncio.sleep(1)
    assert house.view.rivals == rivals
    assert not house.admission.has_turn(waiting)

    house.engine.others({})
    await asyncio.sleep(1)

    assert house.admission.has_turn(waiting)
