"""One timeline of what the API server and the log each know of a server's starts.

The API server says when, to the second; the log says why, and what took how long inside. The
log's starts are laid beside the container's lives by the restart that the follower counted. The
verdict is the nearest of the container's own end, the log's reason and the readiness probe.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from llmdbenchd.core.nop.attempt import Attempt
from llmdbenchd.core.nop.cluster import (
    GRAIN_S,
    Life,
    Noted,
    Step,
    all_lives,
    lives,
    noted,
    pod_steps,
    ready_at,
    status_of,
    waits,
)
from llmdbenchd.core.nop.stages import durations
from llmdbenchd.core.pods.objects import Event, Pod


class Verdict(StrEnum):
    """What became of a server."""

    READY = "ready"
    FAILED = "failed"
    STARTING = "starting"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A start of the log, and in which life of the container it was written (from 0)."""

    restart: int
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Timeline:
    """Of one container.

    Attributes:
        steps: in the order of their beginnings; those without one come last.
        gaps: lives of the container of which no line is known, by restart: told, never hidden.
        reason: of the verdict, in words.
    """

    pod: str
    container: str
    verdict: Verdict
    reason: str
    steps: tuple[Step, ...]
    lives: tuple[Life, ...]
    noted: tuple[Noted, ...]
    gaps: tuple[int, ...]
    restarts: int
    ready_at: float | None


def timeline(
    pod: Pod,
    container: str,
    events: Sequence[Event],
    recorded: Sequence[Recorded],
    earlier: Sequence[Life] = (),
) -> Timeline:
    """Lay both beside each other.

    Args:
        pod: as last seen.
        container: that runs the server.
        events: of this pod; may be empty, for they are kept for an hour only.
        recorded: the log's starts, in their order.
        earlier: the container's lives, as the pod told of them before.
    """
    known = all_lives(earlier, lives(pod, container))
    status = status_of(pod, container)
    restarts = status.restart_count if status else 0
    steps = pod_steps(pod, container, events)
    by_restart = {one.restart: one for one in known}
    for one in recorded:
        steps += _of_the_log(one, by_restart.get(one.restart))
    ready = ready_at(pod)
    if lag := _lag(recorded, ready):
        steps.append(lag)
    steps.sort(key=lambda one: (one.begin_at is None, one.begin_at or 0.0))
    verdict, reason = _verdict(pod, container, known, recorded)
    heard = {one.restart for one in recorded}
    return Timeline(
        pod.metadata.name,
        container,
        verdict,
        reason,
        tuple(steps),
        known,
        tuple(noted(events)),
        tuple(one for one in range(restarts + 1) if status and one not in heard),
        restarts,
        ready,
    )


def of_an_instance(
    pod: str, container: str, recorded: Sequence[Recorded], begun: float, trouble: str
) -> Timeline:
    """What an inference launcher started: nobody knows of it but its log, and we who asked.

    Args:
        pod: of the launcher.
        container: what stands for the instance.
        recorded: its log's starts.
        begun: when it was asked for.
        trouble: why it is not what was asked for.
    """
    asked = Life(0, begun)
    steps = [step for one in recorded for step in _of_the_log(one, asked, "asked for")]
    steps.sort(key=lambda one: (one.begin_at is None, one.begin_at or 0.0))
    last = recorded[-1].attempt if recorded else None
    verdict, reason = Verdict.STARTING, "it has not said that it is ready"
    if trouble or (last and last.failed):
        told = last.failed.reason if last and last.failed else ""
        verdict, reason = Verdict.FAILED, trouble or told
    elif last and last.ready:
        verdict, reason = Verdict.READY, "its log says that it is ready"
    return Timeline(pod, container, verdict, reason, tuple(steps), (), (), (), 0, None)


def _of_the_log(
    recorded: Recorded, life: Life | None, since: str = "container's start"
) -> list[Step]:
    """The stages of a start, and what went before its first line."""
    found = [
        Step(
            one.title,
            one.begin_at,
            one.end_at,
            one.seconds,
            one.within_s,
            "logged" if one.is_logged else "stamps",
            recorded.restart,
            f"line {one.end_line}" if one.end_line else "",
        )
        for one in durations(recorded.attempt)
    ]
    marks = [one.at for kept in recorded.attempt.marks.values() for one in kept if one.at]
    if life and life.started_at is not None and marks:
        first = min(marks)
        lasted = max(first - life.started_at, 0.0)
        found.append(Step("import", life.started_at, first, lasted, GRAIN_S, "status",
                          recorded.restart, f"{since} to the first line"))  # fmt: skip
    return found


def _lag(recorded: Sequence[Recorded], ready: float | None) -> Step | None:
    """From the log's readiness to the probe's: at most one period of it."""
    told = recorded[-1].attempt.ready if recorded else None
    if ready is None or told is None or told.at is None:
        return None
    lasted = max(ready - told.at, 0.0)
    return Step("readiness lag", told.at, ready, lasted, GRAIN_S, "status", recorded[-1].restart)


def _verdict(
    pod: Pod, container: str, known: Sequence[Life], recorded: Sequence[Recorded]
) -> tuple[Verdict, str]:
    last = recorded[-1].attempt if recorded else None
    life = known[-1] if known else None
    if ready_at(pod) is not None:
        return Verdict.READY, "the pod is ready"
    waiting = waits(pod, container)
    if life and life.ended_at is not None:
        why = _log_says(recorded, life.restart)
        loop = f"{waiting}: " if waiting else ""
        return Verdict.FAILED, f"{loop}the container ended: {life.why}{why}"
    if last and last.failed:
        return Verdict.FAILED, last.failed.reason
    if last and last.ready:
        return Verdict.STARTING, "its log says that it is ready; the pod is not ready yet"
    return Verdict.STARTING, waiting or "it has not said that it is ready"


def _log_says(recorded: Sequence[Recorded], restart: int) -> str:
    failed = next((one.attempt.failed for one in reversed(recorded)
                   if one.restart == restart and one.attempt.failed), None)  # fmt: skip
    return f"; its log says: {failed.reason}" if failed else ""
