"""What logs leave on a disk that fills up: room for records, which say how runs stand."""

import asyncio
import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from llmdbenchd.edge.files import kernel
from llmdbenchd.edge.kubernetes.logfile import NotWritten, log_file
from llmdbenchd.edge.local.following import BATCH
from tests.edge.local.stage import Stage, ended, plan

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker takes it so


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A disk with so many blocks of one byte left."""
    room = SimpleNamespace(f_bavail=0, f_frsize=1)
    monkeypatch.setattr(os, "fstatvfs", lambda _: room)
    return room


def test_what_would_leave_no_room_is_refused_as_by_a_full_disk(free: SimpleNamespace) -> None:
    free.f_bavail = kernel.FOR_RECORDS + 10

    kernel.keep_room(0, 10)
    with pytest.raises(OSError, match="kept for records") as caught:
        kernel.keep_room(0, 11)

    assert caught.value.errno == errno.ENOSPC


async def test_a_pods_log_stops_before_records_do(free: SimpleNamespace, tmp_path: Path) -> None:
    """A log that took the last byte of the disk left no record a way to be saved."""
    async with log_file(tmp_path / "log") as file:
        free.f_bavail = kernel.FOR_RECORDS
        with pytest.raises(NotWritten, match="kept for records"):
            await file.add(b"x")
        free.f_bavail = kernel.FOR_RECORDS + 1
        await file.add(b"x")

    assert (tmp_path / "log").read_bytes() == b"x"


async def test_a_local_launchers_log_stops_before_records_do_and_goes_on(
    free: SimpleNamespace, tmp_path: Path
) -> None:
    engine, into = Stage(tmp_path).engine(), tmp_path / "copy.log"
    await engine.create(plan("a", "print('line')"))
    await ended(engine, "a")
    following = asyncio.create_task(engine.follow("a", into))
    while not into.exists():  # noqa: ASYNC110 - nobody tells that it was begun
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert into.read_bytes() == b""

    free.f_bavail = kernel.FOR_RECORDS + BATCH

    assert await following == len(into.read_bytes()) > 0
