"""A kubelet's way with logs, simulated: it appends records, rotates, and tells them again."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from llmdbenchd.kit.resume import Replay, bookmark
from llmdbenchd.kit.stamps import opening

SECOND = 1_000_000_000
START = 1_793_000_000 * SECOND


@dataclass(frozen=True, slots=True)
class Written:
    """One record: a line, or a part of one (`whole` is false for all parts but the last)."""

    at: int
    text: bytes
    whole: bool = True


def stamp(at: int) -> bytes:
    """Nanoseconds since the epoch, as the kubelet writes them."""
    second = datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{second}.{at % SECOND:09}Z".encode()


def line(at: float, text: bytes) -> bytes:
    """A stamped line, `at` seconds after the start."""
    return stamp(START + int(at * SECOND)) + b" " + text + b"\n"


def told(records: list[Written], since: int | None = None) -> bytes:
    """What the kubelet answers: only records of that second or later, a stamp for each line."""
    answer, begins = [], True
    for record in records:
        if since is not None and record.at < since * SECOND:
            continue
        answer.append(stamp(record.at) + b" " if begins else b"")
        answer.append(record.text + (b"\n" if record.whole else b""))
        begins = record.whole
    return b"".join(answer)


@dataclass
class Copier:
    """Keeps the copy; forgets everything else at each cut, as a killed daemon does.

    `begin`: the second with which the copy begins; None: with the log's first line.
    """

    random: Random
    copy: bytes = b""
    gaps: int = 0
    begin: int | None = None

    def since(self) -> int | None:
        """Cut off what does not count; what to ask for."""
        self.mark = bookmark(self.copy)
        self.copy = self.copy[: self.mark.size]
        if self.begin is None:
            return self.mark.since
        self.copy = self.copy or opening(self.begin)
        return max(self.mark.since or 0, self.begin)

    def read(self, answer: bytes, *, complete: bool) -> None:
        """Take the answer in pieces of any size."""
        replay = Replay(self.mark)
        for piece in self._pieces(answer):
            self.copy += replay.feed(piece)
        if complete:
            self.copy += replay.finish()
        self.gaps += replay.gap is not None

    def _pieces(self, answer: bytes) -> Iterator[bytes]:
        begin = 0
        while begin < len(answer):
            size = self.random.choice([1, 7, 100, 5_000, 70_000])
            yield answer[begin : begin + size]
            begin += size


@dataclass
class World:
    """A container that writes `records`, a connection that is cut again and again."""

    random: Random
    records: list[Written]
    rotates: float = 0.0
    begin: int | None = None
    files: list[list[Written]] = field(default_factory=lambda: [[]])

    def run(self) -> Copier:
        """Copy it all; every connection is cut at any byte, the last read is complete."""
        copier, left = Copier(self.random, begin=self.begin), list(self.records)
        while left:
            since, first = copier.since(), len(self.files) - 1
            for _ in range(self.random.randint(1, 4)):
                left = self._write(left)
            available = told([record for file in self.files[first:] for record in file], since)
            cut = self.random.randint(0, len(available)) if self.random.random() < 0.8 else None
            copier.read(available[:cut], complete=False)
            left = self._write(left)
        copier.read(told(self.files[-1], copier.since()), complete=True)
        return copier

    def _write(self, left: list[Written]) -> list[Written]:
        if self.random.random() < self.rotates and self.files[-1]:
            self.files.append([])
        count = self.random.choice([0, 1, 2, 5, 30])
        self.files[-1] += left[:count]
        return left[count:]
