"""The room of pods: why a launcher ended, from what its container and its pod say.

Kubernetes does not say who ended a container. What the pod says (a reason, a disruption, its
deletion) explains an end only where the end looks like one from outside and did not come
first: pods that have failed long ago are tainted, evicted and deleted, too.
"""

from dataclasses import dataclass

from llmdbenchd.core.pods.objects import Condition, ContainerStatus, Pod, Terminated
from llmdbenchd.core.pods.words import last_lines, quoted
from llmdbenchd.core.run.sight import Cause, Ended

_SIGKILL = 9
_SIGNALS = range(129, 193)  # 128 + the signal's number, as a shell has it
_OOM = "OOMKilled"
_NOT_STARTED = frozenset({"StartError", "ContainerCannotRun"})
_NEVER_FOUND = "ContainerStatusUnknown"  # made up by the kubelet, its exit code as well
_NOBODY_SAW = "Unknown"  # said by a runtime that was restarted, mostly with its node
_RAN = "used to be Running"  # what it then says of a container that it knew
_BY_REASON = {
    "Evicted": Cause.EVICTED,
    "Preempting": Cause.EVICTED,
    "Terminated": Cause.EVICTED,  # a graceful shutdown of the node
    "NodeShutdown": Cause.EVICTED,
    "Shutdown": Cause.EVICTED,
    "DeadlineExceeded": Cause.DEADLINE,
    "NodeLost": Cause.LOST,
}
_NODE_IS_GONE = "DeletionByPodGC"
_CHILD_KILLED = "a process in it was killed for want of memory"
_OURS = frozenset({Cause.EXITED, Cause.KILLED})  # how a container ends that we ask to end
_FROM_OUTSIDE = frozenset({Cause.EVICTED, Cause.DEADLINE, Cause.LOST, Cause.STOPPED})


@dataclass(frozen=True, slots=True)
class _Reason:
    """What may have ended a pod's containers from outside."""

    cause: Cause
    words: str


def ended(pod: Pod, container: ContainerStatus, how: Terminated, *, stopping: bool) -> Ended:
    """How a container ended that is known to have ended.

    Args:
        pod: whose container it is.
        container: its status.
        how: its end, as that status says.
        stopping: we had asked the pod to end before.
    """
    if how.reason == _NEVER_FOUND:
        return without_end(pod, container, stopping=stopping)
    if how.exit_code == 0 and not how.signal:
        detail = _CHILD_KILLED if how.reason == _OOM else ""
        return Ended(Cause.STOPPED if stopping else Cause.EXITED, code=0, detail=detail)
    number = _signal(how)
    reasons = _reasons(pod, how, has_run=True, stopping=stopping)
    cause = _cause(how, number, reasons)
    said = _sentences(how, cause, reasons)
    if cause in {Cause.LOST, Cause.NOT_STARTED}:
        return Ended(cause, detail=said, began=cause is Cause.LOST)
    if stopping and cause in _OURS:
        cause = Cause.STOPPED
    return Ended(cause, code=how.exit_code, signal=number, detail=said)


def without_end(pod: Pod, container: ContainerStatus | None, *, stopping: bool) -> Ended:
    """The pod is over, and nobody tells how the harness's container ended, if it ever ran."""
    if (init := _failed_init(pod)) is not None:
        return _by_init(pod, *init, stopping=stopping)
    has_run = container is not None and _has_run(container)
    reasons = _reasons(pod, None, has_run=has_run, stopping=stopping)
    nothing_said = Cause.LOST if has_run else Cause.NOT_STARTED
    cause = reasons[0].cause if reasons else nothing_said
    told = "nobody noted how it ended" if has_run else "it never ran"
    words = "; ".join([*(reason.words for reason in reasons), told])
    return Ended(cause, detail=words, began=has_run)


def _signal(how: Terminated) -> int | None:
    if how.signal:
        return how.signal
    return how.exit_code - 128 if how.exit_code in _SIGNALS else None


def _cause(how: Terminated, number: int | None, reasons: list[_Reason]) -> Cause:
    if how.reason in _NOT_STARTED:
        return Cause.NOT_STARTED
    if how.reason == _OOM:
        return Cause.OOM
    if reasons:
        return reasons[0].cause
    if how.reason == _NOBODY_SAW:
        return Cause.LOST
    return Cause.EXITED if number is None else Cause.KILLED


