"""Facts: each is taken in its own phase and attempt, and changes nothing anywhere else."""

from collections.abc import Callable
from functools import partial

import pytest

from llmdbenchd.core.run import facts
from llmdbenchd.core.run.phase import FINAL, Phase
from llmdbenchd.core.run.record import Failure, Record
from tests.core.run.cases import HOME, NOW, TARGET, record

Fact = Callable[[Record], Record]
OPEN = frozenset(Phase) - FINAL
TAKEN_IN: dict[str, tuple[Fact, frozenset[Phase]]] = {
    "resolved": (partial(facts.resolved, target=TARGET), frozenset({Phase.RESOLVING})),
    "refused": (
        partial(facts.refused, detail="no such harness"),
        frozenset({Phase.RESOLVING, Phase.LAUNCHING}),
    ),
    "collected": (
        partial(facts.collected, attempt=1, what=HOME),
        frozenset({Phase.COLLECTING}),
    ),
    "sealed": (facts.sealed, frozenset({Phase.REPORTING})),
    "delayed": (
        partial(facts.delayed, phase=Phase.REPORTING, error="disk full", now=NOW),
        frozenset({Phase.REPORTING}),
    ),
    "cancel asked": (facts.cancel_asked, OPEN | {Phase.LEFT}),
    "job ended": (partial(facts.job_ended, detail="r002 failed"), OPEN),
    "collect asked": (facts.collect_asked, frozenset({Phase.LEFT})),
}
AGAIN_IS_NEWS = frozenset({"delayed", "cancel asked"})


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("name", TAKEN_IN)
def test_a_fact_is_taken_in_its_phases_and_nowhere_else(name: str, phase: Phase) -> None:
    fact, phases = TAKEN_IN[name]
    before = record(phase)

    assert (fact(before) != before) is (phase in phases)


@pytest.mark.parametrize("name", sorted(TAKEN_IN.keys() - AGAIN_IS_NEWS))
def test_a_fact_that_is_told_twice_says_nothing_new(name: str) -> None:
    fact, phases = TAKEN_IN[name]
    for phase in phases:
        once = fact(record(phase))
        assert fact(once) == once


@pytest.mark.parametrize("name", TAKEN_IN)
def test_no_fact_moves_a_run_by_itself(name: str) -> None:
    fact, _ = TAKEN_IN[name]
    for phase in Phase:
        assert fact(record(phase)).phase is phase


def test_what_is_learnt_is_on_the_record() -> None:
    assert facts.resolved(record(Phase.RESOLVING), TARGET).target == TARGET
    assert facts.collected(record(Phase.COLLECTING), 1, HOME).collected == HOME
    assert facts.sealed(record(Phase.REPORTING)).sealed
    assert facts.collect_asked(record(Phase.LEFT)).collect_asked


def test_the_first_failure_is_the_one_that_is_told() -> None:
    first = facts.refused(record(Phase.LAUNCHING), "no such harness")

    assert first.failure == Failure("refused", "no such harness")
    assert facts.refused(first, "something else") == first


def test_each_try_that_fails_waits_longer_than_the_one_before() -> None:
    one, waits = record(Phase.COLLECTING), []
    for _ in range(9):
        one = facts.delayed(one, Phase.COLLECTING, "a.json differs", NOW)
        assert one.wait_until is not None
        waits.append(NOW.until(one.wait_until))

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert (one.tries, one.last_error) == (9, "a.json differs")


def test_logs_are_done_one_by_one_and_once() -> None:
    one = facts.log_done(record(Phase.RUNNING, seen=(1, 2, 3)), 1, 3)
    one = facts.log_done(one, 1, 1)

    assert one.logs_done == (1, 3)
    assert facts.log_done(one, 1, 3) == one
    assert facts.log_done(one, 2, 2) == one


def test_a_second_request_to_cancel_counts_and_the_same_one_told_again_does_not() -> None:
    once = facts.cancel_asked(record(Phase.RUNNING), "cancel-1")

    assert once.cancels == 1
    assert facts.cancel_asked(once, "cancel-1") == once
    assert facts.cancel_asked(once, "cancel-2").cancels == 2


def test_requests_without_a_name_all_count() -> None:
    assert facts.cancel_asked(facts.cancel_asked(record())).cancels == 2


def test_the_end_of_the_job_cancels_its_other_runs_and_says_why() -> None:
    ended = facts.job_ended(record(Phase.RUNNING), "r002 failed")

    assert ended.failure == Failure("job ended", "r002 failed")
    assert ended.cancels == 1


@pytest.mark.parametrize(
    "on_its_way_out",
    [record(Phase.RUNNING, cancels=1), record(Phase.RUNNING, failure=Failure("launcher", "x"))],
    ids=["cancelled", "failed"],
)
def test_the_end_of_the_job_changes_nothing_for_a_run_that_ends_already(
    on_its_way_out: Record,
) -> None:
    assert facts.job_ended(on_its_way_out, "r002 failed") == on_its_way_out


def test_a_target_that_is_not_ready_is_of_no_interest_to_a_run_that_has_one() -> None:
    known = record(Phase.READY)

    assert facts.not_yet(known, "503", 60, NOW) is known


def test_what_became_of_the_servers_logs_is_told_once_for_each_attempt() -> None:
    running = record(Phase.RUNNING)

    told = facts.servers_followed(running, 1, "a gap")

    assert told.servers == "a gap"
    assert facts.servers_followed(told, 1, "") == told
    assert facts.servers_followed(running, 2, "") == running


def waited(*restarts: int | None) -> Record:
    """A run whose target was asked so often, and had been restarted so often each time."""
    one = record(Phase.RESOLVING)
    for count in restarts:
        one = facts.not_yet(one, "503; vllm-0 was restarted", 900, NOW, count)
    return one


def test_a_server_that_is_restarted_again_and_again_ends_the_wait_early() -> None:
    """#285: restart counts rose for as long as somebody was willing to wait."""
    assert waited(0, 1).failure is None, "once may be an accident"
    assert waited(0, 1, 2).failure == Failure(
        "target",
        "a server was restarted 2 times while it was waited for: 503; vllm-0 was restarted",
    )


def test_only_restarts_during_the_wait_count() -> None:
    assert waited(7, 7, 8, None).failure is None
    assert waited(None, 7, 7).failure is None, "what was unknown is not zero"
    assert waited(7, 0, 1).failure is None, "another pod has the place of the first"
    assert waited(7, 9).failure is not None
