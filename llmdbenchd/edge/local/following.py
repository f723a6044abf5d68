"""The local room's scribe: copies a growing log, byte for byte, resuming where the copy ends."""

import asyncio
import errno
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from llmdbenchd.edge.files.kernel import keep_room
from llmdbenchd.edge.local.folder import Folder
from llmdbenchd.edge.local.trouble import translated
from llmdbenchd.ports import Unavailable

BATCH = 1 << 20  # bytes a read
AT_ONCE = 16  # batches a visit to a thread
QUICK_S, SLOW_S = 0.1, 0.5  # between looks: while it speaks, and when it has been silent
FULL_S = 2.0  # between tries on a full disk
FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(slots=True)
class LogCopy:
    """A copy in progress; its length is how far it has come, so a kill loses nothing."""

    folder: Folder
    into: Path
    length: int = 0
    _bell: asyncio.Event = field(default_factory=asyncio.Event)

    def ring(self) -> None:
        """Say that a look is due: its launcher was seen to have ended."""
        self._bell.set()

    async def run(self) -> int:
        """Copy until the launcher has ended and its last byte is here; the copy's length.

        Raises:
            Unavailable: the log is gone, or the copy cannot be written (a full disk is
                waited for), or it is no copy of this log.
        """
        self.length = self._begin()
        pause_s = QUICK_S
        while True:
            over = self.folder.has_ended()  # before the look: nothing is written after it
            if self._size() > self.length:
                pause_s = await self._copy(over=over)
            elif over:
                await asyncio.to_thread(self._seal)
                return self.length
            else:
                pause_s = min(pause_s * 1.25, SLOW_S)
            await self._pause(pause_s)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._bell.wait()
        self._bell.clear()

    def _begin(self) -> int:
        with translated(f"copy of the log {self.into}"):
            self.into.parent.mkdir(parents=True, exist_ok=True)
            self.into.touch(mode=0o640)
            length = self.into.stat().st_size
        if length > self._size() and not self.folder.has_ended():
            raise Unavailable(f"{self.into} is longer than {self.folder.log}: not a copy of it")
        return length

    def _size(self) -> int:
        try:
            return self.folder.log.stat().st_size
        except FileNotFoundError:
            if self.folder.path.is_dir():
                return 0  # it was not started yet, or never
            raise Unavailable(f"launcher {self.folder.path.name} is gone, with its log") from None
        except OSError as error:
            raise Unavailable(f"log {self.folder.log}: {error.strerror}") from error

    async def _copy(self, *, over: bool) -> float:
        """Copy what is there; returns how long to pause."""
        with translated(f"copy of the log {self.into}"):
            try:
                more = await asyncio.to_thread(self._batches)
            except OSError as error:
                if error.errno in FULL:
                    return FULL_S
                raise
        return 0.0 if more or over else QUICK_S

    def _batches(self) -> bool:
        """Copy some batches; whether there is more already."""
        with (
            self.folder.log.open("rb", buffering=0) as source,
            self.into.open("r+b", buffering=0) as target,
        ):
            for _ in range(AT_ONCE):
                batch = os.pread(source.fileno(), BATCH, self.length)
                keep_room(target.fileno(), len(batch))
                left = memoryview(batch)
                while left:
                    written = os.pwrite(target.fileno(), left, self.length)
                    self.length += written
                    left = left[written:]
                if len(batch) < BATCH:
                    return False
        return True

    def _seal(self) -> None:
        with translated(f"copy of the log {self.into}"), self.into.open("r+b") as target:
            os.fsync(target.fileno())
