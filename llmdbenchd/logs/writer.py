"""Writes lines from a thread of its own: whoever logs never waits for a disk or a pipe.

A stalled journal, a full disk or a terminal that was stopped with Ctrl-S must not stop
the loop. So there is room for a bounded number of bytes; beyond it lines are dropped and
counted, and the count is a line of the log itself as soon as there is room again.
"""

import os
import select
import threading
from collections import deque
from collections.abc import Callable
from typing import TextIO

ROOM = 8 * 1024**2  # bytes waiting: minutes of a busy log, and nothing beside a results folder

Sink = Callable[[bytes], None]


class LineWriter:
    """Lines on their way to a sink, in order.

    Args:
        sink: takes bytes, may block or raise OSError; called from one thread at a time.
        lost: makes the line that says how many lines were lost.
        room: how many bytes may wait.
    """

    def __init__(self, sink: Sink, lost: Callable[[int], str], *, room: int = ROOM) -> None:
        self._sink = sink
        self._lost = lost
        self._room = room
        self._lines: deque[bytes] = deque()
        self._waiting = 0
        self._dropped = 0
        self._closed = False
        self._wake = threading.Condition()
        # A daemon thread: a sink that never returns must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Put `line` (with its line end) in line. Never waits, never raises."""
        data = line.encode("utf-8", "backslashreplace")
        with self._wake:
            if self._closed or self._waiting + len(data) > self._room:
                self._dropped += 1
                return
            self._lines.append(data)
            self._waiting += len(data)
            self._wake.notify()

    def close(self, within_s: float) -> bool:
        """Take no more lines, and wait at most `within_s` until all are written; says if so."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while lines := self._take():
            try:
                self._sink(b"".join(lines))
            except OSError:  # nobody can be told now; the next line that gets through tells
                with self._wake:
                    self._dropped += len(lines)

    def _take(self) -> list[bytes]:
        """Wait for lines and take them all; none when closed and done."""
        with self._wake:
            self._wake.wait_for(lambda: self._lines or self._closed)
            lines = list(self._lines)
            self._lines.clear()
            self._waiting = 0
            dropped, self._dropped = (self._dropped, 0) if lines else (0, self._dropped)
        if dropped:  # they came after the lines that filled the room
            lines.append(self._lost(dropped).encode())
        return lines


def to_stream(stream: TextIO) -> Sink:
    """A sink that writes to `stream` itself, past its buffer where it has a descriptor."""
    try:
        descriptor = stream.fileno()
    except OSError:
        return lambda data: _write_text(stream, data)
    stream.flush()
    return lambda data: _write_all(descriptor, data)


def _write_text(stream: TextIO, data: bytes) -> None:
    stream.write(data.decode())
    stream.flush()


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:  # another program made the shared terminal non-blocking
            waiting = select.poll()
            waiting.register(descriptor, select.POLLOUT)
            waiting.poll()