def _sentences(how: Terminated, cause: Cause, reasons: list[_Reason]) -> str:
    """Why, the most telling first."""
    words = [reason.words for reason in reasons]
    said = last_lines(how.message)
    if cause is Cause.NOT_STARTED:
        start = f"its program could not be started ({how.reason})"
        return "; ".join([f"{start}: {said}" if said else start, *words])
    if how.reason == _NOBODY_SAW:
        words.append("its node lost track of it, often by a restart")
    else:
        words.append(_number(how, is_explained=bool(reasons)))
    if said:
        words.append(f"it says: {said}")
    return "; ".join(words)


def _number(how: Terminated, *, is_explained: bool) -> str:
    said, number = f"exit code {how.exit_code}", _signal(how)
    if how.reason == _OOM:
        itself = f"killed for want of memory ({said})"
        return itself if number == _SIGKILL else f"{_CHILD_KILLED}; {said}"
    if number is None:
        return said
    often = ", often memory" if number == _SIGKILL and not is_explained else ""
    return f"{said} (as by signal {number}{often})"


def _reasons(pod: Pod, how: Terminated | None, *, has_run: bool, stopping: bool) -> list[_Reason]:
    """What the pod says that explains an end, the most telling first.

    Reasons that have no time of their own explain only an end that looks like one from
    outside, or of which nothing else is known.
    """
    from_outside = how is None or how.reason == _NOBODY_SAW or _signal(how) is not None
    if how is not None and how.reason == _OOM:
        return []
    status, reasons = pod.status, []
    if from_outside and status.reason:
        words = ": ".join(filter(None, (status.reason, quoted(status.message))))
        other = Cause.EVICTED if has_run else Cause.NOT_STARTED  # its node would not have it
        reasons.append(_Reason(_BY_REASON.get(status.reason, other), words))
    disruption = _disruption(pod)
    if disruption is None and from_outside and pod.metadata.deletion_timestamp:
        reasons.append(_deletion(has_run=has_run, stopping=stopping))
    elif disruption is not None and not _is_before(how, disruption.last_transition_time):
        cause = Cause.LOST if disruption.reason == _NODE_IS_GONE else Cause.EVICTED
        words = ": ".join(filter(None, (disruption.reason, quoted(disruption.message))))
        reasons.append(_Reason(cause, words))
    return reasons


def _disruption(pod: Pod) -> Condition | None:
    """Who takes the pod's place or its node: what deletes the pod afterwards."""
    for condition in pod.status.conditions:
        if condition.type == "DisruptionTarget" and condition.status == "True":
            return condition
    return None


def _is_before(how: Terminated | None, moment: str | None) -> bool:
    """Whether the end was clearly before a moment that another machine's clock told.

    Both are told to the second. Where the clocks differ much, an end may keep the cause that
    its exit code has, or be put down to what came later.
    """
    return bool(how and how.finished_at and moment and how.finished_at < moment)


def _deletion(*, has_run: bool, stopping: bool) -> _Reason:
    if stopping:
        return _Reason(Cause.STOPPED, "we asked it to end")
    cause = Cause.KILLED if has_run else Cause.NOT_STARTED
    return _Reason(cause, "its pod was deleted by somebody")


def _failed_init(pod: Pod) -> tuple[ContainerStatus, Terminated] | None:
    """The init container that ended the pod: sidecars are restarted, and end none."""
    for init in pod.status.init_container_statuses:
        how = init.state.terminated
        if how is None or how.exit_code == 0 or how.reason == _NEVER_FOUND:
            continue
        if init.name not in pod.spec.sidecars:
            return init, how
    return None


def _by_init(pod: Pod, init: ContainerStatus, how: Terminated, *, stopping: bool) -> Ended:
    end = ended(pod, init, how, stopping=stopping)
    cause = end.cause if end.cause in _FROM_OUTSIDE else Cause.NOT_STARTED
    return Ended(cause, detail=f"init container {init.name}: {end.detail}", began=False)


def _has_run(container: ContainerStatus) -> bool:
    how = container.state.terminated
    return bool(container.container_id) or (how is not None and _RAN in how.message)
