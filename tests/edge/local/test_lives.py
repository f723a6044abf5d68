"""How a launcher lives and ends, with real processes."""

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from llmdbenchd.core.launch.plan import PlanFile
from llmdbenchd.core.run.sight import Absent, Cause, Ended, Running
from llmdbenchd.edge.local.folder import Folder
from llmdbenchd.ports import Unavailable
from tests.edge.local.stage import REAL_TIME, Stage, ended, plan, running, there

pytestmark = REAL_TIME

SLEEP = "import time; time.sleep(600)\n"
SAY_READY = "import os; open('t', 'w').close(); os.rename('t', 'ready')\n"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{SAY_READY}{SLEEP}"
FACTS = """
import json, os, pathlib, signal, sys
facts = {
    "environment": sorted(pathlib.Path("/proc/self/environ").read_text().split("\\0")),
    "folder": os.getcwd(),
    "leads its session": os.getsid(0) == os.getpid(),
    "open files": len(os.listdir("/proc/self/fd")) - 1,
    "blocked signals": len(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
    "hangup": signal.getsignal(signal.SIGHUP) == signal.SIG_DFL,
    "arguments": sys.argv,
}
print(json.dumps(facts))
"""
# A process that leaves group and session, loses its parent, and is deaf to SIGTERM.
DAEMONISE = f"""
import os, signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    {SAY_READY}
    {SLEEP}
while not os.path.exists("ready"):
    time.sleep(0.01)
"""


@pytest.mark.parametrize("code", [0, 3])
async def test_it_ends_with_its_own_exit_code(stage: Stage, code: int) -> None:
    engine = stage.engine()

    await engine.create(plan("a", f"raise SystemExit({code})"))

    assert await ended(engine, "a") == Ended(Cause.EXITED, code=code)


