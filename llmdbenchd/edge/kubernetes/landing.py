"""The Kubernetes room's landing place: the folder that takes results, each file proven.

A file takes its name only when it is whole and proven; until then it lies in a folder of its
own, named by path and hash: a restart finds it, and goes on. What a crash of the machine left
of a file is found out by its hash, so the disk is waited for once, at the end: where the
manifest is, all of it is on the disk. Everything here blocks: for a thread.
"""

import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Self

import structlog

from llmdbenchd.core.results.manifest import DONE, NAME, OWN_NAMES, FileEntry
from llmdbenchd.edge.files import durable, kernel
from llmdbenchd.ports import Unavailable

INCOMING = ".incoming-parts"
CHUNK = 1 << 20
MANY = 64  # files; from here on one flush of the filesystem beats one for each
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC

log = structlog.get_logger()


class Abandoned(Exception):
    """Nobody waits for this any more."""


class Landing:
    """One results folder as far as it is here.

    Attributes:
        abandoned: set when what runs in a thread should end early.
    """

    def __init__(self, target: Path, min_free: int) -> None:
        """Choose a folder; `with` makes it if it is not there.

        Args:
            target: takes the files; what is proven there already stays.
            min_free: bytes of disk that must be left.
        """
        self.abandoned = Event()
        self._target = target
        self._min_free = min_free
        self._incoming = target / INCOMING
        self._top = -1
        self._folders = {""}

    def __enter__(self) -> Self:
        self._incoming.mkdir(parents=True, exist_ok=True)
        self._top = os.open(self._target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._top)

    def missing(self, files: Iterable[FileEntry]) -> list[FileEntry]:
        """What is not here yet.

        Raises:
            Unavailable: there is no room for it.
            Abandoned: as asked.
        """
        lying = self._lying()
        missing = [one for one in files if one.path not in lying or not self._is_here(one)]
        begun = {path.name: path.stat().st_size for path in self._incoming.iterdir()}
        to_come = sum(entry.size for entry in missing)
        if begun:
            to_come -= sum(begun.get(self._part(entry).name, 0) for entry in missing)
        free = shutil.disk_usage(self._target).free
        if to_come and to_come + self._min_free > free:
            raise Unavailable(
                f"no room: {to_come} bytes to come, {free} free in {self._target}, "
                f"of which {self._min_free} are kept free"
            )
        return missing

    def begun(self, entry: FileEntry) -> "Part":
        """What came of a file before, to be gone on with; close it."""
        part = Part(self._part(entry))
        try:
            part.remember(self._blocks(part.path))
        except BaseException:
            part.close()
            raise
        return part

    def place(self, entry: FileEntry, content: bytes) -> bool:
        """Take a whole small file, unless it is not the one that is meant."""
        if len(content) != entry.size or hashlib.sha256(content).hexdigest() != entry.sha256:
            return False
        part = f"{INCOMING}/small"  # one at a time
        descriptor = os.open(part, _NEW, durable.FILE_MODE, dir_fd=self._top)
        try:
            left = memoryview(content)
            while left:
                left = left[os.write(descriptor, left) :]
        finally:
            os.close(descriptor)
        self._name(part, entry)
        return True

    def settle(self, entry: FileEntry) -> None:
        """Give the part of a file, whole and proven, its name."""
        self._name(f"{INCOMING}/{self._part(entry).name}", entry)

    def finish(self, files: Sequence[FileEntry], manifest: bytes, done: bytes | None) -> None:
        """Make it exactly what the manifest says, and say so: done mark, then manifest."""
        paths = {entry.path for entry in files}
        for path in sorted(self._lying() - paths):  # of an earlier manifest
            log.warning("results.unlisted", folder=str(self._target), path=path)
            (self._target / path).unlink()
        shutil.rmtree(self._incoming)
        self._sync(paths)
        marks = [] if done is None else [durable.File(self._target / DONE, done)]
        durable.publish_many([*marks, durable.File(self._target / NAME, manifest)])

    def _name(self, part: str, entry: FileEntry) -> None:
        folder = entry.path.rpartition("/")[0]
        if folder not in self._folders:
            (self._target / folder).mkdir(parents=True, exist_ok=True)
            self._folders.add(folder)
        os.replace(part, entry.path, src_dir_fd=self._top, dst_dir_fd=self._top)

    def _sync(self, paths: set[str]) -> None:
        if len(paths) >= MANY and kernel.sync_filesystem(self._top):
            return
        folders = {""}
        for path in paths:
            durable.sync(self._target / path)
            while path := path.rpartition("/")[0]:
                folders.add(path)
        for folder in folders:
            durable.sync(self._target / folder)

    def _is_here(self, entry: FileEntry) -> bool:
        try:
            status = os.stat(entry.path, dir_fd=self._top, follow_symlinks=False)
        except OSError:
            return False
        if not stat.S_ISREG(status.st_mode) or status.st_size != entry.size:
            return False
        digest = hashlib.sha256()
        for block in self._blocks(self._target / entry.path):
            digest.update(block)
        return digest.hexdigest() == entry.sha256

    def _blocks(self, path: Path) -> Iterator[bytes]:
        with path.open("rb", buffering=0) as file:
            while block := file.read(CHUNK):
                if self.abandoned.is_set():
                    raise Abandoned
                yield block

    def _part(self, entry: FileEntry) -> Path:
        """The same after a restart, for the same path and content."""
        name = hashlib.sha256(entry.path.encode("utf-8", "surrogateescape")).hexdigest()[:32]
        return self._incoming / f"{name}-{entry.sha256[:16]}.part"

    def _lying(self) -> set[str]:
        """Paths of all that is here, but for our own."""
        found: set[str] = set()
        for below, folders, names, _ in os.fwalk(".", dir_fd=self._top):
            prefix = f"{below[2:]}/" if below[2:] else ""
            if not prefix:
                folders.remove(INCOMING)
            found.update(prefix + name for name in names)
        return found - OWN_NAMES


class Part:
    """A file that is on its way.

    Attributes:
        path: where it lies until it is proven.
        size: bytes that are here.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._digest = hashlib.sha256()
        self._file = path.open("ab", buffering=0)

    def remember(self, blocks: Iterable[bytes]) -> None:
        """Hash what came before."""
        for block in blocks:
            self._digest.update(block)
            self.size += len(block)

    @property
    def sha256(self) -> str:
        """Of what is here, in lower-case hex."""
        return self._digest.hexdigest()

    def append(self, chunks: Sequence[bytes]) -> None:
        """Write, and hash in the same pass."""
        for chunk in chunks:
            left = memoryview(chunk)
            while left:
                left = left[self._file.write(left) :]
            self._digest.update(chunk)
            self.size += len(chunk)

    def forget(self) -> None:
        """Begin anew."""
        self._file.truncate(0)
        self._digest = hashlib.sha256()
        self.size = 0

    def close(self) -> None:
        """Nothing more comes, for now."""
        self._file.close()
