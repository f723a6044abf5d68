"""The rules of going on with a log, one by one."""

import pytest

from llmdbenchd.kit.resume import FAR, HEAD, NEAR, Bookmark, Replay, bookmark
from llmdbenchd.kit.stamps import Gap, gaps, plain
from tests.kit.kubelet import SECOND, START, line, stamp

LATE = stamp(START + 5 * SECOND).decode()


def told(copy: bytes, *answer: bytes, complete: bool = False) -> tuple[bytes, Replay]:
    """What is added to a copy from an answer that comes in these pieces."""
    replay = Replay(bookmark(copy))
    new = b"".join(map(replay.feed, answer))
    return new + (replay.finish() if complete else b""), replay


def test_without_a_copy_the_source_is_asked_from_its_beginning() -> None:
    assert bookmark(b"") == Bookmark()
    assert bookmark(b"2026-10-26T07:33:20.45 unfinished") == Bookmark()


def test_the_source_is_asked_from_two_seconds_before_the_last_line() -> None:
    assert bookmark(line(0, b"a") + line(7.9, b"b")).since == START // SECOND + 5


def test_a_clock_that_was_put_back_is_gone_along_with() -> None:
    copy = line(90, b"a") + line(91, b"b") + line(40, b"c")

    assert bookmark(copy).since == START // SECOND + 38
    assert told(copy, copy + line(41, b"d"))[0] == line(41, b"d")


def test_what_is_unfinished_does_not_count() -> None:
    copy = line(0, b"a") + line(1, b"b")

    assert bookmark(copy + line(2, b"c")[:-1]).size == len(copy)


def test_lines_that_are_not_the_logs_are_kept_and_looked_past() -> None:
    copy = line(0, b"a") + b"not stamped\n"

    mark = bookmark(copy)

    assert (mark.size, mark.stamp) == (len(copy), stamp(START))
    assert bookmark(b"not stamped\n") == Bookmark(size=12)


def test_a_gap_that_was_marked_last_is_found_again_and_not_marked_twice() -> None:
    copy, after = line(0, b"a"), line(5, b"b")
    once, replay = told(copy, after)
    mark = once.removesuffix(after)
    assert replay.gap is not None

    assert bookmark(copy + mark).size == len(copy)
    assert told(copy + once, after)[0] == b""
    assert gaps(copy + once) == [Gap(stamp(START).decode(), LATE)] == [replay.gap]


def test_a_mark_has_the_stamp_of_the_line_before_it_and_says_why() -> None:
    new, _ = told(line(0, b"a"), line(5, b"b"))

    assert new.startswith(stamp(START) + b" llmdbenchd: log gap: lines after ")
    assert plain(new).startswith(b"llmdbenchd: log gap: ")


def test_a_gap_at_the_end_is_seen_when_the_whole_log_was_told_without_the_last_line() -> None:
    new, replay = told(line(0, b"a"), complete=True)

    assert gaps(new) == [Gap(stamp(START).decode(), None)] == [replay.gap]


def test_an_older_line_that_is_gone_is_no_gap_when_the_last_one_is_there() -> None:
    copy = line(0, b"a") + line(0.1, b"b")

    new, replay = told(copy, line(0.1, b"b"), line(0.2, b"c"), complete=True)

    assert (new, replay.gap) == (line(0.2, b"c"), None)


def test_what_a_follow_skipped_is_added_late_and_marked_and_nothing_is_doubled() -> None:
    copy = line(0, b"a") + line(0.2, b"c")

    new, replay = told(copy, line(0, b"a") + line(0.1, b"b") + line(0.2, b"c") + line(0.3, b"d"))

    assert [one for one in new.splitlines(keepends=True) if not gaps(one)] == [
        line(0.1, b"b"),
        line(0.3, b"d"),
    ]
    assert replay.gap is not None


def test_what_is_known_is_forgotten_when_the_answer_is_past_it() -> None:
    new, _ = told(line(0, b"a"), line(5, b"b"), line(0, b"a"))

    assert new.endswith(line(5, b"b") + line(0, b"a"))


