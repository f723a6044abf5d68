"""Real files, dropped by real programs into a watched folder."""

import asyncio
import errno
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from typing import TextIO

import pytest
from asyncinotify import Inotify, Mask

from llmdbenchd.edge.files import inbox
from llmdbenchd.edge.files.hints import FolderHints, Heard, folder_hints
from llmdbenchd.edge.files.inbox import GROUP, Ready, arrivals, identity, is_paused, prepare_queue
from llmdbenchd.edge.files.kernel import Writer
from llmdbenchd.edge.files.readiness import Look, Patience
from llmdbenchd.ports import Unavailable

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 -- the marker's own signature

QUICK = Patience(settle_s=0.02, stable_s=0.3)
NEVER = 600.0  # no second scan: only hints can tell
SOON = 10.0


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    prepare_queue(tmp_path / "queue")
    return tmp_path / "queue"


@pytest.fixture
def disk() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


async def run(*command: str) -> None:
    """Run a program to its good end."""
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == 0


def replace_queue(queue: Path) -> None:
    queue.rename(queue.parent / "old")
    prepare_queue(queue)


class Watcher:
    """Reads arrivals in the background of a test, and takes the files away."""

    def __init__(self, groups: AsyncIterator[list[Ready]], queue: Path) -> None:
        self._groups = groups
        self._queue = queue
        self._had: list[str] = []

    async def scanned(self) -> "Watcher":
        await self._next()
        return self

    async def names(self, count: int) -> list[str]:
        async with asyncio.timeout(SOON):
            while len(self._had) < count:
                await self._next()
        had, self._had = self._had, []
        return sorted(had)

    async def content(self) -> str:
        async with asyncio.timeout(SOON):
            while not (group := await anext(self._groups)):
                pass
        return (self._queue / group[0].name).read_text(encoding="utf-8")

    async def _next(self) -> None:
        for ready in await anext(self._groups):
            (self._queue / ready.name).unlink()
            self._had.append(ready.name)


async def test_a_file_that_is_moved_in_is_whole_at_once(queue: Path, disk: Executor) -> None:
    (queue.parent / "x.yaml").write_text("a: 1", encoding="utf-8")
    patient = Patience(settle_s=NEVER, stable_s=NEVER)
    async with aclosing(
        arrivals(queue, disk, locked=identity(queue), scan_s=NEVER, patience=patient)
    ) as groups:
        watcher = await Watcher(groups, queue).scanned()
        await run("mv", f"{queue.parent}/x.yaml", f"{queue}/x.yaml")
        assert await watcher.names(1) == ["x.yaml"]


async def test_a_copied_file_is_whole_after_its_close(queue: Path, disk: Executor) -> None:
    (queue.parent / "x.yaml").write_text("a: 1", encoding="utf-8")
    patient = Patience(settle_s=0.02, stable_s=NEVER)
    async with aclosing(
        arrivals(queue, disk, locked=identity(queue), scan_s=NEVER, patience=patient)
    ) as groups:
        watcher = await Watcher(groups, queue).scanned()
        await run("cp", f"{queue.parent}/x.yaml", f"{queue}")
        assert await watcher.names(1) == ["x.yaml"]


@pytest.mark.parametrize(("polling", "others"), [(False, False), (True, False), (False, True)])
async def test_a_slow_writer_is_never_interrupted(
    queue: Path,
    disk: Executor,
    monkeypatch: pytest.MonkeyPatch,
    *,
    polling: bool,
    others: bool,
) -> None:
    """The kernel's hints are enough (`others`' files grant no lease), and so is the lease."""
    if others:
        monkeypatch.setattr(inbox, "writer_of", lambda _: Writer.UNKNOWN)
    hasty = Patience(settle_s=0.02, stable_s=0.1)
    groups = arrivals(
        queue, disk, locked=identity(queue), scan_s=0.05, patience=hasty, polling=polling
    )
    async with aclosing(groups), asyncio.TaskGroup() as tasks:
        watcher = await Watcher(groups, queue).scanned()
        tasks.create_task(run("sh", "-c", f"(echo 1; sleep 0.6; echo 2) > {queue}/x.yaml"))
        assert await watcher.content() == "1\n2\n"


async def test_a_file_overwritten_during_our_look_waits_for_its_new_writer(
    queue: Path, disk: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "writer_of", lambda _: Writer.UNKNOWN)
    look_at = inbox._look_at
    writers: list[TextIO] = []

    def slow_look(path: Path) -> Look | None:
        look = look_at(path)
        if not writers:
            writers.append(path.open("w", encoding="utf-8"))
            print("half", file=writers[0], flush=True)
        return look

    monkeypatch.setattr(inbox, "_look_at", slow_look)
    (queue.parent / "x.yaml").write_text("first", encoding="utf-8")
    async with aclosing(
        arrivals(queue, disk, locked=identity(queue), scan_s=0.05, patience=QUICK)
    ) as groups:
        watcher = await Watcher(groups, queue).scanned()
        (queue.parent / "x.yaml").rename(queue / "x.yaml")
        for _ in range(10):
            assert await anext(groups) == []
        with writers[0]:
            print("whole", file=writers[0])
        assert await watcher.content() == "half\nwhole\n"


