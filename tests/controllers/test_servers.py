"""The servers' logs beside a run: whatever happens to them is told, and decides nothing."""

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from llmdbenchd.controllers.servers import AGAIN_S, LATE_TRIES, ServerWatch
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record, Step
from llmdbenchd.core.run.wanted import Activity
from llmdbenchd.ports import Refused, Unavailable
from tests.core.run.cases import NOW, record
from tests.fakes.evidence import FakeEvidence
from tests.fakes.house import House
from tests.fakes.jobs import accepted, book
from tests.fakes.servers import FakeServers

KEY = "j/r001"
EARLIER = NOW.after(-60)
RUNNING = record(Phase.RUNNING, seen=(1,), history=(Step(EARLIER.utc, Phase.LAUNCHING, 1),))
COLLECTING = replace(RUNNING, phase=Phase.COLLECTING)


class Desk:
    """The watch over fakes; the record is moved by the test alone."""

    def __init__(self) -> None:
        self.house, self.evidence, self.servers = House(), FakeEvidence(), FakeServers()
        jobs = book(accepted(follow_servers=True))
        self.watch = ServerWatch(self.house.runs, jobs, self.evidence, self.servers)

    async def do(self, one: Record, then: Record = COLLECTING, *, after_s: float = 10) -> Record:
        """Follow the servers of a run that moves on after a while."""
        self.house.runs.open([one])
        async with asyncio.TaskGroup() as group:
            group.create_task(self.watch.run(Activity(KEY, "servers", 1), one))
            await asyncio.sleep(after_s)
            if one is not then:
                self.house.learn(KEY, lambda now: replace(then, servers=now.servers))
        return self.house.runs[KEY]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize("then", [COLLECTING, replace(RUNNING, phase=Phase.LEFT)])
async def test_servers_are_followed_from_the_launch_to_the_end_of_the_load(
    desk: Desk, then: Record
) -> None:
    followed = await desk.do(RUNNING, then)

    assert followed.servers == ""
    [(asked, into, since)] = desk.servers.asked
    assert asked == desk.watch.book.asked(RUNNING)
    assert into == desk.evidence.live_servers(RUNNING)
    assert since == EARLIER.utc


async def test_what_the_logs_lack_is_on_the_record(desk: Desk) -> None:
    desk.servers.lacking = "log of vllm-0/vllm life 0: forbidden"

    assert (await desk.do(RUNNING)).servers == desk.servers.lacking


@pytest.mark.parametrize(
    ("error", "event", "told"),
    [
        (Refused("no pods are known"), "servers.unknown", "no pods are known"),
        (KeyError("x"), "servers.crashed", "a fault in llmdbenchd: KeyError('x')"),
    ],
)
async def test_what_will_never_be_known_is_said_and_not_tried_again(
    desk: Desk, error: Exception, event: str, told: str
) -> None:
    desk.servers.trouble = [error]
    with capture_logs() as logged:
        running = await desk.do(RUNNING, RUNNING)

    assert (running.servers, running.failure) == (told, None)
    assert [line["event"] for line in logged] == ["servers.following", event, "servers.finished"]
    assert len(desk.servers.asked) == 1


async def test_trouble_is_waited_for_while_the_run_goes_on(desk: Desk) -> None:
    desk.servers.trouble = [*[Unavailable("no API server")] * 3 * LATE_TRIES]

    followed = await desk.do(RUNNING, after_s=4 * LATE_TRIES * AGAIN_S)

    assert (followed.servers, len(desk.servers.asked)) == ("", 3 * LATE_TRIES + 1)


async def test_once_the_run_is_over_nobody_waits_for_long(desk: Desk) -> None:
    desk.servers.trouble = [Unavailable("no API server")] * 100

    late = await desk.do(COLLECTING, COLLECTING)

    assert (late.servers, len(desk.servers.asked)) == ("no API server", LATE_TRIES)


async def test_another_attempt_and_a_run_that_is_closed_end_the_watch(desk: Desk) -> None:
    again = replace(RUNNING, attempt=2)
    assert (await desk.do(RUNNING, again)).servers is None

    desk.house.runs._records.clear()
    await desk.watch.run(Activity(KEY, "servers", 1), RUNNING)
    assert KEY not in desk.house.runs
