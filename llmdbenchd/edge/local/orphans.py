"""The local room's undertaker: ends what a dead shim left, and writes down that it is over."""

import os
import signal
import time
from dataclasses import dataclass, field

from llmdbenchd.core.run.sight import Ended
from llmdbenchd.edge.local.folder import Busy, Claim, Folder
from llmdbenchd.edge.local.processes import alive, carrying, descendants, send

MARK = "LLMDBENCHD_FOLDER"  # in the environment of everything that comes out of a launcher
GRACE_S = 10.0


@dataclass(slots=True)
class _Farewell:
    deadline: float  # monotonic; then SIGKILL
    told: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Orphans:
    """Launchers whose shim is dead, on their way to `ended.json`.

    Each `step` is short and may be repeated, also by the next daemon: nothing waits.
    """

    boot_id: str
    _farewells: dict[Folder, _Farewell] = field(default_factory=dict)

    def step(self, folder: Folder, claim: Claim, *, grace_s: float = GRACE_S) -> Ended | None:
        """Go on ending what is left; its end, or None while something of it lives.

        Raises:
            OSError: the end cannot be written.
        """
        try:
            with folder.locked():
                if folder.has_ended():
                    return folder.end()
                if left := self._left(folder, claim):
                    self._end(folder, left, grace_s)
                    return None
                folder.write_lost(self._why(folder, claim))
        except Busy:  # another thread does the same
            return None
        self._farewells.pop(folder, None)
        return folder.end()

    def _left(self, folder: Folder, claim: Claim) -> set[int]:
        left = carrying(MARK, str(folder.path))
        main = claim.launcher
        if main and claim.boot_id == self.boot_id and alive(main.pid, main.ticks):
            left |= {main.pid} | descendants(main.pid)
        return left - {os.getpid()}

    def _end(self, folder: Folder, left: set[int], grace_s: float) -> None:
        now = time.monotonic()
        farewell = self._farewells.setdefault(folder, _Farewell(now + grace_s))
        farewell.deadline = min(farewell.deadline, now + grace_s)
        for pid in left:
            if now >= farewell.deadline:
                send(pid, signal.SIGKILL)
            elif pid not in farewell.told:
                send(pid, signal.SIGTERM)
        farewell.told |= left

    def _why(self, folder: Folder, claim: Claim) -> str:
        ended = len(self._farewells[folder].told) if folder in self._farewells else 0
        if claim.boot_id != self.boot_id and not ended:
            return "the machine was restarted while it ran"
        words = folder.last_words()
        return (
            "its shim died, so nobody saw how it ended"
            + (f"; processes of it that were ended: {ended}" if ended else "")
            + (f"; the shim's last words: {words}" if words else "")
        )
