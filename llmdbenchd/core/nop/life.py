"""One life of a container: whether it is over, and who has its name afterwards."""

from llmdbenchd.core.nop.cluster import Life, lives, seconds_of, status_of
from llmdbenchd.core.pods.objects import ContainerStatus, Pod


def newest(pod: Pod, container: str) -> int | None:
    """The number of the last life that has begun (from 0); None where there was none yet."""
    status = status_of(pod, container)
    if status is None or not (status.container_id or status.restart_count):
        return None
    return status.restart_count


def has_ended(pod: Pod, container: str, restart: int) -> bool:
    """Whether the life with this number is over, as far as the status tells.

    While a container waits to be started again, its number is still the last life's.
    """
    status = status_of(pod, container)
    if status is None:
        return False
    if status.restart_count != restart:
        return status.restart_count > restart
    waits_again = status.state.waiting is not None and status.last_state.terminated is not None
    return status.state.terminated is not None or waits_again


def succeeded(pod: Pod, container: str, restart: int) -> tuple[int, bool] | None:
    """By whom a life is succeeded: since which second, and whether its log can still be had.

    That is while its very next life runs: of one that waits to be started again, the log that
    the kubelet calls previous is its own.
    """
    status = status_of(pod, container)
    if status is None or status.restart_count <= restart:
        return None
    began = _began(status, at_once=status.restart_count == restart + 1)
    is_next = status.restart_count == restart + 1 and status.state.waiting is None
    return None if began is None else (int(began), is_next)


def began_by(pod: Pod, container: str, restart: int, at: float) -> bool:
    """Whether a life may have begun before this moment (seconds since 1970), as far as is told."""
    life = _told(pod, container, restart)
    return life is None or life.started_at is None or life.started_at < at


def was_over_by(pod: Pod, container: str, restart: int, at: float) -> bool:
    """Whether the status tells that a life was over before this moment."""
    life = _told(pod, container, restart)
    return life is not None and life.ended_at is not None and life.ended_at < at


def _told(pod: Pod, container: str, restart: int) -> Life | None:
    return next((one for one in lives(pod, container) if one.restart == restart), None)


def _began(status: ContainerStatus, *, at_once: bool) -> float | None:
    """When the life after it began, or the first one after it of which that is known."""
    before, state = status.last_state.terminated, status.state
    now = state.running or state.terminated
    if before is not None and (not at_once or now is None):
        return seconds_of(before.started_at)
    return seconds_of(now.started_at) if now else None
