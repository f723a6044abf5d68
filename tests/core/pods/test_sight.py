"""The rules of sight where a recorded pod is one case of many."""

import msgspec
import pytest

from llmdbenchd.core.pods.objects import Condition, ContainerStatus, Pod, Started, Terminated
from llmdbenchd.core.pods.objects import State as ContainerState
from llmdbenchd.core.pods.sight import sight_of
from llmdbenchd.core.run.sight import Cause, Ended, Pending, Running, Sight
from tests.core.pods.recorded import (
    pod,
    terminated,
    with_harness,
    with_metadata,
    with_status,
)


def pending(pod: Pod, *, stopping: bool = False) -> Pending:
    sight = sight_of(pod, stopping=stopping)
    assert isinstance(sight, Pending)
    return sight


def end(pod: Pod, *, stopping: bool = False) -> Ended:
    sight = sight_of(pod, stopping=stopping)
    assert isinstance(sight, Ended)
    return sight


def unscheduled(message: str) -> Pod:
    condition = Condition("PodScheduled", "False", "Unschedulable", message)
    return with_status(pod("created"), conditions=(condition,))


def test_a_pod_of_which_nothing_is_told_is_pending() -> None:
    assert isinstance(sight_of(Pod()), Pending)


# what we asked for


@pytest.mark.parametrize("name", ["exit-3", "signal-9", "deleted-obeys", "deleted-while-running"])
def test_how_a_launcher_ends_that_we_asked_to_end_is_our_doing(name: str) -> None:
    sight = end(pod(name), stopping=True)

    assert sight.cause is Cause.STOPPED
    assert sight.code == end(pod(name)).code
    assert "somebody" not in sight.detail


def test_a_launcher_that_we_asked_to_end_and_that_says_well_done_was_stopped_all_the_same() -> None:
    assert end(pod("deleted-exits-0"), stopping=True) == Ended(Cause.STOPPED, code=0)


def test_a_launcher_that_we_asked_to_end_before_it_ran_was_stopped() -> None:
    sight = end(pod("deleted-while-pulling"), stopping=True)

    assert sight.cause is Cause.STOPPED
    assert sight.detail == "we asked it to end; it never ran"


@pytest.mark.parametrize("name", ["oom", "evicted-disk", "deadline", "node-crash", "preempted"])
def test_what_the_cluster_did_to_a_launcher_stays_so_although_we_asked_it_to_end(name: str) -> None:
    assert end(pod(name), stopping=True).cause is end(pod(name)).cause


def test_a_pod_that_we_delete_before_it_runs_is_not_hopeless() -> None:
    sight = pending(pod("deleted-still-pulling"), stopping=True)

    assert not sight.hopeless
    assert sight.reason.startswith("asked to end; ImagePullBackOff")


# what may have ended it from outside


def test_a_deletion_explains_only_an_end_that_looks_like_one_from_outside() -> None:
    deleted = with_metadata(pod("exit-3"), deletion_timestamp="2026-11-24T12:18:09Z")

    assert end(deleted) == end(pod("exit-3"))


def test_an_eviction_explains_only_an_end_that_looks_like_one_from_outside() -> None:
    """With `keep` in the pod, the harness may have failed by itself an hour before."""
    failed = with_status(pod("keep-harness-failed"), phase="Failed", reason="Evicted")

    assert end(failed) == end(pod("keep-harness-failed"))


def test_what_ran_out_of_memory_did_so_whatever_becomes_of_its_pod() -> None:
    deleted = with_metadata(pod("oom"), deletion_timestamp="2026-11-24T12:18:30Z")

    assert end(with_status(deleted, reason="Evicted")) == end(pod("oom"))


def test_a_disruption_that_is_called_off_explains_nothing() -> None:
    called_off = Condition("DisruptionTarget", "False", "PreemptionByScheduler", "preempting")
    killed = with_status(pod("signal-9"), conditions=(called_off,))

    assert end(killed).cause is Cause.KILLED


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("Terminated", Cause.EVICTED),
        ("NodeShutdown", Cause.EVICTED),
        ("Preempting", Cause.EVICTED),
        ("UnexpectedAdmissionError", Cause.EVICTED),  # refused by its node after a restart
        ("DeadlineExceeded", Cause.DEADLINE),
        ("NodeLost", Cause.LOST),
    ],
)
def test_the_pod_s_reason_is_the_cause_of_a_kill(reason: str, cause: Cause) -> None:
    sight = end(with_status(terminated(137), reason=reason, message="it had to be"))

    assert sight.cause is cause
    assert sight.detail.startswith(f"{reason}: it had to be")


@pytest.mark.parametrize(
    "reason", ["UnexpectedAdmissionError", "OutOfpods", "OutOfnvidia.com/gpu", "NodeAffinity"]
)
def test_a_pod_that_its_node_did_not_admit_was_not_started(reason: str) -> None:
    status = {"phase": "Failed", "reason": reason, "message": "Pod was rejected"}
    sight = end(with_status(pod("on-its-node"), **status))

    told = f"{reason}: Pod was rejected; it never ran"
    assert sight == Ended(Cause.NOT_STARTED, detail=told, began=False)


