"""The room of targets: servers that are restarted, as their pods tell it."""

from collections.abc import Iterable

from llmdbenchd.core.pods.objects import ContainerStatus, Pod
from llmdbenchd.core.pods.words import quoted


def most_restarted(pods: Iterable[Pod]) -> tuple[int | None, str]:
    """How often the container that was restarted most was, and that in words; None without any.

    The words are empty while nothing was restarted.
    """
    told = [
        (container.restart_count, pod.metadata.name, container)
        for pod in pods
        for container in (*pod.status.container_statuses, *pod.status.init_container_statuses)
    ]
    if not told:
        return None, ""
    count, pod, container = max(told, key=lambda one: one[0])
    if not count:
        return 0, ""
    return (
        count,
        f"container {container.name} of pod {pod} was restarted {count} times{_end(container)}",
    )


def _end(container: ContainerStatus) -> str:
    """How its last life ended."""
    last = container.last_state.terminated or container.state.terminated
    if last is None:
        return ""
    words = f": {quoted(last.message)}" if last.message else ""
    return f", the last time {last.reason or 'ended'} with exit code {last.exit_code}{words}"
