"""How well the slots are used when many runs want few targets, on a simulated engine.

The whole of the core decides (`admit`, `decide`), the world is simulated: look-ups,
launchers and copies take their time on a clock of its own. Every target is known by two
URLs, and its pods are shared by both. The rival is a bound that nobody can beat: all the
work on all the slots without a gap, or the busiest target's work one after the other.
"""

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench.table import Row, compared
from llmdbenchd.core.run import facts
from llmdbenchd.core.run.actions import CreateLauncher, RemoveLauncher
from llmdbenchd.core.run.admit import admit, in_order
from llmdbenchd.core.run.decide import Look, settle
from llmdbenchd.core.run.limits import Capacity, Limits
from llmdbenchd.core.run.moment import Moment
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Collected, Record, Target
from llmdbenchd.core.run.sight import Absent, Cause, Ended, Running, Sight
from llmdbenchd.core.run.wanted import wanted

NAME = "turns"
TITLE = "200 queued runs over 20 targets, random durations, on a simulated engine"
FULL, QUICK = 200, 60  # runs
RUNS_PER_TARGET = 10
LOOK_UP_S, COPY_S, REPORT_S = 0.3, 5.0, 2.0
SHORTEST_S, LONGEST_S = 30.0, 600.0
LIMITS = Limits(run_s=7200)
SEED = 20261124
_START = datetime(2026, 11, 24, 12, tzinfo=UTC)
_HOME = Collected(files=1, size=1, manifest="launcher", native_files=1, requests=1, failures=0)
_GOOD = Ended(Cause.EXITED, code=0)
Fact = Callable[[Record], Record]


@dataclass(frozen=True, slots=True)
class Plan:
    """One run to be: who asks for it, what it loads and for how long."""

    key: str
    target: Target
    lasts_s: float
    after_s: float = 0.0


@dataclass
class Crowd:
    """Many runs, and the world around them.

    Attributes:
        together: servers that were loaded by two runs at once, with both.
        idle_s: seconds of slots that were free while a run that was ready could have used them;
            who has its turn and looks at its target once more counts as a user.
        used_s: seconds of slots that were in use.
        ended: when each run left its target, in seconds from the start.
    """

    plans: tuple[Plan, ...]
    capacity: Capacity
    now_s: float = 0.0
    together: list[tuple[str, str, str]] = field(default_factory=list)
    idle_s: float = 0.0
    used_s: float = 0.0
    ended: dict[str, float] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    _sights: dict[str, Sight] = field(default_factory=dict)
    _queue: list[tuple[float, int, str, Fact | None]] = field(default_factory=list)
    _under_way: set[tuple[str, str, int]] = field(default_factory=set)
    _count: int = 0

    def run(self) -> None:
        """Let time pass until every run is over."""
        for plan in self.plans:
            self._at(plan.after_s, plan.key, None)
        while self._queue:
            before = self.now_s
            self.now_s = self._queue[0][0]
            self._account(self.now_s - before)
            while self._queue and self._queue[0][0] <= self.now_s:
                _, _, key, fact = heapq.heappop(self._queue)
                self._happens(key, fact)
            self._decide()

    def _happens(self, key: str, fact: Fact | None) -> None:
        record = self.records.get(key)
        if record is None:
            job, _, run = key.partition("/")
            now = self._now().utc
            record = Record(job=job, run=run, submitted=now, since=now)
        if fact is not None:
            record = fact(record)
        self.records[key] = record

    def _decide(self) -> None:
        """Look at every run until nothing moves."""
        moved = True
        while moved:
            moved = False
            turns = admit(self._open(), self.capacity, self._now())
            for record in in_order(self._open()):
                sights = [self._sights.get(record.key, Absent())]
                look = Look(sights, self._now(), LIMITS, turn=turns.has(record))
                decision = settle(record, look)
                moved |= decision.record != record
                self.records[record.key] = decision.record
                for action in decision.actions:
                    self._act(record.key, action)
                self._begin_work(decision.record)
                if decision.wake_at is not None:
                    wait_s = max(0.01, self._now().until(decision.wake_at))
                    self._at(self.now_s + wait_s, record.key, None)
                if record.phase.holds_slot and not decision.record.phase.holds_slot:
                    self.ended[record.key] = self.now_s
            self._look_for_two_on_one()

    def _act(self, key: str, action: object) -> None:
        if isinstance(action, CreateLauncher):
            self._sights[key] = Running()
            lasts_s = next(plan.lasts_s for plan in self.plans if plan.key == key)
            self._at(self.now_s + lasts_s, key, self._launcher_ends)
        elif isinstance(action, RemoveLauncher):
            self._sights[key] = Absent()

    def _launcher_ends(self, record: Record) -> Record:
        self._sights[record.key] = _GOOD
        return facts.log_done(record, record.attempt, 1)

    def _begin_work(self, record: Record) -> None:
        """Long work that is wanted and not under way, with how long it takes."""
        for work in wanted(record, self._now()):
            step = (work.key, work.kind, len(record.history))
            if step in self._under_way or work.kind == "follow":
                continue
            self._under_way.add(step)
            match work.kind:
                case "resolve":
                    target = next(plan.target for plan in self.plans if plan.key == work.key)
                    self._at(self.now_s + LOOK_UP_S, work.key, _resolved(target))
                case "collect":
                    self._at(self.now_s + COPY_S, work.key, _collected)
                case _:
                    self._at(self.now_s + REPORT_S, work.key, facts.sealed)

    def _look_for_two_on_one(self) -> None:
        holders: dict[str, str] = {}
        for record in self._holding():
            for server in record.target.servers if record.target else ():
                if server in holders:
                    self.together.append((server, holders[server], record.key))
                holders[server] = record.key

    def _account(self, seconds: float) -> None:
        """What the slots did in the time that passed: nothing moved meanwhile."""
        holding = list(self._holding())
        taken = {server for one in holding for server in _servers(one)}
        looks = sum(_takes_last_look(record) for record in self._open())
        could = 0
        for record in in_order(self._open()):
            if record.phase is Phase.READY and taken.isdisjoint(_servers(record)):
                could += 1
                taken.update(_servers(record))
        self.idle_s += seconds * max(0, min(could, self.capacity.slots - len(holding) - looks))
        self.used_s += seconds * len(holding)

    def _holding(self) -> Iterator[Record]:
        return (record for record in self.records.values() if record.phase.holds_slot)

    def _open(self) -> list[Record]:
        return [record for record in self.records.values() if not record.phase.is_final]

    def _now(self) -> Moment:
        return Moment(_START, 0.0, "simulated").after(self.now_s)

    def _at(self, when_s: float, key: str, fact: Fact | None) -> None:
        self._count += 1
        heapq.heappush(self._queue, (when_s, self._count, key, fact))


