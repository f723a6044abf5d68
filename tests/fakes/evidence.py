"""Evidence in memory, and a disk that has its bad moments."""

from collections.abc import Mapping
from pathlib import Path

from llmdbenchd.core.results.document import Analysis, LogFacts, ServerLog
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record
from llmdbenchd.ports import Natives, Reported, ReportOrder


class FakeEvidence:
    """What was brought home, and what was sealed.

    Attributes:
        found: what the native files of every run say.
        reported: what becomes of every report.
        served: what there is of every run's servers' logs.
        archives: sealed documents, by key.
        orders: what the reports were told, by key.
        analysed: what becomes of every local analysis.
        analyses: the environment that each was asked for, by key.
        trouble: what the next calls of a method raise, by its name.
    """

    def __init__(self) -> None:
        self.found = Natives(1, None)
        self.reported = Reported(("report.yaml",), (), ())
        self.served: tuple[ServerLog, ...] = ()
        self.archives: dict[str, Mapping[str, bytes]] = {}
        self.orders: dict[str, ReportOrder] = {}
        self.analysed = Analysis(("analysis/1/summary.txt",))
        self.analyses: dict[str, tuple[str, str | None]] = {}
        self.trouble: dict[str, list[Exception]] = {}

    def live_log(self, record: Record, index: int) -> Path:
        return Path("/fake/live", record.key, str(record.attempt), str(index))

    def live_servers(self, record: Record) -> Path:
        return Path("/fake/live", record.key, str(record.attempt), "servers")

    async def servers(self, record: Record) -> tuple[ServerLog, ...]:
        self._may_fail("servers")
        assert record.phase is Phase.REPORTING
        return self.served

    async def results(self, record: Record, index: int) -> Path:
        self._may_fail("results")
        return Path("/fake/results", record.key, str(record.attempt), str(index))

    async def natives(self, record: Record, harness: str) -> Natives:
        assert record.key
        assert harness
        self._may_fail("natives")
        return self.found

    async def fill(self, record: Record) -> None:
        self._may_fail("fill")
        assert record.phase is Phase.REPORTING

    async def logs(self, record: Record) -> Mapping[int, LogFacts]:
        self._may_fail("logs")
        return dict.fromkeys(record.seen, LogFacts(100))

    async def report(self, record: Record, context: ReportOrder) -> Reported:
        self._may_fail("report")
        self.orders[record.key] = context
        return self.reported

    async def analyse(self, record: Record, harness: str, environment: str | None) -> Analysis:
        self._may_fail("analyse")
        self.analyses[record.key] = (harness, environment)
        return self.analysed

    async def is_sealed(self, record: Record) -> bool:
        self._may_fail("is_sealed")
        return record.key in self.archives

    async def seal(self, record: Record, documents: Mapping[str, bytes]) -> Path:
        self._may_fail("seal")
        self.archives.setdefault(record.key, documents)
        return Path("/fake/archive", record.key)

    def _may_fail(self, method: str) -> None:
        if self.trouble.get(method):
            raise self.trouble[method].pop(0)
