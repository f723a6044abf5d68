"""Engine, shim and the real payload together; the load is a small program of the test."""

import os
import signal
from dataclasses import replace
from pathlib import Path

from llmdbenchd.core.launch.plan import LauncherPlan, PlanFile
from llmdbenchd.core.run.sight import Cause, Ended
from llmdbenchd.edge.local.launchers import LocalEngine
from tests.edge.local.stage import NOBODYS, REAL_TIME, Stage, ended, there

pytestmark = REAL_TIME

PAYLOAD = Path(__file__).parents[3] / "llmdbenchd" / "payload"
LOAD = """#!/bin/sh
echo loading
echo '{"requests": 3}' > "$LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR/summary.json"
echo $$ > "$STARTED.new"
mv "$STARTED.new" "$STARTED"
exec sleep "$SECONDS_OF_LOAD"
"""


def _engine(stage: Stage) -> LocalEngine:
    stage.program(stage.folder / "executables" / "load.sh", LOAD)
    return stage.engine(installed=replace(stage.installed(), payload=PAYLOAD))


def _plan(stage: Stage, engine: LocalEngine, *, seconds: int) -> LauncherPlan:
    places = engine.places("a")
    return LauncherPlan(
        name="a",
        identity=NOBODYS,
        harness="pretender",
        executable="load.sh",
        results_folder="r",
        files=(PlanFile("profiles/pretender/w.yaml", "load: {}\n"),),
        env={
            "LLMDBENCH_RUN_WORKSPACE_DIR": places.workspace,
            "LLMDBENCH_HARNESS_NAME": "pretender",
            "LLMDBENCH_RUN_EXPERIMENT_HARNESS_WORKLOAD_NAME": "w.yaml",
            "LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR": f"{places.results_prefix}/r",
            "SECONDS_OF_LOAD": str(seconds),
            "STARTED": str(stage.folder / "started"),
        },
    )


async def test_from_plan_to_proven_results(stage: Stage) -> None:
    engine, archive = _engine(stage), stage.folder / "archive"

    await engine.create(_plan(stage, engine, seconds=0))
    end = await ended(engine, "a")
    await engine.follow("a", stage.folder / "log")
    copied = await engine.collect(_plan(stage, engine, seconds=0), archive)

    assert end == Ended(Cause.EXITED, code=0)
    assert b"loading\n" in (stage.folder / "log").read_bytes()
    assert copied.manifest == "launcher"
    assert (archive / "summary.json").read_text(encoding="utf-8") == '{"requests": 3}\n'


async def test_stopped_it_leaves_a_manifest_of_its_own(stage: Stage) -> None:
    engine = _engine(stage)
    await engine.create(_plan(stage, engine, seconds=600))
    await there(stage.folder / "started")

    await engine.stop("a", 30)
    end = await ended(engine, "a")

    assert end.cause is Cause.STOPPED
    assert end.signal is None
    copied = await engine.collect(_plan(stage, engine, seconds=0), stage.folder / "archive")
    assert copied.manifest == "launcher"


async def test_killed_it_leaves_what_it_had_and_no_load_goes_on(stage: Stage) -> None:
    engine = _engine(stage)
    await engine.create(_plan(stage, engine, seconds=600))
    await there(stage.folder / "started")

    os.kill(stage.pid("a"), signal.SIGKILL)
    end = await ended(engine, "a")

    assert end.cause is Cause.KILLED
    assert not stage.processes("a")
    copied = await engine.collect(_plan(stage, engine, seconds=0), stage.folder / "archive")
    assert copied.manifest == "late"
    assert os.access(stage.folder / "archive" / "summary.json", os.R_OK)
