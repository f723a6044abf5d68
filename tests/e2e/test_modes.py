"""Modes of a job on a real cluster: planned only, left running, left asleep."""

import pytest
import yaml

from llmdbenchd.core.run.phase import Phase
from tests.daemon.household import Household
from tests.e2e import daemon
from tests.e2e.census import LAUNCHERS
from tests.e2e.namespace import Namespace
from tests.e2e.simulator import MODEL, Simulator

pytestmark = [pytest.mark.kube, pytest.mark.timeout(300)]


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


def test_what_lies_on_the_claim_is_collected_without_a_run(
    home: Household, place: Namespace
) -> None:
    home.drop("made", daemon.light(seconds=1, each=2))
    assert home.ended("made").phase is Phase.SUCCEEDED
    before = len(place.list("pods", labelSelector=LAUNCHERS))

    home.drop("again", daemon.light(seconds=1, skip_run=True))

    record = home.ended("again")
    assert record.phase is Phase.SUCCEEDED
    assert record.verdict is not None
    assert record.verdict.kind == "collected"
    folders = {path.name for path in (home.archive / "again/r001/results").iterdir()}
    assert {"1", "2"} <= folders
    assert all(one.manifest == "launcher" for one in record.found or ())
    assert len(place.list("pods", labelSelector=LAUNCHERS)) == before
    assert home.asked("verify", "again")


def test_a_folder_without_a_manifest_comes_with_all_of_them_and_it_is_said(
    home: Household, place: Namespace
) -> None:
    place.run(
        "by-hand",
        ["sh", "-c", "mkdir -p /r/by-hand && echo mine > /r/by-hand/a.txt"],
        container={"volumeMounts": [{"name": "v", "mountPath": "/r"}]},
        volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "workload-pvc"}}],
    )

    home.drop("all", daemon.light(seconds=1, skip_run=True, collect_all=True, repeat=3))

    record = home.ended("all")
    found = {one.folder: (index, one) for index, one in enumerate(record.found or (), start=1)}
    index, mine = found["by-hand"]
    assert (mine.files, mine.manifest) == (1, "late")
    archive = home.archive / "all/r001"
    assert (archive / f"results/{index}/a.txt").read_text() == "mine\n"
    assert (
        "by-hand: 1 files, 5 bytes, without a whole manifest" in (archive / "run.json").read_text()
    )


def test_without_a_claim_there_is_nothing_to_collect_and_it_says_so(home: Household) -> None:
    home.drop("none", daemon.light(seconds=1, skip_run=True, storage={"claim": "not-there"}))

    record = home.ended("none")

    assert record.phase is Phase.FAILED
    assert record.verdict is not None
    assert "there is no claim not-there" in record.verdict.reason


def test_the_endpoints_key_reaches_the_launcher_and_is_found_nowhere_else(
    home: Household, place: Namespace, simulator: Simulator
) -> None:
    key = "a-key-that-nobody-may-find-4711"
    place.create("secrets", {"metadata": {"name": "door"}, "stringData": {"token": key}})
    auth = {"secret": "door", "key": "token"}

    keyed = daemon.job(
        simulator.address,
        models=[MODEL],
        workload="sanity_fixed",
        overrides={"load.stages.0.duration": 3, "load.stages.0.rate": 4},
        endpoint_auth=auth,
        harness={"env": dict(simulator.harness_env)},
    )

    home.drop("keyed", keyed)
    home.drop("asked", daemon.light(seconds=1, endpoint_auth=auth, harness={"debug": True}))

    assert home.ended("keyed").phase is Phase.SUCCEEDED
    assert home.ended("asked").phase is Phase.LEFT
    [pod] = place.list("pods", labelSelector=LAUNCHERS)
    [harness] = [one for one in pod["spec"]["containers"] if one["name"] == "harness"]
    [told] = [one for one in harness["env"] if one["name"] == "OPENAI_API_KEY"]
    assert told["valueFrom"] == {"secretKeyRef": {"name": "door", "key": "token"}}
    home.asked("cancel", "asked")
    home.wait_for("its end", lambda: home.record("asked").phase is Phase.CANCELLED)
    written = [path for path in home.root.rglob("*") if path.is_file()]
    assert [path for path in written if key.encode() in path.read_bytes()] == []


def test_a_secret_that_is_not_there_ends_the_run_in_seconds_and_is_named(home: Household) -> None:
    home.drop("keyless", daemon.light(seconds=1, endpoint_auth={"secret": "none", "key": "k"}))

    record = home.ended("keyless")

    assert record.phase is Phase.FAILED
    assert record.verdict is not None
    assert 'secret "none" not found' in record.verdict.reason