@pytest.mark.parametrize("words", [b"unable to retrieve container logs", b"one\ntwo\n"])
def test_what_the_source_says_of_itself_is_no_line_of_the_log(words: bytes) -> None:
    copy = line(0, b"a")

    new, replay = told(copy, words, complete=True)

    assert (new, replay.gap) == (b"", None)
    assert replay.strange == words.partition(b"\n")[0]


def test_words_of_the_source_in_the_middle_do_not_stop_the_log() -> None:
    new, replay = told(b"", line(0, b"a") + b"oh\nno\n" + line(1, b"b"))

    assert (new, replay.strange) == (line(0, b"a") + line(1, b"b"), b"oh")


def test_an_answer_of_lines_alone_is_not_strange() -> None:
    _, replay = told(b"", line(0, b"a") + line(1, b"b")[:-1])

    assert replay.strange == b""


def test_the_last_line_may_lack_its_end_and_is_only_then_added_without() -> None:
    text = line(0, b"a") + line(1, b"b")[:-1]

    assert told(b"", text)[0] == line(0, b"a")
    assert told(b"", text, complete=True)[0] == text


def test_a_huge_line_is_passed_on_as_it_comes_and_not_held() -> None:
    huge = line(0, b"x" * 5_000_000)
    replay = Replay(Bookmark())
    for begin in range(0, len(huge), 60_000):
        piece = huge[begin : begin + 60_000]
        assert replay.feed(piece) == piece

    assert replay.feed(line(1, b"b")) == line(1, b"b")


def test_a_huge_line_that_is_known_is_not_told_again() -> None:
    huge = line(0, b"x" * 100_000)
    pieces = [huge[begin : begin + 30_000] for begin in range(0, len(huge), 30_000)]

    new, _ = told(huge, *pieces, line(1, b"b"))

    assert new == line(1, b"b")
    assert told(huge, huge + line(1, b"b"))[0] == line(1, b"b")


def test_a_huge_line_without_a_stamp_is_passed_over_to_its_end() -> None:
    new, replay = told(b"", b"y" * (HEAD + 1), b"y" * 50, b"yy\n" + line(0, b"a"))

    assert new == line(0, b"a")
    assert replay.strange == b"y" * 300


def test_the_end_of_a_line_that_began_before_the_window_is_no_new_line() -> None:
    """A progress bar that took minutes, on a runtime that records every step of it."""
    copy = line(0, b"10% 20% 30%") + line(9, b"b") + line(9.5, b"c")
    rest = line(8.5, b" 30%")

    new, replay = told(copy, rest + line(9, b"b") + line(9.5, b"c") + line(9.6, b"d"))

    assert (new, replay.gap) == (line(9.6, b"d"), None)


def test_a_new_line_that_looks_like_such_an_end_is_not_dropped() -> None:
    copy = line(0, b"tick") + line(9, b"b")

    new, replay = told(copy, line(9.5, b"tick"))

    assert new.endswith(line(9.5, b"tick"))
    assert replay.gap is not None


def test_the_window_begins_with_a_long_line_that_may_reach_into_it() -> None:
    long = line(0, b"x" * HEAD)

    assert bookmark(line(-9, b"a") + long + line(9, b"b")).since == START // SECOND
    assert bookmark(long + line(4, b"a") + line(9, b"b")).since == START // SECOND + 7


def test_the_window_is_not_drawn_out_for_ever_by_long_lines() -> None:
    long = b"".join(line(at, b"x" * (FAR // 16)) for at in range(30))

    since = bookmark(long + line(30, b"b")).since

    assert since == START // SECOND + 30 - 15


class Watched:
    """A copy that knows the lowest byte of it that was read."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.lowest = len(text)

    def __len__(self) -> int:
        return len(self.text)

    def __getitem__(self, part: slice, /) -> bytes:
        self.lowest = min(self.lowest, part.start)
        return self.text[part]

    def rfind(self, sub: bytes, start: int, end: int, /) -> int:
        return self.text.rfind(sub, start, end)


def test_no_more_of_a_long_copy_is_read_than_matters() -> None:
    copy = Watched(b"".join(line(at, b"x" * 1000) for at in range(2000)))

    bookmark(copy)

    assert len(copy) - NEAR - 2000 < copy.lowest < len(copy) - NEAR
