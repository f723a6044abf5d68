"""Results that are gone are said to be gone: nobody waits for what can never come."""

from pathlib import Path
from typing import Any

import pytest

from llmdbenchd.core.launch.manifest import KEEP
from llmdbenchd.edge.kubernetes.collecting import Collecting
from llmdbenchd.edge.kubernetes.payloads import Payloads
from llmdbenchd.edge.kubernetes.rate import ByteRate
from llmdbenchd.edge.kubernetes.session import Access, Session
from llmdbenchd.ports import Gone, Unavailable
from tests.core.launch.plans import INSTANCE, PAYLOAD, ephemeral, plan
from tests.fakes.cluster_api import ClusterApi, serving

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker takes it so
PLAN = ephemeral(plan())
ENDED = {"terminated": {"exitCode": 137, "reason": "Error"}}
RUNS = {"running": {"startedAt": "2026-11-01T10:00:01Z"}}


async def collect(cluster: ClusterApi, folder: Path) -> None:
    async with serving(cluster, folder) as config:  # noqa: SIM117 - the server ends last
        async with await Session.open(Access(config)) as session:
            collecting = Collecting(
                session,
                "ns",
                INSTANCE,
                payloads=Payloads(session, "ns", PAYLOAD),
                image="example.test/ours:1",
                min_free=0,
                rate=ByteRate(),
                warm_s=0,
            )
            await collecting.collect(PLAN, folder / "into")


def has_pod(cluster: ClusterApi, phase: str, keep: dict[str, Any]) -> None:
    cluster.put(
        "pods",
        {
            "metadata": {"name": PLAN.name},
            "spec": {"containers": [{"name": KEEP}]},
            "status": {
                "phase": phase,
                "containerStatuses": [{"name": KEEP, "ready": False, "state": keep}],
            },
        },
    )


async def test_a_launcher_that_took_its_results_with_it(tmp_path: Path) -> None:
    with pytest.raises(Gone, match="is gone, with its results"):
        await collect(ClusterApi(), tmp_path)


@pytest.mark.parametrize(("phase", "keep"), [("Running", ENDED), ("Failed", RUNS)])
async def test_a_pod_that_is_there_and_whose_keeper_has_ended(
    tmp_path: Path, phase: str, keep: dict[str, Any]
) -> None:
    """Evicted, or its node lost: it was asked through the proxy for an hour."""
    cluster = ClusterApi()
    has_pod(cluster, phase, keep)

    with pytest.raises(Gone, match="what kept the results"):
        await collect(cluster, tmp_path)


async def test_a_keeper_that_does_not_answer_is_not_gone(tmp_path: Path) -> None:
    cluster = ClusterApi()
    has_pod(cluster, "Running", RUNS)

    with pytest.raises(Unavailable) as caught:
        await collect(cluster, tmp_path)

    assert not isinstance(caught.value, Gone)
