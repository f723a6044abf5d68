"""The kit's bookmark: a log that was cut off is gone on with, no line missing and none doubled.

The source numbers nothing. It puts a stamp of nine digits in front of each line and can be
asked for what was stamped in a given second or later. So the copy keeps the stamps, and is
itself all that must be known: `bookmark` reads its end, the source is asked from there on,
and a `Replay` takes from the answer what the copy has not.

A source that only appends tells its lines in the same order every time. So what comes after
the last known line is new; a line that is not known before that one came by says that the
source was rotated, and that lines may be lost: a gap, which is marked in the copy.

Three things blur this, and each has its rule here:
- stamps are up to 0.9 s out of order: the window reaches back `BACK` seconds;
- a line is stamped when it begins, but its later records are asked for by stamps of their
  own, so that an answer may begin with the end of a line: the line before the window is kept
  (or, when it is long, the window begins with it);
- lines may be longer than memory is large: a line is known by its first `HEAD` bytes.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol

from llmdbenchd.kit.stamps import Gap, end_of_stamped, is_mark, mark, plain, second_of, stamp_of

BACK = 2  # seconds before the last line from which the source is asked
HEAD = 1 << 14  # bytes by which a line is known; longer ones are passed on as they come
NEAR = 1 << 18  # bytes of the copy that are always looked at: a clock may have been put back
FAR = 1 << 24  # bytes that are repeated at most for the sake of long lines
QUOTED = 300  # bytes kept of what is no line of the log


class Bytes(Protocol):
    """The copy of a log: bytes, or a file that is mapped into memory."""

    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> bytes: ...
    def rfind(self, sub: bytes, start: int, end: int, /) -> int: ...  # noqa: D102 -- as bytes does


@dataclass(frozen=True, slots=True)
class Bookmark:
    """How far a copy has come.

    Attributes:
        size: bytes of the copy that count; what follows must be cut off.
        since: epoch second from which the source is asked; None: from its beginning.
        stamp: of the last line. `last`: what it is known by. `newest`: highest second.
        known: how often each line from `since` on was copied, by what it is known by.
        before: the line before those, if it is short. `following`: stamp of the line after it.
    """

    size: int = 0
    since: int | None = None
    stamp: bytes = b""
    last: bytes = b""
    newest: int = 0
    known: Counter[bytes] = field(default_factory=Counter)
    before: bytes = b""
    following: bytes = b""


def bookmark(log: Bytes) -> Bookmark:
    """Read from the end of a copy how far it has come.

    An unfinished last line does not count (the source tells it again), nor does a mark at the
    end (what made it will be seen again); one before that is no line of the source.
    """
    size = log.rfind(b"\n", 0, len(log)) + 1
    walk = _Walk()
    for begin, end in _backwards(log, size):
        head = log[begin : min(end, begin + HEAD)]
        if is_mark(head):
            size = begin if end == size else size
        elif not walk.goes_on(head, length=end - begin, walked=size - begin):
            break
    return walk.bookmark(size)


class Replay:
    """Takes from one answer of the source what the copy has not.

    Attributes:
        gap: what was found to be missing, and is marked in the copy.
    """

    def __init__(self, bookmark: Bookmark) -> None:
        self.gap: Gap | None = None
        self._bookmark = bookmark
        self._known = bookmark.known.copy()  # what may be repeated; empty once all is new
        self._is_first = True
        self._held = b""  # the beginning of a line that is not there to its end
        self._passes: bool | None = None  # whether the long line at hand is passed on
        self._strange = b""

    @property
    def strange(self) -> bytes:
        """The first words of the answer that are no line of a log: the source talks of itself."""
        return self._strange or (b"" if stamp_of(self._held) else self._held[:QUOTED])

    def feed(self, data: bytes) -> bytes:
        """What of the answer's next bytes is to be added to the copy."""
        if self._passes is not None:
            rest, data = self._cut(data)
        else:
            rest = b""
        new, data = self._whole_lines(self._held + data)
        self._held = data
        if len(data) > HEAD:
            self._held = b""
            begun = self._new(data)
            self._passes = bool(begun)
            new += begun
        return rest + new

    def finish(self) -> bytes:
        """What is still to be added, when the source has told all that it will ever tell.

        To be called only when the answer is known to be complete; a last line without an
        end is then really the last one.
        """
        last, self._held = self._held, b""
        new = self._new(last) if last else b""
        if self._known and not self._strange:
            new += self._mark(None)
        return new

    def _cut(self, data: bytes) -> tuple[bytes, bytes]:
        """Go on with a long line: what of it is new, and what comes after it."""
        end = data.find(b"\n") + 1
        line, rest = (data[:end], data[end:]) if end else (data, b"")
        new = line if self._passes else b""
        if end:
            self._passes = None
        return new, rest

    def _whole_lines(self, data: bytes) -> tuple[bytes, bytes]:
        """What is new among whole lines, and the unfinished rest."""
        new, begin = [], 0
        while True:
            if not self._known:
                end = end_of_stamped(data, begin)
                new.append(data[begin:end])
                begin = end
            end = data.find(b"\n", begin) + 1
            if not end:
                return b"".join(new), data[begin:]
            new.append(self._new(data[begin:end]))
            begin = end

    def _new(self, line: bytes) -> bytes:
        """The line if it is new (after the mark of a gap, if there is one), or nothing."""
        second = second_of(line)
        is_first, self._is_first = self._is_first, False
        if second is None:
            self._strange = self._strange or line[:QUOTED].rstrip(b"\n")
            return b""
        if not self._known:
            return line
        if self._was_known(_known_by(line)) or (is_first and self._is_rest(line)):
            return b""
        marked = self._mark(stamp_of(line))
        if second > self._bookmark.newest + 1:
            self._known.clear()
        return marked + line

    def _is_rest(self, line: bytes) -> bool:
        """Whether it is the end of a line that was begun before the window."""
        of = self._bookmark
        return stamp_of(line) <= of.following and of.before.endswith(plain(line))

    def _was_known(self, name: bytes) -> bool:
        if not self._known[name]:
            return False
        self._known[name] -= 1
        if name == self._bookmark.last and not self._known[name]:
            self._known.clear()  # the last known line: nothing is missing, all that comes is new
        return True

    def _mark(self, before: bytes | None) -> bytes:
        """The line that marks the gap, for the first new line only."""
        if self.gap:
            return b""
        self.gap = Gap(self._bookmark.stamp.decode(), before.decode() if before else None)
        return mark(self.gap)


