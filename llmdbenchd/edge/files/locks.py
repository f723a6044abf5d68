"""The queue and the records on a local disk: one daemon for each queue.

The queue folder itself is locked, since two daemons could differ in their state folder.
A lock ends with its process, however that ends. Processes started by `subprocess` do not
inherit it; a bare `os.fork()` would keep it, so nothing here forks.
"""

import fcntl
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from llmdbenchd.edge.files.durable import translated

HOLDER = ".lock-holder"  # for people; nothing decides by it
_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|afs|9p|ceph|lustre|gpfs|beegfs|ocfs2|gfs2|virtiofs"
    r"|fuse\.(sshfs|glusterfs|ceph\S*|s3fs|rclone)"
)
_UNKNOWN = "unknown"
_MOUNT_POINT = 4  # field of a line of mountinfo, from 0


class Held(Exception):
    """Another daemon serves this queue.

    Attributes:
        pid: what the other daemon wrote down about itself, or None.
    """

    def __init__(self, queue: Path, holder: str) -> None:
        found = re.search(r"pid (\d+)", holder)
        self.pid = int(found[1]) if found else None
        who = holder.strip() or "another process"
        super().__init__(f"{queue}: {who} serves this queue already: stop it, or use another queue")


@dataclass(frozen=True, slots=True)
class Holding:
    """The lock, while it is held.

    Attributes:
        filesystem: type of the queue's filesystem (`ext4`), or `unknown`.
        warning: why changes must be polled for and the lock may be weak (a network
            filesystem), or empty.
    """

    filesystem: str
    warning: str


@contextmanager
def queue_lock(queue: Path) -> Iterator[Holding]:
    """Hold the queue for as long as the block lasts.

    Raises:
        Held: another daemon does.
        Refused, Unavailable: the folder cannot be opened.
    """
    with translated(queue):
        descriptor = os.open(queue, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Held(queue, _read(queue / HOLDER)) from error
        with suppress(OSError):  # a note for people: worth no failure
            note = f"pid {os.getpid()} on {socket.gethostname()}\n"
            (queue / HOLDER).write_text(note, encoding="utf-8")
        yield _holding(queue)
        with suppress(OSError):
            (queue / HOLDER).unlink()
    finally:
        os.close(descriptor)


def filesystem_of(folder: str, mounts: str) -> str:
    """The type of the filesystem that `folder` lies on.

    Args:
        folder: absolute, without links.
        mounts: the text of /proc/self/mountinfo; of mounts on one point the last counts.
    """
    best, kind = "", _UNKNOWN
    for line in mounts.splitlines():
        before, dash, after = line.partition(" - ")
        if not dash:
            continue
        point = _unescaped(before.split(" ")[_MOUNT_POINT])
        inside = folder == point or folder.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, after.split(" ")[0]
    return kind


def _holding(queue: Path) -> Holding:
    kind = filesystem_of(str(queue.resolve()), _read(Path("/proc/self/mountinfo")))
    if not _NETWORK.fullmatch(kind):
        return Holding(kind, "")
    return Holding(
        kind,
        f"{queue} lies on {kind}: other hosts' changes are found by polling only, and the "
        "lock may not hold between hosts: move the queue to a local disk",
    )


def _read(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(encoding="utf-8", errors="replace")
    return ""


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
