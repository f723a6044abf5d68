"""Bytes become fragments of lines, however they arrive."""

from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from llmdbenchd.core.nop.lines import LIMIT, Lines


def cut(*pieces: bytes) -> list[tuple[int, bytes]]:
    lines = Lines()
    found = [fragment for piece in pieces for fragment in lines.feed(piece)]
    return found + lines.finish()


def test_only_line_feeds_count_as_lines_and_returns_part_them() -> None:
    assert cut(b"a\r\nb\rc\n\n\rd") == [(1, b"a"), (2, b"b"), (2, b"c"), (4, b"d")]


def test_a_line_without_an_end_is_told_at_the_end_and_counted() -> None:
    lines = Lines()
    assert lines.feed(b"half") == []
    assert lines.finish() == [(1, b"half")]
    assert (lines.ended, lines.finish()) == (1, [])


def test_of_a_line_that_never_ends_only_so_much_is_kept() -> None:
    lines = Lines()
    for _ in range(10):
        assert lines.feed(b"x" * LIMIT) == []
    assert lines.feed(b"\ny\n") == [(1, b"x" * LIMIT), (2, b"y")]
    assert cut(b"z" * (LIMIT + 9) + b"\n") == [(1, b"z" * LIMIT)]


@given(
    st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r", b"\r\n", b"\xff"]), max_size=60),
    st.randoms(use_true_random=False),
)
def test_how_the_bytes_were_cut_never_shows(parts: list[bytes], dice: Random) -> None:
    data = b"".join(parts)
    places = sorted(dice.randrange(len(data) + 1) for _ in range(5))
    edges = [0, *places, len(data)]

    assert cut(*(data[a:b] for a, b in pairwise(edges))) == cut(data)