class _Walk:
    """From the last line of a copy back to the first that matters."""

    def __init__(self) -> None:
        self._lines: list[tuple[int, bytes]] = []  # second, and what it is known by
        self._since = 0
        self._stamp = self._before = self._following = self._above = b""

    def goes_on(self, head: bytes, *, length: int, walked: int) -> bool:
        """Take the line before; False when nothing before it matters."""
        second = second_of(head)
        if second is None:
            return True
        if not self._lines:
            self._since, self._stamp = second - BACK, stamp_of(head)
        elif second < self._since <= self._lines[-1][0] + 1:
            self._reaches_in(second, head, is_long=length > HEAD and walked < FAR)
        self._lines.append((second, _known_by(head)))
        self._above = stamp_of(head)
        return second >= self._since - 1 or walked < NEAR

    def _reaches_in(self, second: int, head: bytes, *, is_long: bool) -> None:
        """The line was begun before the window, and may have been ended within it."""
        if is_long:
            self._since, self._before = second, b""
        elif self._lines[-1][0] >= self._since:
            self._before, self._following = head, self._above

    def bookmark(self, size: int) -> Bookmark:
        """What was found."""
        if not self._lines:
            return Bookmark(size)
        window = [(second, name) for second, name in self._lines if second >= self._since]
        return Bookmark(
            size,
            self._since,
            stamp=self._stamp,
            last=self._lines[0][1],
            newest=max(second for second, _ in window),
            known=Counter(name for _, name in window),
            before=self._before,
            following=self._following,
        )


def _backwards(log: Bytes, end: int) -> Iterator[tuple[int, int]]:
    """Where each whole line begins and ends, from the last one on."""
    while end:
        begin = log.rfind(b"\n", 0, end - 1) + 1
        yield begin, end
        end = begin


def _known_by(line: bytes) -> bytes:
    return blake2b(line[:HEAD], digest_size=16).digest()
