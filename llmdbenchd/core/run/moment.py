"""Moments and deadlines that survive a restart of the daemon, and a reboot.

UTC may jump; the monotonic clock starts anew at each boot. So a deadline is kept
on CLOCK_BOOTTIME together with the boot's id, and on UTC for the case that the
machine was started again in between.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant on every clock that matters.

    Attributes:
        utc: wall clock, timezone-aware UTC.
        boot_s: seconds of CLOCK_BOOTTIME.
        boot_id: the kernel's id of this boot.
    """

    utc: datetime
    boot_s: float
    boot_id: str

    def after(self, seconds: float) -> "Moment":
        """The moment `seconds` later (earlier when negative)."""
        return Moment(self.utc + timedelta(seconds=seconds), self.boot_s + seconds, self.boot_id)

    def until(self, deadline: "Moment") -> float:
        """Seconds from here to `deadline`; zero or less when it has come."""
        if deadline.boot_id == self.boot_id:
            return deadline.boot_s - self.boot_s
        return (deadline.utc - self.utc).total_seconds()

    def reached(self, deadline: "Moment | None") -> bool:
        """Whether `deadline` is due; no deadline never is."""
        return deadline is not None and self.until(deadline) <= 0


def at_utc(when: datetime, now: Moment) -> Moment:
    """The moment at the wall-clock time `when`, as seen from `now`."""
    return now.after((when - now.utc).total_seconds())
