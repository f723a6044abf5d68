"""Each byte of the harness's output goes into the results and to the launcher's own output.

One thread, one `poll`, raw chunks: nothing here knows what a line is. A target that breaks
(a full disk, a closed pipe) or stalls (a reader that does not read) loses bytes, which are
counted; it never slows the harness down and never harms the other target.
"""

from __future__ import annotations

import os
import select
import stat
import time

CHUNK = 65536
ATOMIC = 4096  # a pipe that says "writable" takes this much without blocking
PENDING_LIMIT = 8 << 20  # bytes kept for a stalled reader; it can read the rest in the results
FLUSH_S = 2.0


class LogFile:
    """A file among the results, made new; after a failed write it takes no more.

    Attributes:
        kept: bytes in the file; `lost` bytes that are not, because of `broken`.
    """

    def __init__(self, path: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._fd = os.open(path, flags, 0o644)
        self.name = os.path.basename(path)
        self.kept = 0
        self.lost = 0
        self.broken = ""

    def write(self, data: bytes) -> None:
        """Append `data`, or count it as lost. Never raises."""
        done = 0
        try:
            while done < len(data) and not self.broken:
                done += os.write(self._fd, data[done:] if done else data)
        except OSError as error:
            self.broken = error.strerror or str(error)
        self.kept += done
        self.lost += len(data) - done

    def close(self) -> None:
        """Close it; some file systems tell of a failed write only now."""
        try:
            os.close(self._fd)
        except OSError as error:
            self.broken = self.broken or error.strerror or str(error)


class Mirror:
    """The launcher's own stdout or stderr: takes what it can without ever blocking us.

    Attributes:
        lost: bytes that it did not take, because of `broken` or a reader that stalled.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.lost = 0
        self.broken = ""
        self.pending = bytearray()
        self._poll = select.poll()
        self._poll.register(fd, select.POLLOUT)
        self._size = CHUNK if stat.S_ISREG(os.fstat(fd).st_mode) else ATOMIC

    def write(self, data: bytes) -> None:
        """Take `data` for writing when the reader is ready, or count it as lost."""
        if self.broken or len(self.pending) + len(data) > PENDING_LIMIT:
            self.lost += len(data)
            return
        self.pending += data
        self.flush()

    def flush(self) -> None:
        """Write as much as goes at once. Never raises, never blocks."""
        try:
            while self.pending and self._poll.poll(0):
                del self.pending[: os.write(self.fd, bytes(self.pending[: self._size]))]
        except BlockingIOError:
            return  # somebody made it non-blocking and it is full
        except OSError as error:
            self.broken = error.strerror or str(error)
            self.lost += len(self.pending)
            self.pending.clear()

    def finish(self, deadline: float) -> None:
        """Write what is pending, but not longer than until `deadline` (monotonic)."""
        while self.pending and (left := deadline - time.monotonic()) > 0:
            self._poll.poll(left * 1000)
            self.flush()
        self.lost += len(self.pending)
        self.pending.clear()


class Tee:
    """Pumps pipes into log files and mirrors, and watches for signals in the same wait."""

    def __init__(self, wake: int) -> None:
        self._wake = wake
        self._channels: dict[int, tuple[LogFile, Mirror]] = {}

    def add(self, source: int, log: LogFile, mirror: Mirror) -> None:
        """From now on pump the pipe `source` until its end."""
        self._channels[source] = (log, mirror)

    @property
    def is_open(self) -> bool:
        """Whether something may still come."""
        return bool(self._channels)

    def step(self, timeout_s: float | None) -> bool:
        """Wait for bytes, for a signal or for the time; pump. True when `wake` is readable."""
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        for source, (_, mirror) in self._channels.items():
            poll.register(source, select.POLLIN)
            if mirror.pending:
                poll.register(mirror.fd, select.POLLOUT)
        ready = poll.poll(None if timeout_s is None else max(0.0, timeout_s) * 1000)
        for fd, _ in ready:
            if fd in self._channels:
                self._pump(fd)
        for _, mirror in self._channels.values():
            mirror.flush()
        return any(fd == self._wake for fd, _ in ready)

    def abandon(self) -> None:
        """Close the pipes that somebody still holds open."""
        for source in list(self._channels):
            self._end(source)

    def _pump(self, source: int) -> None:
        log, mirror = self._channels[source]
        data = os.read(source, CHUNK)
        if not data:
            self._end(source)
            return
        log.write(data)
        mirror.write(data)

    def _end(self, source: int) -> None:
        del self._channels[source]
        os.close(source)