async def test_an_editor_that_saves_by_renaming_gives_one_whole_file(
    queue: Path, disk: Executor
) -> None:
    async with aclosing(
        arrivals(queue, disk, locked=identity(queue), scan_s=NEVER, patience=QUICK)
    ) as groups:
        watcher = await Watcher(groups, queue).scanned()
        (queue / "4913").write_text("", encoding="utf-8")
        (queue / "4913").unlink()
        (queue / ".x.yaml.swp").write_text("junk", encoding="utf-8")
        (queue / "x.yaml~").write_text("old", encoding="utf-8")
        (queue / ".x.yaml.Ab12Cd").write_text("a: 1", encoding="utf-8")  # as rsync does
        (queue / ".x.yaml.Ab12Cd").rename(queue / "x.yaml")
        assert await watcher.names(1) == ["x.yaml"]


async def test_files_that_were_there_before_are_found_by_looking_twice(
    queue: Path, disk: Executor
) -> None:
    (queue / "x.yaml").write_text("a: 1", encoding="utf-8")
    async with aclosing(
        arrivals(queue, disk, locked=identity(queue), scan_s=NEVER, patience=QUICK)
    ) as groups:
        assert await Watcher(groups, queue).names(1) == ["x.yaml"]


@pytest.mark.parametrize("polling", [False, True])
async def test_a_burst_comes_whole_and_in_groups(
    queue: Path, disk: Executor, *, polling: bool
) -> None:
    names = sorted(f"f{number}.yaml" for number in range(3 * GROUP))
    groups = arrivals(
        queue, disk, locked=identity(queue), scan_s=0.1, patience=QUICK, polling=polling
    )
    async with aclosing(groups):
        watcher = await Watcher(groups, queue).scanned()
        for name in names:
            (queue / name).write_text("a: 1", encoding="utf-8")
        assert await watcher.names(len(names)) == names


async def test_a_file_that_nobody_takes_comes_again_with_the_next_scan(
    queue: Path, disk: Executor
) -> None:
    (queue / "x.yaml").write_text("a: 1", encoding="utf-8")
    async with aclosing(
        arrivals(queue, disk, locked=identity(queue), scan_s=0.2, patience=QUICK)
    ) as groups:
        seen = 0
        async with asyncio.timeout(SOON):
            async for group in groups:
                seen += len(group)
                if seen == 3:
                    break
    assert (queue / "x.yaml").exists()


async def test_a_replaced_queue_folder_ends_the_watch_since_the_lock_is_elsewhere(
    queue: Path, disk: Executor
) -> None:
    async with aclosing(arrivals(queue, disk, locked=identity(queue), scan_s=NEVER)) as groups:
        await anext(groups)
        replace_queue(queue)
        with pytest.raises(Unavailable, match="restart the daemon"):
            async with asyncio.timeout(SOON):
                await anext(groups)


async def test_a_removed_queue_folder_ends_the_watch(queue: Path, disk: Executor) -> None:
    async with aclosing(arrivals(queue, disk, locked=identity(queue), scan_s=NEVER)) as groups:
        await anext(groups)
        shutil.rmtree(queue)
        with pytest.raises(Unavailable, match="folder is gone"):
            async with asyncio.timeout(SOON):
                await anext(groups)


async def test_after_an_overflow_everything_is_looked_at(
    queue: Path, disk: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgetful(self: FolderHints, name: str, mask: int) -> None:  # noqa: ARG001 -- the kernel lost it
        self.lost = True
        self._something.set()

    monkeypatch.setattr(FolderHints, "hear", forgetful)
    async with aclosing(
        arrivals(queue, disk, locked=identity(queue), scan_s=NEVER, patience=QUICK)
    ) as groups:
        watcher = await Watcher(groups, queue).scanned()
        (queue / "x.yaml").write_text("a: 1", encoding="utf-8")
        assert await watcher.names(1) == ["x.yaml"]


async def test_without_inotify_the_folder_is_polled(
    queue: Path, disk: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def used_up(*_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(Inotify, "add_watch", used_up)
    with folder_hints(queue) as hints:
        assert hints.silent_because == "inotify: Too many open files"
    async with aclosing(
        arrivals(queue, disk, locked=identity(queue), scan_s=0.1, patience=QUICK)
    ) as groups:
        watcher = await Watcher(groups, queue).scanned()
        (queue / "x.yaml").write_text("a: 1", encoding="utf-8")
        assert await watcher.names(1) == ["x.yaml"]


async def test_hints_tell_an_overflow_and_a_lost_folder_from_what_happened_to_a_file() -> None:
    hints = FolderHints()
    hints.hear("x.yaml", int(Mask.CLOSE_WRITE))
    hints.hear("y.yaml", int(Mask.MOVED_FROM))
    assert not hints.lost
    assert hints.drain() == [("x.yaml", Heard.CLOSED), ("y.yaml", Heard.GONE)]
    for mask in (Mask.Q_OVERFLOW, Mask.IGNORED, Mask.DELETE_SELF, Mask.MOVE_SELF, Mask.UNMOUNT):
        hints.lost = False
        hints.hear("", int(mask))
        assert hints.lost


async def test_a_file_named_paused_stops_admission(queue: Path) -> None:
    assert not is_paused(queue)
    (queue / "PAUSED").touch()
    assert is_paused(queue)
