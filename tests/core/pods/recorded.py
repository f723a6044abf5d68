"""Pods and events as a real cluster told them (Kubernetes 1.34, containerd), for tests.

`samples/NAME.json` is one state of a pod, `samples/events/NAME.json` what was noted about one.
Each failure was made for real; only `managedFields` were left out. samples/README.md says how.
"""

from pathlib import Path

import msgspec

from llmdbenchd.core.pods.objects import ContainerStatus, Event, EventList, Pod, Terminated, Waiting
from llmdbenchd.core.pods.objects import State as ContainerState

FOLDER = Path(__file__).parent / "samples"
NAMES = frozenset(file.stem for file in FOLDER.glob("*.json"))


def pod(name: str) -> Pod:
    """The pod of this sample."""
    return msgspec.json.decode((FOLDER / f"{name}.json").read_bytes(), type=Pod)


def events(name: str) -> tuple[Event, ...]:
    """The events of this sample."""
    file = FOLDER / "events" / f"{name}.json"
    return msgspec.json.decode(file.read_bytes(), type=EventList).items


def with_status(pod: Pod, **changes: object) -> Pod:
    """The pod with other values in its status."""
    status = msgspec.structs.replace(pod.status, **changes)
    return msgspec.structs.replace(pod, status=status)


def with_metadata(pod: Pod, **changes: object) -> Pod:
    """The pod with other values in its metadata."""
    metadata = msgspec.structs.replace(pod.metadata, **changes)
    return msgspec.structs.replace(pod, metadata=metadata)


def with_harness(pod: Pod, state: ContainerState, **changes: object) -> Pod:
    """The pod with its harness in another state."""
    harness = ContainerStatus(name="harness", state=state, container_id="containerd://1")
    return with_status(pod, container_statuses=(msgspec.structs.replace(harness, **changes),))


def waiting(reason: str, message: str = "") -> Pod:
    """A pod whose harness waits so."""
    return with_harness(pod("creating"), ContainerState(waiting=Waiting(reason, message)))


def terminated(code: int, reason: str = "Error", message: str = "", signal: int = 0) -> Pod:
    """A pod whose harness ended so."""
    how = Terminated(exit_code=code, signal=signal, reason=reason, message=message)
    return with_harness(pod("exit-3"), ContainerState(terminated=how))
