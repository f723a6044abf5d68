"""What a copy lacks is found in what it was made of, to the line, or not at all."""

from collections import Counter
from itertools import chain
from random import Random

import pytest

from llmdbenchd.kit.missing import begins, missing


def lines(text: str) -> list[bytes]:
    return text.encode().split()


def fill(copy: str, *streams: str) -> list[list[bytes]] | None:
    """The pieces of the copy are parted by bars."""
    found = missing([lines(piece) for piece in copy.split("|")], [lines(one) for one in streams])
    return None if found is None else [list(chain.from_iterable(gap)) for gap in found]


@pytest.mark.parametrize(
    ("copy", "out", "err", "found"),
    [
        ("a b | d", "a b c d", "", "c"),
        ("a x | d", "a b d", "x y", "b y"),
        ("a b |", "a b c d", "x", "c d x"),
        ("| d", "a b c d", "", "a b c"),
        ("|", "a", "x", "a x"),
        ("a | b", "a b", "", ""),
        ("own a | d own", "a c d", "", "c"),
        ("a a a | a", "a a a a a", "", "a"),
        ("a x | z", "a y", "x z", "y"),
        ("x own x | y", "x x x y", "", "x"),
    ],
)
def test_the_lines_of_one_gap_are_found(copy: str, out: str, err: str, found: str) -> None:
    assert fill(copy, out, err) == [lines(found)]


@pytest.mark.parametrize(
    ("copy", "out", "err", "found"),
    [
        ("a | c own | e", "a b c d e", "", ["b", "d"]),
        ("a | c y | e", "a b c d e", "x y z", ["b x", "d z"]),
        ("a | y | e", "a b e", "y", ["", "b"]),
        ("a | own | e", "a b e", "", ["", "b"]),
    ],
)
def test_pieces_between_two_gaps_are_found_again(
    copy: str, out: str, err: str, found: list[str]
) -> None:
    assert fill(copy, out, err) == [lines(one) for one in found]


@pytest.mark.parametrize(
    ("copy", "out"),
    [
        ("a c | e", "a b c d e"),  # lines are missing where no gap is marked
        ("c | e", "a b c d e"),
        ("a | c", "a b c d"),  # the end is missing, and nothing says so
        ("a b c | b c", "a b c"),
        ("a | c e | g", "a b c d e f g"),
        ("a | b a | e", "a b c e"),
    ],
)
def test_what_does_not_fit_is_not_guessed(copy: str, out: str) -> None:
    if copy == "a | b a | e":
        assert fill(copy, out, "") == [[], [b"c"]], "a line of others that looks like an old one"
    else:
        assert fill(copy, out, "") is None


@pytest.mark.parametrize(
    ("piece", "out", "err", "expected"),
    [
        ("own a b x", "a b c d", "x", True),
        ("b c", "a b c", "", False),  # its beginning is missing
        ("own own", "a b", "x", False),  # nothing of them is in it
        ("a a", "a b a a", "", False),
    ],
)
def test_whether_the_first_lines_are_there_is_seen_without_the_rest(
    piece: str, out: str, err: str, *, expected: bool
) -> None:
    assert begins(lines(piece), [lines(out), lines(err)]) is expected


def test_too_many_ways_are_not_followed() -> None:
    assert fill("a " * 100 + "| b", "a " * 100 + "b", "a " * 100) is None


@pytest.mark.parametrize("seed", range(200))
def test_filled_copies_have_every_line_once_in_its_stream_s_order(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - dice, not secrets
    streams = [
        [f"{name}{random.randint(0, 300)}".encode() for _ in range(random.randint(0, 40))]
        for name in ("o", "e")
    ]
    left = [list(stream) for stream in streams]
    merged: list[bytes] = []
    while any(left):
        merged.append(random.choice([one for one in left if one]).pop(0))
    cuts = sorted(random.sample(range(len(merged) + 1), k=min(4, len(merged) + 1)))
    if len(cuts) < 4:
        return
    pieces = [merged[: cuts[0]], merged[cuts[1] : cuts[2]], merged[cuts[3] :]]

    found = missing(pieces, streams)

    if found is not None:
        first, second = (list(chain.from_iterable(gap)) for gap in found)
        whole = pieces[0] + first + pieces[1] + second + pieces[2]
        assert Counter(whole) == Counter(merged)
        for stream in streams:
            mine = Counter(stream)
            assert Counter(line for line in whole if line in mine) == mine
