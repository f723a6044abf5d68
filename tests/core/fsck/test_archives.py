"""Archives and half-made folders against the records."""

import pytest

from llmdbenchd.core.fsck.accounts import (
    Archives,
    Difference,
    Filed,
    Kind,
    Records,
    Run,
    Staged,
    Unread,
)
from llmdbenchd.core.fsck.compare import compare
from llmdbenchd.core.run.phase import FINAL, Phase
from tests.core.fsck.accounts import FILED, INSTANCE, NONE, known, there
from tests.core.run.cases import record

OVER = sorted(FINAL - {Phase.LEFT})


def found(records: Records, archives: Archives) -> tuple[Difference, ...]:
    return compare(records, there(), archives)


def kinds(records: Records, archives: Archives) -> list[Kind]:
    return [one.kind for one in found(records, archives)]


@pytest.mark.parametrize("phase", OVER)
def test_a_run_that_is_over_has_an_archive(phase: Phase) -> None:
    [missing] = found(known(phase), NONE)

    assert (missing.kind, missing.what) == (Kind.NOT_ARCHIVED, "j/r001")


@pytest.mark.parametrize(
    ("phase", "early"),
    [
        (Phase.QUEUED, True),
        (Phase.READY, True),
        (Phase.REPORTING, False),
        (Phase.CLEANING, False),
        (Phase.SUCCEEDED, False),
    ],
)
def test_an_archive_is_sealed_in_reporting_and_not_before(phase: Phase, *, early: bool) -> None:
    assert kinds(known(phase, seen=()), FILED) == ([Kind.EARLY] if early else [])


def test_an_archive_that_no_record_knows_is_told() -> None:
    assert kinds(Records(INSTANCE), FILED) == [Kind.NO_RECORD]


def test_a_job_that_was_tidied_away_leaves_its_archive() -> None:
    forgetful = Archives(FILED.filed, forgets=True)

    assert kinds(Records(INSTANCE), forgetful) == []


def test_one_run_of_a_job_is_never_tidied_away_alone() -> None:
    other = Archives((Filed("j", "r001"), Filed("j", "r002")), forgets=True)

    assert kinds(known(Phase.SUCCEEDED), other) == [Kind.NO_RECORD]


def test_an_archive_of_a_record_that_cannot_be_read_is_told_once() -> None:
    unread = Records(INSTANCE, unread=(Unread("j", "r001", "p"),))

    assert kinds(unread, FILED) == [Kind.UNREADABLE]


def test_an_archive_that_is_not_whole_says_what_is_wrong_first() -> None:
    torn = Archives((Filed("j", "r001", ("a: missing", "b: changed", "c: extra")),))

    [one] = found(known(Phase.SUCCEEDED), torn)

    assert (one.kind, one.detail) == (Kind.NOT_WHOLE, "a: missing, and 2 more")


def test_a_whole_sentence_is_enough_for_one_finding() -> None:
    torn = Archives((Filed("j", "r001", ("a: missing",)),))

    assert found(known(Phase.SUCCEEDED), torn)[0].detail == "a: missing"


def test_results_that_were_not_brought_home_are_told_with_their_place() -> None:
    one = record(Phase.FAILED, seen=(1,), uncollected="timeout:collect")
    run = Run(
        record=one, place="kubernetes/bench", launchers=("l",), results=("claim c, folder f",)
    )

    [told] = found(Records(INSTANCE, (run,)), FILED)

    assert (told.kind, told.remedy) == (Kind.NOT_HOME, None)
    assert told.detail == "timeout:collect; they may be in claim c, folder f"


def test_results_whose_place_nobody_knows_are_told_too() -> None:
    [told] = found(known(Phase.FAILED, uncollected="disk"), FILED)

    assert told.detail == "disk"


def test_what_never_ran_has_no_results_to_miss() -> None:
    assert kinds(known(Phase.CANCELLED, seen=(), uncollected="skipped"), FILED) == []


@pytest.mark.parametrize("phase", [Phase.COLLECTING, Phase.REPORTING])
def test_evidence_of_an_open_run_is_on_its_way(phase: Phase) -> None:
    on_its_way = Archives(staged=(Staged("/a/.incoming/j/r001", "j", "r001"),))

    assert Kind.HALF_MADE not in kinds(known(phase), on_its_way)


@pytest.mark.parametrize("records", [Records(INSTANCE), known(Phase.SUCCEEDED)])
def test_evidence_that_nobody_goes_on_with_is_told_and_left(records: Records) -> None:
    stuck = Archives(FILED.filed, (Staged("/a/.incoming/j/r001", "j", "r001"),), forgets=True)

    [told] = found(records, stuck)

    assert (told.kind, told.remedy) == (Kind.HALF_MADE, None)
    assert "remove it by hand" in told.left


def test_a_job_that_was_never_committed_goes_with_the_next_start() -> None:
    [told] = found(Records(INSTANCE), Archives(staged=(Staged("/s/jobs/.new-x"),)))

    assert told.left == "the daemon's next start removes it"


def test_a_job_that_cannot_be_read_is_told_once_for_all_its_runs() -> None:
    runs = tuple(
        Run(record=record(Phase.RUNNING, run=run, seen=(1,)), trouble="spec.json is torn")
        for run in ("r001", "r002")
    )

    [told] = found(Records(INSTANCE, runs), NONE)

    assert (told.kind, told.what, told.detail) == (Kind.UNREADABLE_JOB, "j", "spec.json is torn")
