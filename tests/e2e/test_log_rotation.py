"""A log of which the kubelet kept less than was written: what nobody read is there all the same."""

import json
import threading
import time
from pathlib import Path

import pytest

from llmdbenchd.core.run.phase import Phase
from tests.daemon.evidence import assert_complete
from tests.e2e import daemon
from tests.e2e.census import LAUNCHERS
from tests.e2e.cluster import Cluster
from tests.e2e.evidence import lines_of
from tests.e2e.namespace import Namespace

pytestmark = [pytest.mark.kube, pytest.mark.slow, pytest.mark.timeout(300)]
LINES = 40
BURST = 12 << 20  # bytes; a kubelet rotates at 10 MiB if it is not told otherwise
PATIENCE_S = 120.0
MARK = b"llmdbenchd: log gap"


def test_a_burst_that_was_rotated_away_unread_is_filled_from_the_launcher_s_own_copy(
    tmp_path: Path, cluster: Cluster, namespace: Namespace
) -> None:
    burst = {"FAKE_HARNESS_BURST": str(BURST)}
    with daemon.serving(tmp_path / "house", cluster, namespace) as house:
        house.drop("burst", daemon.light(seconds=50, lines=LINES, fake=burst))
        house.in_phase("burst", Phase.RUNNING)
        threading.Event().wait(8)  # so that its beginning was followed
        house.kill()
        wait_for_rotation(namespace)
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


def wait_for_rotation(namespace: Namespace) -> None:
    """Until the kubelet tells a log that does not begin with its beginning any more."""
    [pod] = namespace.list("pods", labelSelector=LAUNCHERS)
    deadline = time.monotonic() + PATIENCE_S
    while "fake inference-perf" in namespace.log(pod["metadata"]["name"], "harness"):
        assert time.monotonic() < deadline, "the kubelet does not rotate"
        threading.Event().wait(1)
