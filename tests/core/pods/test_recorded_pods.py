"""What real pods in real trouble mean for the launcher in them."""

import re
from datetime import datetime, timedelta

import msgspec
import pytest

from llmdbenchd.core.pods.objects import Pod
from llmdbenchd.core.pods.sight import sight_of
from llmdbenchd.core.run.sight import Cause, Ended, Pending, Running
from tests.core.pods.recorded import NAMES, pod

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
RUNNING = (
    "deleted-by-force",  # as the event says that it is gone: nobody saw it end
    "deleted-still-running",
    "keep-cannot-start",
    "keep-image-missing",
    "node-lost-deleted",
    "node-not-ready",
    "running",
    "sidecar-harness-runs",
)
WELL = (
    "deleted-exits-0",
    "keep-harness-done",
    "node-crash-finished",
    "oom-of-a-child-exit-0",
    "sidecar-harness-done",
    "succeeded",
)

# sample: waits, hopeless, words of the reason
PENDING = {
    "created": ("", False, "scheduler"),
    "on-its-node": ("", False, "on its node"),
    "creating": ("pull", False, "ContainerCreating"),
    "unschedulable-cpu": ("", False, "Unschedulable: 0/1 nodes are available: 1 Insufficient cpu."),
    "unschedulable-selector": ("", False, "didn't match Pod's node affinity/selector."),
    "scheduling-gated": ("", False, "SchedulingGated"),
    "claim-missing": ("bind", False, 'persistentvolumeclaim "no-such-claim" not found'),
    "claim-unbound": ("bind", False, "unbound immediate PersistentVolumeClaims"),
    "claim-first-consumer": ("bind", False, "didn't find available persistent volumes"),
    "claim-elsewhere": ("bind", False, "PersistentVolume's node affinity"),
    "claim-path-gone": ("pull", False, "ContainerCreating"),  # only its events say more
    "secret-volume-missing": ("pull", False, "ContainerCreating"),
    "image-slow": ("pull", False, "ContainerCreating"),
    "image-never-pull": ("", True, "ErrImageNeverPull"),
    "image-invalid-name": ("", True, "must be lowercase"),
    "image-not-found": ("pull", True, "missing:1: not found"),
    "image-not-found-back-off": ("pull", True, "ImagePullBackOff"),
    "image-private": ("pull", True, "401 Unauthorized"),
    "image-forbidden": ("pull", True, "403 Forbidden"),
    "image-rate-limit": ("pull", False, "429 Too Many Requests"),
    "image-server-error": ("pull", False, "500 Internal Server Error"),
    "image-refused": ("pull", False, "connection refused"),  # its name is `denied`
    "image-refused-back-off": ("pull", False, "connection refused"),
    "image-no-dns": ("pull", False, "lookup registry.invalid"),
    "secret-key-missing": ("", True, 'secret "nope" not found'),
    "config-key-missing": ("", True, "couldn't find key nokey"),
    "runs-as-root": ("", True, "runAsNonRoot"),
    "no-command": ("", True, "no command specified"),
    "init-waiting": ("pull", False, "init container prepare waits: PodInitializing"),
    "init-running": ("", False, "init container prepare runs"),
    "init-failed-at-first": ("", False, "init container prepare ended with exit code 4"),
    "init-image-not-found": ("pull", True, "init container prepare waits: ErrImagePull"),
    "sidecar-before-harness": ("pull", False, "PodInitializing"),
    "sidecar-harness-image-missing": ("pull", True, "missing:3: not found"),
    "sidecar-crashes": ("", False, "mesh ended with exit code 5, restarted 2 times"),
    "deleted-still-pulling": ("pull", True, "deleted by somebody; ImagePullBackOff"),
    "deleted-unschedulable": ("", True, "deleted by somebody; Unschedulable"),
}

