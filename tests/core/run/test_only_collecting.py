"""A run that launches nothing: it collects what lies on the claim, and says what proves it."""

from dataclasses import replace

import pytest

from llmdbenchd.core.results.verdict import Outcome
from llmdbenchd.core.run import facts
from llmdbenchd.core.run.decide import Look, settle
from llmdbenchd.core.run.limits import Limits
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Found, Record
from llmdbenchd.core.run.sight import Absent
from llmdbenchd.core.run.wanted import wanted
from tests.core.run.cases import HOME, NOW, PAST, record

ONLY = Limits(skip_run=True, attempts=3)
FOUND = (Found("a_1_s_1", 3, 10, "launcher"), Found("a_1_s_2", 3, 10, "late"))
BEGUN = record(Phase.COLLECTING, found=())


def ask(one: Record, limits: Limits = ONLY) -> Record:
    return settle(one, Look((Absent(),), NOW, limits, turn=True)).record


def judged(one: Record) -> tuple[Outcome, str, str]:
    verdict = ask(one).verdict
    assert verdict is not None
    return verdict.outcome, verdict.kind, verdict.reason


def test_it_goes_to_collecting_without_a_target_or_a_launcher() -> None:
    begun = ask(record())

    assert (begun.phase, begun.found) == (Phase.COLLECTING, ())
    assert [work.kind for work in wanted(begun, NOW)] == ["collect"]


def test_a_dry_run_of_it_collects_nothing() -> None:
    planned = ask(record(), replace(ONLY, dry_run=True))

    assert (planned.phase, planned.found) == (Phase.REPORTING, None)
    assert planned.verdict is not None
    assert planned.verdict.kind == "dry run"


def test_what_came_home_is_told_with_its_proof() -> None:
    home = facts.gathered(BEGUN, HOME, FOUND, "")

    outcome, kind, reason = judged(home)

    assert (outcome, kind) == (Outcome.SUCCEEDED, "collected")
    assert reason.startswith("2 folders collected: 1 proven by the launcher's manifest, 1 without")
    assert wanted(home, NOW) == frozenset()
    assert home.parts == (1, 2)
    assert home.loads == frozenset({"a_1_s"})


def test_folders_of_other_names_are_loads_of_their_own() -> None:
    found = (*FOUND, Found("by-hand", 1, 1, "late"))

    assert replace(BEGUN, found=found).loads == {"a_1_s", "by-hand"}


def test_without_figures_it_says_so() -> None:
    home = facts.gathered(BEGUN, replace(HOME, requests=None), FOUND[:1], "")

    assert judged(home)[:2] == (Outcome.SUCCEEDED, "collected")
    assert "1 folder collected" in judged(home)[2]
    assert "no figures" in judged(home)[2]


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        (replace(HOME, native_files=0), "no results"),
        (replace(HOME, requests=4, failures=4), "all requests failed"),
    ],
)
def test_a_copy_without_good_results_is_no_success(what: object, kind: str) -> None:
    home = replace(BEGUN, collected=what, found=FOUND)  # type: ignore[arg-type] # mypy - a table

    assert judged(home)[:2] == (Outcome.FAILED, kind)


def test_a_claim_with_nothing_on_it_fails_once_and_never_launches() -> None:
    empty = facts.gathered(BEGUN, replace(HOME, files=0), (), "there is no claim c")

    failed = ask(empty)

    assert failed.phase is Phase.REPORTING
    assert failed.verdict is not None
    assert (failed.verdict.kind, failed.verdict.reason) == ("no results", "there is no claim c")


def test_what_never_comes_is_given_up_and_not_tried_as_a_load() -> None:
    late = replace(BEGUN, deadline=PAST, last_error="1.json differs")

    assert judged(late)[:2] == (Outcome.FAILED, "collect")
    assert "1.json differs" in judged(late)[2]


def test_the_fact_is_for_such_runs_only() -> None:
    launched = record(Phase.COLLECTING, seen=(1,))

    assert facts.gathered(launched, HOME, FOUND, "") == launched
    assert facts.gathered(record(Phase.REPORTING, found=()), HOME, FOUND, "").collected is None