async def test_it_gets_what_the_plan_says_and_nothing_else(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_DAEMON", "secret")
    engine = stage.engine()

    await engine.create(plan("a", FACTS, LLMDBENCH_X="1=é"))
    await ended(engine, "a")

    folder = stage.root / "a"
    facts = json.loads((folder / "log").read_bytes())
    path = f"{stage.folder}/venvs/pretender/bin:{os.defpath}"
    assert facts.pop("environment") == [
        "",
        f"HOME={stage.folder}",
        "LANG=C",
        f"LLMDBENCHD_FOLDER={folder}",
        "LLMDBENCHD_LAUNCHER=a",
        "LLMDBENCH_X=1=é",
        f"PATH={path}",
        f"PLOT={FACTS}",
    ]
    assert facts == {
        "folder": str(folder),
        "leads its session": True,
        "open files": 3,
        "blocked signals": 0,
        "hangup": True,
        "arguments": [str(stage.payload / "launch.py")],
    }


async def test_its_files_lie_in_the_workspace_before_it_starts(stage: Stage) -> None:
    engine = stage.engine()
    places = engine.places("a")
    files = (PlanFile("profiles/pretender/x.yaml", "load: 1\n"), PlanFile("top.txt", "é"))
    plot = f"import os; os.chdir({places.workspace!r}); os.system('cat */*/x.yaml top.txt')"

    await engine.create(plan("a", plot, files=files))
    await ended(engine, "a")

    assert (stage.root / "a" / "log").read_text(encoding="utf-8") == "load: 1\né"
    assert os.access(places.results_prefix, os.W_OK)


async def test_a_secret_in_a_variable_is_in_no_file(stage: Stage) -> None:
    engine = stage.engine()

    await engine.create(plan("a", "", HF_TOKEN="hf_s3cret"))  # noqa: S106 -- invented
    await ended(engine, "a")

    texts = [path.read_bytes() for path in stage.root.rglob("*") if path.is_file()]
    assert not [text for text in texts if b"s3cret" in text]


async def test_a_signal_9_that_we_did_not_send_is_told_as_that(stage: Stage) -> None:
    engine = stage.engine()
    await engine.create(plan("a", SLEEP))

    os.kill(stage.pid("a"), signal.SIGKILL)

    detail = "killed by signal 9, which we did not send (often memory)"
    assert await ended(engine, "a") == Ended(Cause.KILLED, signal=9, detail=detail)


async def test_a_crash_is_told_without_a_guess(stage: Stage) -> None:
    engine = stage.engine()

    await engine.create(plan("a", "import os; os.kill(os.getpid(), 11)"))

    detail = "killed by signal 11, which we did not send"
    assert await ended(engine, "a") == Ended(Cause.KILLED, signal=11, detail=detail)


async def test_a_program_that_cannot_be_executed_is_not_started(stage: Stage) -> None:
    engine = stage.engine(installed=stage.installed(python=Path("/no/such/python")))

    await engine.create(plan("a"))

    detail = "/no/such/python cannot be executed: No such file or directory"
    assert await ended(engine, "a") == Ended(Cause.NOT_STARTED, detail=detail)


async def test_stopped_it_may_end_in_its_own_way(stage: Stage) -> None:
    engine = stage.engine()
    plot = f"import signal, sys; signal.signal(15, lambda *_: sys.exit(7))\n{SAY_READY}{SLEEP}"
    await engine.create(plan("a", plot))
    await there(stage.root / "a" / "ready")

    await engine.stop("a", 600)

    assert await ended(engine, "a") == Ended(Cause.STOPPED, code=7)


async def test_deaf_to_a_stop_it_is_killed_after_its_grace_period(stage: Stage) -> None:
    engine = stage.engine()
    await engine.create(plan("a", DEAF))
    await there(stage.root / "a" / "ready")

    await engine.stop("a", 0.2)

    detail = "did not end within its grace period and was killed"
    assert await ended(engine, "a") == Ended(Cause.STOPPED, signal=9, detail=detail)
    assert not stage.processes("a")


async def test_a_second_stop_shortens_the_grace_period_and_never_lengthens_it(
    stage: Stage,
) -> None:
    engine = stage.engine()
    await engine.create(plan("a", DEAF))
    await there(stage.root / "a" / "ready")

    await engine.stop("a", 600)
    await engine.stop("a", 0.1)
    await engine.stop("a", 600)

    assert (await ended(engine, "a")).signal == signal.SIGKILL


async def test_a_shorter_grace_period_stays_although_its_signal_is_joined_with_the_next(
    stage: Stage,
) -> None:
    """Two signals reach a busy shim as one, after the second request was written."""
    engine = stage.engine()
    await engine.create(plan("a", DEAF))
    await there(stage.root / "a" / "ready")
    claim = Folder(stage.root / "a").claim()
    assert claim is not None
    shim = claim.shim.pid

    os.kill(shim, signal.SIGSTOP)
    await engine.stop("a", 600)
    await engine.stop("a", 0.1)
    await engine.stop("a", 600)
    os.kill(shim, signal.SIGCONT)

    assert (await ended(engine, "a")).signal == signal.SIGKILL


async def test_a_stop_reaches_the_whole_process_group(stage: Stage) -> None:
    engine = stage.engine()
    plot = f"import subprocess; subprocess.Popen(['sleep', '600'])\n{SAY_READY}{SLEEP}"
    await engine.create(plan("a", plot))
    await there(stage.root / "a" / "ready")
    assert len(stage.processes("a")) == 3  # shim, launcher, its child

    await engine.stop("a", 600)

    assert (await ended(engine, "a")).signal == signal.SIGTERM
    assert not stage.processes("a")


async def test_stopped_before_it_started_it_never_runs(stage: Stage) -> None:
    engine = stage.engine()
    await engine.create(plan("a", "open('ran', 'w')"))
    await ended(engine, "a")
    stage.rewind("a", "ran", "shim.json", "ended.json")  # as if the daemon died before the shim

    await engine.stop("a", 5)
    await engine.create(plan("a", "open('ran', 'w')"))

    detail = "asked to end before it started"
    assert await ended(engine, "a") == Ended(Cause.STOPPED, detail=detail)
    assert not (stage.root / "a" / "ran").exists()


async def test_stopping_what_is_over_or_absent_changes_nothing(stage: Stage) -> None:
    engine = stage.engine()
    await engine.create(plan("a"))
    before = await ended(engine, "a")

    await engine.stop("a", 5)
    await engine.stop("never-made", 5)

    assert await engine.look("a") == before
    assert await engine.look("never-made") == Absent()


async def test_what_left_the_process_group_is_ended_too(stage: Stage) -> None:
    engine = stage.engine()

    await engine.create(plan("a", DAEMONISE))

    detail = "processes that outlived it and were ended: 1"
    assert await ended(engine, "a") == Ended(Cause.EXITED, code=0, detail=detail)
    assert not stage.processes("a")


async def test_its_shim_asked_to_end_by_a_stranger_ends_it_and_says_who(stage: Stage) -> None:
    engine = stage.engine()
    await engine.create(plan("a", SLEEP))

    os.kill(stage.claim("a").shim.pid, signal.SIGTERM)

    detail = f"process {os.getpid()} sent its shim SIGTERM without a request to stop"
    assert await ended(engine, "a") == Ended(Cause.KILLED, signal=15, detail=detail)


async def test_a_running_launcher_cannot_be_removed(stage: Stage) -> None:
    engine = stage.engine()
    await engine.create(plan("a", SLEEP))

    with pytest.raises(Unavailable, match="launcher a still runs"):
        await engine.remove("a")

    assert await engine.look("a") == Running()


async def test_removed_it_is_absent_and_removing_again_is_fine(stage: Stage) -> None:
    engine = stage.engine()
    await engine.create(plan("a"))
    await ended(engine, "a")

    await engine.remove("a")
    await engine.remove("a")

    assert await engine.look("a") == Absent()
    assert [path.name for path in stage.root.rglob("*") if ".staging" not in path.name] == []


async def test_removing_waits_for_a_shim_that_is_about_to_leave(stage: Stage) -> None:
    engine = stage.engine()
    await engine.create(plan("a"))
    await ended(engine, "a")

    with Folder(stage.root / "a").locked(shared=True):  # the end is written, the lock still held
        removing = asyncio.create_task(engine.remove("a"))
        await asyncio.sleep(0.05)
        assert not removing.done()

    await removing
    assert await engine.look("a") == Absent()


async def test_hangup_and_interrupt_do_not_reach_it(stage: Stage) -> None:
    engine = stage.engine()
    await engine.create(plan("a", SLEEP))
    shim = stage.claim("a").shim.pid

    os.kill(shim, signal.SIGHUP)
    os.kill(shim, signal.SIGINT)
    await engine.stop("a", 600)

    assert (await ended(engine, "a")).cause is Cause.STOPPED


async def test_it_runs_until_it_has_ended(stage: Stage) -> None:
    engine = stage.engine()

    await engine.create(plan("a", SLEEP))

    await running(engine, "a")
    assert await engine.look("a") == Running()
