"""Long work is wanted, not called: which activities should be under way for a run."""

from dataclasses import dataclass
from typing import Literal

from llmdbenchd.core.run.moment import Moment
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record

Kind = Literal["resolve", "follow", "servers", "release", "collect", "report"]


@dataclass(frozen=True, slots=True, order=True)
class Activity:
    """One piece of long work; equal values mean the same piece.

    Attributes:
        key: `JOB/RUN`.
        index: the launcher (from 1) for `follow`, otherwise 0.
    """

    key: str
    kind: Kind
    attempt: int
    index: int = 0

    def __str__(self) -> str:
        return f"{self.kind} {self.key} attempt {self.attempt} launcher {self.index}"


def wanted(record: Record, now: Moment, *, follow_servers: bool = False) -> frozenset[Activity]:
    """The activities that this run needs at this moment."""
    work = {
        Activity(record.key, "follow", record.attempt, index)
        for index in record.seen
        if index not in record.logs_done and _is_followed(record)
    }
    if follow_servers and awaits_servers(record):
        work.add(Activity(record.key, "servers", record.attempt))
    if record.held and _may_begin(record):
        work.add(Activity(record.key, "release", record.attempt))
    kind = _long_work(record)
    if kind is not None and (record.wait_until is None or now.reached(record.wait_until)):
        work.add(Activity(record.key, kind, record.attempt))
    return frozenset(work)


def awaits_servers(record: Record) -> bool:
    """Whether the servers' logs are still followed, if the job wants that.

    What they wrote until the load was over may still be on its way when results are collected.
    """
    if record.servers is not None or record.launched is None or record.cancels > 1:
        return False
    return record.phase.holds_slot or record.phase is Phase.COLLECTING


def _is_followed(record: Record) -> bool:
    phases = {Phase.LAUNCHING, Phase.RUNNING, Phase.COLLECTING}
    return record.phase in phases and not record.uncollected


def _may_begin(record: Record) -> bool:
    is_launched = record.phase in {Phase.LAUNCHING, Phase.RUNNING}
    return is_launched and record.failure is None and not record.cancels


def _long_work(record: Record) -> Kind | None:
    match record.phase:
        case Phase.RESOLVING if record.target is None and record.failure is None:
            return "resolve"
        case Phase.COLLECTING if _has_results(record) and not (record.collected or record.gone):
            return None if record.uncollected else "collect"
        case Phase.REPORTING if not record.sealed:
            return "report"
        case _:
            return None


def _has_results(record: Record) -> bool:
    return bool(record.begun) or record.found is not None
