"""The analyst: what a launcher made of its results, made once more on this machine.

The same code as in the launcher, run by the Python of an environment that people chose, and then
that environment's own program for charts. In a process of its own, of bounded time and memory:
whatever happens there is a fact beside good results, and the results are only read.
"""

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from llmdbenchd import payload
from llmdbenchd.core.job.support import NOP
from llmdbenchd.core.results.document import Analysis
from llmdbenchd.edge import confined
from llmdbenchd.edge.environments import Environments, python_of
from llmdbenchd.edge.reports import death, last_words
from llmdbenchd.ports import Refused, Unavailable

LOG = "analysis.log"
_CONFINED = str(Path(confined.__file__))
_LAUNCH = str(Path(payload.__file__).parent / "launch.py")
_ANSWER = frozenset({"problem", "full", "notes", "charts"})
_LOG_BYTES = 256 << 10
_TIMEOUT_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """With what an analysis is made.

    Attributes:
        environment: its Python is used, and its programs come first; None: our own Python.
        search: the PATH beside that.
        timeout_s: seconds that it may take.
        memory_bytes: address space that it may use.
    """

    environment: Path | None = None
    search: str = os.defpath
    timeout_s: float = _TIMEOUT_S
    memory_bytes: int = 16 << 30

    @property
    def python(self) -> str:
        """The Python that is used."""
        return str(python_of(self.environment)) if self.environment else sys.executable


class Analyst:
    """Analyses runs, one launcher of one run at a time: loads are measured beside it."""

    def __init__(self, environments: Environments, timeout_s: float = _TIMEOUT_S) -> None:
        self._environments = environments
        self._timeout_s = timeout_s
        self._turn = asyncio.Lock()

    async def analyse(
        self, attempt: Path, harnesses: Mapping[int, str], asked: str | None
    ) -> Analysis:
        """Analyse `results/<i>` of an attempt into `analysis/<i>`, in bounded time altogether.

        Args:
            attempt: its folder.
            harnesses: whose results there are, by index.
            asked: the environment that the job names.

        Raises:
            Unavailable: there is no room, or no process can be started.
        """
        found: list[tuple[int, Analysis]] = []
        async with self._turn:
            left_s = self._timeout_s
            for index, harness in harnesses.items():
                begun = time.monotonic()
                found.append((index, await self._one(attempt, index, harness, asked, left_s)))
                left_s -= time.monotonic() - begun
        return Analysis(
            tuple(f"analysis/{index}/{name}" for index, facts in found for name in facts.made),
            tuple(f"launcher {index}: {why}" for index, facts in found for why in facts.problems),
            tuple(f"launcher {index}: {note}" for index, facts in found for note in facts.notes),
        )

    async def _one(
        self, attempt: Path, index: int, harness: str, asked: str | None, left_s: float
    ) -> Analysis:
        if harness == NOP:
            where = f"results/{index}/analysis/"
            return Analysis(notes=(f"nop was analysed where it was recorded: {where}",))
        if left_s <= 0:
            whole = f"the analysis of a run may take {self._timeout_s:g} s"
            return Analysis(problems=(f"not begun: {whole}",))
        try:
            environment = await asyncio.to_thread(self._environments.of, asked, harness)
        except Refused as error:
            return Analysis(problems=(f"harness.conda_env: {error}",))
        search = self._environments.variables.get("PATH", os.defpath)
        means = Means(environment=environment, search=search, timeout_s=left_s)
        results, into = attempt / "results" / str(index), attempt / "analysis" / str(index)
        return await analyse(results, harness, into=into, means=means)


@dataclass(slots=True)
class _Outcome:
    """What the process answered, and how it ended; None: not within its time."""

    answer: Mapping[str, Any] | None = None
    code: int | None = None


