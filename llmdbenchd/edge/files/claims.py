"""The queue and the records on a local disk: from a dropped file to a job, exactly once.

A file is claimed by renaming it to `.taken/<job>.yaml`, read there once, and then either
committed (its job folder is renamed into place, whole) or rejected (renamed to
`rejected/`, beside a text that says why). Only then does the claim go. At every moment
in between, a crash leaves a claim, and `recover` finds it. A file that was committed
just before a crash is known by the origin kept in the job's folder.
Only the holder of the queue's lock may do any of this.
"""

import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from llmdbenchd.edge.files import origin as origins
from llmdbenchd.edge.files.durable import STAGED, publish_folders, sync, translated
from llmdbenchd.edge.files.inbox import GROUP, REJECTED, TAKEN, Ready
from llmdbenchd.edge.files.origin import Origin
from llmdbenchd.edge.files.rejecting import set_aside, tidy
from llmdbenchd.edge.files.taking import Content, Unfit, Unsettled, read_once

JOBS = "jobs"
AS_DROPPED = "job.yaml"
JOB_ID = re.compile(r"[a-z0-9]([-a-z0-9]{0,46}[a-z0-9])?")
_MADE = re.compile(r"(?P<stem>.+)-\d{8}t\d{6}-[0-9a-f]{4}")
_STABLE_S = 2.0


class Duplicate(Exception):
    """A job of this id came from another file.

    Attributes:
        order: what was refused; its claim is still there, to be rejected.
    """

    def __init__(self, order: "Order", first: Origin | None) -> None:
        self.order = order
        whence = f" (dropped as {first.name} by {first.owner})" if first else ""
        super().__init__(
            f"the id {order.job} is already known{whence}: see `llmdbenchd status {order.job}`, "
            "or choose another id"
        )


