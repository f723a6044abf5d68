"""Whose turn it is: slots, priorities, and leases on targets.

A lease is not a lock that somebody holds; it is a fact that can be read off the
records: runs that are launching or running use the servers of their target.
So nothing has to be released, and a restart forgets nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from llmdbenchd.core.results.verdict import Outcome
from llmdbenchd.core.run.limits import Capacity
from llmdbenchd.core.run.moment import Moment
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record
from llmdbenchd.core.run.rivals import NOBODY, Rivals, rival

_Rank = tuple[int, int, datetime, str]
_WAITING = frozenset({Phase.QUEUED, Phase.RESOLVING, Phase.READY})
_SHOWN = 3  # servers that a sentence names
SOON_S = 1.0  # later runs wait so long for an earlier one that is being resolved


@dataclass(frozen=True, slots=True)
class Turns:
    """Keys of the runs that may move now, and what keeps the others."""

    resolve: frozenset[str] = frozenset()
    launch: frozenset[str] = frozenset()

    def has(self, record: Record) -> bool:
        """Whether it is this run's turn."""
        return record.key in (self.resolve if record.phase is Phase.QUEUED else self.launch)


def in_order(records: Iterable[Record]) -> list[Record]:
    """Higher priority first, then in turn between jobs, then first come, first served.

    In turn: a run comes after those runs of other jobs that have fewer of their own job's
    before them, launched ones first. So a job of a thousand runs does not keep a job of one
    waiting for all of them, and a stream of small jobs does not starve a large one.
    """
    everyone = list(records)
    ranks = _ranks(everyone)
    return sorted(everyone, key=lambda record: ranks[record.key])


def admit(
    records: Iterable[Record],
    capacity: Capacity,
    now: Moment,
    *,
    paused: bool = False,
    rivals: Rivals = NOBODY,
) -> Turns:
    """Say whose turn it is among the open runs (final ones may be left out).

    What the launchers of other daemons load is as taken as what our own do.
    """
    if paused:
        return Turns()
    everyone = in_order(records)
    busy = [record for record in everyone if record.phase.holds_slot]
    launch, waiting = _launches(everyone, busy, capacity, now, rivals)
    resolving = sum(record.phase is Phase.RESOLVING for record in everyone)
    room = min(capacity.resolving, capacity.ahead - waiting) - resolving
    queued = [record for record in everyone if record.phase is Phase.QUEUED and _due(record, now)]
    resolve = [record.key for record in queued[: max(0, room)]]
    return Turns(frozenset(resolve), frozenset(launch))


def _launches(
    everyone: list[Record], busy: list[Record], capacity: Capacity, now: Moment, rivals: Rivals
) -> tuple[list[str], int]:
    """Keys that may launch, and how many others wait for a slot only."""
    taken = {server for record in busy for server in _servers(record)}
    launch: list[str] = []
    waiting = 0
    doubtful = [record for record in everyone if _is_doubtful(record)]
    for record in everyone:
        if record.phase is Phase.READY:
            if not _due(record, now) or _doubt(record, doubtful) is not None:
                continue
        elif not _is_nearly_ready(record, now):
            continue
        if record.phase is Phase.RESOLVING:
            break  # it comes first, and nobody knows yet which servers it needs
        servers = _servers(record)
        is_blocked = not taken.isdisjoint(servers) or rival(servers, rivals) is not None
        if not is_blocked and len(busy) + len(launch) < capacity.slots:
            launch.append(record.key)
        elif not is_blocked:
            waiting += 1
        # An earlier run that waits for a slot keeps its place before later ones.
        taken.update(servers)
    return launch, waiting


def _is_doubtful(record: Record) -> bool:
    """Whether it failed, or may turn out to have, and that ends its job."""
    if not record.stop_on_error:
        return False
    has_failed = record.verdict is not None and record.verdict.outcome is Outcome.FAILED
    return has_failed or record.failure is not None or record.phase is Phase.COLLECTING


