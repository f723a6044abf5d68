"""The Kubernetes room's landing place: the folder that takes results, each file proven.

What is not whole and proven lies in a folder of its own, named by path and hash: a restart
finds it and goes on. A file takes its name only when its bytes are on disk. Everything here
blocks: for a thread.
"""

import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import Event

import structlog

from llmdbenchd.core.results.manifest import DONE, NAME, OWN_NAMES, FileEntry
from llmdbenchd.edge.files import durable, kernel
from llmdbenchd.ports import Unavailable

INCOMING = ".incoming-parts"
CHUNK = 1 << 20
MANY = 16  # files; from here on one flush of the filesystem beats one for each

log = structlog.get_logger()


class Abandoned(Exception):
    """Nobody waits for this any more."""


class Landing:
    """One results folder as far as it is here."""

    def __init__(self, target: Path, min_free: int) -> None:
        """Take a folder into use.

        Args:
            target: takes the files; what is proven there already stays.
            min_free: bytes of disk that must be left.
        """
        self.target = target
        self.abandoned = Event()
        self._min_free = min_free
        self._incoming = target / INCOMING

    def missing(self, files: Iterable[FileEntry]) -> list[FileEntry]:
        """What is not here yet.

        Raises:
            Unavailable: there is no room for it.
            Abandoned: as asked.
        """
        self._incoming.mkdir(parents=True, exist_ok=True)
        missing = [entry for entry in files if not self._is_here(entry)]
        begun = sum(max(0, _size(self._part(entry))) for entry in missing)
        to_come = max(0, sum(entry.size for entry in missing) - begun)
        free = shutil.disk_usage(self.target).free
        if to_come and to_come + self._min_free > free:
            raise Unavailable(
                f"no room: {to_come} bytes to come, {free} free in {self.target}, "
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

    def place(self, files: Sequence[tuple[FileEntry, bytes]]) -> None:
        """Give these files, whole and proven, their names, sharing the cost of the disk."""
        filesystem = os.open(self._incoming, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for entry, content in files:
                self._part(entry).write_bytes(content)
            if len(files) < MANY or not kernel.sync_filesystem(filesystem):
                for entry, _ in files:
                    durable.sync(self._part(entry))
        finally:
            os.close(filesystem)
        for folder in {(self.target / entry.path).parent for entry, _ in files}:
            folder.mkdir(parents=True, exist_ok=True)
        for entry, _ in files:
            self._part(entry).replace(self.target / entry.path)

    def settle(self, entry: FileEntry) -> None:
        """Give the part of a file, whole and proven, its name."""
        durable.sync(self._part(entry))
        here = self.target / entry.path
        here.parent.mkdir(parents=True, exist_ok=True)
        self._part(entry).replace(here)

    def finish(self, files: Sequence[FileEntry], manifest: bytes, done: bytes | None) -> None:
        """Make it exactly what the manifest says, and say so: done mark, then manifest."""
        listed = {entry.path for entry in files}
        for path in sorted(self._lying() - listed):  # of an earlier manifest
            log.warning("results.unlisted", folder=str(self.target), path=path)
            (self.target / path).unlink()
        for folder in self._folders(files):
            durable.sync(folder)
        shutil.rmtree(self._incoming)
        marks = {self.target / DONE: done, self.target / NAME: manifest}
        for mark, content in marks.items():
            if content is not None:
                durable.publish(mark, content)

    def _is_here(self, entry: FileEntry) -> bool:
        path = self.target / entry.path
        if _size(path) != entry.size or not path.is_file():
            return False
        digest = hashlib.sha256()
        for block in self._blocks(path):
            digest.update(block)
        return digest.hexdigest() == entry.sha256

    def _blocks(self, path: Path) -> Iterator[bytes]:
        with path.open("rb") as file:
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
        found = set()
        for folder, folders, names in os.walk(self.target):
            if Path(folder) == self.target and INCOMING in folders:
                folders.remove(INCOMING)
            found |= {str(Path(folder, name).relative_to(self.target)) for name in names}
        return found - OWN_NAMES

    def _folders(self, files: Sequence[FileEntry]) -> set[Path]:
        folders = {self.target}
        for entry in files:
            above = (self.target / entry.path).parents
            folders.update(folder for folder in above if folder.is_relative_to(self.target))
        return folders


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
        self._file = path.open("ab")

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
            self._file.write(chunk)
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


def _size(path: Path) -> int:
    """Bytes of a regular file; -1 if there is none."""
    try:
        status = path.lstat()
    except OSError:
        return -1
    return status.st_size if stat.S_ISREG(status.st_mode) else -1
