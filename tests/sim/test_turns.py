"""Many runs, few targets: nobody is loaded by two at once, and no slot stands idle for nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.turns import Crowd, crowd
from llmdbenchd.core.run.phase import Phase


def over(made: Crowd) -> Crowd:
    made.run()
    assert {one.phase for one in made.records.values()} == {Phase.SUCCEEDED}
    return made


def test_two_hundred_runs_over_twenty_targets_never_share_a_server_nor_leave_a_slot_idle() -> None:
    made = over(crowd(200, 20))

    assert made.together == []
    assert made.idle_s == 0


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32),
    st.integers(1, 40),
    st.integers(1, 6),
    st.integers(1, 5),
    st.sampled_from([0.0, 60.0, 2000.0]),
)
def test_whatever_comes_when_nobody_shares_a_server_and_no_slot_stands_idle(
    seed: int, runs: int, targets: int, slots: int, spread_s: float
) -> None:
    made = over(crowd(runs, targets, slots=slots, seed=seed, spread_s=spread_s))

    assert made.together == []
    assert made.idle_s < 1.0 * runs * slots, "at most the moment that a look-up takes"