# sample: cause, code, signal, words of the detail
ENDED: dict[str, tuple[Cause, int | None, int | None, str]] = {
    "exit-3-at-first": (Cause.EXITED, 3, None, "exit code 3"),  # its pod is Pending still
    "exit-3": (Cause.EXITED, 3, None, "exit code 3; it says: one | two: no such model"),
    "exit-1-silent": (Cause.EXITED, 1, None, "exit code 1"),
    "exit-1-traceback": (Cause.EXITED, 1, None, "line 3, in <module> | KeyError: 'model'"),
    "exit-1-then-tainted": (Cause.EXITED, 1, None, "exit code 1"),
    "exit-255": (Cause.EXITED, 255, None, "exit code 255"),
    "long-line": (Cause.EXITED, 2, None, "it says: ... xxx"),
    "keep-harness-failed": (Cause.EXITED, 7, None, "exit code 7; it says: bad"),
    "segfault": (Cause.KILLED, 139, 11, "exit code 139 (as by signal 11); it says: Segmentation"),
    "signal-9": (Cause.KILLED, 137, 9, "exit code 137 (as by signal 9, often memory)"),
    "signal-9-then-tainted": (Cause.KILLED, 137, 9, "often memory"),
    "deleted-while-running": (Cause.KILLED, 137, 9, "its pod was deleted by somebody; exit code"),
    "deleted-obeys": (Cause.KILLED, 143, 15, "its pod was deleted by somebody; exit code 143"),
    "deleted-while-pulling": (Cause.NOT_STARTED, None, None, "deleted by somebody; it never ran"),
    "deleted-while-mounting": (Cause.NOT_STARTED, None, None, "deleted by somebody; it never ran"),
    "oom": (Cause.OOM, 137, 9, "killed for want of memory (exit code 137)"),
    "oom-of-a-child-exit-3": (Cause.OOM, 3, None, "a process in it was killed for want of memory"),
    "command-not-found": (Cause.NOT_STARTED, None, None, "/no/such/program: no such file"),
    "mount-on-a-file": (Cause.NOT_STARTED, None, None, "(StartError): failed to create"),
    "init-failed": (Cause.NOT_STARTED, None, None, "init container prepare: exit code 4; it says:"),
    "init-oom": (
        Cause.NOT_STARTED,
        None,
        None,
        "init container prepare: killed for want of memory",
    ),
    "init-start-error": (
        Cause.NOT_STARTED,
        None,
        None,
        "init container prepare: its program could",
    ),
    "out-of-cpu": (Cause.NOT_STARTED, None, None, "OutOfcpu: Pod was rejected"),
    "node-affinity": (Cause.NOT_STARTED, None, None, "NodeAffinity: Pod was rejected"),
    "deadline": (Cause.DEADLINE, 137, 9, "DeadlineExceeded: Pod was active"),
    "deadline-pending-at-first": (Cause.DEADLINE, None, None, "it never ran"),
    "deadline-pending": (Cause.DEADLINE, None, None, "it never ran"),
    "evicted-disk": (Cause.EVICTED, 137, 9, "Evicted: Usage of EmptyDir volume"),
    "evicted-by-api": (Cause.EVICTED, 137, 9, "EvictionByEvictionAPI: Eviction API: evicting"),
    "preempted": (Cause.EVICTED, 143, 15, "PreemptionByScheduler"),
    "tainted": (Cause.EVICTED, 137, 9, "DeletionByTaintManager"),
    "node-removed": (Cause.LOST, None, None, "node no longer exists; nobody noted how it ended"),
    "node-removed-pulling": (Cause.LOST, None, None, "node no longer exists; it never ran"),
    "node-crash": (Cause.LOST, None, None, "its node lost track of it, often by a restart"),
    "node-crash-init": (Cause.LOST, None, None, "init container prepare: its node lost track"),
}


def test_every_recorded_pod_is_expected_to_mean_something() -> None:
    assert {*RUNNING, *WELL, *PENDING, *ENDED} == NAMES


@pytest.mark.parametrize("name", RUNNING)
def test_it_runs_until_its_own_end_is_told(name: str) -> None:
    assert sight_of(pod(name)) == Running()


@pytest.mark.parametrize("name", WELL)
def test_it_ended_well_whatever_else_goes_on_in_its_pod(name: str) -> None:
    sight = sight_of(pod(name))

    assert isinstance(sight, Ended)
    assert sight.ok


@pytest.mark.parametrize("name", PENDING)
def test_it_waits_and_says_for_what(name: str) -> None:
    waits, hopeless, words = PENDING[name]
    sight = sight_of(pod(name))

    assert isinstance(sight, Pending)
    assert words in sight.reason
    assert (sight.waits, sight.hopeless) == (waits, hopeless)


@pytest.mark.parametrize("name", ENDED)
def test_it_ended_and_says_why(name: str) -> None:
    cause, code, signal, words = ENDED[name]
    sight = sight_of(pod(name))

    assert isinstance(sight, Ended)
    assert words in sight.detail
    assert (sight.cause, sight.code, sight.signal) == (cause, code, signal)
    assert not sight.ok


def test_what_came_after_an_end_does_not_explain_it() -> None:
    for name in ("exit-1-then-tainted", "signal-9-then-tainted"):
        sight = sight_of(pod(name))

        assert isinstance(sight, Ended)
        assert "Taint" not in sight.detail
        assert "deleted" not in sight.detail


def test_what_the_scheduler_thinks_of_preemption_is_left_out() -> None:
    for name in ("unschedulable-cpu", "claim-elsewhere"):
        sight = sight_of(pod(name))

        assert isinstance(sight, Pending)
        assert "preemption" not in sight.reason
        assert "claims to deallocate" not in sight.reason


def test_who_knows_why_it_was_killed_does_not_guess() -> None:
    for name in ("evicted-disk", "deadline", "deleted-while-running"):
        sight = sight_of(pod(name))

        assert isinstance(sight, Ended)
        assert sight.signal == 9  # which else is often for want of memory
        assert "often memory" not in sight.detail


@pytest.mark.parametrize("hours", [-1, 1])
@pytest.mark.parametrize("stopping", [False, True])
@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_cluster_whose_clock_is_an_hour_off_says_the_same(
    name: str, hours: int, *, stopping: bool
) -> None:
    """Its times are compared with each other only, and never with ours."""

    def moved(moment: re.Match[str]) -> str:
        at = datetime.fromisoformat(moment[0]) + timedelta(hours=hours)
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")

    text = re.sub(STAMP, moved, msgspec.json.encode(pod(name)).decode())
    skewed = msgspec.json.decode(text, type=Pod)

    assert sight_of(skewed, stopping=stopping) == sight_of(pod(name), stopping=stopping)
