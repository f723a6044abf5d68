"""The queue and the records on a local disk: reading a dropped file, once and with suspicion."""

import functools
import hashlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from llmdbenchd.edge.files.kernel import Writer, writer_of
from llmdbenchd.edge.files.origin import Origin

SIZE_CAP = 1024 * 1024  # bytes of a job file


class Unfit(Exception):
    """This can never be a job file; the text says why and what to do, for its author."""


class Unsettled(Exception):
    """Somebody writes to the file at this moment."""


@dataclass(frozen=True, slots=True)
class Content:
    """What was read, and of which file."""

    data: bytes
    origin: Origin

    @property
    def mark(self) -> tuple[int, int, int]:
        """Inode, size and time of the last write: what tells that nothing was written since."""
        return self.origin.inode, len(self.data), self.origin.mtime_ns


def read_once(path: Path, name: str, *, cap: int = SIZE_CAP) -> Content:
    """Read a claimed file to its end, without following links.

    Args:
        path: where it lies now.
        name: how its author called it.
        cap: bytes.

    Raises:
        Unfit: it is no regular file, is too large, has two names, or may not be read.
        Unsettled: its writer is not done.
        FileNotFoundError: it is gone.
        OSError: the disk.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    seen = path.lstat()
    _check(seen, cap)
    try:
        descriptor = os.open(path, flags)
    except PermissionError as error:
        raise Unfit(
            f"the daemon may not read it (owner {owner_name(seen.st_uid)}, mode "
            f"{stat.S_IMODE(seen.st_mode):04o}): chmod g+r it, then drop it again"
        ) from error
    try:
        before = os.fstat(descriptor)
        _check(before, cap)
        if writer_of(descriptor) is Writer.OPEN:
            raise Unsettled(name)
        data = _read(descriptor, cap + 1)
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise Unsettled(name)
    return Content(data, _origin(name, after, data))


@functools.lru_cache(maxsize=256)  # a directory service may be slow
def owner_name(uid: int) -> str:
    """The user's name, or the number where there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def readable(name: str) -> str:
    """A file name as text that every terminal and every JSON reader takes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _check(seen: os.stat_result, cap: int) -> None:
    if stat.S_ISLNK(seen.st_mode):
        raise Unfit("it is a symbolic link, and links are not followed: drop the file itself")
    if not stat.S_ISREG(seen.st_mode):
        raise Unfit("it is not a regular file")
    if seen.st_nlink > 1:
        raise Unfit(
            "it has a second name (a hard link), so its owner is no proof of who dropped it: "
            "drop a copy"
        )
    if seen.st_size > cap:
        raise Unfit(
            f"it has {seen.st_size} bytes, more than the {cap} of a job file: is it a job file?"
        )


def _read(descriptor: int, most: int) -> bytes:
    parts: list[bytes] = []
    while most > 0 and (part := os.read(descriptor, most)):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def _origin(name: str, seen: os.stat_result, data: bytes) -> Origin:
    return Origin(
        name=readable(name),
        owner=owner_name(seen.st_uid),
        uid=seen.st_uid,
        mtime_ns=seen.st_mtime_ns,
        changed_ns=seen.st_ctime_ns,
        inode=seen.st_ino,
        sha256=hashlib.sha256(data).hexdigest(),
    )
