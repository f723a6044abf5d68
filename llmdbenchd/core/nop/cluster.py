"""What only the API server knows of a server's start: scheduled, pulled, started, ended, ready.

Its times have whole seconds. What an event tells is lost after an hour; then the step is absent,
and never zero.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from llmdbenchd.core.pods.objects import Container, ContainerStatus, Event, Pod, Terminated

GRAIN_S = 1.0
_SECONDS = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:([\d.]+)(ms|s))?\Z")
_PULLED = re.compile(r"pulled image .* in (?P<took>[\dhms.]+)(?: \((?P<all>[\dhms.]+) including)?")
_SIZE = re.compile(r"Image size: (\d+) bytes")
_PRESENT = "already present on machine"
_NOTED = ("Unhealthy", "BackOff", "FailedMount", "FailedAttachVolume", "FailedScheduling",
          "Killing", "Evicted", "Preempted", "OOMKilling", "Failed")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a pod's way to its server.

    Attributes:
        begin_at, end_at: seconds since 1970; None where nobody says.
        seconds: None where it is not known; 0 is told, never assumed.
        within_s: how wrong that can be.
        source: `status`, `event`, or as the log's stages have it.
        restart: of which life of the container, from 0; None of the pod as a whole.
        detail: an image, a size, a place in the log.
    """

    title: str
    begin_at: float | None
    end_at: float | None
    seconds: float | None
    within_s: float
    source: str
    restart: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Life:
    """One life of a container, from a start to an end.

    Attributes:
        restart: 0 for the first.
        ended_at: None while it runs.
        why: the runtime's reason and exit code; empty while it runs.
        is_out_of_memory: whether the kernel ended it for its memory.
    """

    restart: int
    started_at: float | None
    ended_at: float | None = None
    why: str = ""
    is_out_of_memory: bool = False


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that the cluster complained of: probes, back-off, mounts, kills."""

    what: str
    at: float | None
    count: int
    detail: str


def seconds_of(stamp: str | None) -> float | None:
    """RFC 3339 as seconds since 1970; None for nothing, and for what is no time."""
    try:
        return datetime.fromisoformat(stamp).timestamp() if stamp else None
    except ValueError:
        return None


def pod_steps(pod: Pod, container: str, events: Sequence[Event]) -> list[Step]:
    """What came before the container's first start, as far as it is told."""
    created = seconds_of(pod.metadata.creation_timestamp)
    scheduled = _condition(pod, "PodScheduled")
    status = status_of(pod, container)
    first = _first_start(status)
    begun = _first(events, ("Pulling", "Pulled", "Created"))
    steps = [_between("schedule", created, scheduled, "status")]
    if any(one.reason in {"SuccessfulAttachVolume", "FailedMount"} for one in events):
        steps.append(_between("volumes", scheduled, begun, "event"))
    steps += [_init(one) for one in pod.status.init_container_statuses
              if one.name not in pod.spec.sidecars]  # fmt: skip
    if pull := _pull(pod, container, events):
        steps.append(pull)
    made = _first(_of(events, container), ("Pulled", "Created"))
    steps.append(_between("container start", made, first, "event"))
    return [one for one in steps if one.seconds is not None]


def lives(pod: Pod, container: str) -> list[Life]:
    """The container's last two lives: of those before, the API server knows nothing any more."""
    status = status_of(pod, container)
    if status is None:
        return []
    found = []
    if before := status.last_state.terminated:  # who waits to be started again is not counted yet
        waits_again = status.state.waiting is not None
        found.append(_ended(max(status.restart_count - (not waits_again), 0), before))
    if now := status.state.terminated:
        found.append(_ended(status.restart_count, now))
    elif running := status.state.running:
        found.append(Life(status.restart_count, seconds_of(running.started_at)))
    return found


def all_lives(earlier: Sequence[Life], now: Sequence[Life]) -> tuple[Life, ...]:
    """What was known of a container's lives, and what is told of them now."""
    known = {one.restart: one for one in (*earlier, *now)}
    return tuple(known[restart] for restart in sorted(known))


def noted(events: Sequence[Event]) -> list[Noted]:
    """What the cluster complained of, in the order of its times."""
    found = [
        Noted(one.reason, seconds_of(one.last_seen), _count(one), one.message[:500])
        for one in events
        if one.reason in _NOTED
    ]
    return sorted(found, key=lambda one: one.at or 0.0)


