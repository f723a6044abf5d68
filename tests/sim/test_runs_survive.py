"""The daemon in a bad world: events, replies and the daemon itself get lost, in any order.

What must hold is said in the invariants; whatever happened, when luck returns every
run ends, once, with its evidence home before anything of it was removed.
"""

import asyncio
import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from llmdbenchd.controllers.admission import Admission
from llmdbenchd.controllers.runs import Runs
from llmdbenchd.controllers.sites import Site
from llmdbenchd.core.run import facts
from llmdbenchd.core.run.limits import Capacity, Limits
from llmdbenchd.core.run.moment import Moment
from llmdbenchd.core.run.phase import NEXT, Phase
from llmdbenchd.core.run.record import Record
from llmdbenchd.core.run.sight import Absent, Cause, Ended, Running, Sight
from llmdbenchd.core.run.wanted import Activity, wanted
from llmdbenchd.ports import Listed
from tests.core.run.cases import HOME, TARGET, record
from tests.fakes.engine import FakeEngine
from tests.fakes.world import FakeClock, FakeHandbook, FakeLedger, Killed

KEYS = ("a/r001", "b/r001", "c/r001")
LIMITS = {
    "a/r001": Limits(launchers=2, attempts=2, run_s=100, start_s=50, collect_s=200, lost_s=60),
    "b/r001": Limits(
        attempts=3, run_s=100, start_s=50, collect_s=200, lost_s=60, follow_servers=True
    ),
    "c/r001": Limits(launchers=3, attempts=1, run_s=100, keep_going=True, collect_s=200),
}
MINUTES = (1.0, 6.0, 31.0, 49.0, 51.0, 99.0, 101.0, 201.0, 601.0)
EXAMPLES = os.environ.get("SIM_EXAMPLES", "150")  # `make sim` asks for more
MOVES: dict[str, Sight] = {
    "good": Ended(Cause.EXITED, code=0),
    "bad": Ended(Cause.EXITED, code=1),
    "killed": Ended(Cause.KILLED, signal=9),
    "vanished": Absent(),
}
FOUND = replace(TARGET, found="Service llm/vllm")  # it is looked at again before the launch
CAPACITY = Capacity(slots=2, resolving=1)


class Daemon:
    """One life of the daemon: what is lost when it is killed."""

    def __init__(
        self, engine: FakeEngine, clock: FakeClock, ledger: FakeLedger, handbook: FakeHandbook
    ) -> None:
        site = Site("fake", engine)
        self.view = site.view
        self.wanted: dict[str, frozenset[Activity]] = {}
        self.runs = Runs(
            site=lambda _: site,
            clock=clock,
            ledger=ledger,
            handbook=handbook,
            turn=self._has_turn,
            moved=self._moved,
            look_after=self._look_after,
            opened=self._consider_turns,
        )
        self.admission = Admission(
            CAPACITY, clock, records=lambda: self.runs, wake=self.runs.work.add, rivals=dict
        )

    def open(self, records: Iterable[Record]) -> None:
        self.runs.open(records)

    def _moved(self, before: Record | None, after: Record) -> None:
        if before is not None and before.phase is not after.phase:
            assert after.phase in NEXT[before.phase] or len(after.history) > len(before.history) + 1
        self.admission.refresh_soon()

    def _has_turn(self, record: Record) -> bool:
        return self.admission.has_turn(record)

    def _consider_turns(self) -> None:
        self.admission.refresh_soon()

    def _look_after(self, record: Record, now: Moment) -> None:
        follow_servers = LIMITS[record.key].follow_servers
        self.wanted[record.key] = wanted(record, now, follow_servers=follow_servers)

    async def settle(self) -> None:
        """Make passes until nothing asks for one."""
        self.admission.refresh_soon()
        for _ in range(200):
            await asyncio.sleep(0)
            if self.runs.work.is_idle:
                return
            async with self.runs.work.take() as key:
                await self.runs.one_pass(key)
        raise AssertionError("the daemon never comes to rest")


