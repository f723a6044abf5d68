"""Killed between any two steps on the filesystem, the daemon loses nothing and doubles nothing."""

import random
from pathlib import Path

import pytest

from llmdbenchd.core.run.phase import Phase
from tests.daemon.evidence import assert_log_is_complete, starts
from tests.daemon.household import Household
from tests.daemon.jobs import job

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

DYING = Path(__file__).with_name("dying.py")
STEPS = 120  # from a daemon's start to the end of a run that is dropped once it is ready
EVERY = 3  # each time another third of them


def test_killed_before_each_of_its_steps_the_daemon_ends_every_job_exactly_once(
    household: Household, dice: random.Random
) -> None:
    household.queue.mkdir()
    names = [f"step{step}" for step in range(dice.randint(1, EVERY), STEPS, EVERY)]
    deaths = sum(live_until(household, name) for name in names)
    assert deaths > len(names) // 2, "a life has fewer steps than we thought"
    household.start()

    for name in names:
        assert household.ended(name).phase is Phase.SUCCEEDED
        assert starts(household.root / f"{name}.started") == 1
        assert_log_is_complete(household.archive / name / "r001", lines=5)
    assert household.stop() == 0
    assert f"{len(names)} of {len(names)} runs are whole" in household.asked("verify")
    for folder in (household.queue / ".taken", household.archive / ".incoming"):
        assert list(folder.iterdir()) == []


def live_until(house: Household, name: str) -> bool:
    """One life of a daemon that gets a job when it is ready, and dies at the step of its name.

    Returns whether it came to that.
    """

    def is_dead() -> bool:
        return house.daemon is None or house.daemon.poll() is not None

    before = len(house.events)
    house.settings["DIE_AT"] = name.removeprefix("step")
    house.spawn(str(DYING))
    house.wait_for("ready", lambda: is_dead() or house.told("daemon.ready", before))
    fake = {"FAKE_HARNESS_STARTED_FILE": house.root / f"{name}.started", "FAKE_HARNESS_LINES": 5}
    house.drop(name, job(seconds=0, fake=fake))
    house.wait_for("its death", lambda: is_dead() or house.is_over(name))
    has_died = is_dead()
    house.kill()
    return has_died