async def analyse(results: Path, harness: str, *, into: Path, means: Means) -> Analysis:
    """Analyse one launcher's results. May be repeated: all is made anew, by rename.

    Args:
        results: the launcher's results folder; only read.
        harness: whose results they are.
        into: folder for what is made.
        means: with what.

    Raises:
        Unavailable: there is no room, or no process can be started.
    """
    work = into.with_name(f".{into.name}")
    try:
        await asyncio.to_thread(_prepare, into, work)
        with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as answers:
            env = _environment(results, harness, work, means)
            outcome = await _outcome(means, env, said, answers)
            return await asyncio.to_thread(_concluded, outcome, means, work, into, said)
    except OSError as error:
        raise Unavailable(f"cannot analyse into {into}: {error}") from error


def _prepare(into: Path, work: Path) -> None:
    for old in (into, work):
        shutil.rmtree(old, ignore_errors=True)
    for folder in (work, work / "out", work / "home"):
        folder.mkdir(parents=True)


def _environment(results: Path, harness: str, work: Path, means: Means) -> dict[str, str]:
    """All that the analysis can see: nothing of ours, no cluster, no secret; a home of its own."""
    home = str(work.absolute() / "home")
    programs = [str(means.environment / "bin")] if means.environment else []
    return {
        "PATH": os.pathsep.join([*programs, means.search]),
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "HOME": home,
        "TMPDIR": home,
        "MPLBACKEND": "Agg",
        "OPENBLAS_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "LLMDBENCH_HARNESS_NAME": harness,
        "LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR": str(results.absolute()),
        "LLMDBENCHD_ANALYSIS_DIR": str(work.absolute() / "out"),
    }


async def _outcome(
    means: Means, env: Mapping[str, str], said: IO[bytes], answers: IO[bytes]
) -> _Outcome:
    ours = (sys.executable, "-I", "-S", _CONFINED, str(os.getpid()), str(means.memory_bytes))
    process = await asyncio.create_subprocess_exec(
        *ours,
        *(means.python, "-I", "-S", _LAUNCH, "analyse"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=answers,  # no pipe: whatever it writes, nothing waits for a reader
        stderr=said,
        env=env,
        cwd=env["HOME"],
        start_new_session=True,
    )
    outcome = _Outcome()
    try:
        async with asyncio.timeout(means.timeout_s):
            outcome.code = await process.wait()
    except TimeoutError:
        pass
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    answers.seek(0)
    outcome.answer = _answer(answers.read(_LOG_BYTES))
    return outcome


def _answer(text: bytes) -> Mapping[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and found.keys() == _ANSWER else None


def _concluded(
    outcome: _Outcome, means: Means, work: Path, into: Path, said: IO[bytes]
) -> Analysis:
    """Keep what was made, and the words that were said; say what went wrong.

    Raises:
        Unavailable: there was no room.
    """
    answer, out = outcome.answer, work / "out"
    if answer is not None and answer["full"]:
        raise Unavailable(f"no room for the analysis: {answer['full']}; free some space")
    for path in out.iterdir():
        if path.is_symlink():
            path.unlink()
    drawn = [path.name for path in out.glob("*.png")]
    if words := last_words(said, _LOG_BYTES):
        (out / LOG).write_bytes(words)
    problems, notes = _judged(outcome, means, said, is_drawn=bool(drawn))
    out.rename(into)
    shutil.rmtree(work)
    files = (path for path in into.rglob("*") if path.is_file())
    names = sorted(path.relative_to(into).as_posix() for path in files)
    return Analysis(tuple(names), problems, notes)


def _judged(
    outcome: _Outcome, means: Means, said: IO[bytes], *, is_drawn: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Problems and notes."""
    answer, code = outcome.answer, outcome.code
    what = (answer and answer["charts"]) or "the analysis"
    late = f"{what} took longer than {means.timeout_s:g} s"
    if answer is None:
        return (late if code is None else death(what, code, said),), ()
    if answer["problem"]:
        return (answer["problem"],), tuple(answer["notes"])
    if answer["charts"] and code != 0:
        return (f"no charts: {late if code is None else death(what, code, said)}",), ()
    notes = [f"analysed by {means.python}", *answer["notes"]]
    if answer["charts"] and not is_drawn:
        words = " ".join(last_words(said).decode(errors="replace").split())
        notes.append(f"no charts: {what} drew none; it said last: {words or 'nothing'}")
    return (), tuple(notes)
