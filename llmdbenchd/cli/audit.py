"""What `fsck` looks at: the daemon's folders, this machine's launchers, and the cluster's."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from llmdbenchd.cli.state import Folders
from llmdbenchd.controllers.book import JobBook
from llmdbenchd.core.fsck.accounts import (
    Archives,
    Difference,
    Objects,
    Records,
    Run,
    Thing,
    Unread,
)
from llmdbenchd.core.fsck.compare import compare
from llmdbenchd.core.job.place import LOCAL, RECORDER, cluster_place, namespace_of
from llmdbenchd.core.launch.manifest import EPHEMERAL
from llmdbenchd.core.launch.plan import IMAGE
from llmdbenchd.core.run.record import Record
from llmdbenchd.core.workload.errors import WorkloadError
from llmdbenchd.edge.files import inventory as on_disk
from llmdbenchd.edge.files.durable import translated
from llmdbenchd.edge.files.instance import NAME as INSTANCE
from llmdbenchd.edge.kubernetes import inventory as on_cluster
from llmdbenchd.edge.kubernetes.session import Access, Session
from llmdbenchd.edge.local import inventory as on_this_machine
from llmdbenchd.ports import Refused, Unavailable

_UNREADABLE = (LookupError, ValueError, TypeError)

Remove = Callable[[Thing], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found, how much was compared, and which places could not be looked at, and why."""

    differences: tuple[Difference, ...]
    runs: int
    things: int
    archives: int
    unseen: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Books:
    runs: tuple[Run, ...]
    unread: tuple[Unread, ...]
    places: frozenset[str]


@dataclass(frozen=True, slots=True)
class Auditor:
    """Gathers the accounts of one daemon and has them compared.

    Attributes:
        hashed: archives are read whole.
        namespaces: to be looked at in any case.
    """

    folders: Folders
    environment: Mapping[str, str]
    hashed: bool = True
    namespaces: tuple[str, ...] = ()

    def look(self, *, daemon: bool) -> Seen:
        """Compare once; `daemon`: one is running, and in the middle of things.

        Raises:
            Refused, Unavailable, OSError: the folders cannot be read.
            NewerRecord: a newer daemon wrote them.
        """
        instance, settings = self._instance(), self.folders.settings
        books = self._books(instance)
        filed = tuple(on_disk.filed_runs(self.folders.archive, hashed=self.hashed))
        staged = list(on_disk.staged_folders(settings.state, settings.archive, daemon=daemon))
        if not daemon:
            staged += on_this_machine.half_made(settings.state / LOCAL)
        objects, unseen = asyncio.run(self._objects(instance, books.places))
        differences = compare(
            Records(instance, books.runs, books.unread),
            objects,
            Archives(filed, tuple(staged), forgets=settings.keep_days is not None),
        )
        counts = len(books.runs) + len(books.unread), len(objects.things), len(filed)
        return Seen(differences, *counts, unseen)

    @asynccontextmanager
    async def hands(self) -> AsyncIterator[Remove]:
        """What takes a thing away, for as long as the block lasts."""
        async with AsyncExitStack() as stack:
            sessions: list[Session] = []

            async def remove(thing: Thing) -> None:
                if thing.place == LOCAL:
                    root = self.folders.settings.state / LOCAL
                    await asyncio.to_thread(on_this_machine.remove, root, thing)
                    return
                if not sessions:
                    sessions.append(await stack.enter_async_context(await self._session()))
                await on_cluster.remove(sessions[0], namespace_of(thing.place), thing)

            yield remove

    def _instance(self) -> str:
        """The daemon's id, or empty where none was ever started."""
        path = self.folders.settings.state / INSTANCE
        with translated(path):
            return path.read_text(encoding="ascii").strip() if path.exists() else ""

    def _books(self, instance: str) -> _Books:
        book = JobBook(self._spec, instance=instance, places=lambda *_: IMAGE)
        runs, unread, places = list[Run](), list[Unread](), {LOCAL}
        for job in self.folders.records.jobs():
            read = self.folders.records.read(job)
            unread += on_disk.unread_records(self.folders.records, job, read)
            try:
                places.add(book.job(job).place)
                runs += [_run(book, record) for record in read]
            except _UNREADABLE as error:
                why = f"its spec.json cannot be read: {error}"
                runs += [Run(record=record, trouble=why) for record in read]
        return _Books(runs=tuple(runs), unread=tuple(unread), places=frozenset(places))

    def _spec(self, job: str) -> bytes:
        data = self.folders.records.spec(job)
        if data is None:
            raise LookupError("it is not there")
        return data

    async def _objects(
        self, instance: str, places: frozenset[str]
    ) -> tuple[Objects, dict[str, str]]:
        wanted = {*places, *self._more_places()} - {LOCAL, RECORDER}
        root = self.folders.settings.state / LOCAL
        things = [*await asyncio.to_thread(on_this_machine.things_below, root, LOCAL)]
        unseen: dict[str, str] = {}
        if not wanted or not instance:  # without an id nothing can be ours
            return Objects(frozenset({LOCAL}), tuple(things)), unseen
        try:
            async with await self._session() as session:
                for place in sorted(wanted):
                    try:
                        things += await on_cluster.things_in(
                            session, place, namespace_of(place), instance
                        )
                    except (Refused, Unavailable) as error:
                        unseen[place] = str(error)
        except (Refused, Unavailable) as error:
            unseen = dict.fromkeys(sorted(wanted), str(error))
        return Objects(frozenset({LOCAL, *wanted} - unseen.keys()), tuple(things)), unseen

    def _more_places(self) -> Iterator[str]:
        settings = self.folders.settings
        if settings.namespace is not None and settings.engine != LOCAL:
            yield cluster_place(settings.namespace)
        yield from map(cluster_place, self.namespaces)

    async def _session(self) -> Session:
        settings = self.folders.settings
        return await Session.open(Access(settings.kubeconfig, settings.context, self.environment))


def _run(book: JobBook, record: Record) -> Run:
    return Run(
        record=record,
        place=book.job(record.job).place,
        launchers=book.launchers(record),
        results=_results(book, record) if record.phase.is_over and record.uncollected else (),
    )


def _results(book: JobBook, record: Record) -> tuple[str, ...]:
    """Where results lie that were not brought home, as far as that outlives launchers."""
    storage = book.job(record.job).spec.storage
    if book.job(record.job).place == LOCAL or storage.mode == EPHEMERAL:
        return ()
    try:
        folders = [book.plan(record, index).results_folder for index in record.seen]
    except WorkloadError:
        return (f"claim {storage.claim}",)
    return tuple(f"claim {storage.claim}, folder {folder}" for folder in folders)
