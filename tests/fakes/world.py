"""A clock that is set by hand, records that survive a kill, and a job book for tests."""

import asyncio
from dataclasses import dataclass, field

from llmdbenchd.core.launch.plan import DEFAULT_EXECUTABLE, Identity, LauncherPlan
from llmdbenchd.core.run.limits import Limits
from llmdbenchd.core.run.moment import Moment
from llmdbenchd.core.run.record import Record
from llmdbenchd.ports import Unavailable
from tests.core.run.cases import NOW


class Killed(BaseException):
    """The daemon was killed here."""


class FakeClock:
    """Time that passes when the test says so."""

    def __init__(self, now: Moment = NOW) -> None:
        self._now = now

    def now(self) -> Moment:
        return self._now

    def pass_s(self, seconds: float) -> None:
        self._now = self._now.after(seconds)


class FakeLedger:
    """Records on a disk that can be full, and a power switch.

    Attributes:
        disk: what a restart would find, by key.
        takes_s: how long a save takes.
        kill_in: at the n-th save from now the daemon is killed, before or after the write.
    """

    def __init__(self) -> None:
        self.disk: dict[str, Record] = {}
        self.is_full = False
        self.takes_s = 0.0
        self.kill_in: int | None = None
        self.kill_after_write = False

    async def save(self, record: Record) -> None:
        if self.takes_s:
            await asyncio.sleep(self.takes_s)
        if self.is_full:
            raise Unavailable("no space left on the fake disk")
        due = self._kill_is_due()
        if due and not self.kill_after_write:
            raise Killed
        self.disk[record.key] = record
        if due:
            raise Killed

    def _kill_is_due(self) -> bool:
        if self.kill_in is None:
            return False
        self.kill_in -= 1
        if self.kill_in > 0:
            return False
        self.kill_in = None
        return True


@dataclass
class FakeHandbook:
    """The same limits for every run unless a test says otherwise."""

    default: Limits = field(default_factory=Limits)
    by_key: dict[str, Limits] = field(default_factory=dict)

    def limits(self, key: str) -> Limits:
        return self.by_key.get(key, self.default)

    def launchers(self, record: Record) -> tuple[str, ...]:
        stem = f"{record.job}-{record.run}-{record.attempt}"
        count = self.limits(record.key).launchers
        return tuple(f"{stem}-{index}-of-{count}" for index in range(1, count + 1))

    def plan(self, record: Record, index: int) -> LauncherPlan:
        return LauncherPlan(
            name=self.launchers(record)[index - 1],
            identity=Identity(
                instance="here",
                job=record.job,
                run=record.run,
                run8="0" * 8,
                attempt=record.attempt,
                index=index,
                of=self.limits(record.key).launchers,
            ),
            harness="fake",
            executable=DEFAULT_EXECUTABLE,
            results_folder=f"results_{index}",
            files=(),
        )
