"""The local room's carrier: brings results home, each file proven by its SHA-256.

The launcher wrote a manifest where the data was made. Where it could not (it was
killed), or where files lie beside it that it does not list, we make one here and say
so: `late`. A copy is hashed while it is made, and takes its name only when it is whole
and on disk; so a kill costs at most the file under way.
"""

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import BinaryIO

from llmdbenchd.core.results.manifest import (
    DONE,
    NAME,
    OWN_NAMES,
    Entry,
    FileEntry,
    LinkEntry,
    ManifestError,
    done_sha256,
    parse,
    render,
)
from llmdbenchd.edge.local import durable
from llmdbenchd.edge.local.trouble import translated
from llmdbenchd.ports import Copied, Unavailable

CHUNK = 1 << 20
INCOMING = ".incoming-"  # in the target: a folder for files that are not yet proven


class Abandoned(Exception):
    """Nobody waits for this transfer any more."""


@dataclass(frozen=True, slots=True)
class Packed:
    """What there is to bring: entries, the manifest's bytes, and who made it."""

    entries: tuple[Entry, ...]
    manifest: bytes
    maker: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """One results folder on its way home. Blocking: for a thread.

    Attributes:
        source: the results folder, which may not be there.
        target: the folder that takes the files; what is proven there already stays.
        min_free: bytes of disk that must be left.
        abandoned: set when the transfer should end early.
    """

    source: Path
    target: Path
    min_free: int
    abandoned: Event
    _incoming: str = field(default_factory=lambda: INCOMING + os.urandom(4).hex())

    def run(self) -> Copied:
        """Bring everything.

        Raises:
            Unavailable: something is missing or differs, or there is no room.
            Abandoned: as asked.
        """
        with translated(f"results {self.source.name}"):
            self.target.mkdir(parents=True, exist_ok=True)
            for left in self.target.glob(f"{INCOMING}*"):  # by a kill
                shutil.rmtree(left, ignore_errors=True)
            try:
                return self._bring_all()
            finally:
                shutil.rmtree(self.target / self._incoming, ignore_errors=True)

    def _bring_all(self) -> Copied:
        packed = self._packed()
        files = [entry for entry in packed.entries if isinstance(entry, FileEntry)]
        self._check_room(files)
        (self.target / self._incoming).mkdir()
        for entry in files:
            self._bring(entry)
        self._sync(files)
        if (self.source / DONE).is_file():
            self._publish(DONE, durable.read(str(self.source / DONE)))
        self._publish(NAME, packed.manifest)  # last: where it is, all of it is
        return Copied(len(files), sum(entry.size for entry in files), packed.maker)

    def _packed(self) -> Packed:
        """The launcher's manifest, or one of our own where it says too little."""
        listed: tuple[Entry, ...] = ()
        manifest = self.source / NAME
        if manifest.is_file():
            content = durable.read(str(manifest))
            listed = self._trusted(content)
        else:
            content = b""
        known = {entry.path for entry in listed}
        unlisted = [path for path in self._lying_there() if path not in known]
        if content and not unlisted:
            return Packed(listed, content, "launcher")
        entries = (*listed, *(self._described(path) for path in unlisted))
        return Packed(entries, render(entries), "late")

    def _trusted(self, content: bytes) -> tuple[Entry, ...]:
        done = self.source / DONE
        try:
            expected = done_sha256(durable.read(str(done))) if done.is_file() else None
            if expected is not None and hashlib.sha256(content).hexdigest() != expected:
                raise Unavailable(f"{self.source.name}: {NAME} is not the one that {DONE} names")
            return parse(content)
        except ManifestError as error:
            raise Unavailable(f"{self.source.name}: {error}") from error

    def _lying_there(self) -> Iterator[str]:
        """Paths of all files and links, apart from manifest and done mark; pipes hold nothing."""
        if not self.source.exists():  # it never came to results
            return
        for folder, folders, names in os.walk(self.source, onerror=_give_up):
            for name in (*names, *folders):
                path = Path(folder, name)
                kind = path.lstat().st_mode
                relative = str(path.relative_to(self.source))
                if relative not in OWN_NAMES and (stat.S_ISREG(kind) or stat.S_ISLNK(kind)):
                    yield relative

    def _described(self, path: str) -> Entry:
        file = self.source / path
        if file.is_symlink():
            return LinkEntry(path, str(file.readlink()))
        with self._opened(path) as content:
            return FileEntry(path, *self._copy(content, None))

    def _check_room(self, files: list[FileEntry]) -> None:
        missing = sum(entry.size for entry in files if not self._has_size(entry))
        free = shutil.disk_usage(self.target).free
        if missing and missing + self.min_free > free:
            raise Unavailable(
                f"{self.source.name}: no room: {missing} bytes to come, {free} free in "
                f"{self.target}, of which {self.min_free} are kept free"
            )

    def _has_size(self, entry: FileEntry) -> bool:
        try:
            status = (self.target / entry.path).lstat()
        except OSError:
            return False
        return stat.S_ISREG(status.st_mode) and status.st_size == entry.size

    def _bring(self, entry: FileEntry) -> None:
        here = self.target / entry.path
        if self._has_size(entry):
            with here.open("rb") as content:
                if self._copy(content, None) == (entry.size, entry.sha256):
                    return
        incoming = self._part()
        with self._opened(entry.path) as content, incoming.open("wb") as copy:
            size, sha256 = self._copy(content, copy)
            copy.flush()
            os.fsync(copy.fileno())
        if (size, sha256) != (entry.size, entry.sha256):
            raise Unavailable(
                f"{self.source.name}: {entry.path} differs from the manifest: "
                f"{size} bytes with SHA-256 {sha256}, not {entry.size} with {entry.sha256}"
            )
        here.parent.mkdir(parents=True, exist_ok=True)
        incoming.replace(here)

    def _publish(self, name: str, content: bytes) -> None:
        incoming = self._part()  # not beside its name: a kill leaves nothing in the target
        durable.write(str(incoming), content)
        incoming.replace(self.target / name)
        durable.sync_folder(str(self.target))

    def _part(self) -> Path:
        return self.target / self._incoming / f"{os.urandom(8).hex()}.part"

    def _sync(self, files: list[FileEntry]) -> None:
        """Make the names durable; until then a file may be brought again, no more."""
        folders = {self.target}
        for entry in files:
            above = (self.target / entry.path).parents
            folders.update(folder for folder in above if folder.is_relative_to(self.target))
        for folder in folders:
            durable.sync_folder(str(folder))

    @contextmanager
    def _opened(self, path: str) -> Iterator[BinaryIO]:
        """A regular file below the source, reached through no link."""
        file = self.source / path
        if not file.parent.resolve().is_relative_to(self.source.resolve()):
            raise Unavailable(f"{self.source.name}: {path} lies behind a link that leaves it")
        if not file.exists():
            raise Unavailable(f"{self.source.name}: {path} is in the manifest and not there")
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # no link, and no wait for a pipe
        with os.fdopen(os.open(file, flags), "rb") as content:
            if not stat.S_ISREG(os.fstat(content.fileno()).st_mode):
                raise Unavailable(f"{self.source.name}: {path} is not a file")
            yield content

    def _copy(self, content: BinaryIO, copy: BinaryIO | None) -> tuple[int, str]:
        """Read to the end, writing a copy if wanted; size and SHA-256."""
        size, sha256 = 0, hashlib.sha256()
        while chunk := content.read(CHUNK):
            if self.abandoned.is_set():
                raise Abandoned
            size += len(chunk)
            sha256.update(chunk)
            if copy is not None:
                copy.write(chunk)
        return size, sha256.hexdigest()


def _give_up(error: OSError) -> None:
    """A folder that cannot be read is not an empty one."""
    raise error
