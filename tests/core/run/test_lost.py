"""A place that says no to each look: patience first, then the run is lost and said to be."""

from dataclasses import replace
from itertools import product

import pytest

from llmdbenchd.core.run.decide import Look, decide, settle
from llmdbenchd.core.run.decision import Decision
from llmdbenchd.core.run.finish import NEVER_RETRIED
from llmdbenchd.core.run.limits import Limits
from llmdbenchd.core.run.moment import Moment
from llmdbenchd.core.run.phase import NEXT, Phase
from llmdbenchd.core.run.record import End, Failure, Record
from llmdbenchd.core.run.sight import Absent, Cause, Running, Unknown
from tests.core.run.cases import AHEAD, GOOD, NOW, PAST, record, records, refusals

HOUR = Limits(launchers=2, lost_s=3600, run_s=7200)
RUNNING = record(Phase.RUNNING, deadline=NOW.after(7200), seen=(1, 2))
BLIND = (Unknown(), Unknown())
STALE = (Running(), Running())  # seen before, and nobody may look any more


def ask(one: Record, refused: str | None, now: Moment = NOW, sights: object = STALE) -> Decision:
    seen = sights if isinstance(sights, tuple) else ()
    return settle(one, Look(seen, now, HOUR, refused=refused))


def test_a_refusal_begins_a_patience_that_is_on_the_record() -> None:
    begun = ask(RUNNING, "forbidden")

    assert begun.record.lost_at == NOW.after(3600)
    assert begun.wake_at == NOW.after(3600)
    assert ask(begun.record, "forbidden", NOW.after(3599)).record == begun.record


def test_after_an_hour_of_refusals_the_run_is_lost_and_says_what_was_said_last() -> None:
    begun = ask(RUNNING, "forbidden").record

    lost = ask(begun, "list pods: pods is forbidden", NOW.after(3600)).record

    assert lost.phase is Phase.COLLECTING, "what can still be collected is"
    assert lost.failure is not None
    assert lost.failure.kind == "lost"
    assert "namespace deleted or rights withdrawn" in lost.failure.detail
    assert "list pods: pods is forbidden" in lost.failure.detail
    assert {end.how.cause for end in lost.ends} == {Cause.LOST}
    assert "lost" in NEVER_RETRIED, "what is lost may still load its target"


@pytest.mark.parametrize("sights", [BLIND, STALE, (Absent(), Absent())])
@pytest.mark.parametrize("phase", [Phase.LAUNCHING, Phase.RUNNING])
def test_it_does_not_matter_what_was_seen_before(phase: Phase, sights: object) -> None:
    late = record(phase, deadline=NOW.after(7200), lost_at=PAST)

    assert ask(late, "forbidden", sights=sights).record.phase is not phase


def test_a_place_that_lets_us_look_again_ends_the_patience() -> None:
    begun = ask(RUNNING, "forbidden").record

    assert ask(begun, "", NOW.after(10)).record.lost_at is None


def test_a_place_that_does_not_answer_loses_nothing_however_long_it_takes() -> None:
    assert ask(RUNNING, None).record.lost_at is None
    begun = ask(RUNNING, "forbidden").record
    assert ask(begun, None, NOW.after(10)).record == begun, "a blip is no answer"

    away = ask(begun, None, NOW.after(3600)).record
    back = ask(away, "forbidden", NOW.after(4000))

    assert away.lost_at is None, "the patience ended while nobody answered: it is begun anew"
    assert back.record.phase is Phase.RUNNING
    assert back.record.lost_at == NOW.after(7600)


def test_how_a_launcher_ended_that_was_seen_to_end_stays_known() -> None:
    one_ended = replace(RUNNING, lost_at=PAST, ends=(End(1, GOOD),))

    ends = ask(one_ended, "forbidden").record.ends

    assert ends[0] == End(1, GOOD)
    assert (ends[1].index, ends[1].how.cause) == (2, Cause.LOST)


def test_what_was_going_wrong_before_stays_the_reason() -> None:
    late = Failure("timeout:run", "late")

    assert ask(replace(RUNNING, lost_at=PAST, failure=late), "no").record.failure == late
    assert ask(replace(RUNNING, lost_at=PAST, cancels=1), "no").record.failure is None


def test_a_cancelled_run_does_not_wait_for_ever_for_stops_that_are_refused() -> None:
    cancelled = ask(replace(RUNNING, cancels=1, stopping=PAST), "forbidden", sights=BLIND)
    assert cancelled.wake_at == NOW.after(3600)

    later = ask(cancelled.record, "forbidden", NOW.after(3600), BLIND)

    assert later.record.phase is Phase.COLLECTING


def test_a_run_that_was_left_is_lost_only_when_somebody_wants_it_back() -> None:
    left = record(Phase.LEFT, seen=(1, 2))

    assert ask(left, "forbidden").record == left
    wanted = ask(replace(left, collect_asked=True), "forbidden")
    assert wanted.wake_at == NOW.after(3600)
    lost = ask(wanted.record, "forbidden", NOW.after(3600)).record
    assert (lost.phase, lost.failure and lost.failure.kind) == (Phase.COLLECTING, "lost")


def test_in_all_small_cases_only_a_refusal_now_and_for_long_loses_a_run() -> None:
    with_launchers = {Phase.LAUNCHING, Phase.RUNNING, Phase.LEFT}
    some = [one for one in records() if one.phase in with_launchers]
    for one, look, lost_at in product(some[::5], refusals(HOUR)[::3], (None, PAST, AHEAD)):
        before = replace(one, lost_at=lost_at)
        decision = decide(before, look)
        after = decision.record
        is_lost = bool(after.failure and after.failure.kind == "lost")
        assert not is_lost or (look.refused and lost_at == PAST), (before, look)
        assert not is_lost or after.phase is Phase.COLLECTING, (before, look)
        assert after.phase is before.phase or after.phase in NEXT[before.phase], (before, look)
        if look.refused and lost_at == PAST and before.phase is not Phase.LEFT:
            assert after.phase is Phase.COLLECTING, (before, look)
        rested = settle(before, look)
        if look.refused and rested.record.phase in {Phase.LAUNCHING, Phase.RUNNING}:
            assert rested.wake_at is not None, "somebody must look when patience ends"
