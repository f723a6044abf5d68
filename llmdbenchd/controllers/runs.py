"""The heart: look at one run, ask the core what to do, save that, do it.

An event never says what to do; it only adds the run's key to the work set. So a
lost event, a doubled event and a restart are the same, ordinary case.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Protocol, assert_never

import structlog

from llmdbenchd.controllers.sites import Site
from llmdbenchd.core.launch.plan import LauncherPlan
from llmdbenchd.core.run import facts
from llmdbenchd.core.run.actions import Action, CreateLauncher, RemoveLauncher, StopLauncher
from llmdbenchd.core.run.decide import Look, settle
from llmdbenchd.core.run.limits import Limits
from llmdbenchd.core.run.moment import Moment
from llmdbenchd.core.run.record import Record
from llmdbenchd.core.run.sight import Absent
from llmdbenchd.kit.alarms import Alarms
from llmdbenchd.kit.workset import WorkSet
from llmdbenchd.ports import Clock, Refused, Unavailable

log = structlog.get_logger()

AGAIN_S = 2.0  # after the world was unavailable
AFTER_CRASH_S = 30.0


class Handbook(Protocol):
    """What the job files say about runs; all of it immutable once a job is accepted."""

    def limits(self, key: str) -> Limits:
        """How patient to be with the run."""
        ...

    def launchers(self, record: Record) -> tuple[str, ...]:
        """Names of launchers 1 to N of the record's attempt."""
        ...

    def plan(self, record: Record, index: int) -> LauncherPlan:
        """What launcher `index` must be."""
        ...


class Ledger(Protocol):
    """Where records are kept."""

    async def save(self, record: Record) -> None:
        """Put the record on disk, durably, or raise `Unavailable`."""
        ...


