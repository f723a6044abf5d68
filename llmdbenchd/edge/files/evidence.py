"""The evidence of runs on this disk: live logs, collected results, reports, the archive.

    <state>/live/<job>/<run>/<attempt>/launcher-<i>.log      while the run is open
    <state>/live/<job>/<run>/<attempt>/servers/              likewise, as the recorder keeps it
    <archive>/.incoming/<job>/<run>/attempts/<n>/...         what is brought home
    <archive>/<job>/<run>/                                   sealed

Blocking work runs in the executor that is given.
"""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from llmdbenchd.core.results.document import Analysis, LogFacts, LogGap, ServerLog
from llmdbenchd.core.results.metrics import Metrics, combine
from llmdbenchd.core.results.readers import Unreadable
from llmdbenchd.core.results.summary import (
    HARNESSES,
    SERVER_LOGS,
    TOLD,
    find_native,
    measure,
)
from llmdbenchd.core.run.record import Record
from llmdbenchd.edge.analysis import Analyst
from llmdbenchd.edge.environments import Environments
from llmdbenchd.edge.files.archive import Archive
from llmdbenchd.edge.files.durable import translated
from llmdbenchd.edge.files.filling import fill_gaps
from llmdbenchd.edge.files.staging import made
from llmdbenchd.edge.merging import merge
from llmdbenchd.edge.reports import ReportContext, ReportFacts, convert
from llmdbenchd.kit.stamps import gaps
from llmdbenchd.ports import Natives, Reported, ReportOrder

Answer = TypeVar("Answer")

SERVERS = "servers"
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Served:
    """What is here of servers: facts for `run.json`, and files by their place in the archive."""

    logs: tuple[ServerLog, ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)


