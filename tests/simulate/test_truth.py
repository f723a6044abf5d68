"""The truth file can be trusted, and a server that was killed spoils only its last line."""

import pytest

from llmdbenchd.simulate.truth import BadTruth, Outcome, TruthLine, read_truth, write_line


def line(  # noqa: PLR0913 - one fact of a request each
    index: int,
    outcome: Outcome = Outcome.SERVED,
    *,
    ttft_s: float | None = 0.05,
    itl_s: float | None = 0.01,
    tokens: int = 50,
    choices: int = 1,
    streamed: bool = True,
) -> str:
    return write_line(
        TruthLine(
            index=index,
            arrival="2026-11-24T07:12:11.643489+00:00",
            path="/v1/completions",
            status=200,
            outcome=outcome,
            streamed=streamed,
            choices=choices,
            prompt_tokens=10,
            output_tokens=tokens,
            ttft_s=ttft_s,
            itl_s=itl_s,
            last_s=0.54,
            end_s=0.541,
            user_agent="a\u2028b",
            error=None,
        )
    )


def test_a_whole_file_is_summed_up() -> None:
    summary = read_truth(line(1, ttft_s=0.04) + line(2, ttft_s=0.06))

    assert summary.requests == 2
    assert summary.failures == summary.unfinished == 0
    assert summary.prompt_tokens == 20
    assert summary.output_tokens == 100
    assert summary.ttft_ms == pytest.approx(50)
    assert summary.itl_ms == pytest.approx(10)
    assert summary.latency_ms == pytest.approx(540)
    assert not summary.torn


def test_an_empty_file_knows_of_no_time_rather_than_of_none() -> None:
    summary = read_truth("")

    assert summary.requests == 0
    assert summary.ttft_ms is summary.itl_ms is summary.latency_ms is None


def test_requests_that_were_not_served_tell_nothing_about_time() -> None:
    others = (Outcome.FAILED, Outcome.LEFT, Outcome.STOPPED)
    text = line(1) + "".join(line(index, way, ttft_s=9.0) for index, way in enumerate(others, 2))
    summary = read_truth(text + line(5, ttft_s=None, itl_s=None, streamed=False))

    assert summary.requests == 5
    assert summary.failures == 1
    assert summary.unfinished == 2
    assert summary.ttft_ms == pytest.approx(50)


def test_every_gap_between_tokens_has_the_same_weight() -> None:
    short, long = line(1, itl_s=0.03, tokens=2), line(2, itl_s=0.01, tokens=8, choices=2)

    assert read_truth(short + long).itl_ms == pytest.approx((30 + 3 * 10) / 4)


def test_a_reply_of_one_token_has_no_gap() -> None:
    assert read_truth(line(1, itl_s=None, tokens=1)).itl_ms is None


def test_a_line_that_was_cut_off_at_the_end_is_left_out_and_noted() -> None:
    whole = line(1)
    torn = line(2).rstrip("\n")

    for length in range(1, len(torn)):
        summary = read_truth(whole + torn[:length])
        assert (summary.requests, summary.torn) == (1, True)
    assert read_truth(whole + torn).requests == 2


@pytest.mark.parametrize("bad", ["nonsense\n", '{"index": 1}\n', '{"index": 1}\n' + line(3)])
def test_any_other_bad_line_is_named(bad: str) -> None:
    with pytest.raises(BadTruth, match="line 2 is no finished request"):
        read_truth(line(1) + bad)


def test_lines_are_as_good_as_a_text() -> None:
    assert read_truth([line(1), "\n", line(2)]) == read_truth(line(1) + line(2))