class Runs:
    """All open runs, and one pass over one of them.

    Args:
        site: where a run's launchers live.
        turn: whether it is a waiting run's turn (`controllers.admission`).
        moved: told of each record that was saved, with the one before it.
        look_after: makes the run's long work equal to what it now wants.
        opened: there are new open runs.
    """

    def __init__(  # noqa: PLR0913 - the composition root names each collaborator once
        self,
        *,
        site: Callable[[Record], Site],
        clock: Clock,
        ledger: Ledger,
        handbook: Handbook,
        turn: Callable[[Record], bool],
        moved: Callable[[Record | None, Record], None],
        look_after: Callable[[Record, Moment], None],
        opened: Callable[[], None],
    ) -> None:
        self.work = WorkSet()
        self.passes = 0
        self._site = site
        self._clock = clock
        self._ledger = ledger
        self._handbook = handbook
        self._turn = turn
        self._moved = moved
        self._look_after = look_after
        self._opened = opened
        self._records: dict[str, Record] = {}
        self._saved: dict[str, Record] = {}
        self._deciding: dict[str, Record] = {}
        self._facts: dict[str, list[Callable[[Record], Record]]] = {}
        self._owner: dict[str, str] = {}
        self._alarms = Alarms(self.work.add)
        self._a_save = asyncio.Event()

    def __iter__(self) -> Iterator[Record]:
        """All open records; one whose next step is being saved counts as the busier of both."""
        for key, record in list(self._records.items()):
            yield record if record.phase.holds_slot else self._deciding.get(key, record)

    def __getitem__(self, key: str) -> Record:
        return self._records[key]

    def __contains__(self, key: str) -> bool:
        return key in self._records

    def open(self, records: Iterable[Record]) -> None:
        """Take on records that are on disk already (a new job, or a restart)."""
        for record in records:
            self._records[record.key] = record
            self._saved[record.key] = record
            self._remember_launchers(record)
            self.work.add(record.key)
        self._opened()

    def learn(self, key: str, fact: Callable[[Record], Record]) -> None:
        """Apply a fact to a run and have it looked at; unknown and closed runs are left alone."""
        record = self._records.get(key)
        if record is not None:
            self._records[key] = fact(record)
            if key in self._deciding:
                self._facts.setdefault(key, []).append(fact)
            self.work.add(key)

    async def kept(self, keys: Iterable[str]) -> None:
        """Wait until all that was learnt of these runs is on disk."""
        for key in keys:
            while self._records.get(key) != self._saved.get(key):
                self._a_save.clear()
                await self._a_save.wait()

    def look_at_all(self) -> None:
        """Look at every run: something about all of them changed."""
        self.work.add_all(self._records)

    def look_at_launchers(self, launchers: Iterable[str]) -> None:
        """Something moved among these launchers: look at the runs they belong to."""
        self.work.add_all(self._owner[name] for name in launchers if name in self._owner)

    async def work_forever(self) -> None:
        """One worker; any number may run at once."""
        while True:
            async with self.work.take() as key:
                await self.one_pass(key)

    async def one_pass(self, key: str) -> None:
        """Look at one run once; trouble in the world is answered by looking again later."""
        record = self._records.get(key)
        self.passes += 1
        if record is None:
            return
        with structlog.contextvars.bound_contextvars(
            job=record.job, run=record.run, attempt=record.attempt
        ):
            try:
                unsure = await self._confirm(record)
                await self._decide_and_do(key)
            except Unavailable as error:
                unsure = str(error)
            except Exception:  # a fault in the handling of one run must not stop the others
                log.exception("run.crashed")
                self._alarms.set(key, AFTER_CRASH_S)
                return
            if unsure and key in self._records:
                log.warning("run.delayed", reason=unsure)
                self._alarms.set(key, AGAIN_S)

    async def _decide_and_do(self, key: str) -> None:
        record, now = self._records[key], self._clock.now()
        site = self._site(record)
        sights = [site.view.look(name) for name in self._handbook.launchers(record)]
        look = Look(
            sights,
            now,
            self._handbook.limits(key),
            turn=self._turn(record),
            refused=site.engine.refused,
        )
        decision = settle(record, look)
        if decision.record != self._saved.get(key):
            await self._save(decision.record)
        wake_at = decision.wake_at
        self._alarms.set(key, None if wake_at is None else now.until(wake_at))
        async with asyncio.TaskGroup() as group:
            for action in decision.actions:
                group.create_task(self._perform(decision.record, action))
        self._look_after(self._records[key], now)
        if self._records[key].phase.is_over:
            self._close(key)

    async def _save(self, record: Record) -> None:
        """Put a decision on disk; only then it is taken. Facts learnt meanwhile are kept."""
        key, before = record.key, self._saved.get(record.key)
        self._deciding[key] = record
        try:
            await self._ledger.save(record)
            self._saved[key] = record
            for fact in self._facts.pop(key, ()):
                record = fact(record)
            self._records[key] = record
        finally:
            del self._deciding[key]
            self._facts.pop(key, None)
        self._a_save.set()
        self._remember_launchers(self._saved[key])
        self._moved(before, self._saved[key])

    async def _confirm(self, record: Record) -> str:
        """Ask the world itself where the view may be stale: after own writes, before 'vanished'.

        Returns why it could not be asked: then nobody knows of these launchers, and the run is
        decided about all the same, for it may be that nobody will ever know.
        """
        site = self._site(record)
        view, engine = site.view, site.engine
        for index, name in enumerate(self._handbook.launchers(record), start=1):
            has_slot = record.phase.holds_slot
            if has_slot and index in record.seen and isinstance(view.look(name), Absent):
                view.unsettle([name])
        try:
            for name in filter(view.is_unsettled, self._handbook.launchers(record)):
                view.settle(name, await engine.look(name))
        except Unavailable as error:
            return str(error)
        return ""

    async def _perform(self, record: Record, action: Action) -> None:
        name = self._handbook.launchers(record)[action.index - 1]
        log.info("run.action", action=type(action).__name__, launcher=name)
        try:
            await self._do(record, action, name)
        except Refused as error:
            reason = str(error)
            self.learn(record.key, lambda record: facts.refused(record, reason))
        except Unavailable as error:
            log.warning("run.delayed", reason=str(error), launcher=name)
            self._alarms.set(record.key, AGAIN_S)

    async def _do(self, record: Record, action: Action, name: str) -> None:
        site = self._site(record)
        match action:
            case StopLauncher():
                await site.engine.stop(name, self._handbook.limits(record.key).grace_s)
                return
            case CreateLauncher(index=index):
                site.view.unsettle([name])
                await site.engine.create(self._handbook.plan(record, index))
            case RemoveLauncher():
                site.view.unsettle([name])
                await site.engine.remove(name)
            case _:
                assert_never(action)
        site.view.settle(name, await site.engine.look(name))
        self.work.add(record.key)

    def _remember_launchers(self, record: Record) -> None:
        for name in self._handbook.launchers(record):
            self._owner[name] = record.key

    def _close(self, key: str) -> None:
        record = self._records.pop(key)
        self._saved.pop(key)
        self._alarms.drop(key)
        for attempt in range(1, record.attempt + 1):
            for name in self._handbook.launchers(replace(record, attempt=attempt)):
                self._owner.pop(name, None)
