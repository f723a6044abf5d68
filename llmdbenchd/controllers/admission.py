"""Whose turn it is, computed anew whenever something moved, for all waiting runs at once."""

import asyncio
from collections.abc import Callable, Iterable

import structlog

from llmdbenchd.core.run.admit import Turns, admit, in_order
from llmdbenchd.core.run.limits import Capacity
from llmdbenchd.core.run.record import Record
from llmdbenchd.core.run.rivals import Rivals
from llmdbenchd.ports import Clock

log = structlog.get_logger()


class Admission:
    """The turns of this moment.

    Turns that are a little old never admit too many: a run that takes its turn moves
    from the granted to the busy, and the sum stays; a run that leaves only makes room.
    What other daemons load is not ours to count on: it is considered at once (`refresh`).

    Args:
        records: all open records, read at each refresh.
        wake: asks for a run to be looked at.
        rivals: what launchers of other daemons load, read at each refresh.
    """

    def __init__(
        self,
        capacity: Capacity,
        clock: Clock,
        *,
        records: Callable[[], Iterable[Record]],
        wake: Callable[[str], None],
        rivals: Callable[[], Rivals],
    ) -> None:
        self._capacity = capacity
        self._clock = clock
        self._records = records
        self._wake = wake
        self._rivals = rivals
        self._turns = Turns()
        self._paused = False
        self._planned: asyncio.Handle | None = None

    def has_turn(self, record: Record) -> bool:
        """Whether it is the run's turn; a run whose waiting time is over has that considered."""
        granted = self._turns.has(record)
        if not granted and self._clock.now().reached(record.wait_until):
            self.refresh_soon()
        return granted

    def change(self, capacity: Capacity) -> None:
        """Another capacity from now on."""
        self._capacity = capacity
        self.refresh_soon()

    def pause(self, *, paused: bool) -> None:
        """Stop or resume admission; what was admitted goes on."""
        if paused != self._paused:
            self._paused = paused
            log.info("queue.paused" if paused else "queue.resumed")
            self.refresh_soon()

    def refresh_soon(self) -> None:
        """Compute the turns anew, once for all that moves in this round of the loop."""
        if self._planned is None:
            self._planned = asyncio.get_running_loop().call_soon(self._refresh)

    def refresh(self) -> None:
        """Compute the turns at once: what was granted a moment ago must not be taken up."""
        if self._planned is not None:
            self._planned.cancel()
        self._refresh()

    def _refresh(self) -> None:
        self._planned = None
        before, records = self._turns, list(self._records())
        self._turns = admit(
            records,
            self._capacity,
            self._clock.now(),
            paused=self._paused,
            rivals=self._rivals(),
        )
        granted = (self._turns.launch - before.launch) | (self._turns.resolve - before.resolve)
        for record in in_order(records) if granted else ():
            if record.key in granted:
                self._wake(record.key)
