"""Results on a real claim: through the proxy, by commands, and from a claim of one node."""

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from llmdbenchd.core.launch.labels import ACCESS_APP, APP
from llmdbenchd.core.launch.plan import LauncherPlan, PodTerms, Storage
from llmdbenchd.edge.kubernetes.collecting import Collecting
from llmdbenchd.edge.kubernetes.payloads import Payloads, payload_of
from llmdbenchd.edge.kubernetes.rate import ByteRate
from llmdbenchd.edge.kubernetes.session import Access, Session
from llmdbenchd.edge.kubernetes.storage import Claims
from llmdbenchd.ports import Copied
from tests.cluster.images.recipes import PYTHON
from tests.core.launch.plans import INSTANCE, plan
from tests.e2e.cluster import Cluster
from tests.e2e.daemon import grant
from tests.e2e.namespace import Namespace

pytestmark = [
    pytest.mark.kube,
    pytest.mark.timeout(240),
    pytest.mark.looptime(False),  # noqa: FBT003 - the marker takes no keyword
]
LARGE = 9 << 20  # more than two pieces of what comes by commands
WRITE = """
import os, sys
top = b"/requests/" + sys.argv[1].encode()
for number in range(300):
    folder = top + b"/small %d" % (number % 3)
    os.makedirs(folder, exist_ok=True)
    with open(folder + b"/%d \\xff" % number, "wb") as file:
        file.write(b"%d\\n" % number * 500)
for name in (b"large", b"caf\\xe9"):
    with open(top + b"/" + name, "wb") as file:
        file.write((name + b"\\n") * (int(sys.argv[2]) // (len(name) + 1)))
"""
FILES = 302


@pytest.fixture
def place(cluster: Cluster) -> Iterator[Namespace]:
    with cluster.namespace("results") as made:
        made.volume()
        yield made


@asynccontextmanager
async def collecting(
    cluster: Cluster, place: Namespace, kubeconfig: Path | None = None
) -> AsyncIterator[Collecting]:
    """A daemon's collector, alive as long as the block; its data-access pods stay for an hour."""
    access = Access(kubeconfig=kubeconfig or cluster.kubeconfig)
    async with await Session.open(access) as session, asyncio.TaskGroup() as group:
        made = Collecting(
            session,
            place.name,
            INSTANCE,
            payloads=Payloads(session, place.name, payload_of(INSTANCE)),
            image=PYTHON,
            min_free=0,
            rate=ByteRate(1 << 30),
            warm_s=3600,
        )
        running = group.create_task(made.run())
        yield made
        running.cancel()


async def launched(cluster: Cluster, place: Namespace, access: str) -> LauncherPlan:
    """A launcher on a claim that has run, and left results."""
    storage = Storage(access=access, storage_class="")
    launcher = replace(plan(), storage=storage, pod=PodTerms(image=PYTHON))
    async with await Session.open(Access(kubeconfig=cluster.kubeconfig)) as session:
        await Claims(session, place.name, INSTANCE).ensure(storage, "an-attempt")
    place.run(
        launcher.name,
        ["python3", "-c", WRITE, launcher.results_folder, str(LARGE)],
        image=PYTHON,
        container={"volumeMounts": [{"name": "v", "mountPath": "/requests"}]},
        volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": storage.claim}}],
    )
    return launcher


def assert_right(copied: Copied, into: Path) -> None:
    """All that was written is here, byte for byte."""
    assert (copied.files, copied.manifest) == (FILES, "late")
    for number in range(300):
        name = os.fsdecode(b"small %d/%d \xff" % (number % 3, number))
        assert (into / name).read_bytes() == b"%d\n" % number * 500
    for raw in (b"large", b"caf\xe9"):
        content = (raw + b"\n") * (LARGE // (len(raw) + 1))
        found = (into / os.fsdecode(raw)).read_bytes()
        assert hashlib.sha256(found).digest() == hashlib.sha256(content).digest()


def windows(place: Namespace) -> list[str]:
    """Names of the data-access pods."""
    found = place.list("pods", labelSelector=f"{APP}={ACCESS_APP}")
    return [pod["metadata"]["name"] for pod in found]


async def test_through_the_proxy_and_by_commands_the_same_comes(
    cluster: Cluster, place: Namespace, tmp_path: Path
) -> None:
    launcher = await launched(cluster, place, "ReadWriteMany")
    account = grant(place, without="pods/proxy")
    restricted = cluster.kubeconfig_of(place, account, tmp_path / "restricted")

    async with collecting(cluster, place) as by_proxy:
        assert_right(await by_proxy.collect(launcher, tmp_path / "proxy"), tmp_path / "proxy")
    kept = windows(place)
    async with collecting(cluster, place, restricted) as by_exec:
        assert_right(await by_exec.collect(launcher, tmp_path / "exec"), tmp_path / "exec")

    assert len(kept) == 1
    assert windows(place) == kept


async def test_a_claim_of_one_node_is_shown_on_that_node_and_let_go(
    cluster: Cluster, place: Namespace, tmp_path: Path
) -> None:
    launcher = await launched(cluster, place, "ReadWriteOnce")
    node = place.find("pods", launcher.name)

    async with collecting(cluster, place) as collector:
        assert_right(await collector.collect(launcher, tmp_path / "into"), tmp_path / "into")
        await asyncio.to_thread(wait_until_none, place)

    assert node is not None
    started = [
        event
        for event in place.list("events", fieldSelector="involvedObject.kind=Pod")
        if event["involvedObject"]["name"].startswith("llmdbench-data-access")
    ]
    reasons = {event["reason"] for event in started}
    assert "Started" in reasons
    assert "Scheduled" not in reasons, "the scheduler had no say in it"
    hosts = {event["source"].get("host") for event in started if event["reason"] == "Started"}
    assert hosts == {node["spec"]["nodeName"]}


def wait_until_none(place: Namespace) -> None:
    """Until the kubelet has let every data-access pod go."""
    deadline = time.monotonic() + 60
    while windows(place):
        assert time.monotonic() < deadline, "the data-access pod was kept"
        time.sleep(0.1)
