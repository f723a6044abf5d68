"""Trouble that passes: the daemon says what is wrong, waits, and goes on by itself."""

from pathlib import Path

import pytest

from llmdbenchd.core.run.phase import Phase
from tests.daemon.evidence import assert_log_is_complete, starts
from tests.daemon.household import Household
from tests.daemon.jobs import job

pytestmark = pytest.mark.slow


def test_a_queue_folder_that_goes_away_for_a_while_stops_nothing_else(
    household: Household,
) -> None:
    household.start()
    household.drop("runs", job(seconds=2))
    household.in_phase("runs", Phase.RUNNING)
    away = household.root / "away"
    household.queue.rename(away)
    household.wait_for_event("queue.unavailable")
    assert household.ended("runs").phase is Phase.SUCCEEDED

    away.rename(household.queue)

    household.drop("next", job(seconds=60))
    household.in_phase("next", Phase.RUNNING)
    household.asked("cancel", "next")
    assert household.ended("next").phase is Phase.CANCELLED


def test_a_queue_that_was_replaced_is_not_served_since_it_is_not_locked(
    household: Household,
) -> None:
    household.start()
    household.queue.rename(household.root / "away")
    household.queue.mkdir()
    household.wait_for(  # between the two it may have been seen to be gone
        "the word about the lock",
        lambda: any(
            "not locked: restart the daemon" in said["reason"]
            for said in household.told("queue.unavailable")
        ),
    )
    household.drop("stranger", job())

    assert household.stop() == 0
    assert (household.queue / "stranger.yaml").exists()
    household.start()
    assert household.ended("stranger").phase is Phase.SUCCEEDED


def test_an_archive_that_cannot_be_written_is_waited_for(
    household: Household, tmp_path: Path
) -> None:
    household.start()
    household.archive.rmdir()
    household.archive.touch()  # a file where the folder was
    fake = {"FAKE_HARNESS_STARTED_FILE": tmp_path / "started"}
    household.drop("patient", job(fake=fake))
    failed = household.wait_for_event("activity.failed", job="patient")
    assert str(household.archive) in failed["reason"]
    assert "try " in household.asked("why", "patient")

    household.archive.unlink()

    assert household.ended("patient").phase is Phase.SUCCEEDED
    assert starts(tmp_path / "started") == 1
    assert_log_is_complete(household.archive / "patient" / "r001", lines=3)


def test_a_run_that_was_left_running_is_collected_after_a_kill(
    household: Household, tmp_path: Path
) -> None:
    household.start()
    fake = {"FAKE_HARNESS_STARTED_FILE": tmp_path / "started"}
    household.drop("left", job(seconds=0.5, fake=fake, harness__wait_timeout=0))
    assert household.ended("left").phase is Phase.LEFT
    household.kill()
    household.wait_for("its end", lambda: not household.processes())
    household.start()

    household.asked("collect", "left")

    household.wait_for("success", lambda: household.record("left").phase is Phase.SUCCEEDED)
    assert starts(tmp_path / "started") == 1
    assert_log_is_complete(household.archive / "left" / "r001", lines=3)


def test_results_that_vanish_are_named_and_no_success_is_claimed(household: Household) -> None:
    household.start()
    fake = {"FAKE_HARNESS_LINES": 1}
    household.drop("robbed", job(seconds=1, fake=fake, timeouts={"collect": 3}))
    household.in_phase("robbed", Phase.RUNNING)
    household.kill()
    household.wait_for("its end", lambda: not household.processes())
    [manifest] = household.state.glob("local/*/requests/*/summary_lifecycle_metrics.json")
    manifest.unlink()
    household.start()

    record = household.ended("robbed")

    assert record.phase is Phase.FAILED
    assert record.verdict is not None
    assert record.verdict.kind == "collect"
    assert "summary_lifecycle_metrics.json" in record.verdict.reason
    assert "launchers kept" in record.left_behind
