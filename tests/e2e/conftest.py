"""For tests on a real cluster: the cluster, one's own namespace, a model server, a registry."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.cluster import registry
from tests.cluster.images import recipes
from tests.cluster.registry import Registry
from tests.daemon.household import Household
from tests.e2e import daemon
from tests.e2e import simulator as simulators
from tests.e2e.cluster import Cluster, find
from tests.e2e.namespace import Namespace
from tests.e2e.scene import Scene
from tests.e2e.simulator import Simulator

Registries = Callable[..., AbstractContextManager[Registry]]


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The cluster around the tests; without one they are skipped, and say why."""
    return find()


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[Namespace]:
    """A namespace of the test's own."""
    with cluster.namespace() as made:
        yield made


@pytest.fixture(scope="session")
def simulator(cluster: Cluster) -> Iterator[Simulator]:
    """A model server with a TTFT of 80 ms and an ITL of 10 ms, shared by all tests."""
    with cluster.namespace("model") as made, simulators.serving(made) as server:
        yield server


@pytest.fixture(scope="module")
def place(cluster: Cluster) -> Iterator[Namespace]:
    """A namespace of a module's own, in a cluster that makes pods."""
    with cluster.namespace("place") as made:
        made.run("first", ["true"])  # the scheduler is there again, whatever was killed before
        made.delete("pods", "first")
        yield made


@pytest.fixture(scope="module")
def home(
    tmp_path_factory: pytest.TempPathFactory, cluster: Cluster, place: Namespace
) -> Iterator[Household]:
    """A daemon that a module's tests share, in that namespace."""
    with daemon.serving(tmp_path_factory.mktemp("home") / "house", cluster, place) as house:
        yield house


@pytest.fixture
def registries(cluster: Cluster) -> Registries:
    """Starts a registry that the node pulls from.

    As in `with registries(delay_s=2) as registry`.
    """
    if cluster.layout is None:
        pytest.skip("the node of another cluster does not reach a registry here")
    image = next(one for one in recipes.build_all() if one.name == recipes.BUSYBOX)
    return lambda **more: registry.serving(image, **more)


@pytest.fixture
def scene(tmp_path: Path, cluster: Cluster) -> Iterator[Scene]:
    """A daemon with the rights to record a stack in a namespace of its own, and to restart it."""
    with (
        cluster.namespace("bench") as bench,
        cluster.namespace("stack") as stack,
        daemon.serving(tmp_path / "house", cluster, bench) as house,
    ):
        daemon.grant_stack(stack, bench, recording=True)
        yield Scene(house, stack)
