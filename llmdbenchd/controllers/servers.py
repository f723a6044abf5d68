"""The servers' logs beside a run: followed while it goes on, and whatever comes of it is told.

It decides nothing: what goes wrong here is a sentence on the record, and the run goes on.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

import structlog

from llmdbenchd.controllers.book import JobBook
from llmdbenchd.controllers.runs import Runs
from llmdbenchd.core.run import facts
from llmdbenchd.core.run.record import Record
from llmdbenchd.core.run.wanted import Activity
from llmdbenchd.core.target.asked import Asked
from llmdbenchd.ports import Evidence, Refused, Unavailable

log = structlog.get_logger()

AGAIN_S = 2.0
LATE_TRIES = 5  # once the run is over, nobody waits for long


class ServerLogs(Protocol):
    """Who records the logs of a run's servers."""

    async def follow(
        self, asked: Asked, into: Path, *, since: datetime, is_over: Callable[[], bool]
    ) -> str:
        """Copy them into the folder `into`, resuming at what is there, until it is over.

        Returns what they may lack, or nothing.

        Raises:
            Refused: it cannot be known which servers they are.
            Unavailable: call again, and it goes on.
        """
        ...


@dataclass(frozen=True, slots=True)
class ServerWatch:
    """Knows which servers a run has, and when it is over."""

    runs: Runs
    book: JobBook
    evidence: Evidence
    logs: ServerLogs

    async def run(self, activity: Activity, record: Record) -> None:
        """Follow them from the launch to the end of the load, and say what became of it."""
        log.info("servers.following")
        lacking = await self._followed(activity, record)
        log.info("servers.finished", reason=lacking)
        done = partial(facts.servers_followed, attempt=activity.attempt, lacking=lacking)
        self.runs.learn(activity.key, done)

    async def _followed(self, activity: Activity, record: Record) -> str:
        late = 0
        is_over = partial(self._is_over, activity)
        while True:
            late += is_over()
            try:
                return await self._follow(record, is_over)
            except Refused as error:
                log.warning("servers.unknown", reason=str(error))
                return str(error)
            except Unavailable as error:
                log.warning("servers.delayed", reason=str(error))
                if late >= LATE_TRIES:
                    return str(error)
            except Exception as error:  # a fault of ours must not stop the run
                log.exception("servers.crashed")
                return f"a fault in llmdbenchd: {error!r}"
            await asyncio.sleep(AGAIN_S)

    async def _follow(self, record: Record, is_over: Callable[[], bool]) -> str:
        return await self.logs.follow(
            self.book.asked(record),
            self.evidence.live_servers(record),
            since=record.launched or record.since,
            is_over=is_over,
        )

    def _is_over(self, activity: Activity) -> bool:
        if activity.key not in self.runs:
            return True
        record = self.runs[activity.key]
        return record.attempt != activity.attempt or not record.phase.holds_slot
