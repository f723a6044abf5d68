"""A followed log that something happens to: rotation, silence, a full disk, a kill."""

import asyncio
import errno
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from llmdbenchd.edge.kubernetes import logs
from llmdbenchd.edge.kubernetes.logfile import log_file
from llmdbenchd.edge.kubernetes.logs import LogEnd
from llmdbenchd.kit.stamps import Gap, gaps, mark, stamp_of
from llmdbenchd.ports import Unavailable
from tests.edge.kubernetes.log_scene import REAL_TIME, Scene, lines, lose_no_time, opened
from tests.edge.kubernetes.log_server import Answers, status
from tests.kit.kubelet import SECOND, told

pytestmark = REAL_TIME

ROOT = Path(__file__).parents[3]
FOLLOWER = """
import asyncio, sys
from pathlib import Path
import aiohttp
from llmdbenchd.edge.kubernetes import logs
from tests.edge.kubernetes.plain_session import PlainSession

async def is_over():
    return False

async def main(url, into):
    logs.BREATH_S = logs.FIRST_PAUSE_S = 0.002
    async with aiohttp.ClientSession() as http:
        print("up", flush=True)
        session = PlainSession(http, url)
        await logs.LogCopy(
            session=session, namespace="n", pod="p", container="c", into=Path(into), is_over=is_over
        ).run()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    lose_no_time(monkeypatch)
    async with opened(tmp_path) as made:
        yield made


async def test_what_rotation_took_is_marked_in_the_file_and_counted(scene: Scene) -> None:
    before, after = lines(0, 20), lines(500, 20)
    scene.into.parent.mkdir()
    scene.into.write_bytes(told(before))
    await scene.server.write(*after, over=True)

    end = await scene.followed()

    gap = Gap(stamp_of(told(before[-1:])).decode(), stamp_of(told(after[:1])).decode())
    assert end.gaps == (gap,)
    assert gaps(scene.into.read_bytes()) == [gap]
    assert scene.into.read_bytes().startswith(told(before))
    assert scene.into.read_bytes().endswith(told(after))


async def test_an_unfinished_line_that_rotation_took_is_cut_off(scene: Scene) -> None:
    before, after = told(lines(0, 20)), told(lines(500, 1))
    scene.into.parent.mkdir()
    scene.into.write_bytes(before + told(lines(20, 1)) + b"x" * 5000)
    await scene.server.write(*lines(500, 1), over=True)

    end = await scene.followed()

    copy = scene.into.read_bytes()
    assert copy.endswith(b" may be missing: the log was rotated while nobody read it\n" + after)
    assert len(end.gaps) == 1


async def test_an_unfinished_line_that_nobody_can_finish_stays(scene: Scene) -> None:
    scene.into.parent.mkdir()
    scene.into.write_bytes(told(lines(0, 20)) + b"2026")
    scene.server.troubles = [status(404, 'pods "launcher" not found')]
    await scene.server.write(over=True)

    end = await scene.followed()

    begun, [gap] = told(lines(0, 20)) + b"2026\n", gaps(scene.into.read_bytes())
    assert scene.into.read_bytes() == begun + mark(gap)
    assert end.size == scene.into.stat().st_size


async def test_gaps_from_before_a_restart_are_counted_too(scene: Scene) -> None:
    scene.into.parent.mkdir()
    scene.into.write_bytes(told(lines(0, 20)))
    await scene.server.write(*lines(500, 20), over=True)
    first = await scene.followed()

    assert await scene.followed() == first
    assert len(first.gaps) == 1


async def test_a_log_that_ended_with_a_rotation_is_marked_at_its_end_once(scene: Scene) -> None:
    scene.into.parent.mkdir()
    scene.into.write_bytes(told(lines(0, 20)))
    await scene.server.write(over=True)

    end = await scene.followed()

    assert [gap.before for gap in end.gaps] == [None]
    assert await scene.followed() == end


async def test_a_last_read_that_ends_too_soon_is_not_the_last(scene: Scene) -> None:
    """The kubelet dies during the last read: the API server ends the answer as if it were all."""
    await scene.server.write(*lines(0, 300), over=True)
    scene.server.troubles = [Answers(cut=n, cleanly=True) for n in (4_000, 30, 9_000, 20_000)]

    end = await scene.followed()

    assert scene.into.read_bytes() == told(lines(0, 300))
    assert end == LogEnd(len(told(lines(0, 300))), ())


async def test_the_end_is_noticed_before_the_stream_ends(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "FIRST_PAUSE_S", 1000)
    scene.server.troubles = [Answers(hangs=True)]
    await scene.server.write(*lines(0, 5))
    copy = scene.copy()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(copy.run())
        while not scene.into.exists() or scene.into.read_bytes() != told(lines(0, 5)):  # noqa: ASYNC110 -- a file tells nobody that it grows
            await asyncio.sleep(0.001)
        for over in (False, True):
            await asyncio.sleep(0.02)  # now it waits for words that do not come
            scene.server.over = over
            copy.ring()
            copy.ring()

    assert running.result().size == len(told(lines(0, 5)))


async def test_a_stream_that_is_silent_is_asked_for_anew(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "SILENCE_S", 0.05)
    scene.server.troubles = [Answers(hangs=True)]
    await scene.server.write(*lines(0, 5), over=False)
    async with asyncio.TaskGroup() as group:
        following = group.create_task(scene.followed())
        await scene.server.was_asked(2)
        await scene.server.write(over=True)

    assert following.result().size == len(told(lines(0, 5)))


async def test_a_full_disk_is_said_and_the_copy_goes_on_when_there_is_room(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, write = 3_333, os.pwrite

    def full(descriptor: int, data: memoryview, at: int) -> int:
        left = room - at
        if left <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data[:left], at)

    await scene.server.write(*lines(0, 300), over=True)
    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(Unavailable, match=r"launcher-1\.log: No space left on device"):
        await scene.followed()
    assert scene.into.stat().st_size == room
    monkeypatch.setattr(os, "pwrite", write)

    await scene.followed()

    assert scene.into.read_bytes() == told(lines(0, 300))


async def test_a_write_under_way_is_over_before_whoever_asked_for_it_has_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, write = threading.Event(), os.pwrite

    def slow(descriptor: int, data: memoryview, at: int) -> int:
        assert goes_on.wait(20)
        return write(descriptor, data, at)

    monkeypatch.setattr(os, "pwrite", slow)
    async with log_file(tmp_path / "log") as file, asyncio.TaskGroup() as group:
        adding = group.create_task(file.add(b"a\n"))
        for _ in range(3):
            await asyncio.sleep(0.01)
            adding.cancel()
        assert not adding.done()
        goes_on.set()
    assert (tmp_path / "log").read_bytes() == b"a\n"


async def test_whoever_gives_up_at_any_moment_leaves_a_copy_to_go_on_with(scene: Scene) -> None:
    random = Random(1)  # noqa: S311 -- chance, not a secret
    for number in range(60):
        async with asyncio.TaskGroup() as group:
            following = group.create_task(scene.followed())
            await scene.server.write(*lines(number * 10, 10, step=SECOND // 7))
            await asyncio.sleep(random.random() * 0.01)
            following.cancel()
    await scene.server.write(over=True)

    await scene.followed()

    assert scene.into.read_bytes() == told(scene.server.log)


async def test_a_copy_that_was_left_at_any_byte_is_gone_on_with(scene: Scene) -> None:
    random = Random(2)  # noqa: S311 -- chance, not a secret
    log = lines(0, 200, step=SECOND // 7)
    whole = told(log)
    await scene.server.write(*log, over=True)
    scene.into.parent.mkdir()
    for _ in range(60):
        scene.into.write_bytes(whole[: random.randint(0, len(whole))])

        await scene.followed()

        assert scene.into.read_bytes() == whole


async def test_a_daemon_that_is_killed_again_and_again_loses_and_doubles_nothing(
    scene: Scene,
) -> None:
    random = Random(3)  # noqa: S311 -- chance, not a secret
    written = 0
    for _ in range(6):
        follower = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            FOLLOWER,
            scene.server.url,
            str(scene.into),
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        assert follower.stdout
        await follower.stdout.readline()
        for _ in range(random.randint(1, 60)):
            await scene.server.write(*lines(written, 40))
            written += 40
            await asyncio.sleep(0.001)
        follower.kill()
        await follower.wait()
    assert scene.into.stat().st_size > 0
    await scene.server.write(over=True)

    end = await scene.followed()

    assert scene.into.read_bytes() == told(lines(0, written))
    assert end.gaps == ()
