"""The composition root: builds every part, and says who hears what from whom."""

import asyncio
import shutil
from collections.abc import Mapping
from concurrent.futures import Executor

import structlog

from llmdbenchd.app.engines import Engines
from llmdbenchd.app.status import StatusFile
from llmdbenchd.controllers.activities import Activities
from llmdbenchd.controllers.admission import Admission
from llmdbenchd.controllers.book import JobBook
from llmdbenchd.controllers.chronicle import Chronicle
from llmdbenchd.controllers.intake import Intake
from llmdbenchd.controllers.keeper import Keeper
from llmdbenchd.controllers.requests import Counter
from llmdbenchd.controllers.runs import Runs
from llmdbenchd.controllers.sites import Site, Sites
from llmdbenchd.controllers.tidying import Tidying
from llmdbenchd.controllers.watchers import watch_launchers
from llmdbenchd.core.job.place import LOCAL
from llmdbenchd.core.run.limits import Capacity
from llmdbenchd.core.run.moment import Moment
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record
from llmdbenchd.core.run.wanted import Activity, wanted
from llmdbenchd.edge.clock import SystemClock
from llmdbenchd.edge.desk import FileDesk, profiles_of
from llmdbenchd.edge.environments import Environments
from llmdbenchd.edge.files.archive import Archive
from llmdbenchd.edge.files.asking import FileRequests
from llmdbenchd.edge.files.claims import Claims
from llmdbenchd.edge.files.evidence import DiskEvidence
from llmdbenchd.edge.files.inbox import is_paused
from llmdbenchd.edge.files.instance import instance_id
from llmdbenchd.edge.files.queue import FileQueue, claim_name
from llmdbenchd.edge.files.records import Records
from llmdbenchd.edge.files.taking import owner_name
from llmdbenchd.edge.recording.keeping import served
from llmdbenchd.edge.systemd import Notifier
from llmdbenchd.kit.taskset import TaskSet
from llmdbenchd.settings import Settings

log = structlog.get_logger()

WORKERS = 8
SILENCE_S = 30.0  # of the passes; the queue may be silent for three scans more


