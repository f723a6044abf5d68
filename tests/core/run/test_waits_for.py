"""Why a run waits, in one sentence for each reason."""

from datetime import timedelta

import pytest

from llmdbenchd.core.run.admit import waits_for
from llmdbenchd.core.run.limits import Capacity
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record, Target
from llmdbenchd.core.run.rivals import mark
from tests.core.run.cases import AHEAD, NOW, record

A, B = Target("http://a", ("a",)), Target("http://b", ("b",))
ONE = Capacity(slots=1, resolving=1)


def run(number: int, phase: Phase = Phase.QUEUED, **facts: object) -> Record:
    submitted = NOW.utc + timedelta(seconds=number)
    return record(phase, job=f"j{number}", submitted=submitted, **facts)


def why(one: Record, *others: Record, capacity: Capacity = ONE, paused: bool = False) -> str:
    return waits_for(one, [one, *others], capacity, NOW, paused=paused)


@pytest.mark.parametrize("phase", sorted(set(Phase) - {Phase.QUEUED, Phase.READY}))
def test_a_run_that_moves_waits_for_nobody(phase: Phase) -> None:
    assert why(run(1, phase), paused=True) == ""


@pytest.mark.parametrize("phase", [Phase.QUEUED, Phase.READY])
def test_a_run_whose_turn_it_is_waits_for_nobody(phase: Phase) -> None:
    assert why(run(1, phase)) == ""


def test_paused_admission_is_the_first_reason() -> None:
    assert "PAUSED" in why(run(1, wait_until=AHEAD), paused=True)


def test_not_before_and_back_off_say_until_when() -> None:
    assert why(run(1, wait_until=AHEAD)) == "waits until 2026-11-24 12:01:00 UTC"
    assert why(run(1, Phase.READY, wait_until=AHEAD)).startswith("waits until")


def test_a_job_that_stops_on_error_says_whose_verdict_it_waits_for() -> None:
    first = record(Phase.COLLECTING, run="r001", stop_on_error=True)
    second = record(Phase.READY, run="r002", stop_on_error=True)

    assert why(second, first) == "run r001 of the same job may have failed (stop_on_error)"


def test_the_run_that_holds_the_target_is_named() -> None:
    told = why(run(2, Phase.READY, target=A), run(1, Phase.RUNNING, target=A))

    assert told == "its target a is held by j1/r001 (RUNNING)"


def test_an_earlier_run_that_waits_for_the_same_target_is_named() -> None:
    busy = run(9, Phase.RUNNING, target=B)
    told = why(run(2, Phase.READY, target=A), run(1, Phase.READY, target=A), busy)

    assert told == "its target a is held by j1/r001 (READY)"


def test_who_really_holds_the_target_is_named_before_who_waits_for_it() -> None:
    first, holder = run(1, Phase.READY, target=A), run(3, Phase.LAUNCHING, target=A)

    assert "j3/r001" in why(run(2, Phase.READY, target=A), first, holder)


def test_a_later_run_holds_nobody_up() -> None:
    busy, later = run(9, Phase.RUNNING, target=B), run(2, Phase.READY, target=A)
    told = why(run(1, Phase.READY, target=A), later, busy)

    assert told == "1 of 1 slots are taken; 0 before it"


def test_a_run_in_its_back_off_holds_nobody_up() -> None:
    busy = run(9, Phase.RUNNING, target=B)
    resting = run(1, Phase.READY, target=A, wait_until=AHEAD)
    told = why(run(2, Phase.READY, target=A), resting, busy)

    assert told == "1 of 1 slots are taken; 0 before it"


def test_a_full_house_says_how_full_and_how_many_are_before() -> None:
    others = [
        run(1, Phase.RUNNING, target=A),
        run(2, Phase.READY, target=Target("http://c", ("c",))),
        run(4, Phase.READY, target=Target("http://d", ("d",))),
    ]

    assert why(run(3, Phase.READY, target=B), *others) == "1 of 1 slots are taken; 1 before it"


def test_a_queued_run_says_what_its_turn_to_be_resolved_depends_on() -> None:
    others = [run(1), run(3), run(8, Phase.RESOLVING), run(9, Phase.READY, target=B)]

    assert why(run(2), *others) == (
        "1 are being resolved, 1 resolved ones wait to be launched; 1 before it"
    )


def test_a_run_that_is_not_among_the_open_ones_any_more_is_no_trouble() -> None:
    """Between two reads of the records it may have ended, or moved on."""
    busy = run(1, Phase.RUNNING, target=B)

    told = waits_for(run(2, Phase.READY, target=A), [busy], ONE, NOW, paused=False)

    assert told == "1 of 1 slots are taken; 0 before it"


def test_nobody_is_said_to_hold_itself_up() -> None:
    moved_on = run(1, Phase.LAUNCHING, target=A)

    told = waits_for(run(1, Phase.READY, target=A), [moved_on], ONE, NOW, paused=False)

    assert told == "1 of 1 slots are taken; 0 before it"


def test_of_the_targets_servers_those_are_named_that_are_shared() -> None:
    many = tuple(f"llm/vllm-{number}" for number in range(5))
    holder = run(1, Phase.RUNNING, target=Target("http://x", ("x:80", *many)))

    told = why(run(2, Phase.READY, target=Target("http://y", ("y:80", *many))), holder)

    assert told == (
        "its target llm/vllm-0, llm/vllm-1, llm/vllm-2 and 2 more is held by j1/r001 (RUNNING)"
    )


def test_a_launcher_of_another_daemon_is_named() -> None:
    waiting, rivals = run(1, Phase.READY, target=A), {mark("a"): "launcher p of the daemon 0a1b"}

    told = waits_for(waiting, [waiting], ONE, NOW, paused=False, rivals=rivals)

    assert told == "its target a is held by launcher p of the daemon 0a1b"
