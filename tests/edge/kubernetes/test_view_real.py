"""The watch of pods at a real API server that is frozen, killed, and made to forget.

In this order: after a kill, controllers and scheduler need a minute to find back.
"""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from structlog.testing import capture_logs

from llmdbenchd.core.pods.objects import Event
from llmdbenchd.edge.kubernetes.events import events_of
from llmdbenchd.edge.kubernetes.session import Access, Session
from llmdbenchd.edge.kubernetes.view import Pace, PodGone
from tests.cluster.api import Refused
from tests.e2e.cluster import Cluster, find
from tests.e2e.namespace import Namespace
from tests.edge.kubernetes.pod_listener import Listener, listening

pytestmark = [
    pytest.mark.kube,
    pytest.mark.looptime(False),  # noqa: FBT003 - the marker knows no keyword
    # Now and then a connection to a server that was killed is closed by nobody before the loop is.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PATIENCE_S = 60.0
LABELS = {"app": "launcher"}


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    """The cluster around the tests; without one they are skipped."""
    return find()


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Namespace]:
    """One namespace for all: a cluster whose server was killed is slow to make another."""
    with cluster.namespace("view") as made:
        yield made


@pytest.fixture
def namespace(shared: Namespace) -> Iterator[Namespace]:
    """A namespace without pods."""
    yield shared
    shared.api.delete(shared.path("pods"), grace_s=0)
    while shared.list("pods"):
        time.sleep(0.1)


@pytest.fixture
async def session(cluster: Cluster) -> AsyncIterator[Session]:
    """A session as the administrator."""
    async with await Session.open(Access(cluster.kubeconfig)) as opened:
        yield opened
    await asyncio.sleep(0.25)  # aiohttp's advice: TLS connections close in rounds of the loop


@pytest.fixture(autouse=True)
def _what_is_left_is_found_here() -> Iterator[None]:
    """Not at the end of all tests, where nothing is filtered."""
    yield
    gc.collect()


def make(
    namespace: Namespace, name: str, *, is_bound: bool = False, labels: dict[str, str] = LABELS
) -> None:
    """A pod that nobody schedules, unless it is bound."""
    waits = {} if is_bound else {"schedulingGates": [{"name": "test/never"}]}
    container = {"name": "harness", "image": "llmdbenchd.test/busybox:1", "command": ["true"]}
    spec = {"restartPolicy": "Never", "containers": [container], **waits}
    namespace.create("pods", {"metadata": {"name": name, "labels": labels}, "spec": spec})


async def until_well(pods: Listener) -> None:
    """Until the watch says that all is well."""
    async with asyncio.timeout(PATIENCE_S):
        while pods.watch.degraded:  # noqa: ASYNC110 - it is asked for and never told
            await asyncio.sleep(0.05)


def until_served(namespace: Namespace) -> None:
    """Until the API server answers again."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_served(namespace):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def is_served(namespace: Namespace) -> bool:
    """Whether the API server answers; it may also say no while it begins."""
    try:
        namespace.list("pods")
    except (OSError, Refused):
        return False
    return True


async def test_a_pod_s_life_is_seen_to_its_end(namespace: Namespace, session: Session) -> None:
    async with listening(session, namespace=namespace.name) as pods:
        assert await pods.next(PATIENCE_S) == "list"
        await asyncio.to_thread(make, namespace, "a", is_bound=True)
        await asyncio.to_thread(namespace.ended, "a")
        await asyncio.to_thread(namespace.delete, "pods", "a", grace_s=0)
        await pods.until("gone a", PATIENCE_S)

        gone = pods.changes[-1]
        assert isinstance(gone, PodGone)
        assert gone.pod.status.phase == "Succeeded"


async def test_the_warnings_of_a_real_pod_are_told(namespace: Namespace, session: Session) -> None:
    namespace.pod("a", ["true"], nodeSelector={"no": "such"})
    found = namespace.wait("pods", "a", lambda pod: "conditions" in pod["status"])
    told: tuple[Event, ...] = ()
    async with asyncio.timeout(PATIENCE_S):
        while not told:
            told = await events_of(session, namespace.name, found["metadata"]["uid"])

    assert {event.reason for event in told} == {"FailedScheduling"}


async def test_a_real_bookmark_moves_the_place_to_go_on_from_and_is_no_trouble(
    namespace: Namespace, session: Session
) -> None:
    """The server sends one shortly before a watch's time is up, mostly."""
    versions: list[str] = []

    class Noting:
        """A session that notes where watches begin."""

        ask = session.ask

        def stream(self, path: str, *, query: dict[str, str], **more: object) -> object:
            versions.append(query["resourceVersion"])
            return session.stream(path, query=query, **more)  # type: ignore[arg-type]  # passed on as it came

    pace = Pace(lifetime=1.0)
    async with listening(Noting(), namespace=namespace.name, pace=pace) as pods:
        await pods.next(PATIENCE_S)
        await asyncio.to_thread(make, namespace, "other", labels={"app": "other"})
        with capture_logs() as logs:
            async with asyncio.timeout(PATIENCE_S):
                while len(set(versions)) < 2:
                    await pods.hours(of=0.1)

        assert logs == []
        assert pods.heard == ["list"]


