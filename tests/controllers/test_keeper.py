"""The daemon looks at itself: alive only while its loops move, and careful with the disk."""

import asyncio
from collections.abc import Mapping

import pytest
from structlog.testing import capture_logs

from llmdbenchd.controllers.keeper import Keeper
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.sight import Running
from tests.core.run.cases import AHEAD, record
from tests.fakes.house import House, keyed


class Manager:
    """What systemd heard."""

    def __init__(self) -> None:
        self.pings = 0
        self.told = ""

    def ping(self) -> bool:
        self.pings += 1
        return True

    def status(self, text: str) -> bool:
        self.told = text
        return True


class Home:
    """A keeper, and the daemon that it keeps.

    Attributes:
        works, queue_moves: whether workers make passes, and the queue gives signs of life.
        free: bytes on the disk; None = it cannot be told.
        troubled: places that cannot be seen.
    """

    def __init__(self) -> None:
        self.house, self.manager = House(), Manager()
        self.works = self.queue_moves = True
        self.free: int | None = 100
        self.troubled: dict[str, str] = {}
        self._held: bool | None = None
        self.considered = asyncio.Event()
        self.published: Mapping[str, object] = {}
        self.keeper = Keeper(
            runs=self.house.runs,
            notify=self.manager,
            limits={"passes": 30, "queue": 60},
            clock=lambda: self.house.clock.now().boot_s,
            free=lambda: self.free,
            min_free=10,
            publish=self.publish,
            hold=self.hold,
            consider=self.considered.set,
            troubled=lambda: self.troubled,
            now=lambda: self.house.clock.now().utc,
        )

    def publish(self, told: Mapping[str, object]) -> None:
        self.published = told

    def hold(self, low: bool) -> None:  # noqa: FBT001 - the keeper calls it by position
        self._held = low

    def holds(self) -> bool | None:
        """What admission was last told."""
        return self._held

    async def ticks(self, seconds: int) -> int:
        """Let time pass, two seconds a tick; how often the watchdog was fed."""
        before = self.manager.pings
        for _ in range(0, seconds, 2):
            self.house.clock.pass_s(2)
            if self.queue_moves:
                self.keeper.beat("queue")
            if self.works:
                await self.house.settle()
            await self.keeper.tick()
        return self.manager.pings - before


@pytest.fixture
def home() -> Home:
    return Home()


async def test_the_watchdog_is_fed_while_everything_moves(home: Home) -> None:
    assert await home.ticks(600) == 300


async def test_an_idle_daemon_is_not_taken_for_a_dead_one(home: Home) -> None:
    """Without runs nothing asks for a pass: the probe does."""
    passes = home.house.runs.passes
    await home.ticks(10)

    assert home.house.runs.passes > passes


async def test_it_is_not_fed_once_no_worker_makes_a_pass(home: Home) -> None:
    await home.ticks(10)
    home.works = False
    await home.ticks(34)

    assert home.keeper.silent() == ["passes"]
    assert await home.ticks(100) == 0


async def test_it_is_not_fed_once_the_queue_is_silent(home: Home) -> None:
    await home.ticks(10)
    home.queue_moves = False
    await home.ticks(62)

    assert home.keeper.silent() == ["queue"]
    assert await home.ticks(100) == 0


async def test_a_queue_that_was_never_heard_is_silent_too(home: Home) -> None:
    home.queue_moves = False
    await home.ticks(64)

    assert home.keeper.silent() == ["queue"]


async def test_it_is_fed_again_when_they_move_again(home: Home) -> None:
    await home.ticks(10)
    home.works = False
    await home.ticks(100)
    home.works = True

    assert await home.ticks(100) > 45


async def test_low_disk_holds_admission_and_lets_go(home: Home) -> None:
    with capture_logs() as logged:
        await home.ticks(2)
        assert home.holds() is False
        home.free = 9
        await home.ticks(6)
        assert home.holds() is True
        assert home.published["degraded"] == ["disk"]
        home.free = 10
        await home.ticks(6)

    assert home.holds() is False
    assert [line["event"] for line in logged] == ["disk.low", "degraded.entered", "degraded.left"]
    assert (logged[0]["free"], logged[0]["needed"]) == (9, 10)


async def test_a_disk_that_cannot_be_read_is_neither_full_nor_empty(home: Home) -> None:
    home.free = None
    await home.ticks(2)
    assert home.holds() is False

    home.free = 9
    await home.ticks(2)
    home.free = None
    await home.ticks(2)
    assert home.holds() is True


async def test_a_place_that_cannot_be_seen_is_told_once_each_way_and_stops_nothing(
    home: Home,
) -> None:
    with capture_logs() as logged:
        home.troubled = {"kubernetes/bench": "no answer"}
        assert await home.ticks(6) == 3
        assert home.published["degraded"] == ["kubernetes/bench"]
        home.troubled = {}
        await home.ticks(6)

    assert [(line["event"], line["why"]) for line in logged] == [
        ("degraded.entered", "kubernetes/bench"),
        ("degraded.left", "kubernetes/bench"),
    ]
    assert home.holds() is False


async def test_the_status_says_since_when_and_why_as_it_was_said_last(home: Home) -> None:
    await home.ticks(10)
    home.troubled = {"kubernetes/bench": "no answer"}
    await home.ticks(2)
    begun = home.house.clock.now().utc
    home.troubled = {"kubernetes/bench": "pods is forbidden"}
    await home.ticks(20)

    assert home.published["degraded_since"] == {
        "kubernetes/bench": {"since": begun.isoformat(), "reason": "pods is forbidden"}
    }


async def test_runs_are_looked_at_when_a_place_says_something_else(home: Home) -> None:
    """For it may say no, and nothing else tells the runs that nobody sees their launchers."""
    running = record(Phase.RUNNING, seen=(1,), deadline=AHEAD.after(9000))
    home.house.engine.launchers["j-r001-1-1-of-1"] = Running()
    home.house.open(running)
    await home.ticks(2)
    assert home.house.on_disk().lost_at is None

    home.house.engine.says_no = "pods is forbidden"
    home.troubled = {"kubernetes/bench": "pods is forbidden"}
    await home.ticks(4)

    assert home.house.on_disk().lost_at is not None
    home.house.engine.says_no, home.troubled = "", {}
    await home.ticks(4)
    assert home.house.on_disk().lost_at is None


async def test_the_status_counts_runs_by_phase(home: Home) -> None:
    waiting = record(Phase.LEFT)
    home.house.open(waiting, keyed(waiting, "k/r001"), record(Phase.REPORTING, job="l"))
    await home.ticks(2)

    assert home.manager.told == "2 LEFT, 1 REPORTING"
    assert home.published == {
        "phases": {"LEFT": 2, "REPORTING": 1},
        "degraded": [],
        "degraded_since": {},
        "free": 100,
    }


async def test_the_status_says_what_is_degraded(home: Home) -> None:
    home.free = 0
    await home.ticks(2)

    assert home.manager.told == "idle; degraded: disk"


async def test_it_keeps_for_ever(home: Home) -> None:
    keeping = asyncio.create_task(home.keeper.run())
    await asyncio.sleep(100)
    assert not keeping.done()
    keeping.cancel()
    await asyncio.wait([keeping])

    assert home.manager.pings > 1


async def test_turns_are_considered_although_only_time_has_passed() -> None:
    home = Home()
    await home.keeper.tick()

    assert home.considered.is_set()