def crowd(
    runs: int, targets: int, *, slots: int = 8, seed: int = SEED, spread_s: float = 0.0
) -> Crowd:
    """Runs of ten jobs over these targets, each run by one of its target's two URLs.

    Args:
        runs: how many.
        targets: how many; each has one pod of its own.
        slots: of the daemon.
        seed: of all that is random.
        spread_s: the runs come within so many seconds.
    """
    chance = random.Random(seed)  # noqa: S311 - no secret
    plans = []
    for number in range(runs):
        target, way = chance.randrange(targets), chance.choice(("name", "address"))
        plans.append(
            Plan(
                f"job{number % 10}/r{number:03d}",
                Target(
                    f"http://{way}-{target}",
                    (f"{way}-{target}:80", f"llm/pod-{target}"),
                    found=f"Service llm/{target}",
                ),
                lasts_s=chance.uniform(SHORTEST_S, LONGEST_S),
                after_s=chance.uniform(0, spread_s),
            )
        )
    return Crowd(tuple(plans), Capacity(slots=slots))


def measure(_: Path, count: int) -> list[Row]:
    """Run `count` runs over a tenth as many targets."""
    made = crowd(count, max(1, count // RUNS_PER_TARGET))
    made.run()
    took_s, least_s = max(made.ended.values()), _bound_s(made)
    return [
        Row(
            what=f"{count} runs, {made.capacity.slots} slots: from the first to the last",
            value=took_s,
            unit="s",
            rival="the bound",
            rival_value=least_s,
            ratio=compared(took_s, least_s),
        ),
        Row(
            what="slots in use until the last run ends",
            value=100 * made.used_s / (made.capacity.slots * took_s),
            unit="%",
        ),
        Row(
            what="slot free while a ready run could have used it",
            value=made.idle_s,
            unit="s",
            aim="0",
            met=made.idle_s == 0,
        ),
        Row(
            what="two runs on one server at once",
            value=len(made.together),
            unit="times",
            aim="0",
            met=not made.together,
        ),
    ]


def _bound_s(made: Crowd) -> float:
    """No order of the runs can be over earlier."""
    by_pod: Counter[str] = Counter()
    for plan in made.plans:
        by_pod[plan.target.servers[-1]] += round(plan.lasts_s)
    everything_s = sum(plan.lasts_s for plan in made.plans)
    return max(everything_s / made.capacity.slots, *by_pod.values())


def _takes_last_look(record: Record) -> bool:
    """Whether it has its turn, and looks at its target once more before it launches."""
    was_ready = any(step.phase is Phase.READY for step in record.history)
    return record.phase is Phase.RESOLVING and was_ready


def _servers(record: Record) -> tuple[str, ...]:
    return record.target.servers if record.target else ()


def _resolved(target: Target) -> Fact:
    return lambda record: facts.resolved(record, target)


def _collected(record: Record) -> Record:
    return facts.collected(record, record.attempt, _HOME)