async def test_a_hundred_pods_at_once_are_all_seen(namespace: Namespace, session: Session) -> None:
    """A real server may close the watch in the middle of this."""
    names = {f"p{number}" for number in range(100)}
    async with listening(session, namespace=namespace.name) as pods, asyncio.TaskGroup() as group:
        await pods.next(PATIENCE_S)
        for name in names:
            group.create_task(asyncio.to_thread(make, namespace, name))
        seen: set[str] = set()
        while seen < names:
            seen |= set((await pods.next(PATIENCE_S)).split()[1:])
        namespace.api.delete(namespace.path("pods"), grace_s=0)
        gone: set[str] = set()
        while gone < names:
            word, *others = (await pods.next(PATIENCE_S)).split()
            gone |= set(others) if word == "gone" else set()

    assert seen == gone == names


@pytest.mark.alone
async def test_a_frozen_server_is_noticed_and_caught_up_with(
    cluster: Cluster, namespace: Namespace, session: Session
) -> None:
    pace = Pace(silence=3.0, answer=1.0)
    async with listening(session, namespace=namespace.name, pace=pace) as pods:
        await pods.next(PATIENCE_S)
        with cluster.frozen("kube-apiserver"):
            await pods.hours(of=6)
            assert "no answer in time" in pods.watch.degraded
        await asyncio.to_thread(make, namespace, "a")
        while "a" not in (await pods.next(PATIENCE_S)).split():
            pass

        await until_well(pods)


@pytest.mark.alone
async def test_a_killed_server_costs_nothing_that_happened_meanwhile(
    cluster: Cluster, namespace: Namespace, session: Session
) -> None:
    make(namespace, "goes")
    async with listening(session, namespace=namespace.name) as pods:
        assert await pods.next(PATIENCE_S) == "list goes"
        cluster.kill("kube-apiserver")
        await pods.hours(of=0.5)
        assert pods.watch.degraded
        await asyncio.to_thread(until_served, namespace)
        await asyncio.to_thread(namespace.delete, "pods", "goes", grace_s=0)
        await asyncio.to_thread(make, namespace, "comes")
        while "comes" not in await pods.next(PATIENCE_S):
            pass
        await until_well(pods)

        assert pods.heard.count("gone goes") == 1


@pytest.mark.alone
async def test_a_version_that_the_server_forgot_is_told_by_a_list(
    cluster: Cluster, namespace: Namespace, session: Session
) -> None:
    """Version 1 of a server that was restarted is gone for certain."""
    cluster.kill("kube-apiserver")
    await asyncio.to_thread(until_served, namespace)
    make(namespace, "a")

    class Forgetful:
        """A session that asks its first watch to go on from long ago."""

        watches = 0

        async def ask(self, *args: object, **more: object) -> bytes:
            return await session.ask(*args, **more)  # type: ignore[arg-type]  # passed on as it came

        def stream(self, path: str, *, query: dict[str, str], **more: object) -> object:
            self.watches += 1
            old = {"resourceVersion": "1"} if self.watches == 1 else {}
            return session.stream(path, query=query | old, **more)  # type: ignore[arg-type]  # passed on as it came

    forgetful = Forgetful()
    async with listening(forgetful, namespace=namespace.name) as pods:
        assert [await pods.next(PATIENCE_S) for _ in range(2)] == ["list a", "list a"]
        await pods.hours(of=1.5)
        assert pods.watch.degraded == ""
        assert forgetful.watches == 2