@dataclass(frozen=True, slots=True)
class Taken:
    """A claimed file: the id its claim has, the bytes (read once), and where it came from."""

    job: str
    data: bytes
    origin: Origin


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file that could not even be read as one, and why; it lies in `rejected/` by now."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of a group of claims."""

    taken: tuple[Taken, ...]
    rejected: tuple[Rejected, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """A job to be committed.

    Attributes:
        taken: its file.
        job: its id; the file's own `id:` may differ from the claim's.
        files: for the job's folder, by relative name, beside `job.yaml` and `origin.json`.
    """

    taken: Taken
    job: str
    files: Mapping[str, bytes]


@dataclass(slots=True)
class _Claim:
    name: str
    mark: tuple[int, int, int] | None  # as it looked when it was found whole
    unsettled: float | None = None  # since when it waits for its writer


@dataclass(slots=True)
class Claims:
    """The claims of one queue.

    Attributes:
        queue: prepared and locked.
        state: exists; jobs lie in `<state>/jobs/`.
        name_job: makes the id of a job from its file's name.
        clock: monotonic seconds.
    """

    queue: Path
    state: Path
    name_job: Callable[[str], str]
    clock: Callable[[], float] = time.monotonic
    _waiting: dict[str, _Claim] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        """Claims that are not handed out yet: they come with the next calls of `take`."""
        return len(self._waiting)

    def recover(self) -> None:
        """Find what a crash has left. Call once, then `take([])` until its batch is empty.

        How a file was called is forgotten by then: it goes by its claim, `<job>.yaml`.

        Raises:
            Refused, Unavailable: a folder cannot be read or written.
        """
        jobs, taken = self.state / JOBS, self.queue / TAKEN
        with translated(jobs):
            jobs.mkdir(parents=True, exist_ok=True)
            for staged in jobs.glob(f"{STAGED}*"):
                shutil.rmtree(staged)
            tidy(self.queue / REJECTED)
            for claim in sorted(taken.glob("*.yaml")):
                if self._is_committed(claim):
                    claim.unlink()
                else:
                    self._waiting[claim.stem] = _Claim(claim.name, None)

    def take(self, ready: Sequence[Ready]) -> Batch:
        """Claim and read files; those that somebody else took first are passed over.

        Args:
            ready: whole files, at most `inbox.GROUP`; none is fine.

        Raises:
            Refused, Unavailable: the disk; claims made so far wait for the next call.
        """
        for file in ready:
            self._claim(file)
        chosen = list(self._waiting)[: max(GROUP, len(ready))]
        if ready:
            for folder in (self.queue, self.queue / TAKEN):  # before a commit on another disk
                with translated(folder):
                    sync(folder)
        taken: list[Taken] = []
        rejected: list[Rejected] = []
        gone: list[str] = []
        for job in chosen:
            claim = self._waiting[job]
            try:
                content = self._read(job, claim)
            except FileNotFoundError:  # rejected before an error, or removed by hand
                gone.append(job)
            except Unfit as error:
                set_aside(self._path(job), self.queue / REJECTED, claim.name, str(error))
                rejected.append(Rejected(claim.name, str(error)))
                gone.append(job)
            else:
                taken += [] if content is None else [Taken(job, content.data, content.origin)]
        for job in [*gone, *(one.job for one in taken)]:
            del self._waiting[job]
        return Batch(tuple(taken), tuple(rejected))

    def commit(self, taken: Taken, files: Mapping[str, bytes], *, job: str | None = None) -> None:
        """Make the file a job, for good; then its claim is gone. Doing it again does nothing.

        Raises:
            Duplicate: there is a job of that id from another file.
            Refused, Unavailable: the disk; nothing is changed, try again.
        """
        for duplicate in self.commit_many([Order(taken, job or taken.job, files)]):
            raise duplicate

    def commit_many(self, orders: Sequence[Order]) -> list[Duplicate]:
        """Commit a group, sharing the cost of the disk; those refused as duplicates.

        Raises:
            Refused, Unavailable: the disk; each is committed or not, try all again.
        """
        fresh: dict[str, Order] = {}
        duplicates: list[Duplicate] = []
        for order in orders:
            known = self._known(_checked(order.job), fresh)
            if known is None:
                fresh[order.job] = order
            elif not known.is_same_file(order.taken.origin):
                duplicates.append(Duplicate(order, known))
        if fresh:
            contents = {job: _files(order) for job, order in fresh.items()}
            publish_folders(self.state / JOBS, contents)
        refused = {id(duplicate.order) for duplicate in duplicates}
        for order in orders:
            if id(order) not in refused:
                with suppress(OSError):  # else the next start removes it
                    self._path(order.taken.job).unlink()
        return duplicates

    def is_known(self, job: str) -> bool:
        """Whether there is such a job."""
        return (self.state / JOBS / job).exists()

    def reject(self, taken: Taken, why: str) -> Path:
        """Put the file into `rejected/` and `why` beside it; where it lies now.

        Raises:
            Refused, Unavailable: the disk; the claim is still there, try again.
        """
        path = self._path(taken.job)
        return set_aside(path, self.queue / REJECTED, taken.origin.name, why)

    def _claim(self, file: Ready) -> None:
        job = _checked(self.name_job(file.name))
        path = self._path(job)
        if path.is_symlink() or path.exists():  # an earlier file of this id is not done yet
            return
        with translated(self.queue / file.name), suppress(FileNotFoundError):
            (self.queue / file.name).rename(path)
            self._waiting[job] = _Claim(file.name, file.look.mark)

    def _read(self, job: str, claim: _Claim) -> Content | None:
        """Read a claim; None when its writer may not be done."""
        path = self._path(job)
        try:
            content = read_once(path, claim.name)
        except Unsettled:
            claim.unsettled = self.clock()
            return None
        except FileNotFoundError:
            raise
        except OSError:
            with translated(path):
                raise
        if claim.mark not in {None, content.mark}:  # written to since it was found whole
            claim.mark, claim.unsettled = content.mark, self.clock()
        if claim.unsettled is not None and self.clock() < claim.unsettled + _STABLE_S:
            return None
        return content

    def _known(self, job: str, fresh: Mapping[str, Order]) -> Origin | None:
        """Where the job of this id came from, or None when there is none."""
        if job in fresh:
            return fresh[job].taken.origin
        if not self.is_known(job):
            return None
        return _origin_in(self.state / JOBS / job) or Origin("?", "?", -1, 0, 0, 0, "")

    def _is_committed(self, claim: Path) -> bool:
        origin = _origin_in(self.state / JOBS / claim.stem)
        seen = claim.lstat()
        return origin is not None and (origin.inode, origin.changed_ns) == (
            seen.st_ino,
            seen.st_ctime_ns,
        )

    def _path(self, job: str) -> Path:
        return self.queue / TAKEN / f"{job}.yaml"


def submitted_id(name: str) -> str | None:
    """The id that a file's name carries, as `submit` drops it, or None.

    A stem that has the form of a made id (`<slug>-<yyyymmdd>t<hhmmss>-<4 hex>`) is kept as
    the id, so that whoever drops the file knows it beforehand.
    """
    stem = Path(name).stem
    return stem if _MADE.fullmatch(stem) and JOB_ID.fullmatch(stem) else None


def plain_stem(name: str) -> str:
    """What people called the file: its stem, without the end of an id that was made."""
    stem = Path(name).stem
    made = _MADE.fullmatch(stem)
    return made["stem"] if made else stem


def _files(order: Order) -> dict[str, bytes]:
    own = {AS_DROPPED: order.taken.data, origins.FILE: origins.encoded(order.taken.origin)}
    return {**order.files, **own}


def _origin_in(folder: Path) -> Origin | None:
    try:
        return origins.decoded((folder / origins.FILE).read_bytes())
    except OSError:
        return None


def _checked(job: str) -> str:
    if JOB_ID.fullmatch(job):
        return job
    raise ValueError(f"{job!r} is no job id")
