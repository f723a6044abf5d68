"""Standard benchmark reports, made by the field's own converter outside this process.

A conversion that fails, hangs or dies is a fact beside good results: it never raises, never
touches the results, and the remaining ones are made all the same.
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from llmdbenchd.core.results.conversions import Conversion, conversions, is_known
from llmdbenchd.ports import Unavailable

_CHILD = ("-I", "-m", "llmdbenchd.edge.report_child")
_LINE_BYTES = 1 << 20
_TAIL_BYTES = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContext:
    """What the reports say about the run, and how long making them may take.

    Attributes:
        experiment_id: of the run; its UUID5 becomes `run.eid`.
        model: the model under load, or empty.
        description: people's, or empty (then the experiment id).
        keywords: people's.
        parallelism: how many launchers loaded the target.
        timeout_s: seconds that one report may take.
        memory_bytes: address space that the converter may use.
    """

    experiment_id: str
    model: str = ""
    description: str = ""
    keywords: tuple[str, ...] = ()
    parallelism: int = 1
    timeout_s: float = 60.0
    memory_bytes: int = 4 << 30


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """What came of it.

    Attributes:
        made: names of the reports that are there, valid and fsynced.
        problems: one sentence for each report that is not.
        notes: what was put right in the reports that are there.
    """

    made: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Tally:
    made: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, conversion: Conversion, outcome: Mapping[str, Any]) -> None:
        self.made += outcome.get("made", [])
        self.notes += [f"{conversion.report}: {note}" for note in outcome.get("notes", [])]
        if outcome.get("problem"):
            self.problems.append(
                f"{conversion.native} to version {conversion.version}: {outcome['problem']}"
            )


async def convert(
    results: Path, harness: str, *, into: Path, context: ReportContext
) -> ReportFacts:
    """Convert every native file of one launcher's results to versions 0.2 and 0.1.

    Reports are named as the field names them: `benchmark_report_v0.2,_<native>.yaml` and
    `benchmark_report,_<native>.yaml`. May be repeated: reports are made anew, each by rename.

    Args:
        results: the launcher's results folder; only read.
        harness: whose results they are.
        into: folder for the reports; made when it is missing.
        context: what the reports are about.

    Raises:
        Unavailable: there is no room for the reports, or no process can be started.
    """
    if not is_known(harness):
        return ReportFacts(problems=(f"no report: nothing is known about results of {harness!r}",))
    try:
        todo = await asyncio.to_thread(_prepare, results, harness, into)
    except OSError as error:
        raise Unavailable(f"cannot make reports in {into}: {error}") from error
    if not todo:
        return ReportFacts(problems=(f"no report: {harness} left no native result file",))
    tally = _Tally()
    while todo:
        order = _order(results, todo, about(harness, into, context))
        outcomes = await outcomes_of(order, len(todo), environment(results, context), context)
        for conversion, outcome in zip(todo, outcomes, strict=False):
            tally.add(conversion, outcome)
        todo = todo[len(outcomes) :]
    return ReportFacts(tuple(tally.made), tuple(tally.problems), tuple(tally.notes))


def _prepare(results: Path, harness: str, into: Path) -> list[Conversion]:
    into.mkdir(parents=True, exist_ok=True)
    return list(conversions(harness, (entry.name for entry in results.iterdir())))


def _order(results: Path, todo: Sequence[Conversion], known: dict[str, Any]) -> dict[str, Any]:
    asked = [asdict(conversion) for conversion in todo]
    return known | {"results": str(results.absolute()), "conversions": asked}


def about(harness: str, into: Path, context: ReportContext) -> dict[str, Any]:
    """What the child is told whatever it is asked for."""
    return {
        "harness": harness,
        "into": str(into.absolute()),
        "experiment_id": context.experiment_id,
        "model": context.model,
        "memory_bytes": context.memory_bytes,
        "parent": os.getpid(),
    }


def environment(results: Path, context: ReportContext) -> dict[str, str]:
    """All that the converter can see: nothing of ours, no cluster, no home, no secret."""
    known = {
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "HOME": "/nonexistent",
        "OPENBLAS_NUM_THREADS": "1",
        "LLMDBENCH_RUN_EXPERIMENT_ID": context.experiment_id,
        "LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR": str(results.absolute()),
        "LLMDBENCH_DESCRIPTION_TEXT": context.description,
        "LLMDBENCH_DESCRIPTION_KEYWORDS": ",".join(context.keywords),
        "LLMDBENCH_HARNESS_LOAD_PARALLELISM": str(context.parallelism),
    }
    if (results / "run_metadata.yaml").is_file():
        # "Inside a pod", for the converter: it fills in times, versions and the model from there.
        known["LLMDBENCH_MAGIC_ENVAR"] = "harness_pod"
    return known


async def outcomes_of(
    order: Mapping[str, Any], count: int, env: Mapping[str, str], context: ReportContext
) -> list[Mapping[str, Any]]:
    """At least one outcome, in the order asked for; fewer than `count` when the child is lost.

    Raises:
        Unavailable: there is no room for the reports, or no process can be started.
    """
    with tempfile.TemporaryFile() as complaints:
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *_CHILD,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=complaints,
                env=env,
                start_new_session=True,
                limit=_LINE_BYTES,
            )
        except OSError as error:
            raise Unavailable(f"cannot start the report converter: {error}") from error
        try:
            await _ask(process, order)
            return await _answers(process, complaints, count, context.timeout_s)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def _ask(process: asyncio.subprocess.Process, order: Mapping[str, Any]) -> None:
    if process.stdin is not None:
        with suppress(ConnectionError):  # it died before it read; `_answers` says how
            process.stdin.write(json.dumps(order).encode())
            await process.stdin.drain()
        process.stdin.close()


async def _answers(
    process: asyncio.subprocess.Process, complaints: IO[bytes], count: int, timeout_s: float
) -> list[Mapping[str, Any]]:
    answers: list[Mapping[str, Any]] = []
    while process.stdout is not None and len(answers) < count:
        try:
            async with asyncio.timeout(timeout_s):
                line = await process.stdout.readline()
        except TimeoutError:
            return [*answers, {"problem": f"the converter took longer than {timeout_s:g} s"}]
        if not line.endswith(b"\n"):
            return [*answers, {"problem": death("the converter", await process.wait(), complaints)}]
        answer = json.loads(line)
        if answer["full"]:
            raise Unavailable(f"no room for reports: {answer['full']}; free some space")
        answers.append(answer)
    return answers


def death(who: str, code: int, complaints: IO[bytes]) -> str:
    """How a process ended, and the last of what it said."""
    last = " ".join(last_words(complaints).decode(errors="replace").split())
    how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    return f"{who} ended {how}; it said last: {last or 'nothing'}"


def last_words(complaints: IO[bytes], most: int = _TAIL_BYTES) -> bytes:
    """The end of a file of what a process said, `most` bytes of it."""
    end = complaints.seek(0, os.SEEK_END)
    complaints.seek(max(0, end - most))
    return complaints.read()
