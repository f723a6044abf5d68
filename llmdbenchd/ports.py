"""How the loops and the outside world meet: Protocols of a few lines each.

Errors are named by whose move is next: `Refused` means that asking again will not
help, `Unavailable` that it may. Everything in `edge/` raises only these two for
trouble in the world, with the cause attached.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from llmdbenchd.core.launch.plan import LauncherPlan, Places
from llmdbenchd.core.results.document import Analysis, LogFacts
from llmdbenchd.core.results.metrics import Metrics
from llmdbenchd.core.run.moment import Moment
from llmdbenchd.core.run.record import Record, Target
from llmdbenchd.core.run.sight import Sight
from llmdbenchd.core.target.asked import Asked


class Refused(Exception):
    """The world understood and said no; the same request will be refused again."""


class Unavailable(Exception):
    """The world did not answer, or not now; the same request may succeed later."""


class NotReady(Unavailable):
    """The world answered: what is asked for is there, and does not work yet."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A complete look: launchers that are not in it do not exist."""

    sights: Mapping[str, Sight]


@dataclass(frozen=True, slots=True)
class Seen:
    """One launcher was seen (or seen to be gone)."""

    launcher: str
    sight: Sight


@dataclass(frozen=True, slots=True)
class Copied:
    """One launcher's results, brought home and proven.

    Attributes:
        files: number of files; `size` their sum in bytes.
        manifest: `launcher` or `late` (see `core.run.record.Collected`).
    """

    files: int
    size: int
    manifest: str


class Clock(Protocol):
    """The only place where the time is read."""

    def now(self) -> Moment:
        """This moment."""
        ...


class Engine(Protocol):
    """Where launchers live. Every method may be repeated and cancelled at any await."""

    name: str

    @property
    def degraded(self) -> str:
        """Why what the watch said last may be old, or empty."""
        ...

    @property
    def refused(self) -> str | None:
        """What the place says to each look, if that is no; None: it does not answer (yet)."""
        ...

    def places(self, launcher: str) -> Places:
        """Where the launcher of this name sees its files."""
        ...

    def watch(self) -> AsyncIterator[Listed | Seen]:
        """First a `Listed`, then what changes, for ever; a gap is closed by a new `Listed`.

        Raises:
            Unavailable: the stream broke; call again.
        """
        ...

    async def look(self, launcher: str) -> Sight:
        """Ask the world itself about one launcher, begun now (never `Unknown`)."""
        ...

    async def create(self, plan: LauncherPlan) -> None:
        """Make the launcher, or find that it was made before (then change nothing).

        Raises:
            Refused: it can never be made so (no such harness, executable not allowed ...).
            Unavailable: try again.
        """
        ...

    async def stop(self, launcher: str, grace_s: float) -> None:
        """Ask it to end within `grace_s`, then by force. Returns when asked, not when ended."""
        ...

    async def remove(self, launcher: str) -> None:
        """Take away all that is left of an ended launcher; absent already is fine."""
        ...

    async def follow(self, launcher: str, into: Path) -> int:
        """Copy its log into the file `into` as it is written, resuming at what is there.

        Returns the log's length in bytes, after the last byte of an ended launcher.
        """
        ...

    async def collect(self, plan: LauncherPlan, into: Path) -> Copied:
        """Copy its results into the folder `into`, resuming, each file proven by SHA-256.

        The plan says where they are; the launcher itself may be gone.

        Raises:
            Unavailable: something is missing or differs; what is proven stays.
        """
        ...

    async def folders(self, plan: LauncherPlan) -> tuple[str, ...] | None:
        """Names of all results folders on the plan's claim; None if there is no such claim."""
        ...


@dataclass(frozen=True, slots=True)
class Natives:
    """What the harness's own result files say: how many there are, and their metrics."""

    files: int
    metrics: Metrics | None


@dataclass(frozen=True, slots=True)
class Reported:
    """What became of the standard reports of a run, over all launchers.

    `metrics` are those of several launchers together, where more is known of them than of each.
    """

    made: tuple[str, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    metrics: Metrics | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOrder:
    """What the standard reports must know beside the native files."""

    harness: str
    experiment_id: str
    model: str
    description: str
    keywords: tuple[str, ...]


class Scout(Protocol):
    """Who looks for targets. It only reads, and may be repeated and cancelled at any await."""

    async def find(self, asked: Asked) -> Target:
        """The one target that is meant, whose model was asked of the target itself.

        Raises:
            Refused: there is none, or more than one, or it serves another model.
            NotReady: it is there and does not serve yet.
            Unavailable: nobody could say.
        """
        ...


class Evidence(Protocol):
    """Where logs, results and archives of runs are kept. May raise `Unavailable`."""

    def live_log(self, record: Record, index: int) -> Path:
        """The file that the log of launcher `index` is followed into."""
        ...

    async def results(self, record: Record, index: int) -> Path:
        """The folder that the results of launcher `index` are copied into."""
        ...

    async def natives(self, record: Record, harness: str) -> Natives:
        """Read the native result files of all launchers that were collected."""
        ...

    async def fill(self, record: Record) -> None:
        """Put into each followed log what it lacks, as far as that came home otherwise."""
        ...

    async def logs(self, record: Record) -> Mapping[int, LogFacts]:
        """What is here of each launcher's log, by index."""
        ...

    async def report(self, record: Record, context: ReportOrder) -> Reported:
        """Make the standard reports; what cannot be made is a fact, not an error."""
        ...

    async def analyse(self, record: Record, harness: str, environment: str | None) -> Analysis:
        """Analyse the results here with the environment that is named; trouble is a fact."""
        ...

    async def is_sealed(self, record: Record) -> bool:
        """Whether the archive of the run is visible already, sealed before a crash."""
        ...

    async def seal(self, record: Record, documents: Mapping[str, bytes]) -> Path:
        """Make the archive of the run visible, whole."""
        ...


@dataclass(frozen=True, slots=True)
class Dropped:
    """A dropped file that is ours now.

    Attributes:
        claim: the id that it would have as a job; names it towards the queue.
        name: its name in the queue folder; `stem` what people called it.
        data: all of its bytes, read once.
        owner: who owns the file.
    """

    claim: str
    name: str
    stem: str
    data: bytes
    owner: str


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be committed: its id, what it says, and the first record of each of its runs."""

    claim: str
    job: str
    spec: bytes
    records: tuple[Record, ...]


class Queue(Protocol):
    """Where job files come from. Everything may raise `Unavailable`: then try again."""

    def arrivals(self) -> AsyncIterator[tuple[Dropped, ...]]:
        """Groups of dropped files, for ever; an empty group is a heartbeat."""
        ...

    async def commit(self, jobs: Sequence[NewJob]) -> Mapping[str, str]:
        """Make them jobs, for good.

        Returns, by claim, why some became none: the sentence with which a duplicate was
        rejected, or an empty text for one that was committed before a crash already.
        """
        ...

    async def reject(self, claim: str, why: str) -> None:
        """Give the file back to people, with the reason beside it."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks of the running daemon.

    Attributes:
        name: identity of the request; the same after a restart.
        asked: `cancel`, `collect`, `pause` or `resume`.
        job: which job; empty where the whole queue is meant. `run`: empty for all its runs.
        owner: who asks, as the system says and not the request.
    """

    name: str
    asked: str
    job: str
    run: str
    owner: str
