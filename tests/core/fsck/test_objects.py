"""Objects where launchers live: who belongs to whom, and what may be taken away."""

import pytest

from llmdbenchd.core.fsck.accounts import Archives, Filed, Kind, Objects, Records, Thing, Unread
from llmdbenchd.core.fsck.compare import compare
from llmdbenchd.core.run.phase import FINAL, Phase
from llmdbenchd.core.run.record import End
from tests.core.fsck.accounts import (
    FILED,
    INSTANCE,
    NONE,
    PLACE,
    config_map,
    known,
    name,
    pod,
    there,
)
from tests.core.run.cases import BAD, GOOD

NOBODY = Records(INSTANCE)
OVER = sorted(FINAL - {Phase.LEFT})


@pytest.mark.parametrize("phase", [Phase.LAUNCHING, Phase.RUNNING, Phase.LEFT])
def test_a_run_with_all_that_is_its_own_differs_in_nothing(phase: Phase) -> None:
    objects = there(pod(1, has_ended=False), pod(2), config_map())

    assert compare(known(phase), objects, NONE) == ()


@pytest.mark.parametrize("phase", OVER)
def test_a_run_that_is_over_and_archived_differs_in_nothing(phase: Phase) -> None:
    assert compare(known(phase), there(), FILED) == ()


@pytest.mark.parametrize(
    ("phase", "expected"),
    [(phase, phase in ["LAUNCHING", "RUNNING", "COLLECTING", "LEFT"]) for phase in Phase],
)
def test_a_launcher_is_missed_only_while_its_run_counts_on_it(
    phase: Phase, *, expected: bool
) -> None:
    found = compare(known(phase), there(pod(2), config_map()), NONE)

    missing = [one for one in found if one.kind is Kind.MISSING]
    assert [one.what for one in missing] == ([name(1)] if expected else [])
    assert all(one.remedy is None and one.where == PLACE for one in missing)


def test_a_launcher_whose_end_was_seen_is_not_missed() -> None:
    ends = (End(1, GOOD), End(2, BAD))

    assert compare(known(Phase.COLLECTING, ends=ends), there(), NONE) == ()


def test_nothing_is_missed_where_nobody_could_look() -> None:
    elsewhere = Objects(frozenset({"local"}))

    assert compare(known(Phase.RUNNING), elsewhere, NONE) == ()


def test_an_ended_object_that_no_record_knows_may_go() -> None:
    things = pod(1), pod(2), config_map()

    found = compare(NOBODY, there(*things), NONE)

    assert [(one.kind, one.remedy) for one in found] == [(Kind.ORPHAN, one) for one in things]


@pytest.mark.parametrize("has_ended", [False, None])
def test_an_orphan_that_may_still_run_is_named_and_stays_with_its_owner(
    *, has_ended: bool | None
) -> None:
    found = compare(NOBODY, there(pod(1, has_ended=has_ended), pod(2), config_map()), NONE)

    running, ended, owner = found
    assert running.remedy is None
    assert ended.remedy == pod(2)
    assert owner.remedy is None, "its launchers would go with it"
    assert "not ended" in owner.left


def test_an_object_with_a_name_unlike_ours_is_an_orphan() -> None:
    odd = Thing(place="local", kind=pod().kind, name="llmdbench-odd", has_ended=False)

    [found] = compare(NOBODY, there(odd), NONE)

    assert (found.kind, found.remedy, found.where) == (Kind.ORPHAN, None, "local")


def test_what_belongs_to_a_record_that_was_set_aside_is_never_removed() -> None:
    aside = Records(INSTANCE, unread=(Unread("j", "r001", "/s/r001.json.bad"),))

    record, *objects = compare(aside, there(pod(1), config_map()), NONE)

    assert (record.kind, record.what) == (Kind.UNREADABLE, "j/r001")
    assert "/s/r001.json.bad" in record.detail
    assert [one.kind for one in objects] == [Kind.ORPHAN, Kind.ORPHAN]
    assert all(one.remedy is None and "j/r001" in one.detail for one in objects)


@pytest.mark.parametrize("phase", OVER)
def test_what_an_archived_run_left_behind_may_go(phase: Phase) -> None:
    records = known(phase, left_behind="launchers could not be removed in time")

    found = compare(records, there(pod(1), config_map()), FILED)

    assert [(one.kind, one.remedy) for one in found] == [
        (Kind.LEFT_BEHIND, pod(1)),
        (Kind.LEFT_BEHIND, config_map()),
    ]
    assert "could not be removed in time" in found[0].detail


@pytest.mark.parametrize(
    ("facts", "archives", "thing", "why"),
    [
        ({}, NONE, pod(), "no archive"),
        ({}, Archives((Filed("j", "r001", ("a: changed: x",)),)), pod(), "not whole"),
        ({"uncollected": "disk"}, FILED, pod(), "not brought home"),
        ({}, FILED, pod(has_ended=False), "has not ended"),
        ({}, FILED, pod(has_ended=None), "nobody can tell"),
    ],
    ids=["not archived", "archive not whole", "not collected", "running", "unclear"],
)
def test_what_may_be_worth_something_stays(
    facts: dict[str, object], archives: Archives, thing: Thing, why: str
) -> None:
    found = compare(known(Phase.FAILED, **facts), there(thing), archives)

    [left] = [one for one in found if one.kind is Kind.LEFT_BEHIND]
    assert left.remedy is None
    assert why in left.left


def test_an_earlier_attempt_is_worth_nothing_once_the_run_is_archived() -> None:
    records = known(Phase.FAILED, attempt=2, uncollected="disk")

    found = compare(records, there(pod(attempt=1)), FILED)

    assert pod(attempt=1) in [one.remedy for one in found]


def test_an_earlier_attempt_of_an_open_run_is_told_and_left() -> None:
    records = known(Phase.READY, attempt=2)

    [found] = compare(records, there(pod(attempt=1)), NONE)

    assert (found.kind, found.remedy) == (Kind.LEFT_BEHIND, None)
    assert "it is of attempt 1, and j/r001 is in attempt 2" in found.detail
