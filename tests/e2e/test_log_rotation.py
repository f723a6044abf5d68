"""A log of which the kubelet kept less than was written: what nobody read is there all the same."""

import json
import threading
from pathlib import Path

import pytest

from llmdbenchd.core.run.phase import Phase
from tests.daemon.evidence import assert_complete
from tests.e2e import daemon
from tests.e2e.census import LAUNCHERS
from tests.e2e.cluster import Cluster
from tests.e2e.evidence import lines_of
from tests.e2e.namespace import Namespace
from tests.e2e.rotation import BURST, MARK, wait_for_rotation

pytestmark = [pytest.mark.kube, pytest.mark.slow, pytest.mark.timeout(300)]
LINES = 40


def test_a_burst_that_was_rotated_away_unread_is_filled_from_the_launcher_s_own_copy(
    tmp_path: Path, cluster: Cluster, namespace: Namespace
) -> None:
    burst = {"FAKE_HARNESS_BURST": str(BURST)}
    with daemon.serving(tmp_path / "house", cluster, namespace) as house:
        house.drop("burst", daemon.light(seconds=50, lines=LINES, fake=burst))
        house.in_phase("burst", Phase.RUNNING)
        threading.Event().wait(8)  # so that its beginning was followed
        house.kill()
        [pod] = namespace.list("pods", labelSelector=LAUNCHERS)
        name = pod["metadata"]["name"]
        wait_for_rotation(namespace, name, "harness", "fake inference-perf")
        house.start()
        record = house.ended("burst")

        assert (record.phase, record.attempt) == (Phase.SUCCEEDED, 1), record
        archive = house.archive / "burst" / "r001"
        [launcher] = json.loads((archive / "run.json").read_bytes())["launchers"]
        [gap] = launcher["log_gaps"]
        assert gap["filled"] > BURST // 1024 - 2000, gap
        assert gap["source"] == "stdout.log and stderr.log"
        lines = [line for line in lines_of(archive) if MARK not in line]
        assert_complete(lines, archive, 1, lines=LINES)
        assert "1 of 1 runs are whole" in house.asked("verify")
