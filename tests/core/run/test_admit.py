"""Whose turn it is, tried in all small cases of three runs, and told as stories."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import combinations, product

import pytest

from llmdbenchd.core.results.verdict import Outcome, Verdict
from llmdbenchd.core.run.admit import SOON_S, Turns, admit, in_order
from llmdbenchd.core.run.limits import Capacity
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Failure, Record, Target
from llmdbenchd.core.run.rivals import mark
from tests.core.run.cases import AHEAD, NOW, PAST, record

A, B, BOTH = Target("http://a", ("a",)), Target("http://b", ("b",)), Target("http://ab", ("a", "b"))
SHARED = Target("http://a", ())  # `share_target`: it takes no lease
CAPACITIES = [
    Capacity(slots=slots, resolving=resolving, ahead=ahead)
    for slots, resolving, ahead in product((0, 1, 2), (1, 2), (1, 2))
]
KINDS: tuple[dict[str, object], ...] = (
    {"phase": Phase.QUEUED},
    {"phase": Phase.QUEUED, "priority": 1},
    {"phase": Phase.QUEUED, "wait_until": AHEAD},
    {"phase": Phase.RESOLVING},
    {"phase": Phase.READY, "target": A},
    {"phase": Phase.READY, "target": A, "priority": 1},
    {"phase": Phase.READY, "target": A, "wait_until": AHEAD},
    {"phase": Phase.READY, "target": A, "wait_until": PAST},
    {"phase": Phase.READY, "target": B},
    {"phase": Phase.READY, "target": BOTH},
    {"phase": Phase.READY, "target": BOTH, "priority": 1},
    {"phase": Phase.READY, "target": SHARED},
    {"phase": Phase.LAUNCHING, "target": A},
    {"phase": Phase.RUNNING, "target": BOTH},
    {"phase": Phase.COLLECTING, "target": A},
)


def run(number: int, **facts: object) -> Record:
    """Run number `number`, which came so many seconds after the first."""
    submitted = NOW.utc + timedelta(seconds=number)
    phase = facts.pop("phase", Phase.QUEUED)
    assert isinstance(phase, Phase)
    return record(phase, job=f"j{number}", submitted=submitted, **facts)


def is_due(one: Record) -> bool:
    return one.wait_until is None or NOW.reached(one.wait_until)


def servers(one: Record) -> set[str]:
    return set(one.target.servers) if one.target else set()


def share(one: Record, other: Record) -> bool:
    return bool(servers(one) & servers(other))


def worlds() -> Iterator[list[Record]]:
    """Every three runs that may be there at once (no two that hold the same lease)."""
    for kinds in product(KINDS, repeat=3):
        runs = [run(number, **kind) for number, kind in enumerate(kinds)]
        holding = [one for one in runs if one.phase.holds_slot]
        if not any(share(one, other) for one, other in combinations(holding, 2)):
            yield runs


World = tuple[list[Record], Capacity, Turns]


@pytest.fixture(scope="module")
def answers() -> list[World]:
    return [
        (runs, capacity, admit(runs, capacity, NOW)) for runs in worlds() for capacity in CAPACITIES
    ]


def holding_then(runs: list[Record], turns: Turns) -> list[Record]:
    """Who would hold a slot if everybody took its turn."""
    return [one for one in runs if one.phase.holds_slot or one.key in turns.launch]


def test_never_more_than_the_slots_are_taken(answers: list[World]) -> None:
    for runs, capacity, turns in answers:
        if turns.launch:
            assert len(holding_then(runs, turns)) <= capacity.slots, (runs, capacity)


def test_no_lease_is_ever_shared(answers: list[World]) -> None:
    for runs, _, turns in answers:
        for one, other in combinations(holding_then(runs, turns), 2):
            assert not share(one, other), runs


def test_turns_go_to_runs_that_wait_and_whose_time_has_come(answers: list[World]) -> None:
    for runs, _, turns in answers:
        for one in runs:
            if one.key in turns.launch:
                assert one.phase is Phase.READY
                assert is_due(one)
            if one.key in turns.resolve:
                assert one.phase is Phase.QUEUED
                assert is_due(one)


def test_an_earlier_run_keeps_its_place_before_later_ones(answers: list[World]) -> None:
    for runs, _, turns in answers:
        ready = [one for one in in_order(runs) if one.phase is Phase.READY and is_due(one)]
        for earlier, later in combinations(ready, 2):
            if later.key in turns.launch and earlier.key not in turns.launch:
                assert not share(earlier, later), runs


def test_a_run_that_could_launch_does(answers: list[World]) -> None:
    for runs, capacity, turns in answers:
        ready = [one for one in in_order(runs) if one.phase is Phase.READY and is_due(one)]
        for place, one in enumerate(ready):
            holders = [*ready[:place], *(other for other in runs if other.phase.holds_slot)]
            is_blocked = any(share(one, other) for other in holders)
            is_full = len(holding_then(runs, turns)) >= capacity.slots
            before = in_order(runs)[: in_order(runs).index(one)]
            comes_after = any(other.phase is Phase.RESOLVING for other in before)
            assert one.key in turns.launch or is_blocked or is_full or comes_after, (runs, capacity)


def test_few_are_resolved_at_once_and_not_far_ahead(answers: list[World]) -> None:
    for runs, capacity, turns in answers:
        resolving = sum(one.phase is Phase.RESOLVING for one in runs)
        if turns.resolve:
            assert resolving + len(turns.resolve) <= min(capacity.resolving, capacity.ahead)


def test_the_first_in_order_are_resolved_first(answers: list[World]) -> None:
    for runs, _, turns in answers:
        queued = [one.key for one in in_order(runs) if one.phase is Phase.QUEUED and is_due(one)]
        assert set(queued[: len(turns.resolve)]) == turns.resolve, runs


def test_nobody_has_a_turn_while_admission_is_paused() -> None:
    runs = [run(1), run(2, phase=Phase.READY)]

    assert admit(runs, Capacity(), NOW, paused=True) == Turns()


def test_a_higher_priority_goes_first_then_who_came_first() -> None:
    runs = [run(3), run(2, priority=-1), run(1), run(4, priority=7)]

    assert [one.job for one in in_order(runs)] == ["j4", "j1", "j3", "j2"]


def test_a_run_that_waits_for_its_retry_keeps_nobody_from_being_resolved() -> None:
    """It may wait an hour; meanwhile slots would stand empty."""
    waiting = run(1, phase=Phase.READY, target=A, wait_until=AHEAD)

    assert admit([waiting, run(2)], Capacity(slots=1, ahead=1), NOW).resolve == {"j2/r001"}


def test_a_run_that_waits_for_a_lease_keeps_nobody_from_being_resolved() -> None:
    runs = [run(1, phase=Phase.RUNNING, target=A), run(2, phase=Phase.READY, target=A), run(3)]

    assert admit(runs, Capacity(slots=2, ahead=1), NOW).resolve == {"j3/r001"}


def test_nobody_is_resolved_while_enough_resolved_ones_wait_for_a_slot() -> None:
    runs = [run(1, phase=Phase.RUNNING, target=A), run(2, phase=Phase.READY, target=B), run(3)]

    assert admit(runs, Capacity(slots=1, ahead=1), NOW).resolve == frozenset()
    assert admit(runs, Capacity(slots=1, ahead=2), NOW).resolve == {"j3/r001"}


def test_a_turn_is_of_the_kind_that_the_run_waits_for() -> None:
    turns = Turns(resolve=frozenset({"j1/r001"}), launch=frozenset({"j2/r001"}))

    assert turns.has(run(1))
    assert not turns.has(run(1, phase=Phase.READY))
    assert turns.has(run(2, phase=Phase.READY))
    assert not turns.has(run(2))


def test_a_later_run_waits_a_moment_for_an_earlier_one_that_is_being_resolved() -> None:
    low = record(Phase.READY, job="low")
    high = record(Phase.RESOLVING, job="high", priority=5)

    assert admit([low, high], Capacity(), NOW).launch == frozenset()
    assert admit([low, high], Capacity(), NOW.after(SOON_S)).launch == {low.key}
    assert admit([low, replace(high, tries=1)], Capacity(), NOW).launch == {low.key}
    assert admit([replace(low, priority=6), high], Capacity(), NOW).launch == {low.key}


def many(job: str, count: int, after_s: int, **facts: object) -> list[Record]:
    """Runs r1, r2, ... of one job, which came so many seconds after the first."""
    submitted = NOW.utc + timedelta(seconds=after_s)
    phase = facts.pop("phase", Phase.QUEUED)
    assert isinstance(phase, Phase)
    return [
        record(phase, job=job, run=f"r{number}", submitted=submitted, **facts)
        for number in range(1, count + 1)
    ]


def test_a_job_of_many_runs_does_not_keep_a_later_job_of_one_waiting_for_all_of_them() -> None:
    everyone = [*many("large", 3, 0), *many("small", 1, 5)]

    assert [one.key for one in in_order(everyone)] == [
        "large/r1",
        "small/r1",
        "large/r2",
        "large/r3",
    ]


def test_a_run_that_was_launched_counts_for_its_job_until_it_is_over() -> None:
    """With one slot the jobs take turns: who has just loaded is behind who has not."""
    first, *rest = many("large", 3, 0)
    everyone = [replace(first, phase=Phase.COLLECTING), *rest, *many("small", 1, 5)]

    waiting = [one.key for one in in_order(everyone) if one.phase is Phase.QUEUED]

    assert waiting == ["small/r1", "large/r2", "large/r3"]


def test_a_priority_is_above_all_turns() -> None:
    urgent = many("urgent", 2, 9, priority=1)

    assert in_order([*many("large", 2, 0), *urgent])[:2] == urgent


FAILED = Verdict(Outcome.FAILED, "launcher", "exit code 3")


@pytest.mark.parametrize(
    ("doubtful", "facts"),
    [
        (True, {"phase": Phase.COLLECTING}),
        (True, {"phase": Phase.RUNNING, "failure": Failure("launcher", "x"), "target": SHARED}),
        (True, {"phase": Phase.REPORTING, "verdict": FAILED}),
        (False, {"phase": Phase.RUNNING, "target": SHARED}),
        (False, {"phase": Phase.REPORTING}),
        (False, {"phase": Phase.COLLECTING, "job": "another"}),
        (False, {"phase": Phase.COLLECTING, "stop_on_error": False}),
    ],
)
def test_a_job_that_stops_on_error_starts_no_run_while_one_may_have_failed(
    facts: dict[str, object], *, doubtful: bool
) -> None:
    """The lease was free while the first one's results were judged, and the second began."""
    first = record(**({"run": "r001", "stop_on_error": True} | facts))  # type: ignore[arg-type]  # a table of facts
    stops = first.stop_on_error
    second = record(Phase.READY, run="r002", stop_on_error=stops)

    turns = admit([first, second], Capacity(slots=4), NOW)

    assert turns.has(second) is not doubtful


