"""How a data-access pod is, as far as its status tells: decided without asking anybody."""

from enum import Enum, auto

from llmdbenchd.core.launch import labels
from llmdbenchd.core.pods.objects import Pod
from llmdbenchd.core.pods.sight import OVER
from llmdbenchd.core.pods.words import quoted

NO_IMAGE = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})


class Found(Enum):
    """What is to be thought of it."""

    ABSENT = auto()
    GOING = auto()  # deleted, and still there
    UNFIT = auto()  # has ended, cannot have its image, or runs another version's scripts
    STARTING = auto()
    READY = auto()


def found(pod: Pod | None, payload: str) -> Found:
    """How the pod is; `payload` is the digest of the scripts that it should run."""
    if pod is None:
        return Found.ABSENT
    if pod.metadata.deletion_timestamp:
        return Found.GOING
    is_current = pod.metadata.labels.get(labels.PAYLOAD) == payload
    if pod.status.phase in OVER or lacks_image(pod) or not is_current:
        return Found.UNFIT
    statuses = pod.status.container_statuses
    is_ready = pod.status.phase == "Running" and statuses and all(one.ready for one in statuses)
    return Found.READY if is_ready else Found.STARTING


def lacks_image(pod: Pod) -> bool:
    """Whether the node could not get an image for it."""
    waiting = (one.state.waiting for one in pod.status.container_statuses)
    return any(one is not None and one.reason in NO_IMAGE for one in waiting)


def told(pod: Pod | None) -> str:
    """What keeps it, for people."""
    if pod is None:
        return "it is not there"
    states = [one.state for one in pod.status.container_statuses]
    said = [f"{one.waiting.reason}: {one.waiting.message}" for one in states if one.waiting]
    ended = [one.terminated for one in states if one.terminated]
    said += [f"{one.reason} with exit code {one.exit_code}: {quoted(one.message)}" for one in ended]
    said += [one.message for one in pod.status.conditions if one.message]
    return said[0] if said else f"its phase is {pod.status.phase}"
