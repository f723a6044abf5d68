"""The clock: the one place where this machine's time is read."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from llmdbenchd.core.run.moment import Moment

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

# Where the kernel's id cannot be read, two lives of the daemon must not look like one
# boot: then deadlines are compared by UTC, which is right up to a jump of the wall clock.
_NO_BOOT_ID = "unknown"


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The real clock; fits `llmdbenchd.ports.Clock`.

    Attributes:
        boot_id: the kernel's id of this boot, read once since it cannot change in our life.
    """

    boot_id: str

    @classmethod
    def of_this_machine(cls, boot_id_file: Path = BOOT_ID) -> "SystemClock":
        """Make the clock; without a readable `boot_id_file` each start counts as a boot."""
        return cls(_read_boot_id(boot_id_file))

    def now(self) -> Moment:
        """This moment: UTC, seconds of CLOCK_BOOTTIME (suspend included), the boot's id."""
        utc = datetime.now(UTC)  # noqa: TID251 -- this is the clock that the others are given
        return Moment(utc, time.clock_gettime(time.CLOCK_BOOTTIME), self.boot_id)


def _read_boot_id(file: Path) -> str:
    try:
        text = file.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        text = ""
    return text or f"{_NO_BOOT_ID}-{time.time_ns()}"