def _doubt(record: Record, doubtful: list[Record]) -> Record | None:
    """The run of the same job whose verdict a run waits for."""
    same = (other for other in doubtful if other.job == record.job and other.key != record.key)
    return next(same, None)


def _is_nearly_ready(record: Record, now: Moment) -> bool:
    """Whether it is worth to wait for a run that is being resolved: not for a slow discovery."""
    fresh = (now.utc - record.since).total_seconds() < SOON_S
    return record.phase is Phase.RESOLVING and not record.tries and fresh


def waits_for(
    record: Record,
    records: Iterable[Record],
    capacity: Capacity,
    now: Moment,
    *,
    paused: bool,
    rivals: Rivals = NOBODY,
) -> str:
    """Say in one sentence why a QUEUED or READY run does not move, or empty if it may.

    The records may have been read a moment before or after the run itself.
    """
    if record.phase not in {Phase.QUEUED, Phase.READY}:
        return ""
    everyone = list(records)
    if paused:
        return "admission is paused (the file PAUSED is in the queue folder)"
    if not _due(record, now) and record.wait_until is not None:
        return f"waits until {record.wait_until.utc:%Y-%m-%d %H:%M:%S} UTC"
    if admit(everyone, capacity, now, rivals=rivals).has(record):
        return ""
    first = _doubt(record, [one for one in everyone if _is_doubtful(one)])
    if record.phase is Phase.READY and first is not None:
        return f"run {first.run} of the same job may have failed (stop_on_error)"
    theirs = rival(_servers(record), rivals)
    if theirs is not None:
        return f"its target {theirs[0]} is held by {theirs[1]}"
    before = _before(record, everyone, now)
    holder = _holder(record, everyone, before)
    if holder is not None:
        shared = _named([one for one in _servers(record) if one in _servers(holder)])
        return f"its target {shared} is held by {holder.key} ({holder.phase})"
    place = sum(other.phase is record.phase for other in before)
    return f"{_full(record, everyone, capacity)}; {place} before it"


def _full(record: Record, everyone: list[Record], capacity: Capacity) -> str:
    if record.phase is Phase.READY:
        busy = sum(other.phase.holds_slot for other in everyone)
        return f"{busy} of {capacity.slots} slots are taken"
    resolving = sum(other.phase is Phase.RESOLVING for other in everyone)
    ready = sum(other.phase is Phase.READY for other in everyone)
    return f"{resolving} are being resolved, {ready} resolved ones wait to be launched"


def _holder(record: Record, everyone: list[Record], before: list[Record]) -> Record | None:
    """Who has the lease, else the first of those that will have it before."""
    mine = set(_servers(record))
    others = [other for other in in_order(everyone) if other.key != record.key]
    holding = [other for other in others if other.phase.holds_slot]
    earlier = [other for other in before if other.phase is Phase.READY]
    rivals = (one for one in holding + earlier if not mine.isdisjoint(_servers(one)))
    return next(rivals, None)


def _before(record: Record, everyone: list[Record], now: Moment) -> list[Record]:
    """Those whose time has come, and whose turn comes before the run's."""
    order = in_order([record, *(other for other in everyone if other.key != record.key)])
    return [other for other in order[: order.index(record)] if _due(other, now)]


def _ranks(records: list[Record]) -> dict[str, _Rank]:
    places: dict[str, int] = {}
    ranks: dict[str, _Rank] = {}
    for record in sorted(records, key=lambda one: (one.phase in _WAITING, one.submitted, one.key)):
        place = places[record.job] = places.get(record.job, -1) + 1
        ranks[record.key] = (-record.priority, place, record.submitted, record.key)
    return ranks


def _named(servers: list[str]) -> str:
    more = len(servers) - _SHOWN
    return ", ".join(servers[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _servers(record: Record) -> tuple[str, ...]:
    return record.target.servers if record.target is not None else ()


def _due(record: Record, now: Moment) -> bool:
    return record.wait_until is None or now.reached(record.wait_until)
