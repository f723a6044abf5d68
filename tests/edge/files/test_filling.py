"""What the cluster's log lacks is put there from the launcher's own copies, to the line."""

import tracemalloc
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from llmdbenchd.edge.files import filling
from llmdbenchd.edge.files.evidence import log_facts
from llmdbenchd.edge.files.filling import fill_gaps
from llmdbenchd.kit.stamps import BEGINNING, Gap, gaps, mark, plain, stamp_of
from tests.kit import kubelet
from tests.payload.stage import Stage

SPEAKS = """
import sys
for number in range(400):
    print("out", number, flush=True)
    print("err", number % 50, file=sys.stderr, flush=True)
    if number % 100 == 0:
        print("done\\r", flush=True)
"""


class Told:
    """A real launcher's output, as a cluster tells it: one log, in any order of the two streams."""

    def __init__(self, folder: Path, random: Random) -> None:
        stage = Stage(folder)
        stage.python_executable(SPEAKS)
        done = stage.run()
        assert done.returncode == 0, done.stderr
        streams = [done.stdout.splitlines(), done.stderr.splitlines()]  # as runtimes: without \r
        self.listed = [line for line in streams[0] if line.startswith(b"LLMDBENCH")]
        streams[0] = streams[0][len(self.listed) :]  # by the launcher, before the harness speaks
        self.written = [*self.listed]
        while left := [stream for stream in streams if stream]:
            self.written.append(random.choice(left).pop(0))
        self.lines = [kubelet.line(at / 100, text) for at, text in enumerate(self.written)]
        self.results = stage.results
        self.log = folder / "live" / "launcher-1.log"
        self.log.parent.mkdir()

    def without(self, *lost: tuple[int, int]) -> None:
        """The log as it was followed: without the lines from and up to here.

        They are marked, but at the beginning, of which nobody knew that there was one.
        """
        parts, at = [], 0
        for begin, end in (*lost, (len(self.lines), len(self.lines))):
            parts += self.lines[at:begin]
            if 0 < begin < end:
                after = stamp_of(self.lines[begin - 1]).decode()
                before = stamp_of(self.lines[end]).decode() if end < len(self.lines) else None
                parts.append(mark(Gap(after, before)))
            at = end
        self.log.write_bytes(b"".join(parts))

    def kept(self) -> list[bytes]:
        """The lines of the log without stamps and marks."""
        lines = self.log.read_bytes().splitlines(keepends=True)
        return [plain(line).rstrip(b"\n") for line in lines if not gaps(line)]


@pytest.fixture
def told(tmp_path: Path, dice: Random) -> Told:
    return Told(tmp_path, dice)


@pytest.mark.parametrize(
    "lost", [[(100, 500)], [(700, 801)], [(100, 200), (300, 600)], [(60, 61), (62, 64), (500, 700)]]
)
def test_no_line_is_missing_and_none_is_doubled(told: Told, lost: list[tuple[int, int]]) -> None:
    told.without(*lost)

    fill_gaps(told.log, told.results)

    assert Counter(told.kept()) == Counter(told.written)
    facts = log_facts(told.log)
    assert sum(gap.filled or 0 for gap in facts.gaps) == sum(end - begin for begin, end in lost)
    assert {gap.source for gap in facts.gaps} == {"stdout.log and stderr.log"}
    assert all(stamp_of(line) for line in told.log.read_bytes().splitlines())


def test_an_end_that_nobody_could_read_is_there(told: Told) -> None:
    told.without((300, len(told.lines)))

    fill_gaps(told.log, told.results)

    assert Counter(told.kept()) == Counter(told.written)
    [gap] = log_facts(told.log).gaps
    assert (gap.before, gap.filled) == (None, len(told.lines) - 300)


def test_an_end_that_is_missing_without_a_mark_is_there(told: Told) -> None:
    """A clock that was put back while nobody read: what came after it is never told."""
    told.log.write_bytes(b"".join(told.lines[:300]))

    fill_gaps(told.log, told.results)

    assert Counter(told.kept()) == Counter(told.written)
    [gap] = log_facts(told.log).gaps
    assert (gap.why, gap.filled) == (filling.UNMARKED, len(told.lines) - 300)


@pytest.mark.parametrize("lost", [[(0, 300)], [(0, 300), (400, 500)], [(0, 100), (700, 801)]])
def test_a_beginning_that_nobody_could_read_is_there_and_marked(
    told: Told, lost: list[tuple[int, int]]
) -> None:
    """The log was rotated before the daemon came: nothing said that lines were missing."""
    told.without(*lost)
    first = stamp_of(told.log.read_bytes()).decode()

    fill_gaps(told.log, told.results)

    assert Counter(told.kept()) == Counter(told.written) - Counter(told.listed)
    gap, *others = log_facts(told.log).gaps
    assert (gap.after, gap.before, gap.why) == (BEGINNING, first, filling.UNREAD)
    filled = sum(one.filled or 0 for one in (gap, *others))
    assert filled == sum(end - begin for begin, end in lost) - len(told.listed)


