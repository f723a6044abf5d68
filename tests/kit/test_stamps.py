"""Stamps are what they look like, and everything else is text."""

import pytest

from llmdbenchd.kit.stamps import (
    BEGINNING,
    Gap,
    end_of_stamped,
    gaps,
    is_mark,
    mark,
    marks,
    opened_at,
    opening,
    plain,
    second_of,
    stamp_of,
)

UTC = b"2026-11-05T12:00:00.123456789Z"
EAST = b"2026-11-05T14:30:00.123456789+02:30"
WEST = b"2026-11-05T03:00:00.123456789-09:00"


@pytest.mark.parametrize("stamp", [UTC, EAST, WEST])
def test_the_offset_does_not_change_the_second(stamp: bytes) -> None:
    line = stamp + b" text\n"

    assert second_of(line) == 1_793_880_000
    assert stamp_of(line) == stamp
    assert plain(line) == b"text\n"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"text\n",
        b"\xff\xfe\n",
        b" " + UTC + b" text\n",
        UTC + b"text\n",
        UTC[:-1] + b" text\n",
        b"2026-11-05T12:00:00.12345678Z text\n",
        b"2026-13-05T12:00:00.123456789Z text\n",
        b"0001-01-01T00:00:00.000000000Z text\n",
    ],
)
def test_what_is_not_quite_a_stamp_is_text(line: bytes) -> None:
    assert plain(line) == line
    assert stamp_of(line) == b""
    assert second_of(line) is None
    assert gaps(line) == []


def test_only_one_stamp_is_taken_off() -> None:
    assert plain(UTC + b" " + UTC + b" text\n") == UTC + b" text\n"


def test_a_stamp_without_text_is_an_empty_line() -> None:
    assert plain(UTC + b" \n") == b"\n"


def test_a_row_of_stamped_lines_ends_where_one_has_no_stamp_or_no_end() -> None:
    row = UTC + b" a\r b\n" + EAST + b" \xff\n"

    assert end_of_stamped(row + b"text\n" + row, 0) == len(row)
    assert end_of_stamped(b"text\n" + row + UTC + b" c", 5) == 5 + len(row)
    assert end_of_stamped(b"text\n", 0) == 0


def test_text_that_only_speaks_of_gaps_is_no_gap() -> None:
    assert gaps(UTC + b" llmdbenchd: log gap: lines after lunch are long\n") == []


def test_marks_say_where_their_lines_begin_and_end() -> None:
    first, second = Gap("2026-11-05T12:00:00.000000000Z", None), Gap(BEGINNING, UTC.decode())
    talk = UTC + b" llmdbenchd: log gap: lines after lunch are long\n"
    text = mark(second) + UTC + b" a\n" + talk + mark(first).rstrip(b"\n")
    begin = len(text) - len(mark(first)) + 1
    at_top = (0, len(mark(second)), second)

    assert [*marks(text)] == [at_top, (begin, len(text), first)]
    assert [*marks(text + b"\n")] == [at_top, (begin, len(text) + 1, first)]


def test_a_copy_that_begins_in_the_middle_says_so_in_a_line_that_is_none_of_the_log() -> None:
    line = opening(1_793_880_000)

    assert opened_at(line) == "2026-11-05T12:00:00.000000000Z"
    assert (second_of(line), is_mark(line), gaps(line)) == (1_793_880_000, True, [])


@pytest.mark.parametrize("line", [b"", UTC + b" text\n", b"no stamp " + opening(0)])
def test_no_other_line_is_where_a_copy_begins(line: bytes) -> None:
    assert opened_at(line) == ""
    assert not is_mark(line)
