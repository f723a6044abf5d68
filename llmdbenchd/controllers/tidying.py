"""Forgets jobs that ended long ago; their archives are people's and stay."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from llmdbenchd.core.run.record import Record
from llmdbenchd.ports import Clock, Refused, Unavailable

log = structlog.get_logger()

EVERY_S = 3600.0


@dataclass(slots=True)
class Tidying:
    """Looks at finished jobs once an hour.

    Attributes:
        keep_days: None = forget nothing.
        jobs: ids of all jobs on disk; `read` gives the records of one.
        forget: takes a job's folder away.
    """

    keep_days: int | None
    clock: Clock
    jobs: Callable[[], Iterable[str]]
    read: Callable[[str], tuple[Record, ...]]
    forget: Callable[[str], None]

    async def run(self) -> None:
        """Tidy, for ever."""
        while True:
            await asyncio.to_thread(self.tidy)
            await asyncio.sleep(EVERY_S)

    def tidy(self) -> None:
        """Forget what is old enough (blocks)."""
        if self.keep_days is None:
            return
        now = self.clock.now().utc
        try:
            for job in self.jobs():
                if is_forgotten(self.read(job), now, timedelta(days=self.keep_days)):
                    self.forget(job)
                    log.info("job.forgotten", job=job)
        except (Refused, Unavailable) as error:
            log.warning("job.kept", reason=str(error))


def is_forgotten(records: tuple[Record, ...], now: datetime, keep: timedelta) -> bool:
    """Whether every run of a job ended longer ago than `keep`; a job without records stays."""
    return bool(records) and all(
        record.phase.is_final and not record.left_behind and now - record.since > keep
        for record in records
    )
