"""`fsck` with exactly the shipped rights: what lost its record is found, and goes when it ended."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.household import Household
from tests.e2e import daemon
from tests.e2e.cluster import Cluster
from tests.e2e.namespace import Namespace, phase

pytestmark = [pytest.mark.kube, pytest.mark.timeout(120)]
LAUNCHERS = "app=llmdbench-harness-launcher"


@pytest.fixture
def house(tmp_path: Path, cluster: Cluster, namespace: Namespace) -> Iterator[Household]:
    with daemon.serving(tmp_path / "house", cluster, namespace) as house:
        yield house


def audited(house: Household, *words: str) -> tuple[int, list[dict[str, Any]]]:
    done = house.cli("fsck", "--json", *words)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)["differences"]


def test_launchers_that_lost_their_record_are_left_to_end_and_then_removed(
    house: Household, namespace: Namespace
) -> None:
    house.drop("lost", daemon.light(seconds=8, each=2))
    house.wait_for_event("run.moved", now="RUNNING")
    assert audited(house) == (0, []), "beside a running daemon"
    house.kill()
    assert audited(house) == (0, []), "its runs wait for the next daemon"

    shutil.rmtree(house.state / "jobs" / "lost")
    code, found = audited(house, "--repair")
    assert (code, len(found)) == (1, 3)
    assert {one["kind"] for one in found} == {"orphan"}
    assert not any(one["mended"] for one in found), "they still run"

    for pod in namespace.list("pods", labelSelector=LAUNCHERS):
        namespace.wait("pods", pod["metadata"]["name"], lambda it: phase(it) == "Succeeded")
    code, found = audited(house, "--repair")

    assert code == 0
    assert [one["mended"] for one in found] == [True] * 3
    assert audited(house) == (0, [])
    assert namespace.list("configmaps", labelSelector=LAUNCHERS) == []
