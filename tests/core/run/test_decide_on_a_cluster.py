"""Decisions about pods, told as stories: what cannot start, what waits, what is gone."""

from dataclasses import replace

from llmdbenchd.core.run import facts
from llmdbenchd.core.run.actions import CreateLauncher, StopLauncher
from llmdbenchd.core.run.limits import Limits
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import End, Failure, Waiting
from llmdbenchd.core.run.sight import Absent, Cause, Ended, Pending, Running, Unknown
from llmdbenchd.core.run.wanted import Activity, wanted
from tests.core.run.cases import AHEAD, GOOD, NOW, record
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


def test_launchers_that_never_began_have_nothing_to_collect_and_leave_nothing_behind() -> None:
    """A missing volume: the run ended an hour after its time-out, and its ConfigMap was kept."""
    waits = Pending("FailedMount: secret not found", waits="bind")
    launching = record(Phase.LAUNCHING, deadline=AHEAD, seen=(1, 2), waiting=Waiting("bind", NOW))

    stopping = ask(launching, waits, waits)
    gone = ask(stopping.record, Absent(), Absent())

    assert stopping.actions == (StopLauncher(1), StopLauncher(2))
    assert wanted(gone.record, NOW) == {Activity("j/r001", "follow", 1, index) for index in (1, 2)}
    for index in (1, 2):  # neither has a log, and that is soon known
        gone = ask(facts.log_done(gone.record, 1, index), Absent(), Absent())
    assert gone.record.phase is Phase.REPORTING
    assert gone.record.verdict is not None
    assert gone.record.verdict.kind == "timeout:bind"
    assert ask(facts.sealed(gone.record), Absent(), Absent()).record.left_behind == ""


def test_a_launcher_that_could_not_be_started_has_nothing_to_collect() -> None:
    never = Ended(Cause.NOT_STARTED, detail="its image is broken", began=False)

    ended = ask(record(Phase.RUNNING, deadline=AHEAD, seen=(1, 2)), never, GOOD).record

    assert ended.phase is Phase.COLLECTING
    assert ended.begun == (2,), "the other one has results"


def test_one_that_ran_before_it_was_asked_to_end_has_results_also_when_it_is_gone() -> None:
    launching = record(Phase.LAUNCHING, deadline=AHEAD, failure=Failure("launcher", "x"))

    asked = ask(launching, Running(), Pending("on its node"))
    ended = ask(asked.record, Absent(), Absent()).record

    assert ended.begun == (1,)
    assert Activity("j/r001", "collect", 1) in wanted(ended, NOW)


def test_one_that_vanished_while_nobody_looked_may_have_run() -> None:
    launching = record(Phase.LAUNCHING, deadline=AHEAD, seen=(1, 2))

    assert ask(launching, Absent(), Absent()).record.begun == (1, 2)


def test_results_that_are_gone_are_not_waited_for_and_do_not_keep_the_rest() -> None:
    """A lost pod with its results in it: nothing came for an hour, and nothing could."""
    ends = tuple(End(index, Ended(Cause.LOST)) for index in (1, 2))
    lost = record(
        Phase.COLLECTING,
        deadline=AHEAD,
        seen=(1, 2),
        ends=ends,
        logs_done=(1, 2),
        failure=Failure("launcher", "launcher 1 of 2 lost"),
    )

    told = facts.collected(lost, 1, None, gone="launcher 1 is gone, with its results")
    reporting = ask(told, Absent(), Absent()).record

    assert reporting.phase is Phase.REPORTING
    assert ask(facts.sealed(reporting), Absent(), Absent()).record.left_behind == ""
    without = ask(
        replace(told, failure=None, ends=(End(1, GOOD), End(2, GOOD))), Absent(), Absent()
    )
    assert without.record.verdict is not None
    assert without.record.verdict.kind == "collect"
    assert "is gone, with its results" in without.record.verdict.reason


def test_a_run_that_made_no_launcher_yet_is_cancelled_without_a_look_at_its_place() -> None:
    """A namespace that nobody may look at: the cancel was done an hour later."""
    blind = (Unknown(), Unknown())
    launching = ask(record(Phase.READY), *blind).record

    assert launching.phase is Phase.LAUNCHING
    cancelled = ask(facts.cancel_asked(launching), *blind).record
    assert cancelled.phase is Phase.REPORTING
    over = ask(facts.sealed(cancelled), *blind).record
    assert (over.phase, over.left_behind) == (Phase.CANCELLED, "")

    made = ask(launching, Absent(), Unknown())
    assert made.actions == (CreateLauncher(1),)
    waits = ask(facts.cancel_asked(made.record), *blind).record
    assert waits.phase is Phase.LAUNCHING, "it may be there"


def test_a_record_of_before_may_have_launchers() -> None:
    old = record(Phase.LAUNCHING, deadline=AHEAD, cancels=1)

    assert ask(old, Unknown(), Unknown()).record.phase is Phase.LAUNCHING
