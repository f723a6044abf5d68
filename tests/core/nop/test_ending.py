"""When a recording has seen enough, and which pods it is about."""

import pytest

from llmdbenchd.core.nop.behind import Behind, is_over
from llmdbenchd.core.nop.cluster import lives
from llmdbenchd.core.nop.ending import SETTLE_S, Seen, Server, seen
from llmdbenchd.core.nop.life import began_by, has_ended, newest, succeeded, was_over_by
from llmdbenchd.core.pods.objects import Pod
from tests.core.nop.recorded import FAILED, LOOP, TEXTS, ended, pod, recorded, running, status

UP = pod(status(state=running()), ready=True)


def told(*servers: Server, expected: int = 1) -> Seen:
    return seen(servers, expected)


def test_a_server_is_ready_when_its_pod_is_and_its_log_says_so() -> None:
    assert told(Server(UP, recorded(TEXTS))) == Seen(
        is_over=True, is_good=True, reason="ready: vllm-0"
    )


def test_a_ready_pod_waits_a_moment_for_its_log_and_not_for_ever() -> None:
    assert "its log does not say so yet" in told(Server(UP)).reason
    assert "its log does not say so yet" in told(Server(UP, recorded(TEXTS[:5]))).reason
    assert told(Server(UP, ready_for_s=SETTLE_S)).is_good


def test_a_pod_that_is_not_there_yet_is_waited_for() -> None:
    assert told(Server(UP, recorded(TEXTS)), expected=2).reason == "1 of 2 pods are there"
    assert not told().is_over


def test_the_first_end_of_a_container_decides_nothing_and_the_second_does() -> None:
    once = pod(status(state=LOOP, lastState=ended(), restartCount=0))
    twice = pod(status(state=LOOP, lastState=ended(), restartCount=1))

    assert told(Server(once)).reason == "pod vllm-0 is not ready (CrashLoopBackOff)"
    answer = told(Server(twice, recorded(FAILED)))
    assert answer.is_over
    assert answer.reason.startswith(
        "container vllm of pod vllm-0 ended 2 times: Error, exit code 137; its log says: "
    )


def test_the_second_end_decides_before_the_kubelet_calls_it_a_loop() -> None:
    at_once = pod(status(state=ended(1, 20), lastState=ended(), restartCount=1))
    first = pod(status(state=ended(1, 20), restartCount=0))
    long_ago = {"terminated": ended()["terminated"] | {"finishedAt": "2026-03-01T11:00:00Z"}}
    after_an_hour = pod(status(state=ended(1, 20), lastState=long_ago, restartCount=1))
    no_times = {"terminated": {"exitCode": 1}}
    untold = pod(status(state=no_times, lastState=no_times, restartCount=1))

    assert told(Server(at_once)).reason == (
        "container vllm of pod vllm-0 ended 2 times: Error, exit code 1"
    )
    assert not told(Server(pod(status(state=running(20), restartCount=1)))).is_over
    assert not told(Server(first)).is_over
    assert not told(Server(after_an_hour)).is_over
    assert not told(Server(untold)).is_over


def test_a_pod_that_failed_is_never_started_again() -> None:
    one = pod(status(state=ended(0)), phase="Failed", reason="Evicted", message="disk")

    assert told(Server(one)).reason == "pod vllm-0 failed (Evicted: disk)"
    assert told(Server(pod(phase="Failed"))).reason == "pod vllm-0 failed"
    assert is_over(one)
    assert not is_over(UP)


def test_an_image_that_can_never_be_had_is_no_reason_to_wait() -> None:
    one = pod(status(state={"waiting": {"reason": "InvalidImageName"}}))

    assert told(Server(one)).reason == "container vllm of pod vllm-0 cannot start: InvalidImageName"


@pytest.mark.parametrize(
    ("one", "is_ended", "next_one"),
    [
        (pod(), False, None),
        (pod(status(state=running(), restartCount=0)), False, None),
        (pod(status(state=ended(), restartCount=0)), True, None),
        (pod(status(state=LOOP, lastState=ended(), restartCount=0)), True, None),
        (pod(status(state={"waiting": {}}, restartCount=0)), False, None),
        (pod(status(state=running(9), lastState=ended(), restartCount=1)), True, (9, True)),
        (pod(status(state=LOOP, lastState=ended(1, 7), restartCount=1)), True, (7, False)),
        (pod(status(state=running(9), lastState=ended(1, 7), restartCount=2)), True, (7, False)),
        (pod(status(state=running(9), restartCount=2)), True, (9, False)),
        (pod(status(restartCount=1)), True, None),
    ],
)
def test_a_life_ends_and_another_has_its_name(
    one: Pod, *, is_ended: bool, next_one: tuple[int, bool] | None
) -> None:
    assert has_ended(one, "vllm", 0) is is_ended
    found = succeeded(one, "vllm", 0)
    assert found == (next_one and (1772366400 + next_one[0], next_one[1]))


AGAIN = pod(status(state=running(9), lastState=ended(1, 7), restartCount=1))
NOON = 1772366400


@pytest.mark.parametrize(
    ("one", "restart", "at", "begun", "over"),
    [
        (AGAIN, 0, 7, False, False),
        (AGAIN, 0, 8, True, True),
        (AGAIN, 1, 9, False, False),
        (AGAIN, 1, 10, True, False),
        (AGAIN, 2, 10, True, False),
        (pod(status(state={"running": {}}, restartCount=0)), 0, 1, True, False),
    ],
)
def test_a_life_is_placed_in_time_as_far_as_the_status_tells(
    one: Pod, restart: int, at: int, *, begun: bool, over: bool
) -> None:
    assert began_by(one, "vllm", restart, NOON + at) is begun
    assert was_over_by(one, "vllm", restart, NOON + at) is over


def test_while_it_waits_to_be_started_again_its_number_is_the_last_lifes() -> None:
    one = pod(status(state=LOOP, lastState=ended(), restartCount=1))

    assert [life.restart for life in lives(one, "vllm")] == [1]


def test_a_container_has_lives_once_there_was_one() -> None:
    assert newest(pod(), "vllm") is None
    assert newest(pod({"name": "vllm"}), "vllm") is None
    assert newest(pod(status(restartCount=3)), "vllm") == 3


def test_pods_are_known_by_labels_by_name_and_by_what_made_them() -> None:
    another = pod(name="other")
    by_name = Behind(namespace="n", names=("vllm-0",))

    assert Behind(namespace="n").is_nobody
    assert Behind(namespace="n", selectors=({"app": "vllm"},)).holds(another)
    assert not Behind(namespace="n", selectors=({"app": "no"},)).holds(another)
    assert by_name.holds(UP)
    assert not by_name.holds(another)
    assert by_name.known_by([UP, another]).owners == ("set",)
    assert by_name.known_by([UP]).holds(another)


def test_a_list_of_pods_is_narrowed_only_where_all_of_them_have_the_labels() -> None:
    labels = {"app": "vllm", "role": "decode"}

    assert Behind(namespace="n", selectors=(labels,)).query == {
        "labelSelector": "app=vllm,role=decode"
    }
    assert Behind(namespace="n", selectors=(labels, {"a": "b"})).query == {}
    assert Behind(namespace="n", selectors=(labels,), names=("vllm-0",)).query == {}
