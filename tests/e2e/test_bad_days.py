"""What happens to a cluster while runs are under way: they go on, or fail by their name."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record
from tests.daemon.household import Household
from tests.e2e import daemon
from tests.e2e.census import LAUNCHERS, counting
from tests.e2e.cluster import Cluster
from tests.e2e.evidence import assert_log_is_complete
from tests.e2e.namespace import Namespace

pytestmark = [pytest.mark.kube, pytest.mark.slow, pytest.mark.timeout(300)]
LINES = 80


@pytest.fixture
def house(tmp_path: Path, cluster: Cluster, namespace: Namespace) -> Iterator[Household]:
    with daemon.serving(tmp_path / "house", cluster, namespace) as house:
        yield house


def running(house: Household, name: str = "day", seconds: float = 15) -> str:
    house.drop(name, daemon.light(seconds=seconds, lines=LINES))
    house.in_phase(name, Phase.RUNNING)
    return name


def assert_good(house: Household, name: str = "day") -> None:
    record = house.ended(name)
    assert (record.phase, record.attempt) == (Phase.SUCCEEDED, 1), record
    assert_log_is_complete(house.archive / name / "r001", lines=LINES)


def failure(record: Record) -> str:
    assert record.phase is Phase.FAILED, record
    assert record.verdict is not None
    return record.verdict.reason


@pytest.mark.alone
def test_an_api_server_that_is_killed_and_comes_back_costs_nothing(
    house: Household, cluster: Cluster, namespace: Namespace
) -> None:
    with counting(namespace) as census:
        running(house)
        cluster.kill("kube-apiserver")
        assert_good(house)
    assert census.pods == 1


@pytest.mark.alone
def test_an_api_server_that_is_away_while_runs_end_is_waited_for(
    house: Household, cluster: Cluster
) -> None:
    running(house, seconds=6)
    with cluster.without("kube-apiserver"):
        house.wait_for_event("degraded.entered")
        threading.Event().wait(12)
        assert house.record("day").phase is Phase.RUNNING, "not knowing is no verdict"
    assert_good(house)
    house.wait_for_event("degraded.left")


@pytest.mark.alone
def test_a_frozen_api_server_is_no_end_of_anything(house: Household, cluster: Cluster) -> None:
    running(house)
    with cluster.frozen("kube-apiserver"):
        threading.Event().wait(5)
    assert_good(house)


@pytest.mark.alone
def test_a_kubelet_that_dies_ends_streams_and_no_run(house: Household, cluster: Cluster) -> None:
    running(house)
    cluster.kill("kubelet")
    assert_good(house)


@pytest.mark.alone
def test_a_node_that_nobody_hears_from_has_not_lost_its_pods(
    house: Household, cluster: Cluster, namespace: Namespace
) -> None:
    running(house, seconds=20)
    with cluster.without("kubelet"):
        [pod] = namespace.list("pods", labelSelector=LAUNCHERS)
        namespace.wait("pods", pod["metadata"]["name"], is_not_ready)
    assert_good(house)


def is_not_ready(pod: dict[str, object]) -> bool:
    status = pod["status"]
    assert isinstance(status, dict)
    return any(one["type"] == "Ready" and one["status"] != "True" for one in status["conditions"])


def test_a_launcher_that_somebody_deleted_is_said_to_be_that(
    house: Household, namespace: Namespace
) -> None:
    running(house, seconds=60)
    [pod] = namespace.list("pods", labelSelector=LAUNCHERS)

    namespace.delete("pods", pod["metadata"]["name"])

    assert "deleted" in failure(house.ended("day"))


def test_a_claim_that_is_deleted_under_a_run_is_said_by_its_name(
    house: Household, namespace: Namespace
) -> None:
    house.drop("day", daemon.light(seconds=8, lines=LINES, timeouts={"collect": 45}))
    house.in_phase("day", Phase.RUNNING)

    namespace.delete("persistentvolumeclaims", "workload-pvc")  # nothing new may mount it

    record = house.ended("day")
    assert "being deleted" in failure(record)
    assert record.left_behind, "what could not be collected is kept, and said"


def test_a_second_daemon_of_another_instance_touches_nothing_of_ours(
    house: Household, cluster: Cluster, namespace: Namespace, tmp_path: Path
) -> None:
    running(house, seconds=8)
    kubeconfig = cluster.kubeconfig_of(namespace, "llmdbenchd", tmp_path / "other-config")
    other = Household(
        tmp_path / "other",
        settings={**house.settings, "LLMDBENCHD_KUBECONFIG": str(kubeconfig)},
    )
    other.start()
    try:
        other.run_job("mine", daemon.light(seconds=1))
        assert other.record("mine").phase is Phase.SUCCEEDED
    finally:
        other.close()
    assert_good(house)


def test_results_in_the_launcher_itself_come_home_and_it_is_let_go(
    house: Household, namespace: Namespace
) -> None:
    record = house.run_job("short", daemon.light(seconds=1, storage={"mode": "ephemeral"}))

    assert record.phase is Phase.SUCCEEDED, record
    assert (house.archive / "short" / "r001" / "results" / "1" / "MANIFEST.jsonl").is_file()
    assert namespace.list("pods", labelSelector=LAUNCHERS) == []


def test_a_cancelled_launcher_that_keeps_its_results_still_gives_them(
    house: Household, namespace: Namespace
) -> None:
    house.drop("kept", daemon.light(seconds=120, storage={"mode": "ephemeral"}))
    house.in_phase("kept", Phase.RUNNING)

    house.asked("cancel", "kept")
    record = house.ended("kept")

    assert record.phase is Phase.CANCELLED
    assert (house.archive / "kept" / "r001" / "results" / "1" / "stdout.log").is_file()
    assert namespace.list("pods", labelSelector=LAUNCHERS) == []


def test_cancelled_on_a_claim_the_evidence_is_kept(house: Household) -> None:
    running(house, seconds=120)

    house.asked("cancel", "day")
    record = house.ended("day")

    assert record.phase is Phase.CANCELLED
    assert (house.archive / "day" / "r001" / "results" / "1" / "stdout.log").is_file()


def test_where_the_proxy_is_forbidden_results_come_by_commands(
    tmp_path: Path, cluster: Cluster, namespace: Namespace
) -> None:
    root = tmp_path / "house"
    with daemon.serving(root, cluster, namespace, without="pods/proxy") as house:
        record = house.run_job("exec", daemon.light(seconds=1))

        assert record.phase is Phase.SUCCEEDED, record
        assert house.told("results.by_exec")
        assert "1 of 1 runs are whole" in house.asked("verify")


def test_a_namespace_that_is_deleted_stops_nobody_else(
    house: Household, namespace: Namespace
) -> None:
    running(house, seconds=60)

    namespace.close()
    house.wait_for_event("activity.failed", activity="collect")

    assert not house.record("day").phase.is_final, "no verdict in haste"
    assert house.asked("status")


def test_a_namespace_that_is_gone_for_long_has_lost_its_runs(
    tmp_path: Path, cluster: Cluster, namespace: Namespace
) -> None:
    root = tmp_path / "house"
    with daemon.serving(root, cluster, namespace, LLMDBENCHD_LOST_AFTER="5") as house:
        house.drop("day", daemon.light(seconds=120, lines=LINES, timeouts={"collect": 5}))
        house.in_phase("day", Phase.RUNNING)

        namespace.close()

        record = house.ended("day")
        assert record.phase is Phase.FAILED
        assert record.left_behind, "nobody could confirm that they are gone"
        assert (house.archive / "day" / "r001" / "run.json").is_file()
        assert failure(record)


@pytest.mark.alone
def test_rights_that_are_withdrawn_for_long_have_lost_a_run_and_the_reason_says_so(
    tmp_path: Path, cluster: Cluster, namespace: Namespace
) -> None:
    root = tmp_path / "house"
    with daemon.serving(root, cluster, namespace, LLMDBENCHD_LOST_AFTER="5") as house:
        house.drop("day", daemon.light(seconds=240, lines=LINES, timeouts={"collect": 5}))
        house.in_phase("day", Phase.RUNNING)

        for binding in namespace.list("rolebindings"):
            namespace.delete("rolebindings", binding["metadata"]["name"])
        cluster.kill("kube-apiserver")  # its watches end, and are begun again without the right

        record = house.ended("day")
        assert record.verdict is not None
        assert (record.phase, record.verdict.kind) == (Phase.FAILED, "lost")
        assert "rights withdrawn" in record.verdict.reason
        assert "forbidden" in record.verdict.reason
