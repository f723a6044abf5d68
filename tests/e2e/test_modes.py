"""Modes of a job on a real cluster: planned only, left running, left asleep."""

from collections.abc import Iterator

import pytest
import yaml

from llmdbenchd.core.run.phase import Phase
from tests.daemon.household import Household
from tests.e2e import daemon
from tests.e2e.census import LAUNCHERS
from tests.e2e.cluster import Cluster
from tests.e2e.namespace import Namespace

pytestmark = [pytest.mark.kube, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def place(cluster: Cluster) -> Iterator[Namespace]:
    with cluster.namespace("modes") as made:
        made.run("first", ["true"])  # the scheduler is there again, whatever was killed before
        yield made


@pytest.fixture(scope="module")
def home(
    tmp_path_factory: pytest.TempPathFactory, cluster: Cluster, place: Namespace
) -> Iterator[Household]:
    root = tmp_path_factory.mktemp("modes") / "house"
    with daemon.serving(root, cluster, place) as house:
        yield house


def test_a_dry_run_writes_the_manifests_down_and_makes_nothing(
    home: Household, place: Namespace
) -> None:
    home.drop("dry", daemon.light(seconds=1, each=2, dry_run=True))

    assert home.ended("dry").phase is Phase.SUCCEEDED
    written = (home.archive / "dry/r001/plan/manifests.yaml").read_text()
    kinds = [one["kind"] for one in yaml.safe_load_all(written)]
    assert kinds == ["ConfigMap", "ConfigMap", "Pod", "Pod"]
    assert place.list("pods", labelSelector=LAUNCHERS) == []
    assert place.list("configmaps", labelSelector=LAUNCHERS) == []


def test_a_launcher_to_be_looked_into_sleeps_with_every_profile_until_it_is_cancelled(
    home: Household, place: Namespace
) -> None:
    home.drop("look", daemon.light(seconds=1, harness={"debug": True}))
    assert home.ended("look").phase is Phase.LEFT

    [pod] = place.list("pods", labelSelector=LAUNCHERS)
    told = home.asked("why", "look")
    assert f"kubectl exec -it -n {place.name} {pod['metadata']['name']} -c harness -- sh" in told
    [profiles] = [one for one in pod["spec"]["volumes"] if one["name"] == "profiles"]
    paths = {item["path"] for item in profiles["configMap"]["items"]}
    assert {"nop/nop.yaml", "guidellm/sanity_random.yaml"} <= paths

    home.asked("cancel", "look")
    home.wait_for("its end", lambda: home.record("look").phase is Phase.CANCELLED)
    assert place.list("pods", labelSelector=LAUNCHERS) == []
    assert list((home.archive / "look").glob("r001/results/1/**/DONE.json"))


def test_with_no_waiting_time_pods_stay_until_somebody_collects_them(
    home: Household, place: Namespace
) -> None:
    home.drop("left", daemon.light(seconds=3, harness={"wait_timeout": 0}))
    assert home.ended("left").phase is Phase.LEFT
    assert len(place.list("pods", labelSelector=LAUNCHERS)) == 1

    home.asked("collect", "left")

    home.wait_for("success", lambda: home.record("left").phase is Phase.SUCCEEDED)
    assert place.list("pods", labelSelector=LAUNCHERS) == []
