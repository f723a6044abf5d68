"""Who looks for targets, and who keeps what a run left."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from llmdbenchd.core.results.document import Analysis, LogFacts, ServerLog
from llmdbenchd.core.results.metrics import Metrics
from llmdbenchd.core.run.record import Record, Target
from llmdbenchd.core.target.asked import Asked


@dataclass(frozen=True, slots=True)
class Natives:
    """What the harness's own result files say: how many there are, and their metrics.

    Of one that sends no load `told` is for people, and logs of servers are by path in the archive.
    """

    files: int
    metrics: Metrics | None
    told: str = ""
    server_logs: Mapping[str, LogFacts] = field(default_factory=dict)


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

    def live_servers(self, record: Record) -> Path:
        """The folder that the servers' logs of the attempt are followed into."""
        ...

    async def servers(self, record: Record) -> tuple[ServerLog, ...]:
        """What is here of the servers' logs."""
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
