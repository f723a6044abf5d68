"""Engine, shim and the real payload together, with a harness that only pretends."""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from llmdbenchd.core.launch.plan import DEFAULT_EXECUTABLE, LauncherPlan, PlanFile
from llmdbenchd.core.run.sight import Cause, Ended
from llmdbenchd.edge.local.launchers import LocalEngine
from tests.edge.local.stage import REAL_TIME, Stage, ended, there

pytestmark = REAL_TIME

REPOSITORY = Path(__file__).parents[3]
PROFILE = "load:\n  type: constant\n  stages:\n  - rate: 1\n    duration: 30\n"


def _engine(stage: Stage) -> LocalEngine:
    harness = stage.folder / "venvs" / "inference-perf" / "bin"
    harness.mkdir(parents=True)
    (harness / "inference-perf").symlink_to(REPOSITORY / "tests" / "programs" / "inference-perf")
    (harness / "python3").symlink_to(sys.executable)
    payload = REPOSITORY / "llmdbenchd" / "payload"
    return stage.engine(installed=replace(stage.installed(), payload=payload))


def _plan(engine: LocalEngine, **env: str) -> LauncherPlan:
    places = engine.places("a")
    contract = {
        "LLMDBENCH_RUN_WORKSPACE_DIR": places.workspace,
        "LLMDBENCH_HARNESS_NAME": "inference-perf",
        "LLMDBENCH_RUN_EXPERIMENT_HARNESS_WORKLOAD_NAME": "w.yaml",
        "LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR": f"{places.results_prefix}/r",
    }
    return LauncherPlan(
        name="a",
        harness="inference-perf",
        executable=DEFAULT_EXECUTABLE,
        results_folder="r",
        files=(PlanFile("profiles/inference-perf/w.yaml", PROFILE),),
        env={**contract, **env},
    )


async def test_from_plan_to_proven_results(stage: Stage) -> None:
    engine, archive = _engine(stage), stage.folder / "archive"

    await engine.create(_plan(engine))
    end = await ended(engine, "a")
    await engine.follow("a", stage.folder / "log")
    copied = await engine.collect("a", "r", archive)

    assert end == Ended(Cause.EXITED, code=0)
    assert b"this sends no requests" in (stage.folder / "log").read_bytes()
    assert copied.manifest == "launcher"
    assert os.access(archive / "summary_lifecycle_metrics.json", os.R_OK)


async def test_stopped_it_leaves_a_manifest_of_its_own(stage: Stage) -> None:
    engine, started = _engine(stage), stage.folder / "started"
    await engine.create(
        _plan(engine, FAKE_HARNESS_SECONDS="600", FAKE_HARNESS_STARTED_FILE=str(started))
    )
    await there(started)

    await engine.stop("a", 30)
    end = await ended(engine, "a")

    assert end.cause is Cause.STOPPED
    assert end.signal is None
    assert (await engine.collect("a", "r", stage.folder / "archive")).manifest == "launcher"


async def test_killed_it_leaves_what_it_had_and_no_harness(stage: Stage) -> None:
    engine, started = _engine(stage), stage.folder / "started"
    await engine.create(
        _plan(engine, FAKE_HARNESS_SECONDS="600", FAKE_HARNESS_STARTED_FILE=str(started))
    )
    await there(started)

    os.kill(stage.pid("a"), signal.SIGKILL)
    end = await ended(engine, "a")

    assert end.cause is Cause.KILLED
    assert not stage.processes("a")
    assert (await engine.collect("a", "r", stage.folder / "archive")).manifest == "late"
