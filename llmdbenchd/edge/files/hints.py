"""The queue and the records on a local disk: what the kernel whispers about a folder.

Hints make things quick, never right: whoever uses them also looks for himself.
They are absent on network filesystems, from other hosts, and after an overflow.
"""

import asyncio
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from enum import Enum
from pathlib import Path

from asyncinotify import Inotify, Mask

_EVENTS_AT_ONCE = 20_000  # more than the kernel keeps; a busy writer must not hold the loop


class Heard(Enum):
    """What happened to one name in the folder."""

    CREATED = "created"
    OPENED = "opened"
    MODIFIED = "modified"
    CLOSED = "closed"
    MOVED_IN = "moved in"
    GONE = "gone"


_MEANINGS = (  # of several bits the first counts
    (Mask.MOVED_TO, Heard.MOVED_IN),
    (Mask.CLOSE_WRITE, Heard.CLOSED),
    (Mask.MODIFY, Heard.MODIFIED),
    (Mask.OPEN, Heard.OPENED),
    (Mask.CREATE, Heard.CREATED),
    (Mask.DELETE | Mask.MOVED_FROM, Heard.GONE),
)
_DEAF = int(Mask.Q_OVERFLOW | Mask.IGNORED | Mask.DELETE_SELF | Mask.MOVE_SELF | Mask.UNMOUNT)
_ENTRIES = Mask.MOVED_TO | Mask.CLOSE_WRITE | Mask.CREATE | Mask.MODIFY | Mask.OPEN
_WATCHED = (
    _ENTRIES | Mask.DELETE | Mask.MOVED_FROM | Mask.DELETE_SELF | Mask.MOVE_SELF | Mask.ONLYDIR
)


class FolderHints:
    """Hints about one folder, gathered while the loop runs.

    Attributes:
        lost: some hints are missing (an overflow, or the folder itself was removed, moved or
            unmounted): look at everything. Set back by whoever takes that in.
        silent_because: why there are no hints at all, or empty.
        pull: takes in all that the kernel has to say by now.
    """

    def __init__(self) -> None:
        self.lost = False
        self.silent_because = ""
        self._heard: list[tuple[str, Heard]] = []
        self._something = asyncio.Event()
        self.pull: Callable[[], None] = _nothing

    def drain(self) -> list[tuple[str, Heard]]:
        """All that happened since the last call and until now, oldest first."""
        self.pull()
        heard, self._heard = self._heard, []
        self._something.clear()
        return heard

    async def wait(self, seconds: float) -> None:
        """Return when something was heard, or after `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, 0) if math.isfinite(seconds) else None):
                await self._something.wait()

    def hear(self, name: str, mask: int) -> None:
        """Take in one event of inotify(7); `mask` is its bits."""
        if mask & _DEAF:
            self.lost = True
        elif meaning := next((heard for bits, heard in _MEANINGS if mask & bits), None):
            self._heard.append((name, meaning))
            if meaning is Heard.OPENED:
                return  # our own reading does that too: it must not wake us
        self._something.set()


@contextmanager
def folder_hints(folder: Path, *, polling: bool = False) -> Iterator[FolderHints]:
    """Listen to `folder` for as long as the block lasts; needs a running loop.

    Where the kernel cannot help (`polling`, or its limits are used up) the hints stay
    silent and say why.
    """
    hints = FolderHints()
    with ExitStack() as stack:
        try:
            if not polling:
                inotify = stack.enter_context(Inotify(sync_timeout=0, cache_size=64))
                inotify.add_watch(folder, _WATCHED)
                stack.enter_context(_reading(inotify, hints))
        except OSError as error:  # fs.inotify.max_user_instances or max_user_watches
            hints.silent_because = f"inotify: {error.strerror or error}"
        yield hints


def _nothing() -> None:
    """Where there is nobody to ask."""


@contextmanager
def _reading(inotify: Inotify, hints: FolderHints) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    ended = False

    def read() -> None:
        for _ in range(_EVENTS_AT_ONCE):
            event = None if ended else inotify.sync_get()
            if event is None:
                return
            hints.hear("" if event.name is None else str(event.name), int(event.mask))
        loop.call_soon(read)  # some may be read from the kernel already, and wake nobody

    hints.pull = read
    loop.add_reader(inotify.fd, read)
    try:
        yield
    finally:
        ended = True
        loop.remove_reader(inotify.fd)
