"""Servers that are restarted: how often, and how they ended."""

from llmdbenchd.core.pods.objects import (
    ContainerStatus,
    Metadata,
    Pod,
    PodStatus,
    State,
    Terminated,
)
from llmdbenchd.core.target.restarts import most_restarted


def pod(name: str, *containers: ContainerStatus) -> Pod:
    return Pod(metadata=Metadata(name=name), status=PodStatus(container_statuses=containers))


def test_the_container_that_was_restarted_most_is_told_with_its_last_end() -> None:
    killed = State(terminated=Terminated(exit_code=137, reason="OOMKilled"))
    failed = State(terminated=Terminated(exit_code=1, message="no GPU\n"))
    pods = [
        pod("vllm-0", ContainerStatus(name="side", restart_count=1)),
        pod("vllm-1", ContainerStatus(name="vllm", restart_count=4, last_state=killed)),
    ]

    count, words = most_restarted(pods)
    assert (count, words.partition(", ")[0]) == (
        4,
        "container vllm of pod vllm-1 was restarted 4 times",
    )
    assert words.endswith(", the last time OOMKilled with exit code 137")
    _, words = most_restarted([pod("p", ContainerStatus(restart_count=1, state=failed))])
    assert words.endswith("restarted 1 times, the last time ended with exit code 1: no GPU")
    assert most_restarted(pods[:1])[1].endswith("was restarted 1 times")


def test_nothing_restarted_is_not_the_same_as_nothing_known() -> None:
    assert most_restarted([pod("vllm-0", ContainerStatus(name="vllm"))]) == (0, "")
    assert most_restarted([pod("vllm-0")]) == (None, "")
    assert most_restarted([]) == (None, "")
