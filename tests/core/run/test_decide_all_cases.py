"""Decisions, tried in all small cases: what must hold whatever is known and seen."""

from itertools import product

import pytest

from llmdbenchd.core.run.actions import CreateLauncher, RemoveLauncher, StopLauncher
from llmdbenchd.core.run.decide import Look, decide, settle
from llmdbenchd.core.run.decision import Decision
from llmdbenchd.core.run.limits import Limits
from llmdbenchd.core.run.phase import NEXT, Phase
from llmdbenchd.core.run.record import Record
from llmdbenchd.core.run.sight import Absent, Unknown
from llmdbenchd.core.run.wanted import wanted
from tests.core.run.cases import LIMITS, NOW, looks, records

RECORDS = list(records())
LOOKS = looks()
SOME = LOOKS[::4] + LOOKS[1::17]


@pytest.fixture(scope="module")
def answers() -> list[tuple[Record, Look, Decision]]:
    return [(record, look, decide(record, look)) for record, look in product(RECORDS, SOME)]


Answers = list[tuple[Record, Look, Decision]]


def test_only_listed_transitions_happen(answers: Answers) -> None:
    for record, look, decision in answers:
        after = decision.record.phase
        assert after is record.phase or after in NEXT[record.phase], (record, look)


def test_a_finished_run_is_left_alone(answers: Answers) -> None:
    for record, look, decision in answers:
        if record.phase in {Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED}:
            assert decision == Decision(record), (record, look)


def test_ignorance_never_acts(answers: Answers) -> None:
    for record, look, decision in answers:
        for action in decision.actions:
            assert not isinstance(look.sights[action.index - 1], Unknown), (record, look)


def test_a_launcher_that_exists_or_existed_is_never_made_again(answers: Answers) -> None:
    for record, look, decision in answers:
        for action in decision.actions:
            if isinstance(action, CreateLauncher):
                assert isinstance(look.sights[action.index - 1], Absent)
                assert action.index not in record.seen


def test_nothing_is_removed_before_its_evidence_is_home(answers: Answers) -> None:
    for record, look, decision in answers:
        if any(isinstance(action, RemoveLauncher) for action in decision.actions):
            assert record.collected or record.gone or not record.begun, (record, look)


def test_what_is_removed_was_judged_first(answers: Answers) -> None:
    for record, _, decision in answers:
        if any(isinstance(action, RemoveLauncher) for action in decision.actions):
            assert record.phase in {Phase.COLLECTING, Phase.CLEANING}


def test_a_cancelled_run_makes_no_launcher(answers: Answers) -> None:
    for record, _, decision in answers:
        if record.cancels:
            assert not any(isinstance(action, CreateLauncher) for action in decision.actions)


def test_launchers_are_stopped_only_for_a_reason(answers: Answers) -> None:
    for record, look, decision in answers:
        if any(isinstance(action, StopLauncher) for action in decision.actions):
            assert decision.record.failure or record.cancels, (record, look)


def test_an_alarm_always_rings_in_the_future(answers: Answers) -> None:
    for record, look, decision in answers:
        if decision.wake_at is not None:
            assert NOW.until(decision.wake_at) > 0, (record, look)


def test_an_open_run_always_waits_for_something() -> None:
    for record, look in product(RECORDS, SOME):
        decision = settle(record, look)
        after = decision.record
        waits_for_turn = after.phase in {Phase.QUEUED, Phase.READY} and not look.turn
        blind = any(isinstance(sight, Unknown) for sight in look.sights)
        if after.phase.is_final or waits_for_turn or blind:
            continue
        waits_for_world = bool(decision.actions or wanted(after, NOW)) or (
            after.phase in {Phase.LAUNCHING, Phase.RUNNING}
        )
        assert waits_for_world or decision.wake_at is not None, (record, look)


def test_asking_again_settles() -> None:
    for record, look in product(RECORDS, SOME):
        once = settle(record, look)
        again = settle(once.record, look)
        assert again.record == once.record, (record, look)


def test_attempts_stop_at_the_limit(answers: Answers) -> None:
    for record, look, decision in answers:
        assert decision.record.attempt <= max(record.attempt, LIMITS.attempts), (record, look)


def test_a_refusal_is_never_tried_again(answers: Answers) -> None:
    for record, look, decision in answers:
        if record.failure and record.failure.kind == "refused":
            assert decision.record.attempt == record.attempt, (record, look)


def test_a_run_that_is_left_running_keeps_its_launchers() -> None:
    for look in looks(Limits(launchers=2, run_s=0)):
        for record in RECORDS:
            if record.phase is Phase.LEFT and not (record.collect_asked or record.cancels):
                assert decide(record, look).actions == ()