def test_a_pod_that_is_over_and_says_nothing_else_was_not_started() -> None:
    sight = end(with_status(pod("on-its-node"), phase="Failed"))

    assert sight == Ended(Cause.NOT_STARTED, detail="it never ran", began=False)


def test_a_pod_that_is_over_while_its_harness_seems_to_run_is_lost() -> None:
    sight = end(with_status(pod("running"), phase="Failed"))

    assert sight == Ended(Cause.LOST, detail="nobody noted how it ended")


def test_an_evicted_pod_whose_containers_nobody_looked_at_was_evicted() -> None:
    sight = end(with_status(pod("running"), phase="Failed", reason="Evicted", message="disk"))

    assert sight.cause is Cause.EVICTED
    assert sight.code is None


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("The container could not be located.  The container used to be Running", Cause.LOST),
        ("The container could not be located when the pod was terminated", Cause.NOT_STARTED),
    ],
)
def test_an_exit_code_that_the_kubelet_made_up_is_not_told(message: str, cause: Cause) -> None:
    made_up = terminated(137, "ContainerStatusUnknown", message)
    harness = msgspec.structs.replace(made_up.status.container_statuses[0], container_id="")
    sight = end(with_status(made_up, container_statuses=(harness,)))

    assert (sight.cause, sight.code, sight.signal) == (cause, None, None)


def test_a_container_that_its_runtime_knew_has_run_although_the_kubelet_lost_it() -> None:
    assert end(terminated(137, "ContainerStatusUnknown")).cause is Cause.LOST


def test_a_signal_that_the_runtime_names_is_told() -> None:
    sight = end(terminated(0, "Error", signal=15))

    assert (sight.cause, sight.code, sight.signal) == (Cause.KILLED, 0, 15)
    assert not sight.ok


def test_a_program_that_cannot_be_started_may_leave_no_words() -> None:
    sight = end(terminated(128, "ContainerCannotRun"))

    assert sight.detail == "its program could not be started (ContainerCannotRun)"


# init containers


def test_an_init_container_that_the_kubelet_lost_did_not_fail() -> None:
    init = ContainerStatus(
        name="prepare",
        state=ContainerState(terminated=Terminated(137, reason="ContainerStatusUnknown")),
    )
    deleted = with_metadata(pod("init-failed"), deletion_timestamp="2026-11-24T12:18:09Z")
    sight = end(with_status(deleted, init_container_statuses=(init,)))

    assert sight.detail == "its pod was deleted by somebody; it never ran"


def test_a_sidecar_that_was_ended_last_did_not_end_the_pod() -> None:
    crashed = with_status(pod("sidecar-crashes"), phase="Failed", reason="Evicted")

    assert end(crashed).cause is Cause.EVICTED
    assert "mesh" not in end(crashed).detail


def test_an_init_container_that_is_done_holds_up_nobody() -> None:
    done = ContainerState(terminated=Terminated(0, reason="Completed"))
    init = ContainerStatus(name="prepare", state=done)
    sight = pending(with_status(pod("init-running"), init_container_statuses=(init,)))

    assert sight == Pending("PodInitializing", "pull")


# the scheduler, and nodes


@pytest.mark.parametrize(
    ("message", "waits"),
    [
        ("1 node(s) had volume node affinity conflict.", "bind"),
        ("1 Insufficient cpu, 2 node(s) had volume node affinity conflict.", ""),
        ("1 Too many pods, 1 node(s) didn't find available persistent volumes to bind.", ""),
        ("2 node(s) had untolerated taint {gpu: true}.", ""),
        ("", ""),
    ],
)
def test_who_may_get_room_on_the_volume_s_node_does_not_wait_for_the_volume(
    message: str, waits: str
) -> None:
    assert pending(unscheduled(message)).waits == waits


def test_a_scheduler_that_says_no_reason_is_quoted_as_it_is() -> None:
    assert pending(unscheduled("")).reason == "Unschedulable"


def test_a_node_that_nobody_hears_from_says_nothing_of_what_runs_on_it() -> None:
    lost = {"phase": "Unknown", "reason": "NodeLost", "message": "Node unresponsive"}

    assert sight_of(with_status(pod("running"), **lost)) == Running()
    assert pending(with_status(pod("creating"), **lost)).reason == "NodeLost: Node unresponsive"


def test_a_container_that_has_no_state_yet_is_on_its_node() -> None:
    sight: Sight = sight_of(with_harness(pod("on-its-node"), ContainerState()))

    assert sight == Pending("on its node")


def test_a_harness_that_is_restarted_runs() -> None:
    again = with_harness(pod("running"), ContainerState(running=Started()), restart_count=3)

    assert sight_of(again) == Running()
