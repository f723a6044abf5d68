"""Cancel works in every phase: what was started ends, what exists is kept, once."""

import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from llmdbenchd.core.run.phase import Phase
from llmdbenchd.edge.files.control import Asked, request
from tests.daemon.evidence import followed, starts
from tests.daemon.household import Household
from tests.daemon.jobs import job

pytestmark = pytest.mark.slow


def cancel(house: Household, name: str) -> None:
    """As the command does it, without starting an interpreter for it."""
    request(house.queue, Asked.CANCEL, job=name)


def assert_sealed(house: Household, name: str, phase: Phase) -> Path:
    """It ended so, and its archive is whole."""
    assert house.ended(name).phase is phase, house.record(name)
    assert house.cli("verify", name).returncode == 0
    return house.archive / name / "r001"


def test_a_run_that_waits_is_cancelled_and_never_launched(home: Household, tmp_path: Path) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    fake = {"FAKE_HARNESS_STARTED_FILE": tmp_path / "started"}
    home.drop("waits", job(not_before=later.isoformat(), fake=fake))
    home.in_phase("waits", Phase.QUEUED)

    assert "cancel asked for 1 runs" in home.asked("cancel", "waits")

    assert_sealed(home, "waits", Phase.CANCELLED)
    assert starts(tmp_path / "started") == 0


def test_a_run_that_waits_for_its_target_is_cancelled(home: Household) -> None:
    target = {"endpoint": "http://127.0.0.1:11", "share_target": False}
    home.drop("holder", job(seconds=60) | target)
    home.in_phase("holder", Phase.RUNNING)
    home.drop("rival", job() | target)
    home.in_phase("rival", Phase.READY)

    cancel(home, "rival")

    assert_sealed(home, "rival", Phase.CANCELLED)
    assert home.record("holder").phase is Phase.RUNNING
    cancel(home, "holder")
    assert_sealed(home, "holder", Phase.CANCELLED)


def test_a_running_load_is_ended_and_its_log_and_manifest_are_kept(home: Household) -> None:
    home.drop("runs", job(seconds=60, fake={"FAKE_HARNESS_LINES": 6000}))
    live = home.state / "live" / "runs" / "r001" / "1" / "launcher-1.log"
    home.wait_for("a line", lambda: live.exists() and b"line 3" in live.read_bytes())

    cancel(home, "runs")

    archive = assert_sealed(home, "runs", Phase.CANCELLED)
    record = home.record("runs")
    assert [end.how.cause for end in record.ends] == ["stopped"]
    assert record.collected is not None
    assert record.collected.manifest == "launcher"
    assert any(b"line 3" in line for line in followed(archive))


@pytest.mark.parametrize("harness", ["IGNORE_TERM", "DAEMONISE"])
def test_a_harness_that_resists_is_gone_after_a_cancel(home: Household, harness: str) -> None:
    name = harness.lower().replace("_", "-")
    fake = {f"FAKE_HARNESS_{harness}": 1, "LLMDBENCHD_GRACE_SECONDS": 2}
    before = home.processes().keys()
    home.drop(name, job(seconds=60, fake=fake))
    live = home.state / "live" / name / "r001" / "1" / "launcher-1.log"
    home.wait_for("a line", lambda: live.exists() and b"line 1" in live.read_bytes())

    cancel(home, name)

    assert_sealed(home, name, Phase.CANCELLED)
    assert home.processes().keys() <= before


def test_a_second_cancel_skips_the_collecting_and_says_what_it_left(household: Household) -> None:
    household.start()
    fake = {"FAKE_HARNESS_IGNORE_TERM": 1, "LLMDBENCHD_GRACE_SECONDS": 2}
    household.drop("twice", job(seconds=60, fake=fake))
    household.in_phase("twice", Phase.RUNNING)
    cancel(household, "twice")
    household.wait_for_event("run.action", action="StopLauncher")
    cancel(household, "twice")

    record = household.ended("twice")

    assert record.phase is Phase.CANCELLED
    assert record.cancels == 2
    assert record.uncollected == "collecting skipped by a second cancel"
    assert "launchers kept" in record.left_behind
    assert household.processes() == {}


def test_only_its_owner_and_root_may_cancel_a_job(home: Household) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to write a request as somebody else")
    home.drop("mine", job(seconds=60))
    home.in_phase("mine", Phase.RUNNING)
    foreign = home.root / "foreign.json"
    foreign.write_text('{"asked":"cancel","job":"mine"}')
    os.chown(foreign, 65534, 65534)
    foreign.rename(home.queue / "control" / "foreign.json")

    refused = home.wait_for_event("control.refused", request="cancel", owner="nobody")

    assert refused["reason"] == "job mine is root's, and nobody may not cancel it"
    why = home.queue / "control" / "refused" / "foreign.json.why"
    home.wait_for("the reason", why.exists)
    assert "root's" in why.read_text()
    assert home.record("mine").cancels == 0
    cancel(home, "mine")
    assert home.ended("mine").phase is Phase.CANCELLED


def test_a_cancel_at_any_moment_ends_the_job_once(home: Household, tmp_path: Path) -> None:
    dice = random.Random(7)  # noqa: S311 - dice, not secrets
    jobs = [f"any{number:02d}" for number in range(16)]
    for name in jobs:
        fake = {"FAKE_HARNESS_STARTED_FILE": tmp_path / name, "FAKE_HARNESS_BYTES": 1 << 20}
        home.drop(name, job(seconds=0.1, fake=fake))
        moment = dice.choice(["RESOLVING", "LAUNCHING", "RUNNING", "COLLECTING", "REPORTING"])
        home.wait_for_event("run.moved", job=name, now=moment)
        cancel(home, name)
        if dice.random() < 0.3:
            cancel(home, name)

    ends = [home.ended(name) for name in jobs]

    assert {record.phase for record in ends} <= {Phase.CANCELLED, Phase.SUCCEEDED}
    assert all(starts(tmp_path / name) <= 1 for name in jobs)
    assert all((home.archive / name / "r001" / "run.json").exists() for name in jobs)
    home.wait_for(
        "every request's answer", lambda: not any((home.queue / "control").glob("*.json"))
    )
    assert home.told("run.crashed") == []
