"""Reports of many runs at once: each converter is a process that takes a core and much memory."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from llmdbenchd.core.run.phase import Phase
from llmdbenchd.edge.environments import Environments
from llmdbenchd.edge.files.archive import Archive
from llmdbenchd.edge.files.evidence import DiskEvidence
from llmdbenchd.edge.recording.keeping import served
from llmdbenchd.edge.reports import ReportFacts
from llmdbenchd.ports import ReportOrder
from tests.core.run.cases import record

ORDER = ReportOrder(
    harness="inference-perf", experiment_id="e", model="org/model", description="", keywords=()
)
CORES, RUNS = 2, 8


class Converter:
    """Takes a while, and remembers how many of it there were at once."""

    def __init__(self) -> None:
        self.now = self.most = self.all = 0

    async def convert(self, *_: object, **__: object) -> ReportFacts:
        """As `reports.convert`."""
        self.now += 1
        self.most, self.all = max(self.most, self.now), self.all + 1
        await asyncio.sleep(0.01)
        self.now -= 1
        return ReportFacts()


async def test_runs_that_end_together_do_not_start_a_converter_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    converter = Converter()
    monkeypatch.setattr("llmdbenchd.edge.files.evidence.convert", converter.convert)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(CORES)))
    with ThreadPoolExecutor() as disk:
        archive = Archive(tmp_path / "archive")
        evidence = DiskEvidence(
            tmp_path / "state",
            archive,
            disk,
            served=served,
            environments=Environments({}, tmp_path),
        )
        runs = [
            replace(record(Phase.REPORTING), run=f"r{number}", seen=(1,)) for number in range(RUNS)
        ]
        await asyncio.gather(*(evidence.report(run, ORDER) for run in runs))

    assert (converter.all, converter.most) == (RUNS, CORES)
