"""Whatever moment the daemon is killed at: every run ends once, with all of its evidence."""

import random
import threading
from pathlib import Path

import pytest

from llmdbenchd.core.run.phase import Phase
from tests.daemon.household import Household
from tests.e2e import daemon
from tests.e2e.census import LAUNCHERS, counting
from tests.e2e.cluster import Cluster
from tests.e2e.evidence import assert_log_is_complete
from tests.e2e.namespace import Namespace

pytestmark = [pytest.mark.kube, pytest.mark.alone, pytest.mark.slow, pytest.mark.timeout(900)]

RUNS, EACH, KILLS = 20, 2, 30
LINES = 60
LIVES_S = (0.3, 5.0)


def test_killed_at_thirty_moments_every_run_ends_once_with_every_line(
    tmp_path: Path, cluster: Cluster, namespace: Namespace, dice: random.Random
) -> None:
    names = [f"job{number:02d}" for number in range(RUNS)]

    with (
        daemon.serving(
            tmp_path / "house", cluster, namespace, LLMDBENCHD_MAX_ACTIVE_RUNS="5"
        ) as house,
        counting(namespace) as census,
    ):
        for name in names:
            house.drop(name, daemon.light(seconds=dice.uniform(2, 12), lines=LINES, each=EACH))
        hit = lives(house, names, dice)
        house.wait_for("every end", lambda: all(map(house.is_over, names)), within_s=400)
        assert house.stop() == 0

        assert {Phase.LAUNCHING, Phase.RUNNING, Phase.COLLECTING} & hit, "nothing was going on"
        for name in names:
            assert_ended_once(house, name)
        assert f"{RUNS} of {RUNS} runs are whole" in house.asked("verify")
    assert census.pods == RUNS * EACH, census.seen
    assert namespace.list("pods", labelSelector=LAUNCHERS) == []
    assert namespace.list("configmaps", labelSelector=LAUNCHERS) == []


def lives(house: Household, names: list[str], dice: random.Random) -> set[Phase]:
    """Kill the daemon again and again; the phases that were hit."""
    hit: set[Phase] = set()
    for number in range(KILLS):
        threading.Event().wait(dice.uniform(*LIVES_S))
        house.kill()
        hit |= {record.phase for name in names for record in house.records(name)}
        house.start(ready=number % 3 > 0)
    return hit


def assert_ended_once(house: Household, name: str) -> None:
    [record] = house.records(name)
    assert (record.phase, record.attempt) == (Phase.SUCCEEDED, 1), record
    assert record.left_behind == ""
    for index in range(1, EACH + 1):
        assert_log_is_complete(house.archive / name / "r001", index, lines=LINES)
