"""The Kubernetes room's carrier: brings results home, each file proven by its SHA-256.

Small files travel together, large ones a few at a time and from where a cut left them. A
file is hashed while it comes and takes its name only when it is whole and on disk, so a
kill costs at most what was under way.
"""

import asyncio
import hashlib
import os
import shutil
import stat
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path

from llmdbenchd.core.results.manifest import (
    DONE,
    NAME,
    FileEntry,
    ManifestError,
    done_sha256,
    parse,
)
from llmdbenchd.edge.files.durable import translated
from llmdbenchd.edge.kubernetes.doors import Shown, Way
from llmdbenchd.edge.kubernetes.framing import SmallFile, unframed
from llmdbenchd.edge.local import durable
from llmdbenchd.ports import Copied, Unavailable

SMALL = 1 << 20  # bytes; larger files are asked for one by one
AT_ONCE = 3  # of the larger files
TRIES = 3  # of one file whose bytes are not what the manifest says
BATCH = 8 << 20  # bytes of small files that are written in one go
INCOMING = ".incoming-parts"
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Transfer:
    """One results folder on its way home.

    Attributes:
        way: how bytes come here.
        folder: its name where it is.
        target: the folder that takes the files; what is proven there already stays.
        min_free: bytes of disk that must be left.
    """

    way: Way
    folder: str
    target: Path
    min_free: int

    async def run(self) -> Copied:
        """Bring everything.

        Raises:
            Refused: the way is forbidden.
            Unavailable: something is missing or differs, or there is no room.
        """
        shown = await self.way.shown(self.folder)
        files = self._listed(shown)
        with translated(self.target):
            missing = await asyncio.to_thread(self._missing, files)
            await self._bring_small([entry for entry in missing if entry.size <= SMALL])
            missing = [entry for entry in missing if not (self.target / entry.path).exists()]
            await self._bring_large(missing)
            await asyncio.to_thread(self._finish, files, shown)
        return Copied(len(files), sum(entry.size for entry in files), shown.maker)

    def _listed(self, shown: Shown) -> list[FileEntry]:
        """The manifest's files; links are only recorded."""
        content = shown.manifest.encode("utf-8", "surrogateescape")
        try:
            named = done_sha256(shown.done.encode()) if shown.done and shown.maker != "late" else ""
            if named and hashlib.sha256(content).hexdigest() != named:
                raise Unavailable(f"{self.folder}: {NAME} is not the one that {DONE} names")
            return [entry for entry in parse(content) if isinstance(entry, FileEntry)]
        except ManifestError as error:
            raise Unavailable(f"{self.folder}: {error}") from error

    def _missing(self, files: list[FileEntry]) -> list[FileEntry]:
        """What is not here yet, and whether there is room for it."""
        (self.target / INCOMING).mkdir(parents=True, exist_ok=True)
        missing = [entry for entry in files if not self._is_here(entry)]
        to_come = sum(entry.size for entry in missing)
        free = shutil.disk_usage(self.target).free
        if to_come and to_come + self.min_free > free:
            raise Unavailable(
                f"{self.folder}: no room: {to_come} bytes to come, {free} free in "
                f"{self.target}, of which {self.min_free} are kept free"
            )
        return missing

    def _is_here(self, entry: FileEntry) -> bool:
        path = self.target / entry.path
        try:
            status = path.lstat()
        except OSError:
            return False
        if not stat.S_ISREG(status.st_mode) or status.st_size != entry.size:
            return False
        return _hash_of(path).hexdigest() == entry.sha256

    async def _bring_small(self, missing: list[FileEntry]) -> None:
        """All in one answer; what does not come by it is asked for by itself afterwards."""
        stream = self.way.small(self.folder, SMALL, "") if len(missing) > 1 else None
        if stream is None:
            return
        wanted = {entry.path: entry for entry in missing}
        batch: list[SmallFile] = []
        async for file in unframed(stream, SMALL):
            if file.path in wanted:
                batch.append(file)
            if sum(len(one.content) for one in batch) > BATCH:
                await asyncio.to_thread(self._place, batch, wanted)
                batch = []
        await asyncio.to_thread(self._place, batch, wanted)

    def _place(self, batch: Iterable[SmallFile], wanted: dict[str, FileEntry]) -> None:
        for file in batch:
            entry = wanted[file.path]
            if hashlib.sha256(file.content).hexdigest() == entry.sha256:
                part = self._part(entry)
                with part.open("wb") as copy:
                    copy.write(file.content)
                    copy.flush()
                    os.fsync(copy.fileno())
                self._name(part, entry)

    async def _bring_large(self, missing: list[FileEntry]) -> None:
        places = asyncio.Semaphore(AT_ONCE)

        async def bring(entry: FileEntry) -> None:
            async with places:
                await self._bring(entry)

        try:
            async with asyncio.TaskGroup() as group:
                for entry in missing:
                    group.create_task(bring(entry))
        except ExceptionGroup as group_error:
            raise group_error.exceptions[0] from group_error

    async def _bring(self, entry: FileEntry) -> None:
        said = ""
        for _ in range(TRIES):
            part = self._part(entry)
            digest = await asyncio.to_thread(_hash_of, part)
            begin = part.stat().st_size if part.exists() else 0
            if begin < entry.size or not part.exists():
                stream = self.way.file(self.folder, entry.path, begin, entry.size)
                await _written(stream, part, digest)
            size, sha256 = part.stat().st_size, digest.hexdigest()
            if (size, sha256) == (entry.size, entry.sha256):
                await asyncio.to_thread(self._settle, part, entry)
                return
            if size < entry.size:
                raise Unavailable(f"{self.folder}: {entry.path}: {size} of {entry.size} bytes came")
            part.unlink()
            said = (
                f"{self.folder}: {entry.path} differs from the manifest: {size} bytes with "
                f"SHA-256 {sha256}, not {entry.size} with {entry.sha256}"
            )
        raise Unavailable(said)

    def _settle(self, part: Path, entry: FileEntry) -> None:
        with part.open("rb") as file:
            os.fsync(file.fileno())
        self._name(part, entry)

    def _name(self, part: Path, entry: FileEntry) -> None:
        here = self.target / entry.path
        here.parent.mkdir(parents=True, exist_ok=True)
        part.replace(here)

    def _part(self, entry: FileEntry) -> Path:
        """The same after a restart, for the same path and content."""
        name = hashlib.sha256(entry.path.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        return self.target / INCOMING / f"{name}-{entry.sha256[:16]}.part"

    def _finish(self, files: list[FileEntry], shown: Shown) -> None:
        """Make the names durable, then done mark and manifest: where it is, all of it is."""
        folders = {self.target}
        for entry in files:
            above = (self.target / entry.path).parents
            folders.update(folder for folder in above if folder.is_relative_to(self.target))
        for folder in folders:
            durable.sync_folder(str(folder))
        shutil.rmtree(self.target / INCOMING)
        for name, text in ((DONE, shown.done), (NAME, shown.manifest)):
            if text is not None:
                content = text.encode("utf-8", "surrogateescape")
                durable.write(str(self.target / name), content)


def _hash_of(path: Path) -> "hashlib._Hash":
    digest = hashlib.sha256()
    if path.exists():
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    return digest


async def _written(stream: AsyncIterator[bytes], part: Path, digest: "hashlib._Hash") -> None:
    """Append to a part what comes, hashed in the same pass; what came stays when it breaks."""
    with part.open("ab") as copy:
        held: list[bytes] = []

        def flush() -> None:
            for chunk in held:
                digest.update(chunk)
                copy.write(chunk)
            held.clear()

        try:
            async for chunk in stream:
                held.append(chunk)
                if sum(map(len, held)) >= CHUNK:
                    await asyncio.to_thread(flush)
        finally:
            flush()
