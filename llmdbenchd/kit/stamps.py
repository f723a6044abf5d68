"""The kit's reader of stamps: log lines that begin with the time at which they were written.

`2026-11-05T12:00:00.123456789Z text`: nine digits, then `Z` or an offset, then one space.
"""

import re
from calendar import timegm
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from llmdbenchd.kit.rows import Text

_STAMP = (
    rb"(?:19|2\d)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
    rb"T(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)\.\d{9}(?:Z|[+-]\d\d:\d\d) "
)
_STAMPED = re.compile(_STAMP)
_LINES = re.compile(rb"(?:" + _STAMP + rb"[^\n]*+\n)*+")
_MARK = b"llmdbenchd: log gap: lines after "
_MISSING = b" may be missing: "
_FILLED = b" were missing, and %d lines from %s follow without their times: "
_BETWEEN = rb"(\S+?)(?: and before (\S+))?"
_FILLING = rb" were missing, and (\d+) lines from ([^\n]*?) follow without their times: "
_GAP = re.compile(
    _STAMP + re.escape(_MARK) + _BETWEEN + rb"(?: may be missing: |" + _FILLING + rb")([^\n]*)\n"
)
BEGINNING = "1970-01-01T00:00:00.000000000Z"  # the stamp before the first line
_OPENING = b"llmdbenchd: log begins here: lines before were not asked for\n"
_OPENED = re.compile(rb"(" + _STAMP + rb")" + re.escape(_OPENING))
ROTATED = "the log was rotated while nobody read it"


@dataclass(frozen=True, slots=True)
class Gap:
    """Lines between two stamps that may be missing.

    Attributes:
        before: None where nothing came any more.
        why: one line.
        filled: how many lines were put there from `source`; None: they are missing still.
    """

    after: str
    before: str | None
    why: str = ROTATED
    filled: int | None = None
    source: str = ""


def plain(line: bytes) -> bytes:
    """The line as it was written: without its stamp, if it has one."""
    stamped = _STAMPED.match(line)
    return line[stamped.end() :] if stamped else line


def stamp_of(line: bytes) -> bytes:
    """The stamp of a line, or nothing where it has none."""
    stamped = _STAMPED.match(line)
    return line[: stamped.end() - 1] if stamped else b""


def second_of(line: bytes) -> int | None:
    """The second of the stamp, since the epoch; None for a line that has none."""
    stamped = _STAMPED.match(line)
    return _epoch(line[:19], line[29 : stamped.end() - 1]) if stamped else None


def end_of_stamped(data: bytes, begin: int) -> int:
    """Where a row of whole stamped lines ends, that begins at `begin`."""
    row = _LINES.match(data, begin)
    return row.end() if row else begin


def mark(gap: Gap) -> bytes:
    """The line that stands for the gap; it has the stamp of the line before it."""
    after = gap.after.encode()
    before = f" and before {gap.before}".encode() if gap.before else b""
    how = _MISSING if gap.filled is None else _FILLED % (gap.filled, gap.source.encode())
    return after + b" " + _MARK + after + before + how + gap.why.encode() + b"\n"


def marks(text: Text) -> Iterator[tuple[int, int, Gap]]:
    """Where the line of each gap that is marked in a long text begins and ends."""
    at = 0
    while (at := text.find(_MARK, at, len(text))) >= 0:
        begin = text.rfind(b"\n", 0, at) + 1
        end = text.find(b"\n", at, len(text)) + 1 or len(text)
        for gap in gaps(text[begin:end]):
            yield begin, end, gap
        at = end


def opening(second: int) -> bytes:
    """The first line of a copy that begins in this second (since the epoch) of a longer log."""
    stamp = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.000000000Z")
    return stamp.encode() + b" " + _OPENING


def opened_at(line: bytes) -> str:
    """The stamp of such a line; empty for any other."""
    opened = _OPENED.fullmatch(line) if line.endswith(_OPENING) else None
    return opened[1].decode().rstrip() if opened else ""


def is_mark(line: bytes) -> bool:
    """Whether the line is of the copy's own, and no line of the log: it stands for what lacks."""
    return (_MARK in line and _GAP.fullmatch(line) is not None) or bool(opened_at(line))


def gaps(text: bytes) -> list[Gap]:
    """The gaps that are marked in some whole lines."""
    if _MARK not in text:
        return []
    found = (_GAP.fullmatch(line + b"\n") for line in text.split(b"\n"))
    return [_read(gap) for gap in found if gap]


def _read(gap: re.Match[bytes]) -> Gap:
    after, before, filled, source, why = gap.groups()
    return Gap(
        after.decode(),
        before.decode() if before else None,
        why.decode("utf-8", "replace"),
        None if filled is None else int(filled),
        (source or b"").decode("utf-8", "replace"),
    )


@lru_cache(maxsize=64)
def _epoch(date: bytes, zone: bytes) -> int:
    year, month, day, hour, minute, second = map(int, re.split(b"[-T:]", date))
    local = timegm((year, month, day, hour, minute, second))
    if zone == b"Z":
        return local
    ahead = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
    return local - ahead if zone.startswith(b"+") else local + ahead
