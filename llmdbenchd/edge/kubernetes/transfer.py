"""The Kubernetes room's carrier: brings results home, each file proven by its SHA-256.

Small files travel together, large ones a few at a time and from where a cut left them. A file
whose bytes are not what the manifest says keeps no other from coming.
"""

import asyncio
import hashlib
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Container,
    Iterable,
    Sequence,
)
from contextlib import aclosing, suppress
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from llmdbenchd.core.results.manifest import (
    DONE,
    NAME,
    FileEntry,
    ManifestError,
    done_sha256,
    parse,
    render,
)
from llmdbenchd.edge.files.durable import translated
from llmdbenchd.edge.kubernetes.doors import Shown, Way
from llmdbenchd.edge.kubernetes.errors import NotFound
from llmdbenchd.edge.kubernetes.framing import Unpacker
from llmdbenchd.edge.kubernetes.landing import Landing, Part
from llmdbenchd.edge.kubernetes.rate import ByteRate
from llmdbenchd.payload.lying import order
from llmdbenchd.ports import Copied, Refused, Unavailable

SMALL = 1 << 20  # bytes; larger files are asked for one by one
AT_ONCE = 3  # of the larger files
BATCH = 1 << 20  # bytes for one visit of a thread
TRIES = 3  # of one file whose bytes are not what the manifest says
TOLD = 3  # of the files that differ; the others are counted

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


class Differs(Unavailable):
    """A file is not what the manifest says; the next one may be."""


@dataclass(frozen=True, slots=True)
class Packed:
    """What there is to bring.

    Attributes:
        files: sorted as they come; links are only recorded in the manifest.
        manifest: the launcher's, with lines of our own where it says too little.
    """

    files: tuple[FileEntry, ...]
    manifest: bytes


