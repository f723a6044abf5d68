"""Parts add up to a whole without inventing anything."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmdbenchd.core.results.metrics import (
    SPREADS,
    Metrics,
    Spread,
    combine,
    join_stages,
    spread_of,
)

ONE = Metrics(
    requests=10,
    failures=0,
    duration_s=5.0,
    requests_per_s=2.0,
    input_tokens_per_s=100.0,
    output_tokens_per_s=20.0,
    ttft_ms=Spread(50.0, 49.0, 55.0, 60.0),
    itl_ms=Spread(10.0, 10.0, 11.0, 12.0),
    request_latency_s=Spread(0.5, 0.5, 0.6, 0.7),
)
FAILED = Metrics(requests=10, failures=10, duration_s=6.0, requests_per_s=0.0)


def test_nothing_measured_is_not_a_measurement_of_zero() -> None:
    assert combine([]) is None
    assert join_stages([]) is None


def test_single_values_have_a_mean_and_percentiles_between_neighbours() -> None:
    assert spread_of([]) is None
    assert spread_of([7.0]) == Spread(7.0, 7.0, 7.0, 7.0)
    assert spread_of([3.0, 1.0, 2.0]) == Spread(2.0, 2.0, 2.8, 2.98)


def test_one_part_is_the_whole_with_its_percentiles() -> None:
    assert combine([ONE]) is ONE
    assert join_stages([ONE]) is ONE


def test_launchers_side_by_side_add_their_counts_and_rates() -> None:
    whole = combine([ONE, replace(ONE, duration_s=7.0, requests_per_s=3.0)])

    assert whole is not None
    assert (whole.requests, whole.failures) == (20, 0)
    assert whole.requests_per_s == 5.0
    assert whole.input_tokens_per_s == 200.0
    assert whole.duration_s == 7.0


def test_stages_one_after_another_take_their_time_and_share_their_rate() -> None:
    whole = join_stages([ONE, replace(ONE, duration_s=15.0, requests_per_s=6.0)])

    assert whole is not None
    assert whole.duration_s == 20.0
    assert whole.requests_per_s == 5.0  # (5 s * 2/s + 15 s * 6/s) / 20 s


def test_percentiles_of_several_launchers_are_unknown_and_a_note_says_so() -> None:
    whole = combine([ONE, ONE])

    assert whole is not None
    assert whole.ttft_ms == Spread(mean=50.0)
    assert whole.notes[0].startswith("percentiles of 2 launchers together are not known")


def test_a_mean_is_weighted_by_the_requests_that_succeeded() -> None:
    slow = replace(ONE, requests=40, failures=10, ttft_ms=Spread(90.0))

    whole = combine([ONE, slow])

    assert whole is not None
    assert whole.ttft_ms == Spread(mean=80.0)  # 10 at 50 and 30 at 90


def test_a_launcher_whose_requests_all_failed_does_not_pull_the_latency_to_zero() -> None:
    whole = combine([ONE, FAILED])

    assert whole is not None
    assert whole.ttft_ms == Spread(mean=50.0)
    assert whole.failure_rate == 0.5
    assert not any("ttft_ms" in note for note in whole.notes)


def test_a_figure_that_only_some_launchers_have_is_noted() -> None:
    whole = combine([ONE, replace(ONE, ttft_ms=None)])

    assert whole is not None
    assert whole.ttft_ms == Spread(mean=50.0)
    assert "ttft_ms is that of 1 of 2 launchers" in whole.notes


def test_a_rate_that_one_launcher_lacks_is_unknown_for_all() -> None:
    whole = combine([ONE, replace(ONE, output_tokens_per_s=None)])

    assert whole is not None
    assert whole.output_tokens_per_s is None
    assert whole.requests_per_s == 4.0


def test_no_requests_have_no_failure_rate() -> None:
    assert Metrics(requests=0, failures=0).failure_rate is None


@st.composite
def metrics(draw: st.DrawFn) -> Metrics:
    figure = st.none() | st.floats(0, 1e6)
    requests = draw(st.integers(0, 1000))
    spreads = {name: draw(st.none() | st.builds(Spread, figure)) for name in SPREADS}
    return replace(
        Metrics(
            requests=requests,
            failures=draw(st.integers(0, requests)),
            duration_s=draw(figure),
            requests_per_s=draw(figure),
        ),
        **spreads,  # type: ignore[arg-type]  # names of spreads, and spreads
    )


@given(st.lists(metrics(), min_size=1, max_size=5), st.booleans())
def test_whatever_the_parts_a_mean_lies_between_theirs_and_no_request_is_lost(
    parts: list[Metrics],
    side_by_side: bool,  # noqa: FBT001  # drawn
) -> None:
    whole = combine(parts) if side_by_side else join_stages(parts)

    assert whole is not None
    assert whole.requests == sum(part.requests for part in parts)
    assert 0 <= whole.successes == sum(part.successes for part in parts)
    for name in SPREADS:
        spread = getattr(whole, name)
        if spread is None or spread.mean is None:
            continue
        means = [getattr(part, name) for part in parts]
        known = [mean.mean for mean in means if mean is not None and mean.mean is not None]
        slack = pytest.approx(spread.mean)
        assert min(known) <= spread.mean <= max(known) or slack in (min(known), max(known))
