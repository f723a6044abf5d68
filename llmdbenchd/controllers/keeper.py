"""Feeds the watchdog while things really move, tells the status, watches the disk."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import structlog

from llmdbenchd.controllers.runs import Runs

log = structlog.get_logger()

TICK_S = 2.0
PROBE = ""  # no run has this key: a pass over it proves only that workers make passes


class Notify(Protocol):
    """What systemd wants to hear."""

    def ping(self) -> bool:
        """We are alive."""
        ...

    def status(self, text: str) -> bool:
        """One line for `systemctl status`."""
        ...


@dataclass(frozen=True, slots=True)
class Degraded:
    """What we live with: since when (UTC), and why, as it was said last."""

    since: datetime
    reason: str


@dataclass(slots=True)
class Keeper:
    """Looks at the daemon itself.

    Attributes:
        limits: seconds after which the silence of a loop, by name, is a defect.
        clock: seconds that never jump.
        free: bytes that are free where we write, or None when it cannot be told.
        min_free: below it admission stops.
        publish: writes the status for the command line.
        troubled: why what is seen may be old, by the place where launchers live.
        now: UTC, for people.
        consider: has the turns computed anew, in case that only time has passed.
        hold: stops (True) or resumes (False) admission for want of disk.
    """

    runs: Runs
    notify: Notify
    limits: Mapping[str, float]
    clock: Callable[[], float]
    free: Callable[[], int | None]
    min_free: int
    publish: Callable[[Mapping[str, object]], None]
    hold: Callable[[bool], None]
    consider: Callable[[], None]
    troubled: Callable[[], Mapping[str, str]]
    now: Callable[[], datetime]
    _beats: dict[str, float] = field(default_factory=dict)
    _passes: int = -1
    _degraded: dict[str, Degraded] = field(default_factory=dict)

    def beat(self, loop: str) -> None:
        """A sign of life of one of our loops."""
        self._beats[loop] = self.clock()

    def live_with(self, causes: Mapping[str, str]) -> None:
        """What we live with until it is better, by name; each change is told once.

        A place that says something else than before is a reason to look at its runs.
        """
        before, now = self._degraded, self.now()
        for name in sorted(causes.keys() - before.keys()):
            log.warning("degraded.entered", why=name, reason=causes[name])
        for name in sorted(before.keys() - causes.keys()):
            log.info("degraded.left", why=name)
        self._degraded = {
            name: Degraded(before[name].since if name in before else now, reason)
            for name, reason in causes.items()
        }
        if {name: one.reason for name, one in before.items()} != causes:
            self.runs.look_at_all()

    async def run(self) -> None:
        """Keep, for ever."""
        while True:
            await self.tick()
            await asyncio.sleep(TICK_S)

    async def tick(self) -> None:
        """One look at ourselves."""
        if self.runs.passes != self._passes:
            self._passes = self.runs.passes
            self.beat("passes")
        for loop in self.limits:  # who never gave a sign of life is silent from now on
            self._beats.setdefault(loop, self.clock())
        self.runs.work.add(PROBE)
        self.consider()
        free = await asyncio.to_thread(self.free)
        was_low = "disk" in self._degraded
        is_low = was_low if free is None else free < self.min_free
        if is_low and not was_low:
            log.error("disk.low", free=free, needed=self.min_free)
        self.live_with({**self.troubled(), **({"disk": "too little room"} if is_low else {})})
        self.hold(is_low)
        if not self.silent():
            self.notify.ping()
        counts = self._counts()
        since = {
            name: {"since": one.since.isoformat(), "reason": one.reason}
            for name, one in self._degraded.items()
        }
        told_of = {
            "phases": counts,
            "degraded": sorted(self._degraded),
            "degraded_since": since,
            "free": free,
        }
        await asyncio.to_thread(self.publish, told_of)
        told = ", ".join(f"{count} {phase}" for phase, count in counts.items()) or "idle"
        self.notify.status(
            f"{told}{'; degraded: ' if self._degraded else ''}" + ", ".join(sorted(self._degraded))
        )

    def silent(self) -> list[str]:
        """Names of the loops that have been silent for too long."""
        now = self.clock()
        return [
            name for name, limit in self.limits.items() if now - self._beats.get(name, now) > limit
        ]

    def _counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for record in self.runs:
            counts[record.phase] = counts.get(record.phase, 0) + 1
        return counts
