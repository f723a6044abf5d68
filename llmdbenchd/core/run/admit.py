"""Whose turn it is: slots, priorities, and leases on targets.

A lease is not a lock that somebody holds; it is a fact that can be read off the
records: runs that are launching or running use the servers of their target.
So nothing has to be released, and a restart forgets nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from llmdbenchd.core.run.limits import Capacity
from llmdbenchd.core.run.moment import Moment
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record


@dataclass(frozen=True, slots=True)
class Turns:
    """Keys of the runs that may move now, and what keeps the others."""

    resolve: frozenset[str] = frozenset()
    launch: frozenset[str] = frozenset()

    def has(self, record: Record) -> bool:
        """Whether it is this run's turn."""
        return record.key in (self.resolve if record.phase is Phase.QUEUED else self.launch)


def in_order(records: Iterable[Record]) -> list[Record]:
    """Higher priority first, then first come, first served."""
    return sorted(records, key=lambda record: (-record.priority, record.submitted, record.key))


def admit(
    records: Iterable[Record], capacity: Capacity, now: Moment, *, paused: bool = False
) -> Turns:
    """Say whose turn it is among the open runs (final ones may be left out)."""
    if paused:
        return Turns()
    everyone = list(records)
    busy = [record for record in everyone if record.phase.holds_slot]
    launch, blocked = _launches(everyone, busy, capacity, now)
    waiting = sum(record.phase is Phase.READY for record in everyone) - len(launch) - blocked
    resolving = sum(record.phase is Phase.RESOLVING for record in everyone)
    room = min(capacity.resolving, capacity.ahead - waiting) - resolving
    queued = [record for record in everyone if record.phase is Phase.QUEUED and _due(record, now)]
    resolve = [record.key for record in in_order(queued)[: max(0, room)]]
    return Turns(frozenset(resolve), frozenset(launch))


def _launches(
    everyone: list[Record], busy: list[Record], capacity: Capacity, now: Moment
) -> tuple[list[str], int]:
    """Keys that may launch, and how many others wait for a lease only."""
    taken = {server for record in busy for server in _servers(record)}
    launch: list[str] = []
    blocked = 0
    ready = [record for record in everyone if record.phase is Phase.READY and _due(record, now)]
    for record in in_order(ready):
        if taken.intersection(_servers(record)):
            blocked += 1
        elif len(busy) + len(launch) < capacity.slots:
            launch.append(record.key)
        # An earlier run that waits for a slot keeps its place before later ones.
        taken.update(_servers(record))
    return launch, blocked


def waits_for(
    record: Record, records: Iterable[Record], capacity: Capacity, now: Moment, *, paused: bool
) -> str:
    """Say in one sentence why a QUEUED or READY run does not move, or empty if it may."""
    if record.phase not in {Phase.QUEUED, Phase.READY}:
        return ""
    everyone = list(records)
    if paused:
        return "admission is paused (the file PAUSED is in the queue folder)"
    if not _due(record, now) and record.wait_until is not None:
        return f"waits until {record.wait_until.utc:%Y-%m-%d %H:%M:%S} UTC"
    if admit(everyone, capacity, now).has(record):
        return ""
    holder = _holder(record, everyone)
    if holder is not None:
        return f"its target {', '.join(_servers(record))} is held by {holder.key} ({holder.phase})"
    before = in_order(other for other in everyone if other.phase is record.phase)
    place = [other.key for other in before].index(record.key)
    busy = sum(other.phase.holds_slot for other in everyone)
    return f"{busy} of {capacity.slots} slots are taken; {place} before it"


def _holder(record: Record, everyone: list[Record]) -> Record | None:
    mine = set(_servers(record))
    rivals = in_order(
        other
        for other in everyone
        if other.key != record.key
        and other.phase in {Phase.READY, Phase.LAUNCHING, Phase.RUNNING}
        and mine.intersection(_servers(other))
    )
    return next(iter(sorted(rivals, key=lambda other: not other.phase.holds_slot)), None)


def _servers(record: Record) -> tuple[str, ...]:
    return record.target.servers if record.target is not None else ()


def _due(record: Record, now: Moment) -> bool:
    return record.wait_until is None or now.reached(record.wait_until)
