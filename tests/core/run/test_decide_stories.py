"""Decisions told as stories: one rule each, with its plain example."""

from dataclasses import replace

from llmdbenchd.core.results.verdict import Outcome
from llmdbenchd.core.run import facts
from llmdbenchd.core.run.actions import CreateLauncher, RemoveLauncher, StopLauncher
from llmdbenchd.core.run.decide import STALE_S, Look, settle
from llmdbenchd.core.run.decision import Decision
from llmdbenchd.core.run.limits import Limits
from llmdbenchd.core.run.moment import Moment
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Failure, Record
from llmdbenchd.core.run.sight import Absent, Cause, Ended, Running, Sight, Unknown
from tests.core.run.cases import AHEAD, BAD, GOOD, HOME, NOW, PAST, TARGET, record

TWO = Limits(launchers=2)


def ask(
    one: Record, *sights: Sight, limits: Limits = TWO, now: Moment = NOW, turn: bool = True
) -> Decision:
    return settle(one, Look(sights, now, limits, turn=turn))


def test_a_queued_run_is_resolved_when_it_is_its_turn() -> None:
    assert ask(record(), Absent(), Absent()).record.phase is Phase.RESOLVING
    assert ask(record(), Absent(), Absent(), turn=False).record.phase is Phase.QUEUED


def test_not_before_holds_a_run_back_even_on_its_turn() -> None:
    decision = ask(record(wait_until=AHEAD), Absent(), Absent())

    assert decision.record.phase is Phase.QUEUED
    assert decision.wake_at == AHEAD


def test_both_launchers_are_made_in_one_decision() -> None:
    decision = ask(record(Phase.READY), Absent(), Absent())

    assert decision.record.phase is Phase.LAUNCHING
    assert decision.actions == (CreateLauncher(1), CreateLauncher(2))


def test_a_lost_reply_makes_only_the_missing_launcher_again() -> None:
    launching = record(Phase.LAUNCHING, deadline=AHEAD)

    assert ask(launching, Running(), Absent()).actions == (CreateLauncher(2),)
    assert ask(launching, Running(), Unknown()).actions == ()


def test_one_bad_launcher_of_two_ends_the_other_and_is_named() -> None:
    decision = ask(record(Phase.RUNNING, seen=(1, 2)), BAD, Running())

    assert decision.actions == (StopLauncher(2),)
    assert decision.record.failure is not None
    assert "launcher 1 of 2 exited: exit code 3" in decision.record.failure.detail


def test_keep_going_lets_the_other_launcher_finish_and_fails_all_the_same() -> None:
    limits = Limits(launchers=2, keep_going=True)
    running = ask(record(Phase.RUNNING, seen=(1, 2)), BAD, Running(), limits=limits)
    assert running.actions == ()

    ended = ask(running.record, BAD, GOOD, limits=limits).record
    home = facts.log_done(facts.log_done(ended, 1, 1), 1, 2)
    judged = ask(facts.collected(home, 1, HOME), BAD, GOOD, limits=limits).record

    assert judged.verdict is not None
    assert judged.verdict.outcome is Outcome.FAILED


def test_a_launcher_that_vanished_is_a_fact_with_a_name() -> None:
    decision = ask(record(Phase.RUNNING, seen=(1, 2)), Absent(), Running())

    assert decision.record.failure is not None
    assert "vanished" in decision.record.failure.detail


def test_a_run_that_ended_in_time_is_not_late_because_we_looked_late() -> None:
    late = record(Phase.RUNNING, seen=(1, 2), deadline=PAST)

    assert ask(late, GOOD, GOOD).record.failure is None
    assert ask(late, GOOD, GOOD).record.phase is Phase.COLLECTING


def test_a_deadline_that_passes_while_we_are_blind_is_not_held_against_the_run() -> None:
    late = record(Phase.RUNNING, seen=(1, 2), deadline=PAST)

    assert ask(late, Unknown(), Running()).record == late


