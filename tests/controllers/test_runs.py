"""The heart: what is decided is saved, then done; trouble with one run is its own."""

import asyncio
from functools import partial

import pytest
from structlog.testing import capture_logs

from llmdbenchd.controllers.runs import AFTER_CRASH_S, AGAIN_S
from llmdbenchd.core.run import facts
from llmdbenchd.core.run.limits import Limits
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Failure
from llmdbenchd.core.run.sight import Absent, Running, Unknown
from llmdbenchd.ports import Listed, Unavailable
from tests.core.run.cases import AHEAD, BAD, GOOD, HOME, TARGET, record
from tests.fakes.house import House, keyed

KEY = "j/r001"
LAUNCHING = record(Phase.LAUNCHING, deadline=AHEAD)
RUNNING = record(Phase.RUNNING, deadline=AHEAD.after(3000), seen=(1,))


@pytest.fixture
def house() -> House:
    return House()


async def test_a_run_goes_all_the_way(house: House) -> None:
    house.open(record())
    await house.settle()
    house.learn(KEY, partial(facts.resolved, target=TARGET))
    await house.settle()
    house.engine.put(house.launcher(), GOOD)
    await house.settle()
    house.engine.collected.add(house.launcher())
    house.learn(KEY, partial(facts.log_done, attempt=1, index=1))
    house.learn(KEY, partial(facts.collected, attempt=1, what=HOME))
    await house.settle()
    house.learn(KEY, facts.sealed)
    await house.settle()

    assert " ".join(step.phase for step in house.on_disk().history) == (
        "RESOLVING READY LAUNCHING RUNNING COLLECTING REPORTING CLEANING SUCCEEDED"
    )
    assert house.engine.launchers == {}
    assert KEY not in house.runs


async def test_a_refused_launcher_is_a_fact_and_is_not_asked_for_again(house: House) -> None:
    house.engine.refuses = "no harness of this name is installed"
    house.open(record(Phase.READY))
    await house.settle()

    refused = house.on_disk()
    assert refused.phase is Phase.REPORTING
    assert refused.verdict is not None
    assert refused.verdict.kind == "refused"
    assert "no harness of this name" in refused.verdict.reason
    assert house.engine.started == {}


async def test_an_engine_that_is_away_is_asked_again(house: House) -> None:
    house.open(LAUNCHING)
    house.engine.is_away = True
    await house.settle()
    assert house.engine.launchers == {}

    house.engine.is_away = False
    await house.wait_s(AGAIN_S)
    assert list(house.engine.launchers.values()) == [Running()]


async def test_a_lost_reply_does_not_make_a_second_launcher(house: House) -> None:
    house.handbook.default = Limits(launchers=3)
    house.engine.loses_replies = True
    house.open(LAUNCHING)
    for _ in range(5):
        await house.wait_s(AGAIN_S)
    house.engine.loses_replies = False
    await house.wait_s(AGAIN_S)

    assert list(house.engine.started.values()) == [1, 1, 1]
    assert house.on_disk().phase is Phase.RUNNING


async def test_after_a_lost_reply_nobody_claims_to_know(house: House) -> None:
    house.engine.loses_replies = True
    house.open(LAUNCHING)
    await house.runs.one_pass(KEY)

    assert list(house.engine.launchers.values()) == [Running()]
    assert house.view.look(house.launcher()) == Unknown()


async def test_a_crash_with_one_run_stops_no_other_and_is_looked_at_again(house: House) -> None:
    house.engine.trouble["create"] = [ZeroDivisionError("a fault of ours")]
    with capture_logs() as logged:
        house.open(LAUNCHING, keyed(LAUNCHING, "good/r001"))
        await house.settle()
    assert [line["event"] for line in logged if line["log_level"] == "error"] == ["run.crashed"]
    assert house.on_disk("good/r001").phase is Phase.RUNNING
    assert house.on_disk().phase is Phase.LAUNCHING

    await house.wait_s(AFTER_CRASH_S)
    assert house.on_disk().phase is Phase.RUNNING


async def test_a_run_that_is_left_running_stays_open(house: House) -> None:
    house.handbook.default = Limits(run_s=0)
    house.open(LAUNCHING)
    await house.settle()
    assert house.on_disk().phase is Phase.LEFT
    assert KEY in house.runs

    house.learn(KEY, facts.collect_asked)
    house.engine.put(house.launcher(), GOOD)
    await house.settle()
    assert house.on_disk().phase is Phase.COLLECTING


