"""The heart of the daemon with everything around it faked: for the tests of the controllers."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from llmdbenchd.controllers.admission import Admission
from llmdbenchd.controllers.runs import Runs
from llmdbenchd.controllers.sites import Site
from llmdbenchd.core.run.limits import Capacity, Limits
from llmdbenchd.core.run.moment import Moment
from llmdbenchd.core.run.record import Record
from llmdbenchd.core.run.sight import Absent
from llmdbenchd.core.run.wanted import Activity, wanted
from llmdbenchd.ports import Listed, Seen
from tests.fakes.engine import FakeEngine
from tests.fakes.world import FakeClock, FakeHandbook, FakeLedger


class House:
    """One life of the daemon's heart.

    Attributes:
        wanted: the long work that each run wants now.
        moves: phases that were saved, in their order, by key.
    """

    def __init__(self, limits: Limits | None = None, capacity: Capacity | None = None) -> None:
        self.engine, self.clock, self.ledger = FakeEngine(), FakeClock(), FakeLedger()
        self.handbook = FakeHandbook(limits or Limits())
        self.site = Site("fake", self.engine)
        self.view = self.site.view
        self.wanted: dict[str, frozenset[Activity]] = {}
        self.moves: dict[str, list[str]] = {}
        self.runs = Runs(
            site=lambda _: self.site,
            clock=self.clock,
            ledger=self.ledger,
            handbook=self.handbook,
            turn=self._has_turn,
            moved=self._moved,
            look_after=self._look_after,
            opened=self._consider_turns,
        )
        self.admission = Admission(
            capacity or Capacity(),
            self.clock,
            records=lambda: self.runs,
            wake=self.runs.work.add,
            rivals=lambda: self.view.rivals,
        )

    def open(self, *records: Record) -> None:
        """Take on records, as after a restart; the world was looked at already."""
        self.ledger.disk.update({one.key: one for one in records})
        self.view.apply(Listed(dict(self.engine.launchers)))
        self.runs.open(records)

    def learn(self, key: str, fact: Callable[[Record], Record]) -> None:
        self.runs.learn(key, fact)

    def on_disk(self, key: str = "j/r001") -> Record:
        return self.ledger.disk[key]

    def launcher(self, key: str = "j/r001", index: int = 1) -> str:
        return self.handbook.launchers(self.ledger.disk[key])[index - 1]

    async def settle(self) -> None:
        """Make passes, and deliver what the watch says, until nothing asks for more."""
        for _ in range(200):
            await asyncio.sleep(0)
            self._hear()
            if self.runs.work.is_idle:
                return
            async with self.runs.work.take() as key:
                await self.runs.one_pass(key)
        raise AssertionError("the daemon never comes to rest")

    async def wait_s(self, seconds: float) -> None:
        """Time passes on every clock; then the daemon comes to rest."""
        self.clock.pass_s(seconds)
        await asyncio.sleep(seconds)
        await self.settle()

    def vanish(self, name: str) -> None:
        """Somebody took the launcher away."""
        self.engine.put(name, Absent())

    def _hear(self) -> None:
        for seen in self.engine.news():
            self.runs.look_at_launchers(self.view.apply(Seen(seen.launcher, seen.sight)))

    def _has_turn(self, record: Record) -> bool:
        return self.admission.has_turn(record)

    def _moved(self, before: Record | None, after: Record) -> None:
        if before is None or before.phase is not after.phase:
            self.moves.setdefault(after.key, []).append(after.phase)
        self.admission.refresh_soon()

    def _consider_turns(self) -> None:
        self.admission.refresh_soon()

    def _look_after(self, record: Record, now: Moment) -> None:
        self.wanted[record.key] = wanted(record, now)


def keyed(record: Record, key: str) -> Record:
    """The same record for another run."""
    job, _, run = key.partition("/")
    return replace(record, job=job, run=run)