def test_who_waits_for_a_verdict_keeps_nobody_else_from_its_target() -> None:
    first = record(Phase.COLLECTING, run="r001", stop_on_error=True)
    second = record(Phase.READY, run="r002", stop_on_error=True)
    other = run(1, phase=Phase.READY, target=second.target)

    assert admit([first, second, other], Capacity(slots=4), NOW).has(other)


def test_what_launchers_of_other_daemons_load_is_as_taken_as_what_ours_do() -> None:
    rivals = {mark("a"): "launcher p of the daemon 0a1b2c3d"}
    on_a, on_b = run(1, phase=Phase.READY, target=A), run(2, phase=Phase.READY, target=B)
    shared = run(3, phase=Phase.READY, target=SHARED)
    behind = run(4, phase=Phase.READY, target=BOTH)

    turns = admit([on_a, on_b, shared, behind], Capacity(slots=9), NOW, rivals=rivals)

    assert turns.launch == {on_b.key, shared.key}


def test_a_run_that_waits_for_another_daemon_keeps_its_place_before_later_ones() -> None:
    both, later = run(1, phase=Phase.READY, target=BOTH), run(2, phase=Phase.READY, target=B)

    assert admit([both, later], Capacity(slots=9), NOW, rivals={mark("a"): "p"}).launch == set()
