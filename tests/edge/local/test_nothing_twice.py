"""Nothing is ever run twice, whoever is killed when, and however often it is asked for."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from llmdbenchd.core.run.sight import Absent, Cause, Ended, Running
from llmdbenchd.edge.local import starting
from llmdbenchd.ports import Unavailable
from tests.edge.local.stage import (
    BOOT_ID,
    PATIENCE_S,
    REAL_TIME,
    Stage,
    ended,
    plan,
    running,
    there,
)

pytestmark = REAL_TIME

REPOSITORY = Path(__file__).parents[3]
SLEEP = "import time; time.sleep(600)\n"
DAEMON = """
import asyncio, pathlib, sys, time
from tests.edge.local.stage import Stage, plan
engine = Stage(pathlib.Path(sys.argv[1])).engine()
print("ready", flush=True)
sys.stdin.readline()
asyncio.run(engine.create(plan("a", sys.argv[2])))
print("made", flush=True)
time.sleep(600)
"""


def _plot(stage: Stage, then: str = "") -> str:
    """Leaves one byte for each time that it was run."""
    return f"open({str(stage.folder / 'runs')!r}, 'a').write('x')\n{then}"


def _runs(stage: Stage) -> int:
    return len((stage.folder / "runs").read_text(encoding="utf-8"))


async def _began(stage: Stage) -> None:
    """Wait until the launcher has left its byte: it runs a little before it does so."""
    await there(stage.folder / "runs")
    async with asyncio.timeout(PATIENCE_S):
        while not _runs(stage):  # noqa: ASYNC110 -- a file tells nobody that it grows
            await asyncio.sleep(0.02)


def _daemon(stage: Stage, plot: str) -> subprocess.Popen[str]:
    """A process with an engine of its own, which creates when it reads a line."""
    daemon = subprocess.Popen(
        [sys.executable, "-c", DAEMON, str(stage.folder), plot],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert _says(daemon) == "ready"
    return daemon


def _says(daemon: subprocess.Popen[str]) -> str:
    assert daemon.stdout is not None
    return daemon.stdout.readline().strip()


def _go(daemon: subprocess.Popen[str]) -> None:
    assert daemon.stdin is not None
    daemon.stdin.write("\n")
    daemon.stdin.flush()


def _kill(daemon: subprocess.Popen[str]) -> None:
    daemon.kill()
    daemon.communicate()


async def test_created_again_it_is_found_running(stage: Stage) -> None:
    engine = stage.engine()
    await engine.create(plan("a", _plot(stage, SLEEP)))
    pid = stage.pid("a")

    await engine.create(plan("a", _plot(stage, SLEEP)))

    assert stage.pid("a") == pid
    assert await engine.look("a") == Running()


async def test_created_again_after_its_end_it_stays_ended(stage: Stage) -> None:
    engine = stage.engine()
    await engine.create(plan("a", _plot(stage)))
    before = await ended(engine, "a")

    await engine.create(plan("a", _plot(stage)))

    assert await engine.look("a") == before
    assert _runs(stage) == 1


async def test_created_by_many_at_once_it_runs_once(stage: Stage) -> None:
    engine = stage.engine()

    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(engine.create(plan("a", _plot(stage))))

    await ended(engine, "a")
    assert _runs(stage) == 1


async def test_created_in_two_processes_at_once_it_runs_once(stage: Stage) -> None:
    daemons = [_daemon(stage, _plot(stage, SLEEP)) for _ in range(2)]

    for daemon in daemons:
        _go(daemon)
    said = [_says(daemon) for daemon in daemons]

    for daemon in daemons:
        _kill(daemon)
    assert said == ["made", "made"]
    await running(stage.engine(), "a")
    await _began(stage)
    assert _runs(stage) == 1


async def test_after_a_kill_of_the_daemon_the_same_process_is_adopted(stage: Stage) -> None:
    daemon = _daemon(stage, _plot(stage, SLEEP))
    _go(daemon)
    assert _says(daemon) == "made"
    pid = stage.pid("a")

    _kill(daemon)
    engine = stage.engine()
    await engine.create(plan("a", _plot(stage, SLEEP)))

    assert await engine.look("a") == Running()
    assert stage.pid("a") == pid
    os.kill(pid, 0)
    await _began(stage)
    await engine.stop("a", 600)
    assert await ended(engine, "a") == Ended(Cause.STOPPED, signal=signal.SIGTERM)
    assert _runs(stage) == 1


async def test_an_end_that_no_daemon_saw_is_found(stage: Stage) -> None:
    daemon = _daemon(stage, _plot(stage, SLEEP))
    _go(daemon)
    assert _says(daemon) == "made"
    _kill(daemon)

    os.kill(stage.pid("a"), signal.SIGTERM)

    assert (await ended(stage.engine(), "a")).cause is Cause.KILLED


@pytest.mark.slow
@pytest.mark.parametrize("moment_ms", [0, 2, 5, 10, 15, 20, 30, 50])
async def test_a_kill_of_the_daemon_at_any_moment_of_creating_is_harmless(
    stage: Stage, moment_ms: float
) -> None:
    daemon = _daemon(stage, _plot(stage))
    _go(daemon)
    await asyncio.sleep((moment_ms + random.uniform(0, 2)) / 1000)  # noqa: S311 -- no secret
    _kill(daemon)

    engine = stage.engine()
    await engine.create(plan("a", _plot(stage)))

    assert await ended(engine, "a") == Ended(Cause.EXITED, code=0)
    assert _runs(stage) == 1


async def test_a_folder_that_no_shim_ever_claimed_is_absent_and_can_be_started(
    stage: Stage,
) -> None:
    engine = stage.engine()
    await engine.create(plan("a"))
    await ended(engine, "a")
    stage.rewind("a", "shim.json", "ended.json")  # as a kill right after mkdir leaves it

    assert await engine.look("a") == Absent()
    await engine.create(plan("a", _plot(stage)))

    await ended(engine, "a")
    assert _runs(stage) == 1


async def test_half_a_folder_is_nobodys_launcher_and_is_swept(stage: Stage) -> None:
    half = stage.root / ".staging-of-the-killed" / "0123" / "workspace"
    half.mkdir(parents=True)

    engine = stage.engine()
    await engine.create(plan("a", _plot(stage)))
    await ended(engine, "a")

    assert not half.exists()
    assert _runs(stage) == 1


async def test_a_second_shim_finds_the_claim_of_a_dead_one_and_runs_nothing(stage: Stage) -> None:
    engine, asked = stage.engine(), plan("a", _plot(stage))
    await engine.create(asked)
    await ended(engine, "a")
    folder, installed = stage.rewind("a", "ended.json"), stage.installed()

    starting.start(folder, BOOT_ID, installed.command(), installed.environment(asked, folder.path))

    assert (await ended(engine, "a")).cause is Cause.LOST
    assert _runs(stage) == 1


async def test_while_a_folder_is_being_removed_no_shim_starts_in_it(stage: Stage) -> None:
    engine = stage.engine()
    await engine.create(plan("a"))
    await ended(engine, "a")
    folder = stage.rewind("a", "shim.json", "ended.json")

    with folder.locked(), pytest.raises(Unavailable, match="its shim did not start it"):
        await engine.create(plan("a", _plot(stage)))

    assert not (stage.folder / "runs").exists()