class DiskLedger:
    """Records on disk, written by the threads of `disk`."""

    def __init__(self, records: Records, disk: Executor) -> None:
        self._records = records
        self._disk = disk

    async def save(self, record: Record) -> None:
        """Put the record on disk, durably, or raise `Unavailable`."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._disk, self._records.save, record)


class Daemon:
    """One daemon on one locked queue. Build it inside the loop that runs it."""

    def __init__(
        self, settings: Settings, environment: Mapping[str, str], disk: Executor, *, polling: bool
    ) -> None:
        self.settings = settings
        self.clock = SystemClock.of_this_machine()
        self.notifier = Notifier(environment)
        self.is_first_scan_done = asyncio.Event()
        self.is_view_complete = asyncio.Event()
        self._disk = disk
        self._holds: frozenset[str] = frozenset()
        self._tasks: TaskSet[Activity] | None = None
        self._records = Records(settings.state)
        self._archive = Archive(settings.archive)
        instance = instance_id(settings.state)
        self._engines = Engines(settings, environment, self.clock, instance)
        self.book = JobBook(
            self._spec,
            instance=instance,
            places=self._engines.places,
            lost_after=settings.lost_after,
        )
        self.sites = Sites(self._engines.build, self._watch)
        self.runs = Runs(
            site=self._site,
            clock=self.clock,
            ledger=DiskLedger(self._records, disk),
            handbook=self.book,
            turn=self._has_turn,
            moved=self._moved,
            look_after=self._look_after,
            opened=self._consider_turns,
        )
        self.admission = Admission(
            Capacity(slots=settings.max_active_runs),
            self.clock,
            records=lambda: self.runs,
            wake=self.runs.work.add,
            rivals=self.sites.rivals,
        )
        self.chronicle = Chronicle(
            self.book,
            archive=lambda job, run: str(self._archive.sealed(job, run) or ""),
            siblings=lambda job: [record for record in self.runs if record.job == job],
            learn=self.runs.learn,
            refresh=self.admission.refresh_soon,
        )
        self.intake = Intake(
            queue=self._queue(polling=polling),
            desk=FileDesk(profiles_of(settings), environment, settings),
            runs=self.runs,
            clock=self.clock,
            beat=self._queue_moves,
        )
        self._requests = FileRequests(
            settings.queue, disk, scan_s=settings.scan_seconds, polling=polling
        )
        environments = Environments(environment, settings.harness_venvs)
        self._activities = Activities(
            self.runs,
            self._site,
            scout=lambda record: self._engines.scout(self.book.job(record.job).place),
            servers=self._engines.servers(),
            evidence=DiskEvidence(
                settings.state, self._archive, disk, served=served, environments=environments
            ),
            book=self.book,
            clock=self.clock,
            streams=settings.max_streams,
            preview=self._engines.preview,
        )
        self.tidying = Tidying(
            settings.keep_days,
            self.clock,
            jobs=self._records.jobs,
            read=self._records.read,
            forget=self._records.forget,
        )
        status = StatusFile(settings.state, self.clock.now().utc)
        self.keeper = Keeper(
            runs=self.runs,
            notify=self.notifier,
            limits={"passes": SILENCE_S, "queue": SILENCE_S + 3 * settings.scan_seconds},
            clock=lambda: self.clock.now().boot_s,
            free=self._free,
            min_free=settings.min_free,
            publish=lambda told: status.publish(
                {**told, "paused": sorted(self._holds), "rivals": self.sites.rivals()},
                self.clock.now(),
            ),
            hold=lambda low: self.hold("disk", on=low),
            consider=self._consider_turns,
            troubled=self.sites.troubled,
            now=lambda: self.clock.now().utc,
        )

    async def recover(self) -> None:
        """Take up every open record; bad ones are set aside, named, and stop nobody.

        Raises:
            NewerRecord: a newer daemon was here.
        """
        self.hold("people", on=is_paused(self.settings.queue))  # known before anything is admitted,
        await self.keeper.tick()  # as is whether there is room
        loaded = await asyncio.to_thread(self._records.load_all)
        for bad in loaded.bad:
            log.error("record.set_aside", path=str(bad.path), reason=bad.reason)
        unfinished = [r for r in loaded.records if not r.phase.is_over]
        is_open = [record for record in unfinished if self._is_readable(record)]
        self.sites.at(LOCAL)
        for record in is_open:  # READY means that each of them was looked at
            self._site(record)
        self.runs.open(is_open)
        jobs = {record.job for record in is_open}
        for record in loaded.records:
            if record.job in jobs:
                self.chronicle.consider_siblings(record)

    async def run(self) -> None:
        """Run every loop until one fails or we are cancelled; half a daemon is worse than none."""
        async with asyncio.TaskGroup() as group:
            self._tasks = TaskSet(group, self._activities.run, self.runs.work.add)
            for number in range(WORKERS):
                group.create_task(self.runs.work_forever(), name=f"worker {number}")
            group.create_task(self.intake.run(), name="intake")
            group.create_task(self.sites.run(), name="watch")
            group.create_task(self._counter().serve(self._requests.arrivals), name="control")
            group.create_task(self.keeper.run(), name="keeper")
            group.create_task(self.tidying.run(), name="tidying")

    async def close(self) -> None:
        """Close all connections; launchers live on."""
        await self._engines.close()

    def hold(self, why: str, *, on: bool) -> None:
        """Stop admission for this reason, or let go of it; any reason stops it."""
        self._holds = self._holds | {why} if on else self._holds - {why}
        self.admission.pause(paused=bool(self._holds))

    def reload(self, settings: Settings) -> None:
        """Take over what may change while we run."""
        self.admission.change(Capacity(slots=settings.max_active_runs))
        self.keeper.min_free = settings.min_free
        self.tidying.keep_days = settings.keep_days
        self.settings = settings

    def _queue_moves(self) -> None:
        self.keeper.beat("queue")
        self.hold("people", on=is_paused(self.settings.queue))
        self.is_first_scan_done.set()

    async def _watch(self, site: Site) -> None:
        others = self.admission.refresh
        await watch_launchers(site, self.runs, complete=self._seen, others=others)

    def _seen(self, _: Site) -> None:
        if all(known.view.is_complete for known in self.sites):
            self.is_view_complete.set()

    def _site(self, record: Record) -> Site:
        return self.sites.at(self.book.job(record.job).place)

    # The heart is built before those that it speaks to.
    def _has_turn(self, record: Record) -> bool:
        has_turn = self.admission.has_turn(record)
        is_last_step = has_turn and record.phase is Phase.READY
        return has_turn and (not is_last_step or self.sites.is_seen(self._site(record).place))

    def _moved(self, before: Record | None, after: Record) -> None:
        self.chronicle.moved(before, after)

    def _consider_turns(self) -> None:
        self.admission.refresh_soon()

    def _look_after(self, record: Record, now: Moment) -> None:
        if self._tasks is not None:
            follow_servers = self.book.limits(record.key).follow_servers
            self._tasks.match(record.key, wanted(record, now, follow_servers=follow_servers))

    def _counter(self) -> Counter:
        mine = owner_name(self.settings.state.stat().st_uid)
        return Counter(
            runs=self.runs,
            owner_of=self._owner_of,
            masters=frozenset({"root", mine}),
            pause=self._pause,
            done=self._requests.done,
            refused=self._requests.refused,
        )

    async def _pause(self, paused: bool) -> None:  # noqa: FBT001 - called by position
        await self._requests.pause(paused=paused)
        self.hold("people", on=paused)

    def _owner_of(self, job: str) -> str:
        if self._records.spec(job) is None:
            raise LookupError(job)
        return self.book.job(job).owner

    def _spec(self, job: str) -> bytes:
        data = self._records.spec(job)
        if data is None:
            raise LookupError(f"job {job} has no spec.json")
        return data

    def _is_readable(self, record: Record) -> bool:
        try:
            self.book.job(record.job)
        except (LookupError, ValueError, TypeError, KeyError) as error:
            log.error("record.set_aside", path=record.key, reason=repr(error))  # noqa: TRY400 - said whole
            return False
        return True

    def _free(self) -> int | None:
        folders = [self.settings.state, self.settings.archive]
        try:
            return min(shutil.disk_usage(folder).free for folder in folders)
        except OSError:
            return None

    def _queue(self, *, polling: bool) -> FileQueue:
        settings = self.settings
        return FileQueue(
            settings.queue,
            Claims(settings.queue, settings.state, self._name_job),
            self._disk,
            scan_s=settings.scan_seconds,
            polling=polling,
            rejected=lambda name, why: log.warning("job.rejected", file=name, owner="?", why=why),
        )

    def _name_job(self, file: str) -> str:
        return claim_name(file, self.clock.now().utc)
