"""The copy of a container's log on this disk: lines with their stamps, and nothing else.

The file is itself all that is known of how far the copy has come. It is written in large
pieces in a thread, and not synced on the way: whoever is killed loses nothing that was
written, and after a power cut the rest is asked for again.
"""

import asyncio
import mmap
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

from llmdbenchd.edge.files.kernel import keep_room
from llmdbenchd.kit.resume import Bookmark, bookmark
from llmdbenchd.kit.stamps import Gap, gaps, second_of
from llmdbenchd.ports import Unavailable

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

FILE_MODE = 0o640
_BLOCK = 1 << 20  # bytes at a time, where the whole file is read


class NotWritten(Unavailable):
    """The copy cannot be written now; most often because the disk is full."""


@dataclass(frozen=True, slots=True)
class Successor:
    """What a container's name stands for once it was started again.

    Attributes:
        since: the second, since the epoch, in which it was; what is written from then on is
            another life's.
        is_next: nothing came between: then the API server still has this life's log.
    """

    since: int
    is_next: bool = True


class LogFile:
    """The file's only writer. Every method may raise `NotWritten`, and may be cancelled."""

    def __init__(self, path: Path) -> None:
        self.size = 0
        self._path = path
        self._descriptor = -1
        self._is_cut = True

    async def rewind(self) -> Bookmark:
        """Find how far the copy has come. What does not count is cut off by the next `add`.

        So if we are killed before that, it is still there.
        """
        return await _in_thread(self._rewind)

    async def give_up(self) -> Bookmark:
        """As `rewind`, when nothing will be read any more: the beginning of a last line stays."""
        return await _in_thread(self._give_up)

    async def cut(self, since: int) -> None:
        """Take back what was written in this second (since the epoch) and later."""
        await _in_thread(self._cut, since)

    async def add(self, data: bytes) -> None:
        """Write at the end."""
        if data:
            await _in_thread(self._add, data)

    async def seal(self) -> tuple[Gap, ...]:
        """Make all of it durable; returns the gaps that are marked in it."""
        return await _in_thread(self._seal)

    def open(self) -> None:
        """Make the file with its folders, if it is not there. Blocks."""
        with _written(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._descriptor = os.open(self._path, flags, FILE_MODE)
            self.size = os.fstat(self._descriptor).st_size

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def _rewind(self) -> Bookmark:
        with _written(self._path):
            mark = self._bookmark()
        self.size, self._is_cut = mark.size, False
        return mark

    def _give_up(self) -> Bookmark:
        mark = self._rewind()
        with _written(self._path):
            rest = os.pread(self._descriptor, os.fstat(self._descriptor).st_size, mark.size)
        if begun := rest[rest.rfind(b"\n") + 1 :]:
            self._add(begun + b"\n")
        return mark

    def _cut(self, since: int) -> None:
        begin = 0
        with _written(self._path):
            for block in self._blocks():
                at = begin
                for line in block.split(b"\n"):
                    second = _last_second(line)
                    if second is not None and second >= since:
                        os.ftruncate(self._descriptor, at)
                        self.size = at
                        return
                    at += len(line) + 1
                begin += len(block)

    def _bookmark(self) -> Bookmark:
        if not os.fstat(self._descriptor).st_size:
            return Bookmark()  # an empty file cannot be mapped
        with mmap.mmap(self._descriptor, 0, access=mmap.ACCESS_READ) as mapped:
            return bookmark(mapped)

    def _add(self, data: bytes) -> None:
        left = memoryview(data)
        with _written(self._path):
            if not self._is_cut:
                os.ftruncate(self._descriptor, self.size)
                self._is_cut = True
            keep_room(self._descriptor, len(left))
            while left:
                written = os.pwrite(self._descriptor, left, self.size)
                self.size += written
                left = left[written:]

    def _seal(self) -> tuple[Gap, ...]:
        with _written(self._path):
            os.fsync(self._descriptor)
            self.size = os.fstat(self._descriptor).st_size
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
            return tuple(gap for lines in self._blocks() for gap in gaps(lines))

    def _blocks(self) -> Iterator[bytes]:
        """The whole file in pieces that end with a line's end, if lines are not longer."""
        at = 0
        while block := os.pread(self._descriptor, _BLOCK, at):
            lines = block[: block.rfind(b"\n") + 1] or block
            at += len(lines)
            yield lines


def _last_second(line: bytes) -> int | None:
    """When a line was written; of a gap's mark, when what comes after the gap was."""
    before = next((gap.before for gap in gaps(line)), None)
    return second_of(f"{before} ".encode() if before else line)


@asynccontextmanager
async def log_file(path: Path) -> AsyncIterator[LogFile]:
    """Open the copy at `path`, made with its folders if it is not there.

    Raises:
        NotWritten: that is not possible now.
    """
    file = LogFile(path)
    try:
        await _in_thread(file.open)
        yield file
    finally:
        file.close()


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NotWritten(f"copy of the log {path}: {error.strerror or error}") from error


async def _in_thread(
    work: Callable[Given, Answer], /, *given: Given.args, **named: Given.kwargs
) -> Answer:
    """Do it in a thread, and be cancelled only when the thread is done: no write comes later."""
    doing = asyncio.get_running_loop().run_in_executor(None, lambda: work(*given, **named))
    try:
        return await asyncio.shield(doing)
    finally:
        while not doing.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({doing})
        doing.exception()  # seen, also where nobody waits for it any more
