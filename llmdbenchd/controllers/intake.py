"""From a dropped file to open runs: read it, refuse it with every reason, or commit it.

Nothing is remembered between two groups but what could not be done yet: claims are on
disk, and a crash hands them out again.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from llmdbenchd.controllers.runs import Runs
from llmdbenchd.core.job.accepted import AcceptedJob, encoded
from llmdbenchd.core.job.debugging import everything
from llmdbenchd.core.job.examination import examine
from llmdbenchd.core.job.jobfile import Reading
from llmdbenchd.core.job.problems import Problem, show
from llmdbenchd.core.job.whole import Files, read_whole_job
from llmdbenchd.core.job.workloads import Shelf, find_all
from llmdbenchd.core.run.moment import Moment, at_utc
from llmdbenchd.core.run.record import Record
from llmdbenchd.ports import Clock, Dropped, NewJob, Queue, Refused, Unavailable

log = structlog.get_logger()

AGAIN_S = 2.0
CHUNK = 100  # the first jobs of a burst need not wait for the last one's mistakes


class Desk(Files, Protocol):
    """What the intake needs to know to judge a job file."""

    @property
    def shelf(self) -> Shelf:
        """The profiles."""
        ...

    @property
    def environment(self) -> Mapping[str, str]:
        """The daemon's environment."""
        ...

    def read_path(self, path: str) -> str:
        """A workload that is named by its path; raises `WorkloadError`."""
        ...

    def engine(self, asked: str) -> str:
        """The engine that a job gets that asks for this one."""
        ...

    def completed(self, reading: Reading, engine: str) -> Reading:
        """The reading with what the settings say where the job says nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """A good file: the job, and its first records."""

    dropped: Dropped
    job: AcceptedJob
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A bad file, and every reason."""

    dropped: Dropped
    why: str


@dataclass(slots=True)
class Intake:
    """Takes groups of dropped files, one after the other.

    Attributes:
        beat: called at every sign of life of the queue folder.
    """

    queue: Queue
    desk: Desk
    runs: Runs
    clock: Clock
    beat: Callable[[], None]
    _left: list[Accepted | Refusal] = field(default_factory=list)

    async def run(self) -> None:
        """Take what arrives, for ever."""
        while True:
            try:
                async for group in self.queue.arrivals():
                    self.beat()
                    await self.take(group)
            except (Refused, Unavailable) as error:
                log.warning("queue.unavailable", reason=str(error))
            await asyncio.sleep(AGAIN_S)

    async def take(self, group: Sequence[Dropped]) -> None:
        """Judge a group and carry the judgements out, together with what was left before."""
        for start in range(0, len(group), CHUNK) or [0]:
            await self._take(group[start : start + CHUNK])

    async def _take(self, group: Sequence[Dropped]) -> None:
        now = self.clock.now()
        judgements = await asyncio.to_thread(lambda: [judged(one, self.desk, now) for one in group])
        self._left += judgements
        try:
            await self._commit([one for one in self._left if isinstance(one, Accepted)])
            for refusal in [one for one in self._left if isinstance(one, Refusal)]:
                await self._reject(refusal)
        except (Refused, Unavailable) as error:
            log.warning("queue.unavailable", reason=str(error))

    async def _commit(self, accepted: Sequence[Accepted]) -> None:
        if not accepted:
            return
        orders = [
            NewJob(one.dropped.claim, one.job.job, encoded(one.job), one.records)
            for one in accepted
        ]
        rejected = await self.queue.commit(orders)
        self._left = [one for one in self._left if isinstance(one, Refusal)]
        for one in accepted:
            why = rejected.get(one.dropped.claim)
            if why:
                log.warning("job.rejected", file=one.dropped.name, owner=one.dropped.owner, why=why)
            if why is not None:
                continue  # committed before a crash: its records are open already, or finished
            self.runs.open(one.records)
            log.info(
                "job.accepted",
                job=one.job.job,
                file=one.dropped.name,
                owner=one.dropped.owner,
                runs=len(one.records),
            )

    async def _reject(self, refusal: Refusal) -> None:
        dropped = refusal.dropped
        await self.queue.reject(dropped.claim, refusal.why)
        self._left.remove(refusal)
        log.warning("job.rejected", file=dropped.name, owner=dropped.owner, why=refusal.why)


def judged(dropped: Dropped, desk: Desk, now: Moment) -> Accepted | Refusal:
    """Judge one file; a fault of ours in doing so gives that file back and stops no other."""
    try:
        return judge(dropped, desk, now)
    except Exception as error:
        log.exception("queue.unavailable", reason=f"{dropped.name}: {error!r}")
        why = f"{dropped.name}: a fault in llmdbenchd, not in this file: {error!r}; drop it again"
        return Refusal(dropped, why)


def judge(dropped: Dropped, desk: Desk, now: Moment) -> Accepted | Refusal:
    """Read one file: a job with its first records, or every reason why it is none."""
    reading = read_whole_job(
        dropped.data, stem=dropped.stem, environment=desk.environment, files=desk
    )
    engine = desk.engine(reading.best.engine if reading.best else "auto")
    reading = desk.completed(reading, engine)
    spec = reading.spec
    examination = examine(reading, engine=engine, shelf=desk.shelf, read_path=desk.read_path)
    if spec is None or examination.problems:
        problems = examination.problems or reading.problems
        return Refusal(dropped, _explained(problems, reading, dropped.name))
    sources = dict(find_all(spec, desk.shelf, desk.read_path))
    accepted = AcceptedJob(
        job=spec.id or dropped.claim,
        owner=dropped.owner,
        submitted=now.utc,
        engine=engine,
        spec=spec,
        values=reading.values,
        source=sources.pop(""),
        sources=sources,
        shelved=everything(spec, desk.shelf),
        load_s=examination.load_s,
    )
    return Accepted(dropped, accepted, _first_records(accepted, now))


def _first_records(accepted: AcceptedJob, now: Moment) -> tuple[Record, ...]:
    not_before = accepted.spec.not_before
    return tuple(
        Record(
            job=accepted.job,
            run=cell.run,
            submitted=now.utc,
            since=now.utc,
            priority=accepted.spec.priority,
            stop_on_error=accepted.spec.stop_on_error,
            wait_until=at_utc(not_before, now) if not_before else None,
        )
        for cell in accepted.cells
    )


def _explained(problems: Iterable[Problem], reading: Reading, name: str) -> str:
    return "\n".join(show(problem, reading.text, name) for problem in problems)
