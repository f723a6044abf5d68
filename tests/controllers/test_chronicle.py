"""What is told of runs: every move, one canonical end, and what it means for the others."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from llmdbenchd.controllers.chronicle import Chronicle
from llmdbenchd.core.results.verdict import Outcome, Verdict
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import End, Record, Step
from llmdbenchd.core.run.sight import Cause, Ended
from tests.core.run.cases import GOOD, HOME, NOW, record
from tests.fakes.jobs import accepted, book

BROKEN = Verdict(Outcome.FAILED, "launcher", "launcher 1 of 1 exited: exit code 3")


def at(seconds: float) -> Any:  # noqa: ANN401 - a datetime, in a table of facts
    return NOW.utc + timedelta(seconds=seconds)


class House:
    """A chronicle over jobs `j` (the first failure ends it) and `k`; two open runs each."""

    def __init__(self) -> None:
        self.open = {
            one.key: one
            for one in (
                record(Phase.RUNNING, job=job, run=run)
                for job in "jk"
                for run in ("r001", "r002", "r003")
            )
        }
        self.refreshed = 0
        self.chronicle = Chronicle(
            book(accepted("j", stop_on_error=True), accepted("k")),
            archive=lambda job, run: f"/archive/{job}/{run}",
            siblings=lambda job: [one for one in self.open.values() if one.job == job],
            learn=self.learn,
            refresh=self.refresh,
        )

    def learn(self, key: str, fact: Callable[[Record], Record]) -> None:
        self.open[key] = fact(self.open[key])

    def refresh(self) -> None:
        self.refreshed += 1

    def tell(self, before: Record | None, after: Record) -> list[Any]:
        with capture_logs() as logged:
            self.chronicle.moved(before, after)
        return list(logged)

    def ending(self) -> set[str]:
        return {key for key, one in self.open.items() if one.cancels}


@pytest.fixture
def house() -> House:
    return House()


def test_each_move_is_told_once_with_where_it_came_from(house: House) -> None:
    before, after = record(), record(Phase.RESOLVING)

    [told] = house.tell(before, after)
    assert (told["event"], told["log_level"]) == ("run.moved", "info")
    assert (told["was"], told["now"]) == ("QUEUED", "RESOLVING")
    assert house.tell(None, before)[0]["was"] is None


def test_the_patience_that_is_in_force_is_told_with_each_move(house: House) -> None:
    running = record(Phase.LAUNCHING).enter(Phase.RUNNING, NOW, patience_s=3600)

    assert house.tell(None, running)[0]["until"] == at(3600).isoformat()
    assert house.tell(None, record())[0]["until"] is None


def test_a_save_without_a_move_tells_nothing(house: House) -> None:
    before = record(Phase.RUNNING)

    assert house.tell(before, replace(before, logs_done=(1,))) == []
    assert house.refreshed == 0


def test_whose_turn_it_is_is_considered_after_each_move(house: House) -> None:
    house.tell(record(Phase.RUNNING), record(Phase.COLLECTING))

    assert house.refreshed == 1


def test_a_retry_in_the_same_phase_is_a_move_too(house: House) -> None:
    told = house.tell(record(Phase.READY), record(Phase.READY, attempt=2))

    assert [line["event"] for line in told] == ["run.moved"]


def test_how_each_launcher_ended_is_told_once(house: House) -> None:
    one = record(Phase.RUNNING, ends=(End(1, GOOD),))
    killed = Ended(Cause.KILLED, signal=9, detail="often memory")
    both = replace(one, ends=(*one.ends, End(2, killed)))

    assert house.tell(one, both) == [
        {
            "event": "launcher.ended",
            "log_level": "info",
            "index": 2,
            "cause": "killed",
            "code": None,
            "signal": 9,
            "detail": "often memory",
        }
    ]


def test_the_end_of_a_run_is_one_line_with_every_fact(house: House) -> None:
    steps = ((Phase.LAUNCHING, 10), (Phase.COLLECTING, 70.5), (Phase.SUCCEEDED, 80))
    ended = record(
        Phase.SUCCEEDED,
        collected=HOME,
        verdict=Verdict(Outcome.SUCCEEDED, "good", "5 requests"),
        since=at(80),
        history=tuple(Step(at(seconds), phase, 1) for phase, seconds in steps),
        left_behind="launchers kept",
    )

    told = [one for one in house.tell(record(Phase.CLEANING), ended) if "was" not in one]

    assert told == [
        {
            "event": "run.finished",
            "log_level": "info",
            "phase": "SUCCEEDED",
            "kind": "good",
            "reason": "5 requests",
            "harness": "inference-perf",
            "model": "m",
            "queued_s": 10,
            "load_s": 60.5,
            "total_s": 80,
            "requests": 5,
            "failures": 0,
            "archive": "/archive/j/r001",
            "left_behind": "launchers kept",
        }
    ]


def test_what_a_run_never_reached_is_told_as_unknown(house: House) -> None:
    left = record(Phase.LEFT)

    told = house.tell(record(Phase.LAUNCHING), left)[-1]

    assert told["event"] == "run.finished"
    assert [told[name] for name in ("kind", "reason")] == ["", ""]
    assert [told[name] for name in ("queued_s", "load_s", "requests", "failures")] == [None] * 4


def test_a_failed_run_ends_the_others_of_its_job_where_the_job_says_so(house: House) -> None:
    house.chronicle.consider_siblings(record(Phase.FAILED, verdict=BROKEN))

    assert house.ending() == {"j/r002", "j/r003"}
    failure = house.open["j/r002"].failure
    assert failure is not None
    assert failure.detail == "run r001 of the same job failed (stop_on_error)"


def test_elsewhere_a_failed_run_ends_nobody_else(house: House) -> None:
    house.chronicle.consider_siblings(record(Phase.FAILED, job="k", verdict=BROKEN))

    assert house.ending() == set()


@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.CANCELLED])
def test_other_ends_end_nobody_else(house: House, outcome: Outcome) -> None:
    judged = record(Phase(outcome.value), verdict=Verdict(outcome, "x", "x"))
    house.chronicle.consider_siblings(judged)

    assert house.ending() == set()


def test_the_others_end_as_soon_as_the_verdict_is_on_disk(house: House) -> None:
    house.tell(record(Phase.COLLECTING), record(Phase.REPORTING, verdict=BROKEN))

    assert house.ending() == {"j/r002", "j/r003"}
