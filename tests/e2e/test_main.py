"""The main case: a dropped job, the real harness in pods, an archive beside the truth."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmdbenchd.core.run.phase import Phase
from tests.daemon.household import Household
from tests.e2e import daemon
from tests.e2e.cluster import Cluster
from tests.e2e.namespace import Namespace
from tests.e2e.simulator import MODEL, Simulator

pytestmark = [pytest.mark.kube, pytest.mark.alone, pytest.mark.timeout(300)]
LAUNCHERS = 2
OURS = "app.kubernetes.io/managed-by=llmdbenchd"


@pytest.fixture
def house(tmp_path: Path, cluster: Cluster, namespace: Namespace) -> Iterator[Household]:
    with daemon.serving(tmp_path / "house", cluster, namespace) as house:
        yield house


def test_two_launchers_with_the_real_harness_tell_the_truth(
    house: Household, namespace: Namespace, simulator: Simulator
) -> None:
    before = len(simulator.truth())
    job = daemon.job(
        simulator.address,
        models=[MODEL],
        workload="sanity_fixed",
        overrides={"load.stages.0.duration": 5, "load.stages.0.rate": 4},
        harness={"parallelism": LAUNCHERS, "env": dict(simulator.harness_env)},
    )

    record = house.run_job("main", job)

    assert record.phase is Phase.SUCCEEDED, record
    served = simulator.truth()[before:]
    [row] = json.loads(house.asked("results", "main", "--json"))
    assert row["requests"] == {"total": len(served), "failures": 0}
    # generous: client, server and the cluster itself share two cores
    assert row["ttft_ms"]["mean"] == pytest.approx(simulator.ttft_ms, abs=80, rel=0.5)
    assert row["itl_ms"]["mean"] == pytest.approx(simulator.itl_ms, abs=5, rel=0.3)
    assert "1 of 1 runs are whole" in house.asked("verify")
    archive = house.archive / "main" / "r001"
    for index in range(1, LAUNCHERS + 1):
        assert (archive / "results" / str(index) / "summary_lifecycle_metrics.json").is_file()
        done = json.loads((archive / "results" / str(index) / "DONE.json").read_bytes())
        assert done["facts"]["barrier_s"] >= 0, "both began together"
        assert b"INFO" in (archive / "logs" / f"launcher-{index}.log").read_bytes()
    assert json.loads((archive / "run.json").read_bytes())["reports"]["problems"] == []
    assert namespace.list("pods", labelSelector=f"{OURS},app=llmdbench-harness-launcher") == []