async def test_a_closed_run_is_forgotten_with_all_names_of_its_launchers(house: House) -> None:
    house.handbook.default = Limits(attempts=2, retry_delay_s=10)
    house.open(LAUNCHING)
    await house.settle()
    house.engine.put(house.launcher(), BAD)
    await house.settle()
    for attempt in (1, 2):
        house.engine.collected.add(house.launcher())
        house.learn(KEY, partial(facts.log_done, attempt=attempt, index=1))
        house.learn(KEY, partial(facts.collected, attempt=attempt, what=HOME))
        await house.settle()
        await house.wait_s(10)
        house.engine.put(house.launcher(), BAD)
        await house.settle()
    house.learn(KEY, facts.sealed)
    await house.settle()

    assert house.on_disk().phase is Phase.FAILED
    assert [one.key for one in house.runs] == []
    assert house.runs._owner == {}
    assert len(house.runs._alarms) == 0


async def test_a_closed_run_learns_nothing_more(house: House) -> None:
    house.open(record(Phase.CLEANING))
    await house.settle()
    house.learn(KEY, facts.cancel_asked)
    await house.settle()

    assert house.on_disk().phase is Phase.SUCCEEDED
    assert house.on_disk().cancels == 0


async def test_a_launcher_is_lost_only_if_the_world_itself_says_so(house: House) -> None:
    house.engine.launchers[f"{record().job}-r001-1-1-of-1"] = Running()
    house.open(RUNNING)
    house.view.apply(Listed({}))  # a list that was begun before the launcher was made
    house.runs.look_at_all()
    await house.settle()
    assert house.on_disk().phase is Phase.RUNNING
    assert house.on_disk().failure is None

    house.vanish(house.launcher())
    await house.settle()
    assert house.on_disk().failure is not None


async def test_nothing_is_done_while_nobody_has_looked(house: House) -> None:
    house.runs.open([LAUNCHING])
    await house.settle()

    assert house.engine.started == {}


async def test_only_the_run_whose_launcher_moved_is_looked_at(house: House) -> None:
    house.open(RUNNING, keyed(RUNNING, "k/r001"))
    await house.settle()
    before = house.runs.passes
    house.runs.look_at_launchers(["k-r001-1-1-of-1", "somebody-else's"])
    await house.settle()

    assert house.runs.passes == before + 1


async def test_workers_look_at_what_is_asked_for(house: House) -> None:
    house.open(record(Phase.READY))
    workers = [asyncio.create_task(house.runs.work_forever()) for _ in range(3)]
    await asyncio.sleep(1)
    for worker in workers:
        worker.cancel()
    await asyncio.wait(workers)

    assert house.on_disk().phase is Phase.RUNNING
    assert list(house.engine.started.values()) == [1]


async def test_a_key_that_nobody_knows_is_a_pass_and_nothing_else(house: House) -> None:
    house.runs.work.add("")
    await house.settle()

    assert house.runs.passes == 1


async def test_a_launcher_that_cannot_be_removed_now_is_removed_later(house: House) -> None:
    cleaning = record(Phase.CLEANING, seen=(1,), collected=HOME, deadline=AHEAD)
    name = house.handbook.launchers(cleaning)[0]
    house.engine.launchers[name] = GOOD
    house.engine.collected.add(name)
    house.engine.trouble["remove"] = [Unavailable("not now")]
    house.open(cleaning)
    await house.settle()
    assert house.on_disk().phase is Phase.CLEANING

    await house.wait_s(AGAIN_S)
    assert house.engine.launchers == {}
    assert house.on_disk().phase is Phase.SUCCEEDED


async def test_a_retry_is_made_under_new_names(house: House) -> None:
    limits = Limits(attempts=2, retry_delay_s=10)
    house.handbook.default = limits
    house.open(record(Phase.COLLECTING, seen=(1,), ends=(), failure=Failure("launcher", "x")))
    house.learn(KEY, partial(facts.log_done, attempt=1, index=1))
    house.learn(KEY, partial(facts.collected, attempt=1, what=HOME))
    await house.settle()
    await house.wait_s(10)

    assert list(house.engine.launchers) == ["j-r001-2-1-of-1"]
    assert house.view.look("j-r001-1-1-of-1") == Absent()
