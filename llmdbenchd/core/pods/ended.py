"""The room of pods: why a launcher ended, from what its container and its pod say."""

from dataclasses import replace

from llmdbenchd.core.pods.objects import Pod, Terminated
from llmdbenchd.core.pods.words import last_lines, quoted
from llmdbenchd.core.run.sight import Cause, Ended

_SIGKILL = 9
SIGNALS = range(129, 193)  # 128 + the signal's number, as a shell has it
_NOT_STARTED = frozenset({"StartError", "ContainerCannotRun", "CreateContainerError"})
_LOST = frozenset({"Unknown", "ContainerStatusUnknown", "NodeLost"})
_BY_REASON = {
    "OOMKilled": Cause.OOM,
    "Evicted": Cause.EVICTED,
    "Preempting": Cause.EVICTED,
    "Terminated": Cause.EVICTED,  # a graceful shutdown of the node
    "NodeShutdown": Cause.EVICTED,
    "DeadlineExceeded": Cause.DEADLINE,
}


def ended(pod: Pod, how: Terminated) -> Ended:
    """How the harness's container ended."""
    if how.exit_code == 0 and not how.signal:
        return Ended(Cause.EXITED, code=0)
    number = how.signal or (how.exit_code - 128 if how.exit_code in SIGNALS else None)
    cause = _cause(pod, how, number)
    said = _because(pod, how, cause)
    if how.message:
        said.append(f"it says: {last_lines(how.message)}")
    code = None if cause in {Cause.LOST, Cause.NOT_STARTED} else how.exit_code
    return Ended(cause, code=code, signal=number if code else None, detail="; ".join(said))


def never_ran(pod: Pod) -> Ended:
    """The pod is over, and nothing is told of the harness's container."""
    status = pod.status
    for init in status.init_container_statuses:
        how = init.state.terminated
        if how is not None and how.exit_code != 0:
            end = ended(pod, how)
            detail = f"init container {init.name}: {end.detail}"
            return replace(end, cause=Cause.NOT_STARTED, detail=detail)
    cause = _BY_REASON.get(status.reason, Cause.NOT_STARTED)
    if _disrupted(pod):
        cause = Cause.EVICTED
    if status.reason in _LOST:
        cause = Cause.LOST
    said = [part for part in (status.reason, quoted(status.message), _disrupted(pod)) if part]
    return Ended(cause, detail=": ".join(said) or f"the pod is {status.phase} and never ran")


def _cause(pod: Pod, how: Terminated, number: int | None) -> Cause:
    if how.reason in _NOT_STARTED:
        return Cause.NOT_STARTED
    if how.reason in _LOST:
        return Cause.LOST
    for reason in (how.reason, pod.status.reason):
        if reason in _BY_REASON:
            return _BY_REASON[reason]
    if _disrupted(pod):
        return Cause.EVICTED
    return Cause.EXITED if number is None else Cause.KILLED


def _because(pod: Pod, how: Terminated, cause: Cause) -> list[str]:
    """Sentences about the end, the most telling first."""
    said = []
    if cause is Cause.LOST:
        said.append("its node lost track of it, often by a restart")
    elif cause is Cause.NOT_STARTED:
        said.append(f"its program could not be started ({how.reason})")
    else:
        said.append(_number(how))
    if pod.status.reason or pod.status.message:
        said.append(": ".join(filter(None, (pod.status.reason, quoted(pod.status.message)))))
    if disrupted := _disrupted(pod):
        said.append(disrupted)
    if pod.metadata.deletion_timestamp:
        said.append("its pod was being deleted")
    return said


def _number(how: Terminated) -> str:
    if how.exit_code in SIGNALS and how.reason != "OOMKilled":
        number = how.exit_code - 128
        often = ", often memory" if number == _SIGKILL else ""
        return f"exit code {how.exit_code} (as by signal {number}{often})"
    return f"exit code {how.exit_code}"


def _disrupted(pod: Pod) -> str:
    """Who took the pod's place or its node, as far as a condition tells it."""
    for condition in pod.status.conditions:
        if condition.type == "DisruptionTarget" and condition.status == "True":
            return ": ".join(filter(None, (condition.reason, quoted(condition.message))))
    return ""
