"""Takes away what nothing needs any more: after every whole list, and when a launcher went."""

import asyncio

from llmdbenchd.edge.kubernetes.knowing import Known
from llmdbenchd.edge.kubernetes.owners import Owners
from llmdbenchd.edge.kubernetes.payloads import Payloads
from llmdbenchd.edge.kubernetes.view import Change, PodGone, PodsListed
from llmdbenchd.ports import Refused, Unavailable

PAUSE_S = 15.0  # between two sweeps


class Sweeper:
    """Sweeps one namespace, so that a kill between two requests leaves nothing for ever."""

    def __init__(self, known: Known, owners: Owners, payloads: Payloads) -> None:
        self._known = known
        self._owners = owners
        self._payloads = payloads
        self._is_due = asyncio.Event()

    def note(self, change: Change) -> None:
        """Something changed: is there more to sweep?"""
        match change:
            case PodsListed():
                self._is_due.set()
            case PodGone(pod=pod):
                self._owners.doubt(pod.metadata.name)
                owners = pod.metadata.owner_references
                if not all(self._owners.is_removed(owner.uid) for owner in owners):
                    self._is_due.set()
            case _:
                pass

    async def run(self) -> None:
        """Sweep whenever it is due, for ever."""
        while True:
            await self._is_due.wait()
            self._is_due.clear()
            try:
                await self.sweep()
            except Unavailable:
                self._is_due.set()
            except Refused:
                pass  # no right to list or to delete; the next list is the next try
            await asyncio.sleep(PAUSE_S)

    async def sweep(self) -> None:
        """Sweep once.

        Raises:
            Refused, Unavailable: it could not be done, or not all of it.
        """
        current = self._payloads.payload.digest
        in_use = self._known.payloads() | {current}
        found = await self._owners.sweep(self._known.attempts, in_use)
        if current not in found:
            self._payloads.forget()