class BadWorld(RuleBasedStateMachine):
    """Everything that may happen, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()

    @initialize()
    def the_jobs_are_accepted(self) -> None:
        self.engine, self.clock, self.ledger = FakeEngine(), FakeClock(), FakeLedger()
        self.handbook = FakeHandbook(by_key=LIMITS)
        self.was_refused = False
        for key in KEYS:
            job, run = key.split("/")
            self.ledger.disk[key] = record(job=job, run=run)
        self.daemon_starts()

    def daemon_starts(self) -> None:
        self.daemon = Daemon(self.engine, self.clock, self.ledger, self.handbook)
        self.loop.call_soon(self.daemon.open, list(self.ledger.disk.values()))

    def run(self, work: Callable[[], object]) -> None:
        """Do it, and let the daemon come to rest; it may be killed on the way."""

        async def until_rest() -> None:
            work()
            await self.daemon.settle()

        try:
            self.loop.run_until_complete(until_rest())
        except* Killed:
            self.daemon_starts()

    def open_records(self) -> list[Record]:
        return [one for one in self.daemon.runs if not one.phase.is_final]

    @rule()
    def the_daemon_looks(self) -> None:
        self.run(lambda: self.daemon.runs.work.add_all(KEYS))

    @rule()
    def the_watch_catches_up(self) -> None:
        def deliver() -> None:
            news = [] if self.engine.refused else self.engine.news()
            for seen in news if self.daemon.view.is_complete else ():
                self.daemon.runs.look_at_launchers(self.daemon.view.apply(seen))

        self.run(deliver)

    @rule()
    def the_watch_lists_again(self) -> None:
        def relist() -> None:
            if self.engine.refused:
                return
            self.engine.news()
            changed = self.daemon.view.apply(Listed(dict(self.engine.launchers)))
            self.daemon.runs.look_at_launchers(changed)

        self.run(relist)

    @rule()
    def the_watch_loses_its_news(self) -> None:
        self.engine.news()

    @rule()
    def the_daemon_is_killed(self) -> None:
        self.run(self.daemon_starts)

    @rule(saves=st.integers(1, 3), after_write=st.booleans())
    def the_daemon_will_be_killed_at_a_save(self, *, saves: int, after_write: bool) -> None:
        self.ledger.kill_in, self.ledger.kill_after_write = saves, after_write

    @rule(away=st.booleans(), loses=st.booleans(), full=st.booleans(), no=st.booleans())
    def luck_changes(self, *, away: bool, loses: bool, full: bool, no: bool) -> None:
        self.engine.is_away, self.engine.loses_replies, self.ledger.is_full = away, loses, full
        self.was_refused = self.was_refused or no
        self.engine.says_no = "the namespace is not ours" if no else ""

    @rule(seconds=st.sampled_from(MINUTES))
    def time_passes(self, seconds: float) -> None:
        self.clock.pass_s(seconds)
        self.the_daemon_looks()

    @precondition(lambda self: any(isinstance(s, Running) for s in self.engine.launchers.values()))
    @rule(data=st.data(), how=st.sampled_from(sorted(MOVES)))
    def a_launcher_moves(self, data: st.DataObject, how: str) -> None:
        running = sorted(n for n, s in self.engine.launchers.items() if isinstance(s, Running))
        name = data.draw(st.sampled_from(running))
        self.moves(name, how)

    def moves(self, name: str, how: str) -> None:
        """A launcher moves; one that nobody has noted yet does not vanish.

        Made, not yet noted, the daemon killed, then deleted by hand: nobody could know.
        """
        noted = any(
            name in self.handbook.launchers(one)[: max(one.seen, default=0)]
            for one in self.ledger.disk.values()
        )
        self.engine.put(name, MOVES[how] if noted or how != "vanished" else MOVES["bad"])

    @precondition(lambda self: any(self.daemon.wanted.values()))
    @rule(data=st.data(), well=st.booleans())
    def an_activity_ends(self, data: st.DataObject, *, well: bool) -> None:
        work = sorted(one for owned in self.daemon.wanted.values() for one in owned)
        activity = data.draw(st.sampled_from(work))
        self.run(lambda: self.finish(activity, well=well))

    def finish(self, activity: Activity, *, well: bool) -> None:
        now = self.clock.now()
        phases = {
            "resolve": Phase.RESOLVING,
            "collect": Phase.COLLECTING,
            "report": Phase.REPORTING,
        }
        if activity.key not in self.daemon.runs:
            return
        if activity.kind == "collect" and well:
            one = self.daemon.runs[activity.key]
            self.engine.collected.update(self.handbook.launchers(one))

        def learn(one: Record) -> Record:
            if activity.kind == "follow":
                return facts.log_done(one, activity.attempt, activity.index) if well else one
            if activity.kind == "servers":
                return facts.servers_followed(one, activity.attempt, "") if well else one
            if activity.kind == "resolve" and not well and one.tries % 2:
                return facts.not_yet(one, "503", 900.0, now)
            if not well:
                return facts.delayed(one, phases[activity.kind], "bad luck", now)
            if activity.kind == "resolve":
                return facts.resolved(one, FOUND)
            if activity.kind == "collect":
                return facts.collected(one, activity.attempt, HOME)
            return facts.sealed(one)

        self.daemon.runs.learn(activity.key, learn)

    @rule(rounds=st.integers(1, 4), how=st.sampled_from(sorted(MOVES)), well=st.booleans())
    def a_while_goes_by(self, rounds: int, how: str, *, well: bool) -> None:
        """What usually happens, so that histories reach the late phases."""
        for _ in range(rounds):
            self.the_watch_lists_again()
            for name, sight in list(self.engine.launchers.items()):
                if isinstance(sight, Running):
                    self.moves(name, how)
            self.the_watch_catches_up()
            for activity in sorted(w for owned in self.daemon.wanted.values() for w in owned):
                self.run(partial(self.finish, activity, well=well))
            self.time_passes(61.0)

    @rule(key=st.sampled_from(KEYS))
    def somebody_cancels(self, key: str) -> None:
        self.run(lambda: self.daemon.runs.learn(key, facts.cancel_asked))

    @invariant()
    def nothing_is_lost_where_nobody_said_no(self) -> None:
        if not self.was_refused:
            assert not any(
                one.failure and one.failure.kind == "lost" for one in self.ledger.disk.values()
            )

    @invariant()
    def no_launcher_ever_ran_twice(self) -> None:
        assert all(count == 1 for count in self.engine.started.values())

    @invariant()
    def nothing_was_removed_before_it_was_collected(self) -> None:
        assert self.engine.removed_uncollected == []

    @invariant()
    def attempts_stay_within_the_limit(self) -> None:
        for key, one in self.ledger.disk.items():
            assert one.attempt <= LIMITS[key].attempts

    @invariant()
    def runs_on_one_target_take_turns(self) -> None:
        assert sum(one.phase.holds_slot for one in self.daemon.runs) <= 1

    def teardown(self) -> None:
        try:
            self.when_luck_returns_every_run_ends()
        finally:
            self.loop.close()

    def when_luck_returns_every_run_ends(self) -> None:
        self.luck_changes(away=False, loses=False, full=False, no=False)
        self.ledger.kill_in = None
        for _ in range(60):
            self.a_while_goes_by(1, "good", well=True)
            if all(one.phase.is_final for one in self.ledger.disk.values()):
                break
        assert all(one.phase.is_final for one in self.ledger.disk.values()), self.ledger.disk
        assert all(not one.phase.is_final or one.verdict for one in self.ledger.disk.values())


BadWorld.TestCase.settings = settings(
    max_examples=int(EXAMPLES),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
test_runs_survive_a_bad_world = BadWorld.TestCase
