"""The daemon as a process: locks, exit codes, signals, and records it cannot read."""

import json
import os
import signal
from pathlib import Path

import pytest

from llmdbenchd.core.run.phase import Phase
from tests.daemon.household import Household
from tests.daemon.jobs import job

pytestmark = pytest.mark.slow


def configured(house: Household, **settings: object) -> None:
    """Write the file of settings, whole."""
    assert house.config is not None
    new = house.config.with_suffix(".new")
    new.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))
    new.rename(house.config)


@pytest.fixture
def settled(household: Household) -> Household:
    """A household whose daemon reads a file: one run at a time."""
    household.config = household.root / "config.toml"
    configured(household, max_active_runs=1)
    return household


def test_a_second_daemon_on_one_queue_goes_with_75_and_says_who_holds_it(home: Household) -> None:
    assert home.daemon is not None

    done = home.cli("serve")

    assert done.returncode == 75
    assert f"pid {home.daemon.pid} on " in done.stdout
    assert "serves this queue already" in done.stdout


def test_wrong_settings_end_it_with_78_and_every_mistake(household: Household) -> None:
    household.settings = {"LLMDBENCHD_MAX_ACTIVE_RUNS": "many", "LLMDBENCHD_SCAN_SECONDS": "0"}

    done = household.cli("serve")

    assert done.returncode == 78
    assert "max_active_runs" in done.stderr
    assert "scan_seconds" in done.stderr
    assert not household.state.exists()


def test_sighup_takes_over_how_many_runs_may_go_on(settled: Household) -> None:
    settled.start()
    for name in ("first", "second"):
        settled.drop(name, job(seconds=60))
    settled.wait_for("one run", lambda: phases(settled) == {Phase.RUNNING, Phase.READY})

    configured(settled, max_active_runs=2)
    hang_up(settled)

    reloaded = settled.wait_for_event("settings.reloaded")
    assert (reloaded["changed"], reloaded["needs_restart"]) == (["max_active_runs"], [])
    settled.wait_for("both runs", lambda: phases(settled) == {Phase.RUNNING})
    for name in ("first", "second"):
        settled.asked("cancel", name)
        assert settled.ended(name).phase is Phase.CANCELLED


def phases(house: Household) -> set[Phase]:
    names = ("first", "second")
    return {record.phase for name in names for record in house.records(name)}


def hang_up(house: Household) -> None:
    assert house.daemon is not None
    house.daemon.send_signal(signal.SIGHUP)


def test_sighup_with_mistakes_changes_nothing_and_says_so(settled: Household) -> None:
    settled.start()
    configured(settled, max_active_runs="many")
    hang_up(settled)

    refused = settled.wait_for_event("settings.refused")

    assert "max_active_runs" in refused["problems"][0]
    assert settled.run_job("goes-on", job()).phase is Phase.SUCCEEDED


def test_sighup_leaves_what_needs_a_restart_as_it_is(settled: Household) -> None:
    settled.settings["LLMDBENCHD_QUEUE"] = ""  # counts as unset: the file decides
    configured(settled, max_active_runs=1, queue=str(settled.queue))
    settled.start()
    elsewhere = settled.root / "elsewhere"
    elsewhere.mkdir()
    configured(settled, max_active_runs=1, queue=str(elsewhere))
    hang_up(settled)
    reloaded = settled.wait_for_event("settings.reloaded")
    assert reloaded["needs_restart"] == ["queue"]

    (settled.queue / "PAUSED").touch()
    settled.wait_for_event("queue.paused")
    settled.drop("held", job())
    settled.in_phase("held", Phase.QUEUED)
    (settled.queue / "PAUSED").unlink()
    assert settled.ended("held").phase is Phase.SUCCEEDED


def test_a_record_of_a_newer_daemon_stops_the_older_one(household: Household) -> None:
    household.start()
    household.run_job("done", job())
    household.stop()
    record = household.state / "jobs" / "done" / "runs" / "r001.json"
    record.write_text(record.read_text().replace('"version":1', '"version":99', 1))
    assert '"version":99' in record.read_text()

    done = household.cli("serve")

    assert done.returncode == 78
    assert "newer" in done.stdout
    assert '"version":99' in record.read_text()


def test_a_torn_record_is_set_aside_and_named_and_stops_nobody(household: Household) -> None:
    household.start()
    household.drop("torn", job(seconds=60))
    household.drop("whole", job(seconds=2))
    household.in_phase("torn", Phase.RUNNING)
    household.in_phase("whole", Phase.RUNNING)
    household.kill()
    record = household.state / "jobs" / "torn" / "runs" / "r001.json"
    record.write_bytes(record.read_bytes()[:100])
    household.start()

    aside = household.wait_for_event("record.set_aside")

    assert "torn" in aside["path"]
    assert household.ended("whole").phase is Phase.SUCCEEDED
    assert household.processes(), "nobody knows how the torn run stands, so nobody ends it"
    household.stop()
    household.end_launchers()


def test_a_daemon_that_finds_no_room_to_write_its_folders_says_so_and_ends(
    household: Household, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    household.settings["LLMDBENCHD_STATE"] = str(tmp_path / "file" / "state")

    done = household.cli("serve")

    assert done.returncode in {1, 78}
    assert "daemon.refused" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_nothing_of_the_daemon_is_left_to_the_launcher(household: Household) -> None:
    household.settings["OF_THE_DAEMON"] = "its own"
    household.start()
    household.drop("clean", job(seconds=60))
    household.in_phase("clean", Phase.RUNNING)
    pid = household.launcher_pid()

    environment = Path(f"/proc/{pid}/environ").read_bytes()
    files = [os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir()]  # noqa: PTH115 - /proc

    assert b"its own" not in environment
    assert b"LLMDBENCHD_QUEUE" not in environment
    assert not [file for file in files if "queue" in file or "lock" in file]
    household.asked("cancel", "clean")
    assert household.ended("clean").phase is Phase.CANCELLED
