"""Which long work a run wants, from its record alone."""

from dataclasses import replace

import pytest

from llmdbenchd.core.run.phase import FINAL, Phase
from llmdbenchd.core.run.record import Failure, Record, Step
from llmdbenchd.core.run.wanted import Activity, wanted
from tests.core.run.cases import AHEAD, HOME, NOW, PAST, TARGET, record, records


def kinds(one: Record) -> list[tuple[str, int]]:
    return sorted((work.kind, work.index) for work in wanted(one, NOW))


def test_a_target_is_looked_up_until_it_is_known_or_refused() -> None:
    assert kinds(record(Phase.RESOLVING)) == [("resolve", 0)]
    assert kinds(record(Phase.RESOLVING, target=TARGET)) == []
    assert kinds(record(Phase.RESOLVING, failure=Failure("refused", "x"))) == []


@pytest.mark.parametrize("phase", [Phase.LAUNCHING, Phase.RUNNING])
def test_every_launcher_that_was_seen_is_followed_until_its_log_is_home(phase: Phase) -> None:
    assert kinds(record(phase)) == []
    assert kinds(record(phase, seen=(1, 2))) == [("follow", 1), ("follow", 2)]
    assert kinds(record(phase, seen=(1, 2), logs_done=(1,))) == [("follow", 2)]


def test_results_are_collected_while_the_last_lines_still_come() -> None:
    assert kinds(record(Phase.COLLECTING, seen=(1,))) == [("collect", 0), ("follow", 1)]
    assert kinds(record(Phase.COLLECTING, seen=(1,), collected=HOME)) == [("follow", 1)]
    assert kinds(record(Phase.COLLECTING, seen=(1,), collected=HOME, logs_done=(1,))) == []


def test_what_never_existed_is_not_collected() -> None:
    assert kinds(record(Phase.COLLECTING)) == []


def test_what_was_given_up_is_not_tried_any_more() -> None:
    assert kinds(record(Phase.COLLECTING, seen=(1,), uncollected="timeout:collect")) == []


def test_the_archive_is_made_until_it_is_sealed() -> None:
    assert kinds(record(Phase.REPORTING)) == [("report", 0)]
    assert kinds(record(Phase.REPORTING, sealed=True)) == []


def test_a_back_off_holds_the_long_work_and_never_the_logs() -> None:
    resting = record(Phase.COLLECTING, seen=(1,), wait_until=AHEAD)
    rested = record(Phase.COLLECTING, seen=(1,), wait_until=PAST)

    assert kinds(resting) == [("follow", 1)]
    assert kinds(rested) == [("collect", 0), ("follow", 1)]


LAUNCHED = (Step(NOW.utc, Phase.LAUNCHING, 1),)


def servers(one: Record) -> bool:
    return any(work.kind == "servers" for work in wanted(one, NOW, follow_servers=True))


@pytest.mark.parametrize("phase", sorted(Phase))
def test_servers_are_followed_from_the_launch_until_their_logs_are_here(phase: Phase) -> None:
    is_followed = phase in {Phase.LAUNCHING, Phase.RUNNING, Phase.COLLECTING}

    assert servers(record(phase, history=LAUNCHED)) is is_followed
    assert not servers(record(phase))
    assert not servers(record(phase, history=LAUNCHED, attempt=2))
    assert not servers(record(phase, history=LAUNCHED, servers="no pods are known"))
    assert not servers(record(phase, history=LAUNCHED, cancels=2))
    assert "servers" not in dict(kinds(record(phase, history=LAUNCHED)))


@pytest.mark.parametrize("phase", sorted(FINAL | {Phase.QUEUED, Phase.READY, Phase.CLEANING}))
def test_nothing_is_wanted_in_the_other_phases(phase: Phase) -> None:
    assert kinds(record(phase, seen=(1, 2))) == []


def test_in_all_cases_a_run_wants_at_most_one_long_work_and_one_log_for_each_launcher() -> None:
    for one in records():
        work = kinds(one)
        assert sum(kind != "follow" for kind, _ in work) <= 1, one
        assert {index for kind, index in work if kind == "follow"} <= set(one.seen), one


def test_an_activity_is_named_by_all_that_makes_it_different() -> None:
    assert str(Activity("j/r001", "follow", 2, 3)) == "follow j/r001 attempt 2 launcher 3"


def test_launchers_that_wait_for_our_word_are_looked_after_until_they_have_it() -> None:
    for phase in (Phase.LAUNCHING, Phase.RUNNING):
        held = record(phase, held=True)
        assert kinds(held) == [("release", 0)]
        assert kinds(replace(held, held=False)) == []
        assert kinds(replace(held, cancels=1)) == []
        assert kinds(replace(held, failure=Failure("launcher", "x"))) == []
    assert kinds(record(Phase.COLLECTING, held=True)) == []
