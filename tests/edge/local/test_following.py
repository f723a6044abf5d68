"""The log is copied byte for byte, whatever is in it and whoever is killed."""

import asyncio
import errno
import hashlib
import os
from pathlib import Path

import pytest

from llmdbenchd.edge.local import following
from llmdbenchd.edge.local.launchers import LocalEngine
from llmdbenchd.ports import Unavailable
from tests.edge.local.stage import PATIENCE_S, REAL_TIME, Stage, ended, plan, there

pytestmark = REAL_TIME

SLEEP = "import time; time.sleep(600)\n"
UGLY = """
import sys
out = sys.stdout.buffer
out.write(b"\\r 10%\\r 20%" * 50)
out.write(b"\\xff\\xfe\\x00 not text\\n")
out.write(b"x" * 5_000_000 + b"\\n")
sys.stderr.write("no end of line")
"""


async def _grown(path: Path, size: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not os.access(path, os.F_OK) or os.stat(path).st_size < size:  # noqa: ASYNC110, PTH116 -- a file tells nobody that it grows
            await asyncio.sleep(0.02)


async def _followed(engine: LocalEngine, launcher: str, into: Path) -> int:
    """Follow to the end while a watch runs, as in the daemon."""
    async with asyncio.TaskGroup() as group:
        length = group.create_task(engine.follow(launcher, into))
        group.create_task(ended(engine, launcher))
    return length.result()


async def test_bars_bytes_and_long_lines_arrive_unchanged(stage: Stage) -> None:
    engine, into = stage.engine(), stage.folder / "live" / "run" / "log"
    await engine.create(plan("a", UGLY))

    length = await _followed(engine, "a", into)

    expected = (stage.root / "a" / "log").read_bytes()
    assert into.read_bytes() == expected
    assert length == len(expected) > 5_000_000


async def test_it_is_copied_while_it_is_written(stage: Stage) -> None:
    engine, into = stage.engine(), stage.folder / "log"
    await engine.create(plan("a", f"print('first', flush=True)\n{SLEEP}"))

    async with asyncio.TaskGroup() as group:
        following_it = group.create_task(engine.follow("a", into))
        await _grown(into, 6)
        await engine.stop("a", 600)
        await ended(engine, "a")

    assert into.read_bytes() == b"first\n"
    assert following_it.result() == 6


async def test_a_copy_that_was_cut_off_is_resumed_without_a_gap_or_a_doubled_byte(
    stage: Stage,
) -> None:
    engine, into = stage.engine(), stage.folder / "log"
    await engine.create(plan("a", "for n in range(50_000): print('line', n)"))
    await ended(engine, "a")
    whole = (stage.root / "a" / "log").read_bytes()
    into.write_bytes(whole[:123_457])

    await engine.follow("a", into)

    assert into.read_bytes() == whole


async def test_cancelled_and_begun_again_it_goes_on(stage: Stage) -> None:
    engine, into = stage.engine(), stage.folder / "log"
    plot = "import time\nfor n in range(300): print('line', n, flush=True); time.sleep(0.002)"
    await engine.create(plan("a", plot))

    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.15):
                await engine.follow("a", into)
    await _followed(engine, "a", into)

    assert into.read_bytes() == b"".join(b"line %d\n" % n for n in range(300))


async def test_the_log_of_one_that_could_not_start_is_empty_and_there(stage: Stage) -> None:
    engine = stage.engine(installed=stage.installed(python=Path("/no/such/python")))
    await engine.create(plan("a"))

    assert await _followed(engine, "a", stage.folder / "log") == 0
    assert (stage.folder / "log").read_bytes() == b""


async def test_a_full_disk_is_waited_for_and_nothing_is_lost(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, into = stage.engine(), stage.folder / "log"
    await engine.create(plan("a", "print('x' * 10_000)"))
    await ended(engine, "a")
    tries = 0
    real = os.pwrite

    def pwrite(descriptor: int, data: bytes, offset: int) -> int:
        nonlocal tries
        tries += 1
        if tries in (2, 3):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data[:7000], offset)

    monkeypatch.setattr(following, "FULL_S", 0.01)
    monkeypatch.setattr(os, "pwrite", pwrite)

    assert await engine.follow("a", into) == 10_001
    assert into.read_bytes() == b"x" * 10_000 + b"\n"
    assert tries == 4


async def test_a_log_that_is_gone_is_said(stage: Stage) -> None:
    with pytest.raises(Unavailable, match="launcher a is gone, with its log"):
        await stage.engine().follow("a", stage.folder / "log")


async def test_a_copy_longer_than_a_living_log_is_no_copy_of_it(stage: Stage) -> None:
    engine, into = stage.engine(), stage.folder / "log"
    await engine.create(plan("a", SLEEP))
    into.write_text("of something else", encoding="utf-8")

    with pytest.raises(Unavailable, match="not a copy of it"):
        await engine.follow("a", into)

    assert into.read_text(encoding="utf-8") == "of something else"


@pytest.mark.slow
async def test_eight_talkative_launchers_are_followed_side_by_side(stage: Stage) -> None:
    engine = stage.engine()
    names = [f"l{number}" for number in range(8)]
    plot = "for n in range(20_000): print(n, 'x' * 80)"
    for name in names:
        await engine.create(plan(name, plot))

    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(_followed(engine, name, stage.folder / name))

    expected = hashlib.sha256(b"".join(b"%d %s\n" % (n, b"x" * 80) for n in range(20_000)))
    found = [hashlib.sha256((stage.folder / name).read_bytes()) for name in names]
    assert [sha256.hexdigest() for sha256 in found] == [expected.hexdigest()] * 8


async def test_what_a_stray_prints_before_its_end_is_in_the_copy(stage: Stage) -> None:
    engine, into = stage.engine(), stage.folder / "log"
    plot = (
        "import os, signal, sys, time\n"
        "if os.fork() == 0:\n"
        "    signal.signal(15, lambda *_: (print('goodbye', flush=True), os._exit(0)))\n"
        "    open('t', 'w').close(); os.rename('t', 'ready')\n"
        "    time.sleep(600)\n"
        "while not os.path.exists('ready'): time.sleep(0.01)\n"
    )
    await engine.create(plan("a", plot))
    await there(stage.root / "a" / "ready")

    await _followed(engine, "a", into)

    assert into.read_bytes() == b"goodbye\n"


async def test_a_log_is_home_as_soon_as_the_end_is_seen_however_long_the_pauses(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "QUICK_S", 600.0)
    monkeypatch.setattr(following, "SLOW_S", 600.0)
    engine, into = stage.engine(), stage.folder / "log"
    plot = "import time; print('first', flush=True); time.sleep(0.5); print('last')"
    await engine.create(plan("a", plot))

    async with asyncio.timeout(PATIENCE_S):
        length = await _followed(engine, "a", into)

    assert into.read_bytes() == b"first\nlast\n"
    assert length == len(b"first\nlast\n")
