"""The room of pods: what a pod's status means for the launcher in it.

The container `harness` is the launcher; others (`keep`, or what a mesh injects) may start
later and run longer. A node that nobody hears from says nothing: its pods are seen as they
were last seen, for what runs there still runs, and a time-out is what ends the wait.
"""

from llmdbenchd.core.launch.manifest import HARNESS
from llmdbenchd.core.pods.ended import ended, never_ran
from llmdbenchd.core.pods.objects import ContainerStatus, Pod, Waiting
from llmdbenchd.core.pods.words import quoted
from llmdbenchd.core.run.sight import Pending, Running, Sight

OVER = frozenset({"Succeeded", "Failed"})
_PULLING = frozenset({"ErrImagePull", "ImagePullBackOff"})
_HOPELESS = frozenset(
    {
        "InvalidImageName",
        "ErrImageNeverPull",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
        "ImageInspectError",
    }
)
_NO_SUCH_IMAGE = (  # said by registries and runtimes; asking again will not change it
    "not found",
    "manifest unknown",
    "denied",
    "unauthorized",
    "forbidden",
    "authentication required",
    "authorization failed",
    "no match for platform",
    "invalid reference",
)
_NO_CLAIM = ("persistentvolumeclaim", "volume node affinity", "persistent volume")


def sight_of(pod: Pod) -> Sight:
    """How the launcher in this pod is; never `Unknown` and never `Absent`."""
    harness = _status(pod, HARNESS)
    if harness is not None and harness.state.terminated is not None:
        return ended(pod, harness.state.terminated)
    if pod.status.phase in OVER:
        return never_ran(pod)
    if harness is not None and harness.state.running is not None:
        return Running()
    return _pending(pod, harness)


def _status(pod: Pod, name: str) -> ContainerStatus | None:
    return next((one for one in pod.status.container_statuses if one.name == name), None)


def _pending(pod: Pod, harness: ContainerStatus | None) -> Pending:
    for init in pod.status.init_container_statuses:
        if init.state.terminated is None or init.state.terminated.exit_code != 0:
            waiting = init.state.waiting
            return _named(f"init container {init.name}: ", _waiting(waiting or Waiting("runs")))
    if harness is not None and harness.state.waiting is not None:
        return _waiting(harness.state.waiting)
    scheduled = next((one for one in pod.status.conditions if one.type == "PodScheduled"), None)
    if scheduled is None or scheduled.status == "True":
        return Pending("on its way to a node" if scheduled is None else "on its node")
    words = scheduled.message.lower()
    waits = "bind" if any(word in words for word in _NO_CLAIM) else ""
    return Pending(_reason(scheduled.reason, scheduled.message), waits)


def _waiting(waiting: Waiting) -> Pending:
    reason, words = _reason(waiting.reason, waiting.message), waiting.message.lower()
    if waiting.reason in _PULLING:
        hopeless = any(word in words for word in _NO_SUCH_IMAGE)
        return Pending(reason, "pull", hopeless=hopeless)
    if waiting.reason in _HOPELESS:
        return Pending(reason, hopeless=True)
    # Nothing but an event tells a pull from a mount; both take the time that they take.
    waits = "pull" if waiting.reason == "ContainerCreating" else ""
    return Pending(reason, waits)


def _named(prefix: str, pending: Pending) -> Pending:
    return Pending(prefix + pending.reason, pending.waits, hopeless=pending.hopeless)


def _reason(reason: str, message: str) -> str:
    return f"{reason}: {quoted(message)}" if message else reason
