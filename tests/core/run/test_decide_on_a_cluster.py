"""Decisions about pods, told as stories: what cannot start, what waits, what is gone."""

from llmdbenchd.core.run.actions import StopLauncher
from llmdbenchd.core.run.limits import Limits
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Failure, Waiting
from llmdbenchd.core.run.sight import Absent, Cause, Pending, Running, Unknown
from tests.core.run.cases import AHEAD, NOW, record
from tests.core.run.test_decide_stories import ask

LIMITS = Limits(launchers=2, start_s=900, pull_s=100, bind_s=10)


def test_a_launcher_that_cannot_start_ends_the_attempt_in_seconds_and_the_other_is_stopped() -> (
    None
):
    stuck = Pending("ErrImageNeverPull: image is not here", waits="pull", hopeless=True)

    decision = ask(record(Phase.LAUNCHING, deadline=AHEAD), stuck, Running())

    assert decision.record.failure == Failure(
        "launcher",
        "launcher 1 of 2 cannot start: ErrImageNeverPull: image is not here",
    )
    assert decision.actions == (StopLauncher(1), StopLauncher(2))


def test_a_wait_for_an_image_has_a_time_out_of_its_own() -> None:
    pulling, launching = Pending("Pulling", waits="pull"), record(Phase.LAUNCHING, deadline=AHEAD)
    begun = ask(launching, pulling, Running(), limits=LIMITS).record
    assert begun.waiting == Waiting("pull", NOW.after(100))

    early = ask(begun, pulling, Running(), limits=LIMITS, now=NOW.after(99))
    blind = ask(begun, Unknown(), Running(), limits=LIMITS, now=NOW.after(100))
    late = ask(begun, pulling, Running(), limits=LIMITS, now=NOW.after(100))

    assert early.record == begun, "the patience with the start stands still meanwhile"
    assert early.wake_at == NOW.after(100)
    assert blind.record.failure is None
    assert blind.record.waiting == begun.waiting
    assert late.record.failure is not None
    assert late.record.failure.kind == "timeout:pull"
    assert "launcher 1 Pending (Pulling)" in late.record.failure.detail


def test_a_claim_that_is_bound_ends_the_patience_with_it() -> None:
    waiting = record(Phase.LAUNCHING, deadline=AHEAD, waiting=Waiting("bind", NOW.after(1)))

    decision = ask(waiting, Pending("on its node"), Running(), limits=LIMITS)

    assert decision.record.waiting is None
    assert decision.record.deadline == NOW.after(900), "the start has all of its time"
    assert decision.record.failure is None


def test_a_pod_that_was_stopped_and_is_gone_was_stopped_and_not_lost() -> None:
    late = Failure("timeout:run", "late")
    stopped = record(Phase.RUNNING, seen=(1, 2), stopping=AHEAD, failure=late)

    decision = ask(stopped, Absent(), Absent())

    assert {end.how.cause for end in decision.record.ends} == {Cause.STOPPED}
    assert decision.record.phase is Phase.COLLECTING
