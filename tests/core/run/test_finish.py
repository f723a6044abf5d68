"""The last phases as stories: cancelled before it began, waiting for the archive, tidying up."""

from dataclasses import replace

import pytest

from llmdbenchd.core.results.verdict import Outcome
from llmdbenchd.core.run import facts
from llmdbenchd.core.run.actions import RemoveLauncher
from llmdbenchd.core.run.decide import Look, settle
from llmdbenchd.core.run.decision import Decision
from llmdbenchd.core.run.finish import REMOVE_AGAIN_S
from llmdbenchd.core.run.limits import Limits
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Failure, Record, Step
from llmdbenchd.core.run.sight import Absent, Sight, Unknown
from tests.core.run.cases import AHEAD, GOOD, HOME, NOW, PAST, record

ONE = Limits()


def ask(one: Record, sight: Sight = Absent(), limits: Limits = ONE) -> Decision:  # noqa: B008 - a frozen value
    return settle(one, Look((sight,), NOW, limits))


@pytest.mark.parametrize("phase", [Phase.QUEUED, Phase.RESOLVING, Phase.READY])
def test_a_run_that_is_cancelled_before_it_began_is_archived_all_the_same(phase: Phase) -> None:
    cancelled = ask(facts.cancel_asked(record(phase))).record

    assert cancelled.phase is Phase.REPORTING
    assert cancelled.verdict is not None
    assert cancelled.verdict.outcome is Outcome.CANCELLED
    assert ask(facts.sealed(cancelled)).record.phase is Phase.CANCELLED


def test_there_is_no_giving_up_on_the_archive() -> None:
    tried = facts.delayed(record(Phase.REPORTING), Phase.REPORTING, "disk full", NOW)

    decision = ask(tried, GOOD)

    assert decision == Decision(tried, wake_at=tried.wait_until)


def test_launchers_are_removed_again_and_again_until_they_are_gone() -> None:
    cleaning = record(Phase.CLEANING, seen=(1,), collected=HOME, deadline=AHEAD)

    assert ask(cleaning, GOOD) == Decision(
        cleaning, (RemoveLauncher(1),), NOW.after(REMOVE_AGAIN_S)
    )
    assert ask(cleaning, Unknown()).actions == ()
    assert ask(cleaning, Absent()).record.phase is Phase.SUCCEEDED


def test_what_cannot_be_removed_in_time_is_noted_as_left_behind() -> None:
    late = record(Phase.CLEANING, seen=(1,), collected=HOME, deadline=PAST)

    left = ask(late, GOOD).record

    assert left.phase is Phase.SUCCEEDED
    assert left.left_behind == "launchers could not be removed in time"


def test_why_a_job_was_ended_is_told_with_the_run_that_it_cancelled() -> None:
    ended = facts.job_ended(record(Phase.READY), "run r002 failed")

    verdict = ask(ended).record.verdict

    assert verdict is not None
    assert (verdict.outcome, verdict.kind, verdict.reason) == (
        Outcome.CANCELLED,
        "job ended",
        "run r002 failed",
    )


def test_a_log_that_never_comes_home_is_given_up_with_its_name() -> None:
    stuck = record(Phase.COLLECTING, seen=(1,), collected=HOME, deadline=PAST)

    verdict = ask(stuck, GOOD).record.verdict

    assert verdict is not None
    assert "a log is not complete" in verdict.reason


def test_cleaning_without_a_verdict_is_a_fault_of_ours_and_says_whose_run() -> None:
    with pytest.raises(AssertionError, match="j/r001"):
        ask(record(Phase.CLEANING, verdict=None))


BESIDE = Limits(follow_servers=True, attempts=2)
FETCHED = record(
    Phase.COLLECTING,
    seen=(1,),
    logs_done=(1,),
    collected=HOME,
    deadline=AHEAD,
    history=(Step(NOW.utc, Phase.LAUNCHING, 1),),
)


def test_what_servers_wrote_until_the_end_is_waited_for() -> None:
    assert ask(FETCHED, GOOD).record.phase is Phase.REPORTING

    waiting = ask(FETCHED, GOOD, BESIDE)

    assert (waiting.record, waiting.wake_at) == (FETCHED, AHEAD)
    told = facts.servers_followed(FETCHED, 1, "")
    assert ask(told, GOOD, BESIDE).record.phase is Phase.REPORTING


@pytest.mark.parametrize("lacking", ["no pods are known behind it", None])
def test_servers_logs_that_cannot_be_had_decide_nothing(lacking: str | None) -> None:
    late = replace(FETCHED, servers=lacking, deadline=PAST)

    judged = ask(late, GOOD, BESIDE).record

    assert judged.verdict is not None
    assert (judged.verdict.outcome, judged.uncollected) == (Outcome.SUCCEEDED, "")


def test_each_attempt_has_servers_logs_of_its_own() -> None:
    failed = replace(FETCHED, failure=Failure("launcher", "x"))
    assert ask(failed, Absent(), BESIDE).record == failed

    again = ask(replace(failed, servers="a gap"), Absent(), BESIDE).record

    assert (again.attempt, again.servers, again.launched) == (2, None, None)


def test_nobody_waits_for_servers_of_a_run_that_was_never_launched() -> None:
    cancelled = facts.cancel_asked(record(Phase.QUEUED))

    assert ask(cancelled, Absent(), BESIDE).record.phase is Phase.REPORTING
