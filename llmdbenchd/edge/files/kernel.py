"""The queue and the records on a local disk: what must be asked of Linux itself."""

import ctypes
import errno
import fcntl
import functools
import os
import signal
from enum import Enum
from pathlib import Path

FOR_RECORDS = 1 << 20  # bytes that logs leave free
_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_SYNCFS_TELLS_ERRORS = (5, 8)  # older kernels return success after a failed write-back


class Writer(Enum):
    """Whether somebody has a file open for writing."""

    UNKNOWN = "unknown"
    NONE = "none"
    OPEN = "open"


def rename_new(source: Path, target: Path) -> None:
    """Rename, and never replace.

    Where the filesystem cannot do it in one step, a file gets a second name before it
    loses the first: a crash in between leaves both, which name the same file. A folder is
    renamed plainly there, which replaces nothing but an empty folder.

    Raises:
        FileExistsError: `target` is there; nothing was changed.
        OSError: as of rename(2).
    """
    code = _call(
        "renameat2",
        _AT_FDCWD,
        os.fsencode(source),
        _AT_FDCWD,
        os.fsencode(target),
        ctypes.c_uint(_RENAME_NOREPLACE),
    )
    if code in {errno.EINVAL, errno.ENOSYS}:
        _rename_in_steps(source, target)
    elif code:
        raise OSError(code, os.strerror(code), str(source), None, str(target))


def _rename_in_steps(source: Path, target: Path) -> None:
    if source.is_dir() and not source.is_symlink():
        try:
            source.rename(target)
        except OSError as error:
            if error.errno in {errno.ENOTEMPTY, errno.ENOTDIR}:
                raise FileExistsError(errno.EEXIST, "exists", str(target)) from error
            raise
    else:
        os.link(source, target, follow_symlinks=False)
        source.unlink()


def keep_room(descriptor: int, size: int) -> None:
    """Make sure that `size` more bytes of a log leave records the room to say how runs stand.

    Raises:
        OSError: as of a full disk; free space, and it goes on.
    """
    disk = os.fstatvfs(descriptor)
    if disk.f_bavail * disk.f_frsize < size + FOR_RECORDS:
        raise OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)}: the rest is kept for records")


def sync_filesystem(descriptor: int) -> bool:
    """Make everything durable that was written to the filesystem of `descriptor`.

    Returns:
        False when this kernel cannot promise it; then sync each file.

    Raises:
        OSError: a write since `descriptor` was opened did not reach the disk.
    """
    if _kernel() < _SYNCFS_TELLS_ERRORS:
        return False
    code = _call("syncfs", descriptor)
    if code == errno.ENOSYS:
        return False
    if code:
        raise OSError(code, os.strerror(code))
    return True


def writer_of(descriptor: int) -> Writer:
    """Ask whether anybody has this file open for writing.

    A read lease is granted only while nobody has, and only to the file's owner; for
    everybody else's files the answer is UNKNOWN. The lease is given back at once. If it
    is broken meanwhile the kernel sends SIGURG, which does nothing, in place of SIGIO,
    which would end the process.
    """
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return Writer.OPEN if error.errno == errno.EAGAIN else Writer.UNKNOWN
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return Writer.NONE


def _call(name: str, *arguments: object) -> int:
    """Call a function of the C library; the error number, or 0."""
    library = _library()
    if not hasattr(library, name):
        return errno.ENOSYS
    ctypes.set_errno(0)
    return ctypes.get_errno() if getattr(library, name)(*arguments) else 0


@functools.cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


@functools.cache
def _kernel() -> tuple[int, int]:
    major, minor = os.uname().release.split(".")[:2]
    return int(major), int("".join(digit for digit in minor if digit.isdigit()) or 0)
