"""What happens when the one who held a launcher is gone."""

import os
import signal

from llmdbenchd.core.run.sight import Absent, Cause, Ended, Running
from llmdbenchd.edge.local.folder import Folder
from llmdbenchd.edge.local.orphans import MARK, Orphans
from tests.edge.local.stage import BOOT_ID, REAL_TIME, Stage, ended, plan, there

pytestmark = REAL_TIME

SLEEP = "import time; time.sleep(600)\n"
SAY_READY = "import os; open('t', 'w').close(); os.rename('t', 'ready')\n"


async def test_a_killed_shim_loses_the_launcher_and_ends_it(stage: Stage) -> None:
    engine = stage.engine()
    plot = f"import subprocess; subprocess.Popen(['sleep', '600'], start_new_session=True)\n{SLEEP}"
    await engine.create(plan("a", plot))

    os.kill(stage.claim("a").shim.pid, signal.SIGKILL)
    end = await ended(engine, "a")

    assert end.cause is Cause.LOST
    assert end.detail.startswith("its shim died, so nobody saw how it ended")
    assert not stage.processes("a")


async def test_one_that_is_deaf_is_killed_after_a_while(stage: Stage) -> None:
    engine = stage.engine()
    plot = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{SAY_READY}{SLEEP}"
    await engine.create(plan("a", plot))
    await there(stage.root / "a" / "ready")
    os.kill(stage.claim("a").shim.pid, signal.SIGKILL)
    folder, claim = Folder(stage.root / "a"), stage.claim("a")
    with folder.locked(wait=True):  # the kernel takes it back a moment after the signal
        orphans = Orphans(BOOT_ID)

    assert orphans.step(folder, claim) is None
    assert await engine.look("a") == Running()
    await engine.stop("a", 0)

    assert (await ended(engine, "a")).cause is Cause.LOST


async def test_shim_and_launcher_killed_together_are_told_as_lost(stage: Stage) -> None:
    engine = stage.engine()
    await engine.create(plan("a", SLEEP))

    for pid in (stage.claim("a").shim.pid, stage.pid("a")):
        os.kill(pid, signal.SIGKILL)

    assert (await ended(engine, "a")).cause is Cause.LOST


async def test_a_launcher_whose_shim_died_before_it_noted_the_pid_is_found(stage: Stage) -> None:
    engine = stage.engine()
    await engine.create(plan("a"))
    await ended(engine, "a")
    stage.rewind("a", "ended.json")
    claimed = stage.root / "a" / "shim.json"
    before = claimed.read_text(encoding="utf-8").partition('"launcher"')[0]
    claimed.write_text(before + '"launcher": null}', encoding="utf-8")
    ready = stage.folder / "ready"
    plot = f"open({str(ready)!r}, 'w').close()\n{SLEEP}"
    nameless = stage.process(plot, {MARK: str(stage.root / "a")})
    await there(ready)

    await engine.look("a")

    assert nameless.wait() == -signal.SIGTERM
    end = await ended(engine, "a")
    assert end.cause is Cause.LOST
    assert "processes of it that were ended: 1" in end.detail


async def test_a_stranger_with_the_pid_of_a_lost_launcher_is_left_alone(stage: Stage) -> None:
    engine = stage.engine()
    await engine.create(plan("a"))
    await ended(engine, "a")
    stage.rewind("a", "ended.json")
    stranger = stage.process(SLEEP)
    claimed = stage.root / "a" / "shim.json"
    text = claimed.read_text(encoding="utf-8")
    claimed.write_text(text.replace(str(stage.pid("a")), str(stranger.pid)), encoding="utf-8")

    end = await ended(engine, "a")

    assert end.cause is Cause.LOST
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


async def test_after_a_restart_of_the_machine_it_is_lost_by_that(stage: Stage) -> None:
    engine = stage.engine(boot_id="the-boot-before")
    await engine.create(plan("a"))
    await ended(engine, "a")
    stage.rewind("a", "ended.json")

    assert await stage.engine().look("a") == Ended(
        Cause.LOST, detail="the machine was restarted while it ran"
    )


async def test_a_living_shim_is_believed_whatever_the_boot_is_called(stage: Stage) -> None:
    await stage.engine(boot_id="unknown-1").create(plan("a", SLEEP))

    assert await stage.engine(boot_id="unknown-2").look("a") == Running()


async def test_the_last_words_of_a_shim_are_told(stage: Stage) -> None:
    engine = stage.engine()
    await engine.create(plan("a"))
    await ended(engine, "a")
    stage.rewind("a", "ended.json")
    (stage.root / "a" / "shim.log").write_text("Traceback\nMemoryError\n", encoding="utf-8")

    assert "last words: MemoryError" in (await ended(engine, "a")).detail


async def test_an_end_in_words_of_a_later_day_is_an_end(stage: Stage) -> None:
    engine = stage.engine()
    await engine.create(plan("a"))
    await ended(engine, "a")
    (stage.root / "a" / "ended.json").write_text('{"version": 9, "cause": "evicted"}')

    end = await ended(engine, "a")

    assert end.cause is Cause.LOST
    assert "ended.json cannot be read" in end.detail


async def test_a_claim_that_cannot_be_read_is_no_leave_to_run_again(stage: Stage) -> None:
    engine = stage.engine()
    await engine.create(plan("a"))
    await ended(engine, "a")
    stage.rewind("a", "ended.json")
    (stage.root / "a" / "shim.json").write_text("{")

    await engine.create(plan("a", "open('ran', 'w')"))

    assert (await ended(engine, "a")).cause is Cause.LOST
    assert not (stage.root / "a" / "ran").exists()


async def test_a_lost_launcher_can_be_removed(stage: Stage) -> None:
    engine = stage.engine()
    await engine.create(plan("a", SLEEP))
    os.kill(stage.claim("a").shim.pid, signal.SIGKILL)
    await ended(engine, "a")

    await engine.remove("a")

    assert await engine.look("a") == Absent()
