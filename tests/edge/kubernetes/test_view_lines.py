"""A stream is read as whole lines, however the network cuts it and however long they are."""

from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmdbenchd.edge.kubernetes import lines
from llmdbenchd.edge.kubernetes.lines import lines_of
from llmdbenchd.ports import Unavailable


class Content:
    """A stream that arrives in these pieces, and how many of them were asked for."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces = pieces
        self.read = 0

    async def iter_any(self) -> AsyncIterator[bytes]:
        """The pieces as they arrive."""
        for piece in self.pieces:
            self.read += 1
            yield piece


async def read(*pieces: bytes) -> list[bytes]:
    """All lines of a stream that arrives in these pieces."""
    return [line async for line in lines_of(Content(pieces))]  # type: ignore[arg-type]  # all that is used of it


def cut(stream: bytes, size: int) -> list[bytes]:
    """The stream in pieces of this size."""
    return [stream[start : start + size] for start in range(0, len(stream), size)]


async def test_five_megabytes_in_small_pieces_are_one_line() -> None:
    long = b"x" * 5_000_000

    assert await read(*cut(b"a\n" + long + b"\nb\n", 1000)) == [b"a", long, b"b"]


async def test_empty_lines_are_no_lines() -> None:
    assert await read(b"\n\na\n", b"\n", b"", b"\nb", b"\n\n") == [b"a", b"b"]


@pytest.mark.parametrize("pieces", [[b"a\nhalf"], [b"a\n", b"ha", b"lf"], [b"a", b"\nhalf"]])
async def test_what_was_cut_off_is_no_line(pieces: list[bytes]) -> None:
    assert await read(*pieces) == [b"a"]


async def test_a_stream_that_says_nothing_has_no_lines() -> None:
    assert await read() == []


async def test_lines_are_told_before_the_next_piece_is_awaited() -> None:
    content = Content([b"a\nb\nha", b"lf\n"])
    reading = lines_of(content)  # type: ignore[arg-type]  # all that is used of it

    assert [await anext(reading), await anext(reading)] == [b"a", b"b"]
    assert content.read == 1


@pytest.mark.parametrize("size", [1, 7, 100])
async def test_a_line_that_does_not_end_is_given_up(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "LONGEST", 50)

    with pytest.raises(Unavailable, match="no API server sends it"):
        await read(b"a\n", *cut(b"x" * 100, size))


async def test_many_lines_together_may_be_longer_than_one_may_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lines, "LONGEST", 50)
    many = [b"x" * 50] * 20

    assert await read(*cut(b"\n".join(many) + b"\n", 7)) == many


@given(stream=st.text("ab\n").map(str.encode), size=st.integers(1, 20))
async def test_where_the_network_cuts_makes_no_difference(stream: bytes, size: int) -> None:
    whole = stream.rpartition(b"\n")[0].split(b"\n")

    assert await read(*cut(stream, size)) == [line for line in whole if line]
