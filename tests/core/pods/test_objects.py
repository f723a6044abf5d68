"""Of what the API server sends, that is read which is needed, and nothing else can disturb."""

import json

import msgspec
import pytest

from llmdbenchd.core.pods.objects import EventList, Pod, PodList, Status, WatchEvent
from tests.core.pods.recorded import FOLDER, NAMES, pod


@pytest.mark.parametrize("kind", [Pod, PodList, Status, EventList], ids=str)
def test_nothing_has_to_be_said(kind: type) -> None:
    assert msgspec.json.decode(b"{}", type=kind) == kind()


def test_a_pod_is_read_as_the_server_tells_it() -> None:
    recorded = json.loads((FOLDER / "keep-harness-failed.json").read_bytes())
    read = pod("keep-harness-failed")

    assert read.metadata.uid == recorded["metadata"]["uid"]
    assert read.metadata.resource_version == recorded["metadata"]["resourceVersion"]
    assert read.metadata.labels == recorded["metadata"]["labels"]
    assert read.spec.node_name == "node-1"
    assert [one.name for one in read.spec.containers] == ["harness", "keep"]
    assert read.status.pod_ip == recorded["status"]["podIP"]
    harness, keep = read.status.container_statuses
    assert harness.container_id == recorded["status"]["containerStatuses"][0]["containerID"]
    assert harness.state.terminated is not None
    assert harness.state.terminated.exit_code == 7
    assert keep.state.running is not None
    assert keep.started


def test_a_pod_names_its_claims() -> None:
    (volume,) = pod("claim-missing").spec.volumes

    assert volume.persistent_volume_claim is not None
    assert volume.persistent_volume_claim.claim_name == "no-such-claim"


def test_a_sidecar_is_told_from_other_init_containers() -> None:
    assert pod("sidecar-harness-runs").spec.sidecars == {"mesh"}
    assert pod("init-running").spec.sidecars == frozenset()


def test_a_page_says_where_the_next_one_begins() -> None:
    page = {"metadata": {"resourceVersion": "7", "continue": "t"}, "items": [{}]}
    read = msgspec.json.decode(json.dumps(page), type=PodList)

    assert (read.metadata.resource_version, read.metadata.continue_) == ("7", "t")
    assert read.items == (Pod(),)


def test_the_object_of_a_watch_event_is_read_once_its_type_is_known() -> None:
    line = b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}'
    event = msgspec.json.decode(line, type=WatchEvent)

    assert event.type == "ERROR"
    assert msgspec.json.decode(event.object, type=Status) == Status(410, "Expired")


def test_what_was_read_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        pod("running").status.phase = "Failed"  # type: ignore[misc]  # that is the point


def test_no_sample_names_where_it_was_recorded() -> None:
    for name in NAMES:
        text = (FOLDER / f"{name}.json").read_text()
        assert "managedFields" not in text
        assert "/tmp" not in text  # noqa: S108 - not a file of ours