class Transfer:
    """One results folder on its way home."""

    def __init__(
        self, way: Way, folder: str, target: Path, *, min_free: int, rate: ByteRate
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            way: how bytes come here.
            folder: its name where it is.
            target: the folder that takes the files; what is proven there already stays.
            min_free: bytes of disk that must be left.
            rate: what all transfers share.
        """
        self._way = way
        self._folder = folder
        self._target = target
        self._landing = Landing(target, min_free)
        self._rate = rate

    async def run(self) -> Copied:
        """Bring everything. A cancel ends it when nothing writes any more.

        Raises:
            Refused: the way is forbidden.
            Unavailable: something is missing or differs, or there is no room.
        """
        shown = await self._way.shown(self._folder)
        with translated(self._target), self._landing as landing:
            packed = await self._in_thread(self._packed, shown)
            missing = await self._in_thread(landing.missing, packed.files)
            await self._bring_each(await self._bring_small(packed.files, missing))
            await self._in_thread(landing.finish, packed.files, packed.manifest, shown.done)
        return Copied(len(packed.files), sum(one.size for one in packed.files), shown.maker)

    def _packed(self, shown: Shown) -> Packed:
        """The manifest that its done mark names, and what it does not list."""
        manifest = shown.manifest
        try:
            named = done_sha256(shown.done) if shown.done else None
            if manifest and named and hashlib.sha256(manifest).hexdigest() != named:
                raise Unavailable(f"{self._folder}: {NAME} is not the one that {DONE} names")
            if manifest is None:
                manifest = render(())
            manifest += b"".join(line + b"\n" for line in shown.late)
            files = [entry for entry in parse(manifest) if isinstance(entry, FileEntry)]
        except ManifestError as error:
            raise Unavailable(f"{self._folder}: {error}") from error
        return Packed(tuple(sorted(files, key=lambda entry: order(entry.path))), manifest)

    async def _bring_small(
        self, files: Iterable[FileEntry], missing: Sequence[FileEntry]
    ) -> list[FileEntry]:
        """In as few answers as can be; what is still missing then is asked for by itself."""
        small = [entry for entry in files if entry.size <= SMALL]
        wanted = {entry.path: entry for entry in missing if entry.size <= SMALL}

        def take(chunks: Sequence[bytes]) -> None:
            for path, content in unpacker.feed(b"".join(chunks)):
                if path in wanted and self._landing.place(wanted[path], content):
                    del wanted[path]

        after = _last_before(small, wanted)
        while len(wanted) > 1:
            unpacker = Unpacker(SMALL)
            async with aclosing(self._way.small(self._folder, SMALL, after)) as stream:
                await self._pour(stream, take)
            if not unpacker.last:
                break
            after = unpacker.last
        return [entry for entry in missing if entry.size > SMALL or entry.path in wanted]

    async def _bring_each(self, missing: Iterable[FileEntry]) -> None:
        """Some at a time; those that differ are told of when all others are here."""
        places = asyncio.Semaphore(AT_ONCE)
        wrong: list[str] = []

        async def bring(entry: FileEntry) -> None:
            async with places:
                try:
                    with translated(self._target):
                        await self._bring(entry)
                except Differs as error:
                    wrong.append(str(error))

        try:
            async with asyncio.TaskGroup() as group:
                for entry in missing:
                    group.create_task(bring(entry))
        except* (Refused, Unavailable) as errors:
            raise errors.exceptions[0] from None
        if wrong:
            more = f"; and {len(wrong) - TOLD} more" if len(wrong) > TOLD else ""
            raise Unavailable(f"{self._folder}: {'; '.join(sorted(wrong)[:TOLD])}{more}")

    async def _bring(self, entry: FileEntry) -> None:
        part = await self._in_thread(self._landing.begun, entry)
        said = ""
        try:
            for _ in range(TRIES):
                if part.size != entry.size or not entry.size:
                    await self._go_on(part, entry)
                if (part.size, part.sha256) == (entry.size, entry.sha256):
                    await self._in_thread(self._landing.settle, entry)
                    return
                said = f"{part.size} bytes with SHA-256 {part.sha256}"
                part.forget()
        finally:
            part.close()
        should = f"{entry.size} with {entry.sha256}"
        raise Differs(f"{entry.path!a} differs from the manifest: {said}, not {should}")

    async def _go_on(self, part: Part, entry: FileEntry) -> None:
        """Bring the rest of a part, or all of it where only all of it can be had."""

        def take(chunks: Sequence[bytes]) -> None:
            part.append(chunks)
            if part.size > entry.size:  # there may be no room for what it has become
                part.forget()
                raise Differs(f"{entry.path!a} is larger than the manifest's {entry.size} bytes")

        try:
            file = self._way.file(self._folder, entry.path, part.size, entry.size)
            async with file as opened:
                if opened.begin != part.size:
                    part.forget()
                await self._pour(opened.chunks, take)
        except NotFound as error:
            raise Differs(f"{entry.path!a} is in the manifest and not there") from error

    async def _pour(
        self, stream: AsyncIterator[bytes], take: Callable[[Sequence[bytes]], None]
    ) -> None:
        """Hand what comes to a thread, in batches; a break hands on what came before it."""
        async with aclosing(self._batches(stream)) as batches:
            async for batch in batches:
                await self._in_thread(take, batch)

    async def _batches(self, stream: AsyncIterator[bytes]) -> AsyncGenerator[list[bytes], None]:
        held: list[bytes] = []
        size = 0
        try:
            async for chunk in stream:
                held.append(chunk)
                size += len(chunk)
                await self._rate.spend(len(chunk))
                if size >= BATCH:
                    yield held
                    held, size = [], 0
        except Exception:  # of the wire too: it is translated where the answer ends
            yield held
            raise
        yield held

    async def _in_thread(
        self, function: Callable[[*Arguments], Result], *words: *Arguments
    ) -> Result:
        """As `asyncio.to_thread`, but a cancel waits: nothing is written behind one's back."""
        run = copy_context().run
        work = asyncio.get_running_loop().run_in_executor(None, run, function, *words)
        try:
            with translated(self._target):
                return await asyncio.shield(work)
        except asyncio.CancelledError:
            self._landing.abandoned.set()
            while not work.done():
                with suppress(asyncio.CancelledError):  # it is on its way already
                    await asyncio.wait([work])
            work.exception()  # nobody waits for it
            raise


def _last_before(files: Iterable[FileEntry], wanted: Container[str]) -> str:
    """Path of the file after which the first wanted one comes; empty if it is the first."""
    before = ""
    for entry in files:
        if entry.path in wanted:
            return before
        before = entry.path
    return before
