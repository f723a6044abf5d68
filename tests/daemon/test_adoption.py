"""Launchers outlive the daemon, and the next daemon takes them on as they are."""

import os
import signal
from pathlib import Path

import pytest

from llmdbenchd.core.run.phase import Phase
from tests.daemon.evidence import assert_log_is_complete, starts
from tests.daemon.household import Household
from tests.daemon.jobs import job

pytestmark = pytest.mark.slow

LINES = 300


def speaks(house: Household, name: str) -> bool:
    """Whether the harness's first lines were followed."""
    logs = house.state.glob(f"live/{name}/r001/1/launcher-1.log")
    return any(b"INFO - line 2" in log.read_bytes() for log in logs)


def test_after_a_kill_of_the_daemon_the_same_launcher_goes_on_and_its_log_is_complete(
    household: Household, tmp_path: Path
) -> None:
    started = tmp_path / "started"
    fake = {"FAKE_HARNESS_LINES": LINES, "FAKE_HARNESS_STARTED_FILE": started}
    household.start()
    household.drop("long", job(seconds=2, fake=fake))
    household.wait_for("the first lines", lambda: speaks(household, "long"))
    pid = household.launcher_pid()

    household.kill()
    os.kill(pid, 0)
    household.start()

    assert household.launcher_pid() == pid
    assert household.record("long").phase is Phase.RUNNING
    assert household.ended("long").phase is Phase.SUCCEEDED
    assert starts(started) == 1
    assert_log_is_complete(household.archive / "long" / "r001", lines=LINES)


def test_what_ended_while_no_daemon_was_there_is_collected_by_the_next(
    household: Household, tmp_path: Path
) -> None:
    started = tmp_path / "started"
    fake = {"FAKE_HARNESS_LINES": LINES, "FAKE_HARNESS_STARTED_FILE": started}
    household.start()
    household.drop("alone", job(seconds=0.5, fake=fake))
    household.wait_for_event("run.moved", job="alone", now="RUNNING")
    household.kill()
    household.wait_for("its end", lambda: not household.processes())
    household.start()

    assert household.ended("alone").phase is Phase.SUCCEEDED
    assert starts(started) == 1
    assert_log_is_complete(household.archive / "alone" / "r001", lines=LINES)


def test_sigterm_stops_the_daemon_and_leaves_the_launchers_running(household: Household) -> None:
    household.start()
    household.drop("long", job(seconds=3, fake={"FAKE_HARNESS_LINES": LINES}))
    household.wait_for("the first lines", lambda: speaks(household, "long"))
    pid = household.launcher_pid()

    assert household.stop() == 0

    os.kill(pid, 0)
    household.start()
    assert household.launcher_pid() == pid
    assert household.ended("long").phase is Phase.SUCCEEDED
    assert_log_is_complete(household.archive / "long" / "r001", lines=LINES)


def test_a_second_ctrl_c_ends_a_daemon_that_hangs_and_not_the_launchers(
    household: Household,
) -> None:
    household.start()
    household.drop("long", job(seconds=60))
    household.in_phase("long", Phase.RUNNING)
    assert household.daemon is not None

    household.daemon.send_signal(signal.SIGINT)
    household.daemon.send_signal(signal.SIGINT)

    assert household.exit_code() in {0, -signal.SIGINT}
    assert household.processes()
    household.start()
    assert "cancel asked" in household.asked("cancel", "long")
    assert household.ended("long").phase is Phase.CANCELLED
