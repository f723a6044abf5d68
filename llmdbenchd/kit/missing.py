"""The kit's mender: what a copy with gaps lacks, found in the sources that it was made of.

A copy is some streams of lines merged into one, each in its own order, with lines of others
between. Of a copy that lacks lines in the middle, the beginning is found again by following
the streams from their beginning, and the end from their end; what lies between them, and is
in none of the pieces between two gaps, is what the copy lacks. Nothing is guessed: where the
pieces cannot have come from these streams, there is no answer.
"""

from collections.abc import Sequence
from itertools import chain, product

from llmdbenchd.kit.rows import Filter

Lines = Sequence[bytes]
_MOST = 64  # ways in which a piece may have come about, that are followed at one time


def missing(pieces: Sequence[Lines], streams: Sequence[Lines]) -> list[list[Lines]] | None:
    """What lies in the gap after each piece but the last, stream by stream.

    Args:
        pieces: of the copy, in order; an empty last one means that its end is missing.
        streams: each with all of its lines, in order.

    Returns:
        For each gap its lines, stream by stream; None where the pieces do not fit the streams.
    """
    begin = _matched(pieces[0], streams)
    end = _matched(pieces[-1][::-1], [stream[::-1] for stream in streams])
    if begin is None or end is None:
        return None
    ends = [len(stream) - count for stream, count in zip(streams, end, strict=True)]
    gaps: list[list[Lines]] = []
    at = list(begin)
    for piece in pieces[1:-1]:
        span = _found(piece, streams, at, ends)
        if span is None:
            return None
        gaps.append(_between(streams, at, [first for first, _ in span]))
        at = [after for _, after in span]
    if any(first > last for first, last in zip(at, ends, strict=True)):
        return None
    return [*gaps, _between(streams, at, ends)]


def begins(piece: Lines, streams: Sequence[Lines]) -> bool:
    """Whether the streams' first lines are where a piece begins; both may be cut off later."""
    matched = _matched(piece, streams)
    return matched is not None and any(matched)


def _between(streams: Sequence[Lines], begin: Sequence[int], end: Sequence[int]) -> list[Lines]:
    return [stream[at:last] for stream, at, last in zip(streams, begin, end, strict=True)]


def _matched(piece: Lines, streams: Sequence[Lines]) -> tuple[int, ...] | None:
    """How many lines of each stream, from its beginning, are in a piece; None: it does not fit.

    Lines of others are passed by, unless a stream has the same line: then one was left out
    (before the first line of a stream that says nothing yet).
    """
    start = (0,) * len(streams)
    known = Filter(chain.from_iterable(streams), sum(map(len, streams)))
    ways, doubtful = {start}, False
    for line in piece:
        onward = _onward(ways, line, streams)
        if len(onward) > _MOST:
            return None
        if not onward and line in known:
            if ways != {start}:
                return None
            doubtful = True
        ways = onward or ways
    return None if doubtful and ways == {start} else min(ways)


def _onward(
    ways: set[tuple[int, ...]], line: bytes, streams: Sequence[Lines]
) -> set[tuple[int, ...]]:
    return {
        (*way[:number], way[number] + 1, *way[number + 1 :])
        for way, (number, stream) in product(ways, enumerate(streams))
        if way[number] < len(stream) and stream[way[number]] == line
    }


def _found(
    piece: Lines, streams: Sequence[Lines], begin: Sequence[int], end: Sequence[int]
) -> list[tuple[int, int]] | None:
    """Where a piece between two gaps lies in each stream, as early as can be."""
    first: list[int | None] = [None] * len(streams)
    after = list(begin)
    spans = zip(streams, begin, end, strict=True)
    ahead = [stream[here : max(here, last)] for stream, here, last in spans]
    known = Filter(chain.from_iterable(ahead), sum(map(len, ahead)))
    for line in piece:
        if line not in known:
            continue
        number = _next_in(line, streams, after, first, end)
        if number is None:
            return None
        at = after[number]
        if first[number] is None:
            at = first[number] = _index(streams[number], line, after[number], end[number])
        after[number] = at + 1
    found = zip(first, after, strict=True)
    return [(last if begun is None else begun, last) for begun, last in found]


def _next_in(
    line: bytes,
    streams: Sequence[Lines],
    after: Sequence[int],
    first: Sequence[int | None],
    end: Sequence[int],
) -> int | None:
    """Which stream the line comes from: one that goes on with it, or one that has it ahead."""
    for number, stream in enumerate(streams):
        at = after[number]
        if first[number] is not None and at < end[number] and stream[at] == line:
            return number
    for number, stream in enumerate(streams):
        ahead = _index(stream, line, after[number], end[number])
        if first[number] is None and ahead < end[number]:
            return number
    return None


def _index(stream: Lines, line: bytes, begin: int, end: int) -> int:
    """The place of the first such line from `begin` on; `end` if there is none before it."""
    return next((at for at in range(begin, end) if stream[at] == line), end)
