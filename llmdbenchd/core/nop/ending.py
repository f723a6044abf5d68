"""When a recording has seen enough: every server ready, one of them failed for good, or not yet.

A container that ends is started again; its first end may have been somebody's doing, and says
nothing about the server. A second end in a row, or a pod that is never started again, does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from llmdbenchd.core.nop.cluster import ready_at, seconds_of, status_of, waits
from llmdbenchd.core.nop.timeline import Recorded
from llmdbenchd.core.pods.objects import ContainerStatus, Pod

SETTLE_S = 10.0
"""After a pod is ready, for lines of its log that are still on their way."""
IN_A_ROW_S = 600.0
"""Between two ends: whoever runs for longer is started again at once by the kubelet, too."""
_LOOP = "CrashLoopBackOff"
_NEVER = frozenset({"ErrImageNeverPull", "InvalidImageName", "CreateContainerConfigError"})


@dataclass(frozen=True, slots=True)
class Server:
    """One pod, as last seen, and the starts that its logs tell of, by container.

    Attributes:
        ready_for_s: seconds since the pod was first seen ready; 0 while it is not.
    """

    pod: Pod
    recorded: Sequence[Recorded] = ()
    ready_for_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of all of them.

    Attributes:
        is_over: nothing more will be learnt.
        is_good: every server became ready.
        reason: one sentence.
    """

    is_over: bool
    is_good: bool
    reason: str


def seen(servers: Sequence[Server], expected: int) -> Seen:
    """Judge the pods that are there.

    Args:
        servers: none that is being deleted.
        expected: how many there must be.
    """
    for server in servers:
        if why := _failed(server):
            return Seen(is_over=True, is_good=False, reason=why)
    waiting = [why for server in servers if (why := _missing(server))]
    if len(servers) < expected:
        waiting.append(f"{len(servers)} of {expected} pods are there")
    if waiting:
        return Seen(is_over=False, is_good=False, reason="; ".join(waiting))
    names = ", ".join(server.pod.metadata.name for server in servers)
    return Seen(is_over=True, is_good=True, reason=f"ready: {names}")


def _failed(server: Server) -> str:
    """Why it will not be ready, or nothing."""
    pod = server.pod
    name = pod.metadata.name
    said = last_words(server.recorded)
    if pod.status.phase == "Failed":
        reason = ": ".join(filter(None, (pod.status.reason, pod.status.message)))
        return f"pod {name} failed{f' ({reason})' if reason else ''}{_end(pod)}{said}"
    for one in pod.spec.containers:
        waiting, status = waits(pod, one.name), status_of(pod, one.name)
        if waiting in _NEVER:
            return f"container {one.name} of pod {name} cannot start: {waiting}"
        if status is None or not status.restart_count:
            continue
        if waiting == _LOOP or _ended_again(status):
            ends = status.restart_count + 1
            return f"container {one.name} of pod {name} ended {ends} times{_end(pod)}{said}"
    return ""


def _ended_again(status: ContainerStatus) -> bool:
    """Whether it ended soon after its last end; later the kubelet says that it is in a loop."""
    now, before = status.state.terminated, status.last_state.terminated
    if now is None or before is None:
        return False
    ends = seconds_of(now.finished_at), seconds_of(before.finished_at)
    return ends[0] is not None and ends[1] is not None and ends[0] - ends[1] < IN_A_ROW_S


def _missing(server: Server) -> str:
    """What it is waited for, or nothing."""
    name = server.pod.metadata.name
    if ready_at(server.pod) is None:
        waiting = [
            why for one in server.pod.spec.containers if (why := waits(server.pod, one.name))
        ]
        return f"pod {name} is not ready{f' ({waiting[0]})' if waiting else ''}"
    last = _latest(server.recorded)
    if (last is None or not last.attempt.ready) and server.ready_for_s < SETTLE_S:
        return f"pod {name} is ready, and its log does not say so yet"
    return ""


def _latest(recorded: Sequence[Recorded]) -> Recorded | None:
    """Of the newest life; a container beside the server tells of no start."""
    return max(recorded, key=lambda one: one.restart, default=None)


def _end(pod: Pod) -> str:
    for status in pod.status.container_statuses:
        end = status.state.terminated or status.last_state.terminated
        if end is not None and (end.exit_code or end.signal):
            return f": {end.reason or 'ended'}, exit code {end.exit_code}"
    return ""


def last_words(recorded: Sequence[Recorded]) -> str:
    """Why the last start that failed did, as the rest of a sentence; or nothing."""
    failed = [one.attempt.failed for one in recorded if one.attempt.failed]
    return f"; its log says: {failed[-1].reason}" if failed else ""