def ready_at(pod: Pod) -> float | None:
    """Since when the pod is ready; None while it is not."""
    return _condition(pod, "Ready")


def status_of(pod: Pod, container: str) -> ContainerStatus | None:
    """The container's status, if there is one yet."""
    return next((one for one in pod.status.container_statuses if one.name == container), None)


def waits(pod: Pod, container: str) -> str:
    """Why the container waits, as `CrashLoopBackOff`; empty if it does not."""
    status = status_of(pod, container)
    return status.state.waiting.reason if status and status.state.waiting else ""


def _condition(pod: Pod, kind: str) -> float | None:
    for one in pod.status.conditions:
        if one.type == kind and one.status == "True":
            return seconds_of(one.last_transition_time)
    return None


def _first_start(status: ContainerStatus | None) -> float | None:
    """Known only while the container is in its first life, or was there just before."""
    if status is None:
        return None
    if status.restart_count == 0 and status.state.running:
        return seconds_of(status.state.running.started_at)
    end = status.last_state.terminated if status.restart_count == 1 else None
    if status.restart_count == 0:
        end = status.state.terminated
    return seconds_of(end.started_at) if end else None


def _between(title: str, begin: float | None, end: float | None, source: str) -> Step:
    seconds = None if begin is None or end is None else max(end - begin, 0.0)
    return Step(title, begin, end, seconds, GRAIN_S, source)


def _init(status: ContainerStatus) -> Step:
    end = status.state.terminated or status.last_state.terminated
    begin, until = (end.started_at, end.finished_at) if end else (None, None)
    return _between(f"init {status.name}", seconds_of(begin), seconds_of(until), "status")


def _pull(pod: Pod, container: str, events: Sequence[Event]) -> Step | None:
    """Of the container's image; what the message says is finer than its stamps."""
    own = [one for one in _of(events, container) if one.reason == "Pulled"]
    if not own:
        return None
    message = own[0].message
    image = _image(pod.spec.containers, container)
    end = seconds_of(own[0].first_timestamp or own[0].last_seen)
    if _PRESENT in message:
        return Step("image pull", end, end, 0.0, 0.0, "event", detail=f"{image}: {_PRESENT}")
    told = _PULLED.search(message)
    took = duration_s(told["all"] or told["took"]) if told else None
    if took is None:
        begin = _first(_of(events, container), ("Pulling",))
        return _between("image pull", begin, end, "event")
    size = _SIZE.search(message)
    detail = f"{image}, {int(size[1]) / 2**30:.2f} GiB" if size else image
    begin = None if end is None else end - took
    return Step("image pull", begin, end, took, 0.1, "event", detail=detail)


def duration_s(written: str) -> float | None:
    """A duration as Go writes it (`1h2m3.5s`, `250ms`); None for anything else."""
    found = _SECONDS.match(written)
    if not written or found is None:
        return None
    hours, minutes, rest, unit = found.groups()
    small = float(rest) * (0.001 if unit == "ms" else 1.0) if rest else 0.0
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + small


def _ended(restart: int, end: Terminated) -> Life:
    signal = f", signal {end.signal}" if end.signal else ""
    return Life(
        restart,
        seconds_of(end.started_at),
        seconds_of(end.finished_at),
        f"{end.reason or 'ended'}, exit code {end.exit_code}{signal}",
        end.reason == "OOMKilled",
    )


def _of(events: Sequence[Event], container: str) -> list[Event]:
    """Of this container, or of the pod where an event names none."""
    path = f"{{{container}}}"
    return [one for one in events if not one.involved_object.field_path
            or one.involved_object.field_path.endswith(path)]  # fmt: skip


def _first(events: Sequence[Event], reasons: Sequence[str]) -> float | None:
    times = [seconds_of(one.first_timestamp or one.last_seen) for one in events
             if one.reason in reasons]  # fmt: skip
    return min((one for one in times if one is not None), default=None)


def _count(event: Event) -> int:
    return (event.series.count if event.series else None) or event.count or 1


def _image(containers: Sequence[Container], name: str) -> str:
    return next((one.image for one in containers if one.name == name), "")
