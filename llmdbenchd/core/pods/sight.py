"""The room of pods: what a pod's status means for the launcher in it.

The container `harness` is the launcher; others (`keep`, or what a mesh injects) may start
later and run longer. A node that nobody hears from says nothing: its pods, of phase `Unknown`
or not, are seen as they were last seen, for what runs there still runs, and a time-out is what
ends the wait. A pod is never `Absent`, and a launcher has ended only where its container's
status or its pod's phase says so.
"""

import re
from dataclasses import replace

from llmdbenchd.core.launch.manifest import HARNESS
from llmdbenchd.core.pods.ended import ended, without_end
from llmdbenchd.core.pods.objects import ContainerStatus, Pod
from llmdbenchd.core.pods.waiting import waiting
from llmdbenchd.core.pods.words import quoted
from llmdbenchd.core.run.sight import Pending, Running, Sight

OVER = frozenset({"Succeeded", "Failed"})
_NO_CLAIM = ("persistentvolume", "persistent volume", "volume node affinity")
_ROOM = ("insufficient", "too many pods", "free ports")  # what other pods' end may give
_PREEMPTION = re.compile(r"( no new claims to deallocate,)? preemption: .*", re.DOTALL)


def sight_of(pod: Pod, *, stopping: bool = False) -> Sight:
    """How the launcher in this pod is.

    Args:
        pod: as the API server told it, also with the event that it is gone.
        stopping: we had asked it to end before it ended, so that its end is our doing. Without
            this a deleted pod is one that somebody else deleted.

    Returns:
        `Pending`, `Running` or `Ended`; never `Unknown` and never `Absent`.
    """
    harness = _status(pod)
    if harness is not None and harness.state.terminated is not None:
        return ended(pod, harness, harness.state.terminated, stopping=stopping)
    if pod.status.phase in OVER:
        return without_end(pod, harness, stopping=stopping)
    if harness is not None and harness.state.running is not None:
        return Running()
    pending = _pending(pod, harness)
    if not pod.metadata.deletion_timestamp:
        return pending
    if stopping:
        return replace(pending, reason=f"asked to end; {pending.reason}", hopeless=False)
    return replace(pending, reason=f"deleted by somebody; {pending.reason}", hopeless=True)


def _status(pod: Pod) -> ContainerStatus | None:
    return next((one for one in pod.status.container_statuses if one.name == HARNESS), None)


def _pending(pod: Pod, harness: ContainerStatus | None) -> Pending:
    if pod.status.reason:  # a node that was lost, as older controllers say it
        return Pending(": ".join(filter(None, (pod.status.reason, quoted(pod.status.message)))))
    images = {one.name: one.image for one in (*pod.spec.containers, *pod.spec.init_containers)}
    init = _unfinished_init(pod)
    if init is not None:
        pending = _init_pending(pod, init, images.get(init.name, ""))
        return replace(pending, reason=f"init container {init.name} {pending.reason}")
    if harness is not None and harness.state.waiting is not None:
        return waiting(harness.state.waiting, images.get(HARNESS, ""))
    return _unscheduled(pod)


def _unfinished_init(pod: Pod) -> ContainerStatus | None:
    """The init container that the others wait for."""
    for init in pod.status.init_container_statuses:
        how = init.state.terminated
        is_done = how is not None and how.exit_code == 0
        if not (init.started if init.name in pod.spec.sidecars else is_done):
            return init
    return None


def _init_pending(pod: Pod, init: ContainerStatus, image: str) -> Pending:
    if init.state.waiting is not None:
        pending = waiting(init.state.waiting, image)
        return replace(pending, reason=f"waits: {pending.reason}")
    if init.state.terminated is None:
        return Pending("runs")
    again = f", restarted {init.restart_count} times" if init.name in pod.spec.sidecars else ""
    return Pending(f"ended with exit code {init.state.terminated.exit_code}{again}")


def _unscheduled(pod: Pod) -> Pending:
    scheduled = next((one for one in pod.status.conditions if one.type == "PodScheduled"), None)
    if scheduled is None:
        return Pending("waits for the scheduler")
    if scheduled.status == "True":
        return Pending("on its node")
    message = _PREEMPTION.sub("", scheduled.message)
    words = message.lower()
    is_bound = any(word in words for word in _ROOM) or not any(word in words for word in _NO_CLAIM)
    reason = ": ".join(filter(None, (scheduled.reason, quoted(message))))
    return Pending(reason, "" if is_bound else "bind")
