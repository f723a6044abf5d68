"""Launchers that cannot start, or end badly: said in seconds, with the reason and last words."""

from collections.abc import Iterator
from typing import Any

import pytest

from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record
from llmdbenchd.core.run.sight import Cause
from tests.daemon.household import Household
from tests.e2e import daemon
from tests.e2e.census import LAUNCHERS
from tests.e2e.cluster import Cluster
from tests.e2e.conftest import Registries
from tests.e2e.namespace import Namespace

pytestmark = [pytest.mark.kube, pytest.mark.timeout(240)]
QUICK_S = 30.0  # what is fatal must not wait for a time-out, the shortest of which is 240 s


@pytest.fixture(scope="module")
def place(cluster: Cluster) -> Iterator[Namespace]:
    with cluster.namespace("failures") as made:
        made.run("first", ["true"])  # the scheduler is there again, whatever was killed before
        yield made


@pytest.fixture(scope="module")
def home(
    tmp_path_factory: pytest.TempPathFactory, cluster: Cluster, place: Namespace
) -> Iterator[Household]:
    root = tmp_path_factory.mktemp("failures") / "house"
    with daemon.serving(root, cluster, place, LLMDBENCHD_MAX_ACTIVE_RUNS="20") as house:
        yield house


def failed(home: Household, name: str, **fields: Any) -> Record:  # noqa: ANN401 - of a job
    """Run a light job that must fail soon; its record."""
    home.drop(name, daemon.light(seconds=1, **fields))
    home.wait_for(f"the end of {name}", lambda: home.is_over(name), within_s=QUICK_S + 90)
    [record] = home.records(name)
    assert record.phase is Phase.FAILED, record
    took = [step.at for step in record.history]
    assert (took[-1] - took[0]).total_seconds() < QUICK_S, record.history
    assert record.verdict is not None
    return record


def reason(record: Record) -> str:
    assert record.verdict is not None
    return record.verdict.reason


def test_an_image_that_nobody_has_is_said_with_the_registrys_words(
    home: Household, registries: Registries
) -> None:
    with registries() as registry:
        registry.missing = True
        record = failed(home, "noimage", harness={"image": registry.image()})

    assert "ErrImagePull" in reason(record) or "ImagePullBackOff" in reason(record)
    assert "not found" in reason(record)


def test_a_wrong_image_name_is_no_image(home: Household) -> None:
    assert "InvalidImageName" in reason(failed(home, "badname", harness={"image": "Not:A/Name:x"}))


def test_an_exit_code_is_told_with_the_last_lines(home: Household) -> None:
    record = failed(home, "three", fake={"FAKE_HARNESS_RC": "3"})

    assert "exit code 3" in reason(record)
    assert "INFO" in reason(record), "the container's last lines"
    archive = home.archive / "three" / "r001"
    assert (archive / "results" / "1" / "MANIFEST.jsonl").is_file(), "all evidence is kept"


def test_a_harness_that_takes_more_memory_than_it_may_is_said_to_have_done_that(
    home: Household,
) -> None:
    record = failed(home, "hungry", fake={"FAKE_HARNESS_EAT": str(256 << 20)})

    [end] = record.ends
    assert end.how.cause is Cause.OOM
    assert "memory" in reason(record)
    assert (home.archive / "hungry" / "r001" / "logs" / "launcher-1.log").is_file()


def test_one_bad_launcher_ends_the_other_and_both_leave_their_evidence(home: Household) -> None:
    record = failed(
        home, "pair", each=2, harness={"node_selector": {}}, fake={"FAKE_HARNESS_RC": "7"}
    )

    assert "launcher" in reason(record)
    for index in (1, 2):
        assert (home.archive / "pair" / "r001" / "logs" / f"launcher-{index}.log").is_file()


def test_nothing_of_failed_runs_is_left_in_the_cluster(home: Household, place: Namespace) -> None:
    failed(home, "last", fake={"FAKE_HARNESS_RC": "3"})

    assert place.list("pods", labelSelector=LAUNCHERS) == []
    assert place.list("configmaps", labelSelector=LAUNCHERS) == []


def test_a_launcher_that_fits_no_node_times_out_with_the_schedulers_words(home: Household) -> None:
    home.drop(
        "large", daemon.light(seconds=1, harness={"cpu": "999"}, timeouts={"start": 3, "bind": 3})
    )
    home.wait_for("the end of large", lambda: home.is_over("large"))
    [record] = home.records("large")

    assert record.verdict is not None
    assert record.verdict.kind == "timeout:start"
    assert "Insufficient cpu" in record.verdict.reason


def test_a_volume_that_is_missing_times_out_as_that_and_names_it(
    home: Household, place: Namespace
) -> None:
    missing = {"claim": "unmountable", "size": "1Gi"}
    place.create(
        "persistentvolumeclaims",
        {
            "metadata": {"name": "unmountable"},
            "spec": {
                "accessModes": ["ReadWriteMany"],
                "storageClassName": "",
                "volumeName": f"{place.name}-unmountable",
                "resources": {"requests": {"storage": "1Gi"}},
            },
        },
    )
    place.unmountable("unmountable")
    home.drop("nomount", daemon.light(seconds=1, storage=missing, timeouts={"bind": 5}))
    home.wait_for("the end of nomount", lambda: home.is_over("nomount"))
    [record] = home.records("nomount")

    assert record.verdict is not None
    assert record.verdict.kind == "timeout:bind"
    assert "FailedMount" in record.verdict.reason
    assert record.left_behind == "", "it never began: there is nothing to wait for, or to keep"
    home.wait_for("the sweep", lambda: not place.list("configmaps", labelSelector=LAUNCHERS))
