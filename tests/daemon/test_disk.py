"""A disk that is full: admission stops, nothing that was acknowledged is lost, and it goes on."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmdbenchd.core.run.phase import Phase
from tests.daemon.evidence import assert_log_is_complete, starts
from tests.daemon.household import Household
from tests.daemon.jobs import job

pytestmark = pytest.mark.slow

MIB = 1 << 20


@pytest.fixture
def small(household: Household) -> Iterator[Household]:
    """A household whose state lies on a disk of 24 MiB, of which 8 must stay free."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a small disk")
    household.state.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=24m,mode=0750", "tmpfs", str(household.state))
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    household.settings["LLMDBENCHD_MIN_FREE"] = "8MiB"
    try:
        household.start()
        yield household
    finally:
        household.close()
        subprocess.run(("umount", str(household.state)), check=True)


def fill(house: Household, *, leave: int) -> Path:
    """Take all room but `leave` bytes."""
    filler = house.state / "filler"
    with filler.open("wb", buffering=0) as file:
        while (room := free(house) - leave) > 0:
            try:
                file.write(b"x" * min(MIB, room))
            except OSError:
                break
    return filler


def free(house: Household) -> int:
    disk = os.statvfs(house.state)
    return disk.f_bavail * disk.f_frsize


def test_with_little_room_nothing_is_admitted_and_it_goes_on_when_there_is_some(
    small: Household,
) -> None:
    filler = fill(small, leave=4 * MIB)
    low = small.wait_for_event("disk.low")
    assert low["needed"] == 8 * MIB
    small.drop("waits", job())
    small.in_phase("waits", Phase.QUEUED)
    assert "admission stopped: disk" in small.asked("status")

    filler.unlink()

    assert small.ended("waits").phase is Phase.SUCCEEDED
    small.wait_for_event("degraded.left", why="disk")


def test_a_daemon_that_starts_with_little_room_admits_nothing(small: Household) -> None:
    small.asked("pause")
    small.drop("waits", job())
    small.in_phase("waits", Phase.QUEUED)
    small.kill()
    (small.queue / "PAUSED").unlink()
    filler = fill(small, leave=4 * MIB)
    small.start()
    small.wait_for_event("disk.low")

    assert small.record("waits").phase is Phase.QUEUED
    filler.unlink()
    assert small.ended("waits").phase is Phase.SUCCEEDED


def test_a_disk_that_is_full_while_a_load_runs_loses_nothing(
    small: Household, tmp_path: Path
) -> None:
    fake = {"FAKE_HARNESS_STARTED_FILE": tmp_path / "started", "FAKE_HARNESS_LINES": 1}
    small.drop("runs", job(seconds=4, fake=fake))
    log = small.state / "live" / "runs" / "r001" / "1" / "launcher-1.log"
    small.wait_for("a line", lambda: log.exists() and b"line 1" in log.read_bytes())

    filler = fill(small, leave=0)
    small.drop("late", job())
    small.wait_for_event("queue.unavailable")
    small.kill()  # and then it is killed, too
    small.start(ready=False)
    small.wait_for_event("disk.low")
    filler.unlink()

    assert small.ended("runs").phase is Phase.SUCCEEDED
    assert small.ended("late").phase is Phase.SUCCEEDED
    assert starts(tmp_path / "started") == 1
    assert_log_is_complete(small.archive / "runs" / "r001", lines=1)
    assert "2 of 2 runs are whole" in small.asked("verify")
