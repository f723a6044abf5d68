"""The verdict: four facts, none of which stands for another."""

from itertools import product

import pytest

from llmdbenchd.core.results.verdict import Evidence, Outcome, judge

CASES: list[tuple[str, Evidence, str]] = [
    ("all is well", Evidence("", 1, 5, 0, ""), "good"),
    ("some failed, as tolerated", Evidence("", 1, 100, 50, ""), "good"),
    ("exactly the tolerated share failed", Evidence("", 1, 4, 3, ""), "good"),
    ("a launcher ended badly", Evidence("launcher 1 exited: 3", 1, 5, 0, ""), "launcher"),
    ("the copy is not whole", Evidence("", 1, 5, 0, "a.json differs"), "collect"),
    ("nothing was written", Evidence("", 0, 5, 0, ""), "no results"),
    ("nothing says how many were sent", Evidence("", 1, None, None, ""), "no proof"),
    ("nothing says how many failed", Evidence("", 1, 5, None, ""), "no proof"),
    ("only failures are counted", Evidence("", 1, None, 0, ""), "no proof"),
    ("no request was sent", Evidence("", 1, 0, 0, ""), "no requests"),
    ("every request failed", Evidence("", 1, 5, 5, ""), "all requests failed"),
    ("more failed than were sent", Evidence("", 1, 5, 6, ""), "all requests failed"),
    ("too many failed", Evidence("", 1, 100, 76, ""), "too many failures"),
]


@pytest.mark.parametrize(
    ("evidence", "kind"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_each_case_has_its_own_verdict(evidence: Evidence, kind: str) -> None:
    verdict = judge(evidence, 0.75)

    assert verdict.kind == kind
    assert verdict.outcome is (Outcome.SUCCEEDED if kind == "good" else Outcome.FAILED)
    assert verdict.reason


def test_all_requests_failing_is_a_failure_however_much_is_tolerated() -> None:
    assert judge(Evidence("", 1, 5, 5, ""), 1.0).kind == "all requests failed"


def test_nothing_is_tolerated_where_nothing_is_to_be_tolerated() -> None:
    assert judge(Evidence("", 1, 1000, 1, ""), 0.0).kind == "too many failures"
    assert judge(Evidence("", 1, 1000, 0, ""), 0.0).kind == "good"


def test_the_sentence_says_how_many_of_how_many() -> None:
    reason = judge(Evidence("", 1, 100, 76, ""), 0.75).reason

    assert reason == "76 of 100 requests failed (76.0%, tolerated 75.0%)"


def test_a_run_succeeds_only_if_all_four_facts_are_good() -> None:
    for bad, files, requests, failures, missing in product(
        ("", "launcher 1 was lost"), (0, 1), (None, 0, 5), (None, 0, 1, 5), ("", "disk")
    ):
        verdict = judge(Evidence(bad, files, requests, failures, missing), 0.99)
        all_good = not bad and files and requests and failures in {0, 1} and not missing
        assert (verdict.outcome is Outcome.SUCCEEDED) is bool(all_good)


def test_a_recording_sends_no_request_and_proves_its_work_by_its_good_end() -> None:
    recorded = Evidence("", 1, None, None, "", sends_load=False)

    assert judge(recorded, 0.99).reason == "a server became ready"
    assert judge(Evidence("", 0, None, None, "", sends_load=False), 0.99).kind == "no results"