def test_a_timeout_has_a_name_and_says_what_was_last_seen() -> None:
    decision = ask(record(Phase.RUNNING, seen=(1, 2), deadline=PAST), GOOD, Running())

    assert decision.record.failure is not None
    assert decision.record.failure.kind == "timeout:run"
    assert "launcher 2 Running" in decision.record.failure.detail


def test_a_stop_is_repeated_only_after_its_patience() -> None:
    first = ask(record(Phase.RUNNING, seen=(1, 2), cancels=1), Running(), Running())
    assert first.actions == (StopLauncher(1), StopLauncher(2))

    assert ask(first.record, Running(), Running()).actions == ()
    later = NOW.after(TWO.stop_s)
    assert ask(first.record, Running(), Running(), now=later).actions == first.actions


def test_wait_timeout_zero_leaves_the_launchers_running() -> None:
    limits = Limits(launchers=2, run_s=0)
    decision = ask(record(Phase.LAUNCHING, deadline=AHEAD), Running(), Running(), limits=limits)

    assert decision.record.phase is Phase.LEFT
    asked = facts.collect_asked(decision.record)
    assert ask(asked, Running(), GOOD, limits=limits).record.phase is Phase.LEFT
    assert ask(asked, GOOD, GOOD, limits=limits).record.phase is Phase.COLLECTING


def test_a_run_that_was_left_running_can_be_cancelled() -> None:
    left = facts.cancel_asked(record(Phase.LEFT, seen=(1, 2)))

    stopping = ask(left, Running(), GOOD)
    assert stopping.actions == (StopLauncher(1),)

    stopped = Ended(Cause.STOPPED, signal=15)
    assert ask(stopping.record, stopped, GOOD).record.phase is Phase.COLLECTING


def test_a_dry_run_is_reported_without_a_launcher() -> None:
    decision = ask(
        record(Phase.RESOLVING, target=TARGET),
        Absent(),
        Absent(),
        limits=Limits(launchers=2, dry_run=True),
    )

    assert decision.record.phase is Phase.REPORTING
    assert decision.record.verdict is not None
    assert decision.record.verdict.kind == "dry run"


def test_a_retry_waits_until_the_old_launchers_are_gone() -> None:
    limits = Limits(launchers=2, attempts=2)
    failed = record(
        Phase.COLLECTING, seen=(1, 2), logs_done=(1, 2), collected=replace(HOME, failures=5)
    )

    removing = ask(failed, GOOD, GOOD, limits=limits)
    assert removing.actions == (RemoveLauncher(1), RemoveLauncher(2))

    again = ask(removing.record, Absent(), Absent(), limits=limits, turn=False).record
    assert (again.phase, again.attempt, again.seen) == (Phase.READY, 2, ())
    assert again.past[0].verdict.kind == "all requests failed"
    assert again.wait_until == NOW.after(limits.retry_delay_s)


def test_a_copy_that_is_never_whole_is_given_up_and_the_launchers_are_kept() -> None:
    stuck = record(Phase.COLLECTING, seen=(1, 2), deadline=PAST, last_error="a.json differs")
    reporting = ask(stuck, GOOD, GOOD).record
    assert reporting.verdict is not None
    assert reporting.verdict.kind == "collect"

    left = ask(facts.sealed(reporting), GOOD, GOOD)

    assert left.actions == ()
    assert left.record.phase is Phase.FAILED
    assert "a.json differs" in left.record.left_behind


def test_a_second_cancel_skips_the_collecting() -> None:
    once = record(Phase.COLLECTING, seen=(1, 2), cancels=1, deadline=AHEAD)
    assert ask(once, GOOD, GOOD).record.phase is Phase.COLLECTING

    twice = facts.cancel_asked(once)
    assert ask(twice, GOOD, GOOD).record.phase is Phase.REPORTING