def test_a_beginning_that_cannot_be_filled_is_marked_all_the_same(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    told.without((0, next(at for at in range(300, 500) if told.written[at].startswith(b"out"))))
    lacking = told.kept()
    monkeypatch.setattr(filling, "MOST", 100)
    (told.results / "stderr.log").write_bytes(b"")  # its first line comes again and again

    fill_gaps(told.log, told.results)
    once = told.log.read_bytes()
    fill_gaps(told.log, told.results)

    assert told.log.read_bytes() == once
    [gap] = log_facts(told.log).gaps
    assert (gap.after, gap.why, gap.filled) == (BEGINNING, filling.UNREAD, None)
    assert told.kept() == lacking


def test_a_beginning_and_an_end_that_are_missing_without_marks_are_there(told: Told) -> None:
    told.log.write_bytes(b"".join(told.lines[100:300]))

    fill_gaps(told.log, told.results)

    assert Counter(told.kept()) == Counter(told.written) - Counter(told.listed)
    assert [gap.why for gap in log_facts(told.log).gaps] == [filling.UNREAD, filling.UNMARKED]


def test_words_of_others_at_both_ends_are_no_gap(told: Told) -> None:
    """The launcher lists its variables before the harness speaks, and may say how it ended."""
    own = [kubelet.line(0, b"LLMDBENCH_X=%d" % number) for number in range(50)]
    whole = b"".join([*own, *told.lines, kubelet.line(99, b"launcher: left behind")])
    told.log.write_bytes(whole)

    fill_gaps(told.log, told.results)

    assert told.log.read_bytes() == whole


def test_a_whole_log_is_not_read_but_for_its_ends(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    told.without()
    monkeypatch.setattr(filling, "WINDOW", 500)
    monkeypatch.delattr(filling, "missing")

    fill_gaps(told.log, told.results)

    assert told.kept() == told.written


def test_a_large_log_with_gaps_is_mended_in_little_memory(told: Told) -> None:
    many = [b"line %d of a large log, as long as most of them are" % at for at in range(40_000)]
    told.written = many
    told.lines = [kubelet.line(at / 1000, text) for at, text in enumerate(many)]
    (told.results / "stdout.log").write_bytes(b"\n".join(many) + b"\n")
    (told.results / "stderr.log").write_bytes(b"")
    told.without((0, 10_000), (20_000, 30_000))

    tracemalloc.start()
    fill_gaps(told.log, told.results)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert told.kept() == many
    assert most < told.log.stat().st_size / 1.5


def test_the_log_of_a_launcher_on_this_machine_has_no_times_and_is_left_as_it_is(
    told: Told,
) -> None:
    whole = b"\n".join(told.written[:300]) + b"\n"
    for data in (whole, b""):
        told.log.write_bytes(data)
        fill_gaps(told.log, told.results)
        assert told.log.read_bytes() == data


def test_each_stream_keeps_its_order(told: Told) -> None:
    told.without((100, 500))

    fill_gaps(told.log, told.results)

    kept = [line for line in told.kept() if line.startswith(b"out ")]
    assert kept == [b"out %d" % number for number in range(400)]


def test_what_is_filled_is_filled_once(told: Told) -> None:
    told.without((100, 500))
    fill_gaps(told.log, told.results)
    once = told.log.read_bytes()

    fill_gaps(told.log, told.results)

    assert told.log.read_bytes() == once


def test_without_a_doubtless_copy_the_gap_stays_marked(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    told.without((100, 500))
    before = told.log.read_bytes()
    monkeypatch.setattr(filling, "MOST", 100)
    fill_gaps(told.log, told.results)
    monkeypatch.undo()
    (told.results / "stdout.log").write_bytes(b"something else\nout 3\n")
    fill_gaps(told.log, told.results)
    (told.results / "stdout.log").unlink()
    fill_gaps(told.log, told.results)

    assert told.log.read_bytes() == before
    assert [gap.filled for gap in log_facts(told.log).gaps] == [None]


def test_a_log_without_a_gap_is_not_touched(told: Told) -> None:
    told.without()
    before = told.log.stat()

    fill_gaps(told.log, told.results)

    assert told.log.stat().st_ino == before.st_ino
