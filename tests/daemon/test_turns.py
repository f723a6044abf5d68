"""Whose turn it is: priorities, slots, leases, `not_before` and pauses, as people see them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from llmdbenchd.core.account import entered
from llmdbenchd.core.run.phase import Phase
from tests.daemon.household import Household
from tests.daemon.jobs import job

pytestmark = pytest.mark.slow


def launched(house: Household, name: str) -> datetime:
    at = entered(house.record(name), Phase.LAUNCHING)
    assert at is not None
    return at


def load_ended(house: Household, name: str) -> datetime:
    at = entered(house.record(name), Phase.COLLECTING)
    assert at is not None
    return at


@pytest.fixture(scope="module")
def one_slot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    """A household whose daemon has a single slot."""
    root = tmp_path_factory.mktemp("one") / "house"
    house = Household(root, {"LLMDBENCHD_MAX_ACTIVE_RUNS": "1"})
    house.start()
    yield house
    house.close()


def test_with_one_slot_the_higher_priority_goes_first_whatever_came_first(
    one_slot: Household,
) -> None:
    one_slot.drop("busy", job(seconds=60))
    one_slot.in_phase("busy", Phase.RUNNING)
    for name, priority in {"low": -5, "middle": 0, "high": 7}.items():
        one_slot.drop(name, job(priority=priority))
        one_slot.in_phase(name, Phase.READY)

    one_slot.asked("cancel", "busy")

    for name in ("low", "middle", "high"):
        assert one_slot.ended(name).phase is Phase.SUCCEEDED
    ranks = sorted(("low", "middle", "high"), key=lambda name: launched(one_slot, name))
    assert ranks == ["high", "middle", "low"]
    assert load_ended(one_slot, "high") <= launched(one_slot, "middle")


def test_the_file_paused_stops_admission_and_not_what_runs(one_slot: Household) -> None:
    one_slot.drop("runs", job(seconds=2))
    one_slot.in_phase("runs", Phase.RUNNING)
    (one_slot.queue / "PAUSED").touch()
    one_slot.wait_for("a pause", lambda: is_paused(one_slot))
    one_slot.drop("waits", job())
    one_slot.in_phase("waits", Phase.QUEUED)
    assert "admission is paused" in one_slot.asked("why", "waits")

    assert one_slot.ended("runs").phase is Phase.SUCCEEDED
    assert one_slot.record("waits").phase is Phase.QUEUED
    (one_slot.queue / "PAUSED").unlink()
    assert one_slot.ended("waits").phase is Phase.SUCCEEDED


def is_paused(house: Household) -> bool:
    """Whether the last word about pauses was a pause."""
    words = [one["event"] for one in house.events if one["event"] in {PAUSED, RESUMED}]
    return words[-1:] == [PAUSED]


PAUSED, RESUMED = "queue.paused", "queue.resumed"


def test_why_names_who_holds_the_slot_and_the_target(one_slot: Household) -> None:
    target = {"endpoint": "http://127.0.0.1:13", "share_target": False}
    one_slot.drop("holder", job(seconds=60) | target)
    one_slot.in_phase("holder", Phase.RUNNING)
    one_slot.drop("rival", job() | target)
    one_slot.drop("slotless", job())
    one_slot.in_phase("rival", Phase.READY)
    one_slot.in_phase("slotless", Phase.READY)

    assert "is held by holder/r001 (RUNNING)" in one_slot.asked("why", "rival")
    assert "1 of 1 slots are taken" in one_slot.asked("why", "slotless")
    assert "generate load" in one_slot.asked("why", "holder")
    one_slot.asked("cancel", "holder")
    for name in ("rival", "slotless"):
        assert one_slot.ended(name).phase is Phase.SUCCEEDED


def test_runs_that_share_no_target_never_load_it_together(home: Household) -> None:
    target = {"endpoint": "http://127.0.0.1:14", "share_target": False}
    names = [f"alone{number}" for number in range(4)]
    for name in names:
        home.drop(name, job(seconds=0.3) | target)
    for name in names:
        assert home.ended(name).phase is Phase.SUCCEEDED

    names.sort(key=lambda name: launched(home, name))
    for earlier, later in pairwise(names):
        assert load_ended(home, earlier) <= launched(home, later)


def test_runs_that_share_their_target_load_it_together(home: Household) -> None:
    names = ["both1", "both2"]
    for name in names:
        home.drop(name, job(seconds=60))
    for name in names:
        home.in_phase(name, Phase.RUNNING)
    home.asked("cancel", "both1")
    home.asked("cancel", "both2")
    assert {home.ended(name).phase for name in names} == {Phase.CANCELLED}


def test_nothing_is_launched_before_its_time(home: Household) -> None:
    when = datetime.now(UTC) + timedelta(seconds=1.5)
    home.drop("later", job(not_before=when.isoformat()))
    home.in_phase("later", Phase.QUEUED)
    assert "waits until" in home.asked("why", "later")

    assert home.ended("later").phase is Phase.SUCCEEDED
    assert launched(home, "later") >= when


def test_a_pause_and_a_time_to_wait_for_hold_across_a_kill(
    household: Household, tmp_path: Path
) -> None:
    when = datetime.now(UTC) + timedelta(seconds=3)
    household.start()
    (household.queue / "PAUSED").touch()
    household.wait_for_event("queue.paused")
    started = {"FAKE_HARNESS_STARTED_FILE": tmp_path / "started"}
    household.drop("held", job(fake=started))
    household.drop("timed", job(not_before=when.isoformat()))
    household.in_phase("held", Phase.QUEUED)
    household.in_phase("timed", Phase.QUEUED)
    household.kill()
    household.start()

    assert household.record("held").phase is Phase.QUEUED
    assert not (tmp_path / "started").exists()
    household.asked("resume")
    assert household.ended("held").phase is Phase.SUCCEEDED
    assert household.ended("timed").phase is Phase.SUCCEEDED
    assert launched(household, "timed") >= when
