"""Only what is ours and needed by no run goes; pods first; everything else stays with a reason."""

import pytest

from llmdbenchd.core.fsck.leftovers import CLAIM, CONFIG_MAP, POD, Known, Owned, Sorted, sort_out
from llmdbenchd.core.run.phase import FINAL, Phase
from llmdbenchd.core.run.record import Record
from tests.core.run.cases import record

OURS = {"app.kubernetes.io/managed-by": "llmdbenchd", "llmdbenchd/instance": "cafe"}
RUN = {**OURS, "llmdbenchd/job": "j", "llmdbenchd/run": "r001"}


def thing(kind: str = POD, name: str = "p", /, **labels: str) -> Owned:
    given = labels or RUN
    return Owned("bench", kind, name, f"uid-{name}", given)


def look(*found: Owned, records: tuple[Record, ...] = (), daemon: bool = False) -> Sorted:
    jobs = tuple({one.job for one in records})
    return sort_out(found, Known(instance="cafe", jobs=jobs, records=records, daemon=daemon))


def why(*found: Owned, records: tuple[Record, ...] = (), daemon: bool = False) -> str:
    answer = look(*found, records=records, daemon=daemon)
    assert answer.goes == ()
    return answer.stays[0][1]


@pytest.mark.parametrize("phase", sorted(FINAL - {Phase.LEFT}))
def test_what_a_run_left_that_is_over_goes(phase: Phase) -> None:
    assert look(thing(), records=(record(phase),)).goes == (thing(),)


@pytest.mark.parametrize("phase", sorted(set(Phase) - FINAL))
def test_nothing_of_an_open_run_goes(phase: Phase) -> None:
    assert f"run j/r001 is {phase}" in why(thing(), records=(record(phase),))


def test_a_run_that_was_left_running_on_request_stays() -> None:
    assert "collect j" in why(thing(), records=(record(Phase.LEFT),))


def test_the_only_copy_of_results_stays() -> None:
    lost = record(Phase.FAILED, uncollected="the disk was full")

    assert "were not brought home: the disk was full" in why(thing(), records=(lost,))


def test_a_run_whose_record_was_tidied_away_is_over_and_one_that_cannot_be_read_may_not_be() -> (
    None
):
    other = record(Phase.SUCCEEDED, run="r002")

    assert look(thing()).goes == (thing(),)
    assert "cannot be read" in why(thing(), records=(other,))


def test_what_no_run_owns_stays_while_a_daemon_may_use_it() -> None:
    payload = Owned("bench", CONFIG_MAP, "payload", "u", OURS)

    assert look(payload).goes == (payload,)
    assert why(payload, daemon=True) == "a daemon is running that may use it"


def test_a_claim_is_never_removed() -> None:
    assert "results may lie on it" in why(Owned("bench", CLAIM, "workload-pvc", "u", OURS))


@pytest.mark.parametrize(
    "labels",
    [{**RUN, "llmdbenchd/instance": "f00d"}, {"app.kubernetes.io/managed-by": "llmdbenchd"}],
)
def test_what_another_daemon_made_stays(labels: dict[str, str]) -> None:
    """A label that all of them share would remove the launchers of other people."""
    assert "another daemon made it" in why(thing(POD, "p", **labels))


def test_pods_go_before_what_they_use() -> None:
    """A claim or a map that is gone first keeps its pod from ending in peace."""
    goes = look(thing(CONFIG_MAP, "a"), thing(POD, "z"), thing(POD, "b")).goes

    assert [one.name for one in goes] == ["b", "z", "a"]
    assert str(goes[2]) == "ConfigMap bench/a"
