"""The files' mender: what a followed log lacks is put there from the launcher's own copies.

A launcher keeps each byte of its harness's output among its results, and they come home
proven. So where the cluster's log has a gap, the lines are there: in order, without times. The
gap's mark stays, and says how many they are and where they come from.

An end can be missing where nothing marks it: a cluster asked for lines from a time on keeps
back what it stamped with an earlier one, when its clock was put back. So the end is compared,
too.
"""

from collections.abc import Sequence
from pathlib import Path

from llmdbenchd.edge.files.durable import publish, translated
from llmdbenchd.kit.missing import missing
from llmdbenchd.kit.stamps import Gap, gaps, mark, plain, stamp_of
from llmdbenchd.payload.launcher import STREAMS

OWN = tuple(f"{name}.log" for name in STREAMS)
LARGEST = 256 << 20  # bytes of log and copies together: they are held in memory several times
UNMARKED = "the cluster did not tell them, as when its clock was put back"


def fill_gaps(log: Path, results: Path) -> None:
    """Fill the gaps that are marked in a log, if that can be done without a doubt.

    Args:
        log: of a launcher, whole; replaced at once, or not touched.
        results: the launcher's results, as they came home; may lack everything.
    """
    own = [results / name for name in OWN]
    with translated(log):
        if not all(path.is_file() for path in own):
            return
        if sum(path.stat().st_size for path in (log, *own)) > LARGEST:
            return
        pieces, marked = _pieces(log.read_bytes())
        streams = [[_told(line) for line in _lines(path.read_bytes())] for path in own]
    if any(gap.filled is not None for gap in marked):
        return  # it was done before we were killed
    if not marked:
        last = stamp_of(pieces[-1][-1]) if pieces[-1] else b""
        if not last:  # a log without times is the output itself, byte for byte
            return
        pieces, marked = [*pieces, []], [Gap(last.decode(), None, UNMARKED)]
    found = missing([[_told(plain(line)) for line in piece] for piece in pieces], streams)
    if found is not None and (any(found) or marked[0].why != UNMARKED):
        publish(log, _filled(pieces, marked, found))


def _lines(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    return lines if lines[-1] else lines[:-1]


def _told(line: bytes) -> bytes:
    """As a cluster tells it: container runtimes drop a return before the line's end."""
    return line.removesuffix(b"\r")


def _pieces(data: bytes) -> tuple[list[list[bytes]], list[Gap]]:
    """The lines (stamps included) between the marks, and what these say."""
    pieces: list[list[bytes]] = [[]]
    marked: list[Gap] = []
    for line in _lines(data):
        gap = next(iter(gaps(line + b"\n")), None)
        if gap is not None:
            marked.append(gap)
            pieces.append([])
        else:
            pieces[-1].append(line)
    return pieces, marked


def _filled(
    pieces: Sequence[Sequence[bytes]], marked: Sequence[Gap], found: Sequence[Sequence[bytes]]
) -> bytes:
    parts = [line + b"\n" for line in pieces[0]]
    for gap, lines, piece in zip(marked, found, pieces[1:], strict=True):
        source = " and ".join(OWN)
        parts.append(mark(Gap(gap.after, gap.before, gap.why, len(lines), source)))
        parts += [gap.after.encode() + b" " + line + b"\n" for line in lines]
        parts += [line + b"\n" for line in piece]
    return b"".join(parts)