class DiskEvidence:
    """Evidence below the folders `state` and `archive` (they may be on two disks).

    Args:
        state: the daemon's own folder.
        archive: where runs are sealed.
        disk: threads for all that blocks.
        served: reads a folder that servers' logs were followed into.
        environments: those that a local analysis may run in.
    """

    def __init__(
        self,
        state: Path,
        archive: Archive,
        disk: Executor,
        *,
        served: Callable[[Path], Served],
        environments: Environments,
    ) -> None:
        self._live = state / "live"
        self._archive = archive
        self._disk = disk
        # Runs that start together end together: a converter each would take every core and GiB.
        self._converting = asyncio.Semaphore(len(os.sched_getaffinity(0)))
        self._served = served
        self._analyst = Analyst(environments)

    def live_log(self, record: Record, index: int) -> Path:
        """The file that the log of launcher `index` is followed into."""
        return self._live_folder(record) / str(record.attempt) / f"launcher-{index}.log"

    def live_servers(self, record: Record) -> Path:
        """The folder that the servers' logs are followed into."""
        return self._live_folder(record) / str(record.attempt) / SERVERS

    async def servers(self, record: Record) -> tuple[ServerLog, ...]:
        """What is here of the servers' logs."""
        return (await self._do(self._served, self.live_servers(record))).logs

    async def results(self, record: Record, index: int) -> Path:
        """The folder that the results of launcher `index` are copied into."""
        return await self._do(self._results, record, index)

    async def natives(self, record: Record, harness: str) -> Natives:
        """Read the native result files of all launchers that were collected."""
        return await self._do(self._natives, record, harness)

    async def logs(self, record: Record) -> Mapping[int, LogFacts]:
        """What is here of each launcher's log, by index."""
        return await self._do(self._logs, record)

    async def fill(self, record: Record) -> None:
        """Put into each followed log what it lacks, from the launcher's own copy of its output."""
        await self._do(self._fill, record)

    async def report(self, record: Record, order: ReportOrder) -> Reported:
        """Make the standard reports of every launcher, below `reports/<i>/`, and one of all.

        As many runs at once as there are cores; the others wait for their turn.
        """
        async with self._converting:
            return await self._report(record, order)

    async def _report(self, record: Record, order: ReportOrder) -> Reported:
        context = ReportContext(
            experiment_id=order.experiment_id,
            model=order.model,
            description=order.description,
            keywords=order.keywords,
            parallelism=1 if len(record.loads) > 1 else len(record.parts),
        )
        answers: list[tuple[int, ReportFacts]] = []
        folders: list[tuple[Path, Path]] = []
        for index in record.parts:
            results = await self.results(record, index)
            into = results.parent.parent / "reports" / str(index)
            harness = _harness(record, index, order.harness)
            answers.append((index, await convert(results, harness, into=into, context=context)))
            folders.append((results, into))
        reported = Reported(
            tuple(f"reports/{index}/{name}" for index, facts in answers for name in facts.made),
            tuple(f"launcher {index}: {why}" for index, facts in answers for why in facts.problems),
            tuple(f"launcher {index}: {note}" for index, facts in answers for note in facts.notes),
        )
        is_whole = len(folders) < 2  # noqa: PLR2004 - one launcher is the whole
        if is_whole or not reported.made or len(record.loads) > 1:
            return reported
        beside = folders[0][1].parent
        merged = await merge(folders, order.harness, into=beside, context=context)
        return replace(
            reported,
            made=(*reported.made, *([f"reports/{merged.made}"] if merged.made else ())),
            problems=(
                *reported.problems,
                *([f"merged report: {merged.problem}"] if merged.problem else ()),
            ),
            metrics=merged.metrics,
        )

    async def analyse(self, record: Record, harness: str, environment: str | None) -> Analysis:
        """Analyse the results of every launcher once more, below `analysis/<i>/`."""
        harnesses = {index: _harness(record, index, harness) for index in record.parts}
        attempt = self._attempt(record, record.attempt)
        away = partial(shutil.rmtree, ignore_errors=True)  # what a killed daemon has begun
        await self._do(away, attempt / "analysis")
        return await self._analyst.analyse(attempt, harnesses, environment)

    async def is_sealed(self, record: Record) -> bool:
        """Whether the archive of the run is visible already, sealed before a crash."""
        return await self._do(self._archive.sealed, record.job, record.run) is not None

    async def seal(self, record: Record, documents: Mapping[str, bytes]) -> Path:
        """Bring the logs to the rest, seal the archive, and let go of what lies here twice."""
        return await self._do(self._seal, record, documents)

    async def _do(self, work: Callable[..., Answer], *args: object) -> Answer:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._disk, partial(work, *args))

    def _live_folder(self, record: Record) -> Path:
        return self._live / record.job / record.run

    def _attempt(self, record: Record, number: int) -> Path:
        return self._archive.staging(record.job, record.run) / "attempts" / str(number)

    def _results(self, record: Record, index: int) -> Path:
        return made(self._attempt(record, record.attempt) / "results" / str(index))

    def _logs(self, record: Record) -> Mapping[int, LogFacts]:
        paths = {index: self.live_log(record, index) for index in record.seen}
        return {index: log_facts(path) for index, path in paths.items() if path.exists()}

    def _fill(self, record: Record) -> None:
        for live in sorted(self._live_folder(record).glob("*/launcher-*.log")):
            index = live.stem.removeprefix("launcher-")
            fill_gaps(live, self._attempt(record, int(live.parent.name)) / "results" / index)

    def _natives(self, record: Record, harness: str) -> Natives:
        """Natives of all launchers; a torn file is counted and says nothing."""
        found, measured = 0, list[Metrics | None]()
        told, logs = "", dict[str, LogFacts]()
        for index in record.parts:
            folder, whose = self._results(record, index), _harness(record, index, harness)
            with translated(folder):
                names = find_native(whose, [path.name for path in folder.iterdir()])
                texts = {name: (folder / name).read_bytes() for name in names}
            told += _told(folder, whose)
            logs |= {f"results/{index}/{name}": one for name, one in _server_logs(folder, whose)}
            found += len(names)
            try:
                measured.append(measure(whose, texts))
            except Unreadable:
                measured.append(None)
        known = [metrics for metrics in measured if metrics is not None]
        is_whole = len(known) == len(measured) and len(record.loads) <= 1
        return Natives(found, combine(known) if is_whole else None, told, logs)

    def _seal(self, record: Record, documents: Mapping[str, bytes]) -> Path:
        if self._archive.sealed(record.job, record.run) is None:
            for live in sorted(self._live_folder(record).glob("*/launcher-*.log")):
                logs = made(self._attempt(record, int(live.parent.name)) / "logs")
                with translated(logs):
                    _same_file(live, logs / live.name)
            for followed in sorted(self._live_folder(record).glob(f"*/{SERVERS}")):
                self._bring(followed, self._attempt(record, int(followed.parent.name)))
        path = self._archive.seal(
            record.job, record.run, attempt=record.attempt, documents=documents
        )
        with translated(self._live):
            shutil.rmtree(self._live_folder(record), ignore_errors=True)
        return path

    def _bring(self, followed: Path, home: Path) -> None:
        for name, path in self._served(followed).files.items():
            with translated(home / name):
                made((home / name).parent)
                _same_file(path, home / name)


def _told(folder: Path, harness: str) -> str:
    """What is told to people among the results of a harness that sends no load."""
    path = folder / TOLD.get(harness, "")
    with translated(path):
        return path.read_text(encoding="utf-8") if path.is_file() else ""


def _server_logs(folder: Path, harness: str) -> Iterator[tuple[str, LogFacts]]:
    if harness in SERVER_LOGS:
        for path in sorted(folder.glob(SERVER_LOGS[harness])):
            yield path.relative_to(folder).as_posix(), log_facts(path)


def log_facts(path: Path) -> LogFacts:
    """Length and marked gaps of a followed log; the marks are lines of their own in it."""
    marked: list[LogGap] = []
    with translated(path), path.open("rb") as file:
        for block in iter(lambda: file.readlines(_BLOCK), []):
            found = gaps(b"".join(block))
            marked += (LogGap(**asdict(gap)) for gap in found)
        return LogFacts(file.tell(), tuple(marked))


def _harness(record: Record, index: int, harness: str) -> str:
    """Whose results a folder holds: those that were found on a claim say it in their name."""
    if record.found is None:
        return harness
    named = record.found[index - 1].folder.partition("_")[0]
    return named if named in HARNESSES else harness


def _same_file(source: Path, target: Path) -> None:
    """Make `target` the content of `source`: a second name where the disk is the same."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another filesystem, or one without links
        shutil.copyfile(source, target)
