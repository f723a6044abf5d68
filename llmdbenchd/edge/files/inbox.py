"""The queue and the records on a local disk: dropped files, as they become whole.

Layout of a queue folder::

    x.yaml, x.yml       dropped by people (a name that an editor or rsync uses meanwhile is not)
    PAUSED              admission stops: files are still taken, checked and QUEUED, so that
                        mistakes are told at once; nothing new is launched
    rejected/           refused files, each NAME beside NAME.why
    control/            requests to the daemon (`control.py`)
    .taken/<job>.yaml   claims (`claims.py`)

The periodic scan is the truth; the kernel's hints only make it quick.
"""

import asyncio
import math
import os
import stat
from collections.abc import AsyncGenerator, Iterable, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from llmdbenchd.edge.files.durable import translated
from llmdbenchd.edge.files.hints import FolderHints, Heard, folder_hints
from llmdbenchd.edge.files.kernel import Writer, writer_of
from llmdbenchd.edge.files.readiness import Hint, Kind, Look, Patience, Tracker, is_job_name
from llmdbenchd.ports import Unavailable

PAUSED = "PAUSED"
REJECTED = "rejected"
CONTROL = "control"
TAKEN = ".taken"
GROUP = 500  # files handed out together, to share one commit

Identity = tuple[int, int]  # device and inode of a folder; not used again while it is locked

_HINTS = {
    Heard.CREATED: Hint.CREATED,
    Heard.MODIFIED: Hint.WRITING,
    Heard.CLOSED: Hint.CLOSED,
    Heard.MOVED_IN: Hint.MOVED_IN,
    Heard.GONE: Hint.GONE,
}


@dataclass(frozen=True, slots=True)
class Ready:
    """A dropped file that is whole: its name in the queue, and how it looked then."""

    name: str
    look: Look


def prepare_queue(queue: Path) -> None:
    """Make the queue folder and those in it, where they are missing.

    Raises:
        Refused, Unavailable: one cannot be made.
    """
    for folder, mode in (
        (queue, 0o2770),
        (queue / REJECTED, 0o2770),
        (queue / CONTROL, 0o2770),
        (queue / TAKEN, 0o700),
    ):
        with translated(folder):
            if not folder.is_dir():
                folder.mkdir(parents=True)
                _chmod(folder, mode)


def _chmod(folder: Path, mode: int) -> None:
    """A hardened service may not set the setgid bit (RestrictSUIDSGID); the rest must do."""
    try:
        folder.chmod(mode)
    except PermissionError:
        folder.chmod(mode & 0o777)


def is_paused(queue: Path) -> bool:
    """Whether people stopped admission; a queue that cannot be read counts as paused."""
    try:
        (queue / PAUSED).lstat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def identity(folder: Path) -> Identity:
    """Which folder lies at this path.

    Raises:
        Refused, Unavailable: none that can be looked at.
    """
    with translated(folder):
        status = folder.stat()
    return status.st_dev, status.st_ino


async def arrivals(
    queue: Path,
    disk: Executor,
    *,
    locked: Identity,
    scan_s: float = 5,
    patience: Patience | None = None,
    polling: bool = False,
) -> AsyncGenerator[list[Ready], None]:
    """Hand out files as they become whole, in groups of at most `GROUP`, for ever.

    After each complete scan at least one group comes, which may be empty: a heartbeat, and
    the moment to try again what did not work. A file that is not taken away is handed out
    again after the next scan. Close the generator when done (`contextlib.aclosing`).

    Args:
        queue: exists (`prepare_queue`).
        disk: where blocking calls run.
        locked: the folder that we locked; another one at this path is not served.
        scan_s: seconds between two complete scans.
        patience: how long to wait for files whose writers may not be done.
        polling: do without the kernel's hints (a network filesystem).

    Raises:
        Refused, Unavailable: the folder cannot be read, or is not the one that we locked.
    """
    loop = asyncio.get_running_loop()
    tracker = Tracker(patience or Patience())
    scan_at, lost = -math.inf, False
    with folder_hints(queue, polling=polling) as hints:
        while True:
            lost |= _listen(tracker, hints, loop.time())
            began = loop.time()
            complete = lost or began >= scan_at
            names = None if complete else tracker.due(began)
            looks = await loop.run_in_executor(disk, _look, queue, locked, names)
            tracker.looked(looks, loop.time(), complete=complete)
            lost = _listen(tracker, hints, loop.time())  # what was heard meanwhile voids a look
            ready = [Ready(*found) for found in tracker.take(looks, began)]
            for group in _groups(ready, at_least_one=complete):
                yield group
            scan_at = began + scan_s if complete else scan_at
            await hints.wait(0 if lost else min(scan_at, tracker.next_due()) - loop.time())


def _listen(tracker: Tracker, hints: FolderHints, now: float) -> bool:
    """Take in what was heard; True when something was missed, and a scan must make up for it."""
    lost, hints.lost = hints.lost, False
    if lost:
        hints.drain()
        tracker.deafened()
    for name, heard in hints.drain():
        if heard is Heard.OPENED:
            tracker.opened(name, now)
        else:
            tracker.heard(name, _HINTS[heard], now)
    return lost


def _look(queue: Path, locked: Identity, names: Iterable[str] | None) -> Mapping[str, Look | None]:
    """Look at the given names, or at all there are."""
    if names is None and identity(queue) != locked:
        raise Unavailable(
            f"{queue}: the folder was replaced, and the new one is not locked: restart the daemon"
        )
    with translated(queue):
        if names is None:
            names = [path.name for path in queue.iterdir() if is_job_name(path.name)]
        return {name: _look_at(queue / name) for name in names}


def _look_at(path: Path) -> Look | None:
    try:
        seen = path.lstat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(seen.st_mode):
        kind = Kind.FOLDER
    else:
        kind = Kind.FILE if stat.S_ISREG(seen.st_mode) else Kind.OTHER
    writer = _writer_at(path) if kind is Kind.FILE else Writer.UNKNOWN
    return Look(kind, seen.st_size, seen.st_mtime_ns, seen.st_ino, writer)


def _writer_at(path: Path) -> Writer:
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return writer_of(descriptor)
        finally:
            os.close(descriptor)
    return Writer.UNKNOWN


def _groups(ready: list[Ready], *, at_least_one: bool) -> list[list[Ready]]:
    groups = [ready[start : start + GROUP] for start in range(0, len(ready), GROUP)]
    return groups or ([[]] if at_least_one else [])