def test_a_signal_that_we_did_not_send_is_said_as_that() -> None:
    killed = Ended(Cause.KILLED, signal=9, detail="killed by signal 9, which we did not send")
    decision = ask(record(Phase.RUNNING, seen=(1,)), killed, limits=Limits())

    assert decision.record.failure is not None
    assert "killed by signal 9, which we did not send" in decision.record.failure.detail


def test_a_fact_of_an_old_attempt_changes_nothing() -> None:
    second = record(Phase.COLLECTING, attempt=2, seen=(1, 2))

    assert facts.collected(second, 1, HOME) == second
    assert facts.log_done(second, 1, 1) == second


def test_a_run_that_waited_looks_at_its_target_once_more_before_it_launches() -> None:
    """The pods behind a URL may have changed in the queue; a lease on them would be none."""
    found = replace(TARGET, found="Service llm/vllm")
    ready = facts.resolved(record().enter(Phase.RESOLVING, NOW), found).enter(Phase.READY, NOW)
    later = NOW.after(STALE_S + 1)

    assert ask(ready, Absent(), Absent()).record.phase is Phase.LAUNCHING
    assert ask(ready, Absent(), Absent(), now=later, turn=False).record == ready
    again = ask(ready, Absent(), Absent(), now=later).record
    assert (again.phase, again.target) == (Phase.RESOLVING, None)
    known = facts.resolved(again, found).enter(Phase.READY, later)
    assert ask(known, Absent(), Absent(), now=later).record.phase is Phase.LAUNCHING


def test_a_url_that_was_given_is_not_looked_up_again() -> None:
    ready = facts.resolved(record().enter(Phase.RESOLVING, NOW), TARGET).enter(Phase.READY, NOW)

    later = ask(ready, Absent(), Absent(), now=NOW.after(9999))

    assert later.record.phase is Phase.LAUNCHING


def test_a_look_up_that_took_long_is_not_old_when_it_ends() -> None:
    """Else a slow API server would send the run back for ever."""
    found = replace(TARGET, found="Service llm/vllm")
    end = NOW.after(10 * STALE_S)
    ready = facts.resolved(record().enter(Phase.RESOLVING, NOW), found).enter(Phase.READY, end)

    assert ask(ready, Absent(), Absent(), now=end).record.phase is Phase.LAUNCHING


HELD = Limits(launchers=2, attempts=2, held=True)


def test_launchers_that_wait_for_our_word_are_on_the_record_until_they_have_it() -> None:
    ready = facts.resolved(record().enter(Phase.RESOLVING, NOW), TARGET).enter(Phase.READY, NOW)
    launching = ask(ready, Absent(), Absent(), limits=HELD).record
    assert (launching.phase, launching.held) == (Phase.LAUNCHING, True)

    running = ask(launching, Running(), Running(), limits=HELD).record
    assert (running.phase, running.held) == (Phase.RUNNING, True)

    assert facts.released(running, 2).held
    assert not facts.released(running, 1).held


def test_launchers_that_are_left_alone_are_told_to_begin_before() -> None:
    """Nobody would ever tell them, and they would end with a time-out."""
    left_alone = replace(HELD, run_s=0)
    launching = record(Phase.LAUNCHING, seen=(1, 2), ran=(1, 2), held=True, deadline=AHEAD)

    assert ask(launching, Running(), Running(), limits=left_alone).record == launching
    late = replace(launching, deadline=PAST)
    failed = ask(late, Running(), Running(), limits=left_alone).record
    assert failed.failure is not None
    assert failed.failure.kind == "timeout:start"
    told = facts.released(launching, 1)
    assert ask(told, Running(), Running(), limits=left_alone).record.phase is Phase.LEFT


def test_launchers_that_cannot_be_told_are_ended_and_it_is_said_why() -> None:
    running = record(Phase.RUNNING, seen=(1, 2), held=True)

    refused = facts.not_released(running, 1, "no right")

    assert refused.failure == Failure("refused", "no right")
    assert facts.not_released(running, 2, "no right") == running
    assert facts.not_released(replace(running, held=False), 1, "late").failure is None
