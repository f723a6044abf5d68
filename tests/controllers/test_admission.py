"""Turns: computed anew whenever something moved, and never too many at once."""

import asyncio
from functools import partial

from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from llmdbenchd.controllers.admission import Admission
from llmdbenchd.core.run import facts
from llmdbenchd.core.run.limits import Capacity
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record, Target
from llmdbenchd.core.run.rivals import mark
from tests.core.run.cases import AHEAD, record
from tests.fakes.house import House
from tests.fakes.world import FakeClock


def ready(job: str, server: str, **more: object) -> Record:
    return record(Phase.READY, job=job, target=Target(f"http://{server}", (server,)), **more)


class Hall:
    """An admission over records that the test changes by hand."""

    def __init__(self, *records: Record, capacity: Capacity | None = None) -> None:
        self.clock = FakeClock()
        self.records = {one.key: one for one in records}
        self.woken: list[str] = []
        self.rivals: dict[str, str] = {}
        self.admission = Admission(
            capacity or Capacity(slots=2),
            self.clock,
            records=self.records.values,
            wake=self.woken.append,
            rivals=lambda: self.rivals,
        )
        self.admission.refresh_soon()

    def turns(self) -> set[str]:
        return {key for key, one in self.records.items() if self.admission.has_turn(one)}


async def test_who_has_a_turn_is_woken_once() -> None:
    hall = Hall(ready("a", "x"), ready("b", "y"), record(job="c"))
    await asyncio.sleep(0)
    assert sorted(hall.woken) == ["a/r001", "b/r001", "c/r001"]

    hall.admission.refresh_soon()
    await asyncio.sleep(0)
    assert len(hall.woken) == 3


async def test_many_moves_in_one_round_are_considered_together() -> None:
    hall = Hall()
    counted = 0

    def records() -> list[Record]:
        nonlocal counted
        counted += 1
        return []

    hall.admission._records = records
    for _ in range(1000):
        hall.admission.refresh_soon()
    await asyncio.sleep(1)

    assert counted == 1


async def test_a_free_slot_goes_to_the_next() -> None:
    hall = Hall(ready("a", "x"), ready("b", "x"))
    await asyncio.sleep(0)
    assert hall.turns() == {"a/r001"}

    hall.records["a/r001"] = record(Phase.COLLECTING, job="a")
    hall.admission.refresh_soon()
    await asyncio.sleep(0)
    assert hall.turns() == {"b/r001"}
    assert hall.woken == ["a/r001", "b/r001"]


async def test_nobody_has_a_turn_while_admission_is_paused_and_everybody_after() -> None:
    hall = Hall(ready("a", "x"))
    await asyncio.sleep(0)
    with capture_logs() as logged:
        for paused in (True, True, False, False):
            hall.admission.pause(paused=paused)
            await asyncio.sleep(0)
            assert hall.turns() == (set() if paused else {"a/r001"})

    assert [line["event"] for line in logged] == ["queue.paused", "queue.resumed"]
    assert hall.woken == ["a/r001", "a/r001"]


async def test_another_capacity_counts_from_now_on() -> None:
    hall = Hall(ready("a", "x"), ready("b", "y"), capacity=Capacity(slots=1))
    await asyncio.sleep(0)
    hall.admission.change(Capacity(slots=2))
    await asyncio.sleep(0)

    assert hall.turns() == {"a/r001", "b/r001"}


async def test_a_run_whose_waiting_time_is_over_has_that_considered() -> None:
    hall = Hall(ready("a", "x", wait_until=AHEAD))
    await asyncio.sleep(0)
    assert hall.turns() == set()
    await asyncio.sleep(0)
    assert hall.woken == []

    hall.clock.pass_s(60)
    assert hall.turns() == set()
    await asyncio.sleep(0)
    assert hall.woken == ["a/r001"]
    assert hall.turns() == {"a/r001"}


async def test_a_run_in_back_off_is_launched_when_it_is_over() -> None:
    house = House()
    house.open(record(Phase.READY, wait_until=AHEAD))
    await house.settle()
    assert house.engine.started == {}

    await house.wait_s(60)
    assert list(house.engine.started.values()) == [1]


@given(
    servers=st.lists(st.sampled_from("xyz"), min_size=1, max_size=6),
    slots=st.integers(1, 3),
    moves=st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=20),
)
def test_turns_that_are_a_little_old_never_admit_too_many(
    servers: list[str], slots: int, moves: list[tuple[int, bool]]
) -> None:
    """Runs take old turns, and leave, in any order; turns are computed anew now and then."""

    async def story() -> None:
        runs = [ready(f"j{number}", server) for number, server in enumerate(servers)]
        hall = Hall(*runs, capacity=Capacity(slots=slots))
        await asyncio.sleep(0)
        for number, refresh in moves:
            key = f"j{number % len(servers)}/r001"
            one = hall.records[key]
            if one.phase is Phase.READY and hall.admission.has_turn(one):
                hall.records[key] = one.enter(Phase.LAUNCHING, hall.clock.now())
            elif one.phase is Phase.LAUNCHING:
                hall.records[key] = one.enter(Phase.COLLECTING, hall.clock.now())
            holding = [one for one in hall.records.values() if one.phase.holds_slot]
            assert len(holding) <= slots
            assert len({one.target for one in holding}) == len(holding)
            if refresh:
                hall.admission.refresh_soon()
                await asyncio.sleep(0)

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(story())


async def test_runs_on_one_target_go_one_after_the_other() -> None:
    house = House()
    house.open(*(ready(name, "x") for name in "abc"))
    await house.settle()
    assert [one.job for one in house.runs if one.phase.holds_slot] == ["a"]

    house.learn("a/r001", facts.cancel_asked)
    await house.settle()
    assert [one.job for one in house.runs if one.phase.holds_slot] == ["b"]


async def test_a_job_of_higher_priority_overtakes_who_waits() -> None:
    house = House(capacity=Capacity(slots=1))
    house.open(ready("a", "x"))
    await house.settle()
    house.open(ready("b", "y"), ready("c", "z", priority=1))
    await house.settle()
    house.learn("a/r001", partial(facts.cancel_asked, request="q"))
    await house.settle()

    assert [one.job for one in house.runs if one.phase.holds_slot] == ["c"]


async def test_a_target_that_another_daemon_loads_is_taken_until_it_is_let_go() -> None:
    hall = Hall(ready("a", "x"), ready("b", "y"))
    hall.rivals = {mark("x"): "launcher p of the daemon 0a1b2c3d"}
    await asyncio.sleep(0)
    assert hall.turns() == {"b/r001"}

    hall.rivals = {}
    hall.admission.refresh_soon()
    await asyncio.sleep(0)

    assert hall.turns() == {"a/r001", "b/r001"}
    assert hall.woken == ["b/r001", "a/r001"]
