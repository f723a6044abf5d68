"""The files' mender: what a followed log lacks is put there from the launcher's own copies.

A launcher keeps each byte of its harness's output among its results, and they come home
proven. So where the cluster's log has a gap, the lines are there: in order, without times. The
gap's mark stays, and says how many they are and where they come from.

Two gaps are marked by nobody: a beginning that was rotated away before anybody read it, and an
end that a cluster keeps back whose clock was put back (it is asked for lines from a time on).
So both ends of a log are compared with those of the copies; only a log that lacks something is
read as a whole, and even then little of it is held in memory.
"""

import mmap
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path

from llmdbenchd.edge.files.durable import publish, translated
from llmdbenchd.kit.missing import begins, missing
from llmdbenchd.kit.rows import Rows
from llmdbenchd.kit.stamps import BEGINNING, Gap, mark, marks, plain, stamp_of
from llmdbenchd.payload.launcher import STREAMS

OWN = tuple(f"{name}.log" for name in STREAMS)
WINDOW = 1 << 16  # bytes of each end that are compared
MOST = 1 << 21  # lines of log and copies together: each costs 16 bytes of memory, and some time
BLOCK = 1 << 20
UNREAD = "the log was rotated before anybody read it"
UNMARKED = "the cluster did not tell them, as when its clock was put back"

Data = bytes | mmap.mmap
Span = tuple[int, int]


Lines = Sequence[bytes]


def fill_gaps(log: Path, results: Path) -> None:
    """Fill the gaps of a log, if that can be done without a doubt.

    A beginning that is missing is marked also where it cannot be filled.

    Args:
        log: of a launcher, whole; replaced at once, or not touched.
        results: the launcher's results, as they came home; may lack everything.
    """
    own = [results / name for name in OWN]
    with translated(log), ExitStack() as stack:
        if all(path.is_file() for path in own):
            data, *copies = [stack.enter_context(_mapped(path)) for path in (log, *own)]
            mended = _mended(data, copies)
            if mended is not None:
                publish(log, mended)


def _mended(data: Data, copies: Sequence[Data]) -> Iterator[bytes] | None:
    """The log as it should be, in blocks; None if it may stay as it is."""
    gaps = [gap for _, _, gap in marks(data)]
    spans = _between_marks(data)
    if not stamp_of(data[:WINDOW]) or any(gap.filled is not None for gap in gaps):
        return None  # without times it is the output itself; what is filled is filled once
    lacks_begin = _begins_within(data, copies) and _lacks(_first, data, spans[0], copies)
    lacks_end = _lacks(_last, data, spans[-1], copies)
    if not (gaps or lacks_begin or lacks_end):
        return None
    if lacks_begin:
        spans.insert(0, (0, 0))
        gaps.insert(0, Gap(BEGINNING, stamp_of(data[:WINDOW]).decode(), UNREAD))
    if lacks_end:
        gaps.append(Gap(stamp_of(_last(data, spans[-1])[-1]).decode(), None, UNMARKED))
        spans.append((len(data), len(data)))
    found = _found(data, spans, copies)
    if not any(map(_is_told, gaps, found)) or (found[0] is None and not lacks_begin):
        return None
    return _blocks(data, spans, gaps, found)


def _is_told(gap: Gap, lines: Sequence[Lines] | None) -> bool:
    """Whether a gap stays: one that nobody marked may turn out to be none."""
    if lines is None or gap.why not in {UNREAD, UNMARKED}:
        return gap.why != UNMARKED
    return any(lines)


def _between_marks(data: Data) -> list[Span]:
    """Where the pieces between the marks begin and end."""
    edges = [0, *chain.from_iterable((begin, end) for begin, end, _ in marks(data)), len(data)]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _lacks(
    window: Callable[[Data, Span], list[bytes]], data: Data, span: Span, copies: Sequence[Data]
) -> bool:
    """Whether an end of the log is not one of the copies' ends."""
    order = slice(None, None, 1 if window is _first else -1)
    piece = [_told(plain(line)) for line in window(data, span)]
    streams = [[_told(line) for line in window(copy, (0, len(copy)))] for copy in copies]
    if not piece or not any(streams):
        return False
    return not begins(piece[order], [stream[order] for stream in streams])


def _begins_within(data: Data, copies: Sequence[Data]) -> bool:
    """Whether the log's first line is of the harness; a whole log begins with the launcher's."""
    line = _told(plain(data[: data.find(b"\n")]))
    return any(_has(copy, line) for copy in copies)


def _has(copy: Data, line: bytes) -> bool:
    at = -1
    while (at := copy.find(line, at + 1)) >= 0:
        after = copy[at + len(line) : at + len(line) + 2]
        if copy[max(at - 1, 0) : at] in {b"", b"\n"} and after[:1] in {b"", b"\n"}:
            return True
        if copy[max(at - 1, 0) : at] in {b"", b"\n"} and after == b"\r\n":
            return True
    return False


def _first(data: Data, span: Span) -> list[bytes]:
    """The first whole lines."""
    begin, end = span
    lines = data[begin : min(end, begin + WINDOW)].split(b"\n")
    return lines if lines[-1] and end - begin <= WINDOW else lines[:-1]


def _last(data: Data, span: Span) -> list[bytes]:
    """The last whole lines."""
    begin, end = span
    lines = data[max(begin, end - WINDOW) : end].removesuffix(b"\n").split(b"\n")
    return [] if begin == end else lines[end - begin > WINDOW :]


def _found(
    data: Data, spans: Sequence[Span], copies: Sequence[Data]
) -> Sequence[Sequence[Lines] | None]:
    """What lies in each gap; None where that is in doubt."""
    pieces = [Rows.of(data, begin, end, lambda line: _told(plain(line))) for begin, end in spans]
    streams = [Rows.of(copy, 0, len(copy), _told) for copy in copies]
    is_small = sum(map(len, (*pieces, *streams))) <= MOST
    found = missing(pieces, streams) if is_small else None
    return [None] * (len(spans) - 1) if found is None else found


def _told(line: bytes) -> bytes:
    """As a cluster tells it: container runtimes drop a return before the line's end."""
    return line.removesuffix(b"\r")


def _blocks(
    data: Data,
    spans: Sequence[Span],
    gaps: Sequence[Gap],
    found: Sequence[Sequence[Lines] | None],
) -> Iterator[bytes]:
    yield from _cut(data, spans[0])
    for gap, lines, span in zip(gaps, found, spans[1:], strict=True):
        if lines is None and _is_told(gap, lines):
            yield mark(gap)
        elif lines is not None and _is_told(gap, lines):
            count, source = sum(map(len, lines)), " and ".join(OWN)
            yield mark(Gap(gap.after, gap.before, gap.why, count, source))
            nearest = gap.before if gap.after == BEGINNING and gap.before else gap.after
            stamp = nearest.encode() + b" "
            yield from (stamp + line + b"\n" for line in chain.from_iterable(lines))
        yield from _cut(data, span)


def _cut(data: Data, span: Span) -> Iterator[bytes]:
    begin, end = span
    for at in range(begin, end, BLOCK):
        yield data[at : min(end, at + BLOCK)]
    if begin < end and data[end - 1 : end] != b"\n":
        yield b"\n"


@contextmanager
def _mapped(path: Path) -> Iterator[Data]:
    """The file's bytes, read when they are looked at."""
    with path.open("rb") as file:
        if not file.seek(0, 2):
            yield b""
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data
