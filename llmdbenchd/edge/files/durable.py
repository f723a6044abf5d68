"""The queue and the records on a local disk: the one way to write.

Everything that must outlive a kill or a power cut is written under a temporary name in
the same folder, synced, renamed into place, and the folder is synced. When a function
returns, the data is on disk; when it raises, the old state is (or, for groups, a part
of the new one: doing it again completes it).
The functions block: asyncio calls them by way of a small executor of its own.
"""

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from llmdbenchd.edge.files.kernel import rename_new, sync_filesystem
from llmdbenchd.ports import Refused, Unavailable

FILE_MODE = 0o640
FOLDER_MODE = 0o750
STAGED = ".new-"  # a folder of this prefix was never committed
_UNFINISHED = re.compile(r"\.[0-9a-f]{16}\.part")
_MANY = 64  # from here on one flush of the filesystem beats one for each file

_ADVICE = {
    errno.ENOSPC: "the disk is full: free space, then it goes on by itself",
    errno.EDQUOT: "the disk quota is used up: free space, then it goes on by itself",
    errno.EROFS: "the filesystem is read-only: look at dmesg, then remount it",
    errno.EIO: "the disk reports an error: look at dmesg",
    errno.ENOENT: "the folder is gone: make it again",
    errno.EACCES: "the daemon lacks the right: look at owner, group and mode of the folder",
    errno.EPERM: "the daemon lacks the right: look at owner, group and mode of the folder",
    errno.ENAMETOOLONG: "the name is too long: use a shorter one",
}
_FINAL = {errno.EACCES, errno.EPERM, errno.ENAMETOOLONG}


class AlreadyThere(Refused):
    """Something of that name exists, and was not touched."""


@dataclass(frozen=True, slots=True)
class File:
    """One file to be written: its final path, content, and mode (whatever the umask)."""

    path: Path
    data: bytes | Iterable[bytes]
    mode: int = FILE_MODE


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn an OSError about `path` into one of the two errors that loops understand.

    Raises:
        AlreadyThere: a name that had to be new was not.
        Refused: people must change a right or a name first.
        Unavailable: anything else; trying again may help.
    """
    try:
        yield
    except FileExistsError as error:
        raise AlreadyThere(f"{path}: exists already") from error
    except OSError as error:
        number = error.errno or 0
        said = error.strerror or str(error)
        text = f"{path}: {said}: {_ADVICE.get(number, 'it will be tried again')}"
        raise (Refused if number in _FINAL else Unavailable)(text) from error


def publish(path: Path, data: bytes | Iterable[bytes], *, mode: int = FILE_MODE) -> None:
    """Write `path` whole and for good, replacing what was there.

    Raises:
        Refused, Unavailable: see `translated`; the content is the old or the new one, whole.
    """
    publish_many([File(path, data, mode)])


def publish_new(path: Path, data: bytes, *, mode: int = FILE_MODE) -> None:
    """Write `path` whole and for good, unless there is something of that name.

    Raises:
        AlreadyThere: there is; it was not touched.
        Refused, Unavailable: see `translated`; the file is there whole, or absent.
    """
    with translated(path):
        temporary = _write_beside(File(path, data, mode))
        try:
            sync(temporary)
            rename_new(temporary, path)
        except OSError:
            _forget([temporary])
            raise
        sync(path.parent)


def publish_many(files: Sequence[File]) -> None:
    """Write a group of files, each whole and for good, sharing the cost of the disk.

    Raises:
        Refused, Unavailable: see `translated`; each file is either old or new.
    """
    folders = list(dict.fromkeys(file.path.parent for file in files))
    written: list[Path] = []
    with _shared_sync(folders) as sync_all:
        try:
            for file in files:
                with translated(file.path):
                    written.append(_write_beside(file))
            sync_all(written)
            for file, temporary in zip(files, written, strict=True):
                with translated(file.path):
                    temporary.replace(file.path)
        except (Refused, Unavailable):
            _forget(written)
            raise
        sync_all(folders)


def publish_folders(parent: Path, folders: Mapping[str, Mapping[str, bytes]]) -> None:
    """Make folders below `parent`, each with all of its files or not at all.

    Args:
        parent: exists; shares the commit of the whole group.
        folders: name to files; a file's name may have one folder in front (`runs/a.json`).

    Raises:
        AlreadyThere: a folder of that name exists.
        Refused, Unavailable: see `translated`; each folder is there whole, or absent.
    """
    with _shared_sync([parent]) as sync_all, translated(parent):
        try:
            sync_all([path for name in folders for path in _stage(parent, name, folders[name])])
            for name in folders:
                rename_new(parent / f"{STAGED}{name}", parent / name)
        except (OSError, Refused, Unavailable):
            for name in folders:
                shutil.rmtree(parent / f"{STAGED}{name}", ignore_errors=True)
            raise
        sync(parent)


def forget_unfinished(folder: Path) -> None:
    """Remove what a killed writer left in `folder`; only for its sole writer, before it writes."""
    with suppress(OSError):
        _forget([path for path in folder.iterdir() if _UNFINISHED.fullmatch(path.name)])


def sync(path: Path) -> None:
    """Make one file or folder durable (raises OSError)."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _stage(parent: Path, name: str, files: Mapping[str, bytes]) -> list[Path]:
    """Write a folder under its temporary name; every path in it that must be synced."""
    staged = parent / f"{STAGED}{name}"
    if staged.exists():  # left by a try that failed, or by a crash
        shutil.rmtree(staged)
    staged.mkdir(mode=FOLDER_MODE)
    paths = [staged]
    for relative, data in files.items():
        path = staged / relative
        if path.parent not in paths:
            path.parent.mkdir(mode=FOLDER_MODE)
            paths.append(path.parent)
        _write(File(path, data))
        paths.append(path)
    return paths


def _write_beside(file: File) -> Path:
    temporary = file.path.parent / f".{secrets.token_hex(8)}.part"
    try:
        _write(File(temporary, file.data, file.mode))
    except OSError:
        _forget([temporary])
        raise
    return temporary


def _write(file: File) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(file.path, flags, file.mode)
    try:
        os.fchmod(descriptor, file.mode)
        for part in [file.data] if isinstance(file.data, bytes) else file.data:
            rest = memoryview(part)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
    finally:
        os.close(descriptor)


def _forget(paths: Sequence[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink()


class _SharedSync:
    """Syncs many paths at once. Open before the writes: so no error is missed."""

    def __init__(self, devices: Mapping[int, int]) -> None:
        self._devices = devices

    def __call__(self, paths: Sequence[Path]) -> None:
        if len(paths) >= _MANY:
            with translated(paths[0].parent):
                if all(map(sync_filesystem, self._devices.values())):
                    return
        for path in paths:
            with translated(path):
                sync(path)


@contextmanager
def _shared_sync(folders: Sequence[Path]) -> Iterator[_SharedSync]:
    devices: dict[int, int] = {}
    with ExitStack() as stack:
        for folder in folders:
            with translated(folder):
                descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            stack.callback(os.close, descriptor)
            devices.setdefault(os.fstat(descriptor).st_dev, descriptor)
        yield _SharedSync(devices)
