"""Lines of a long text are there without being held."""

import pytest

from llmdbenchd.kit.rows import Filter, Rows


@pytest.mark.parametrize("text", [b"", b"a", b"a\n", b"a\nbb\n\nccc", b"a\nbb\n\nccc\n", b"\n"])
def test_its_rows_are_its_lines(text: bytes) -> None:
    lines = text.split(b"\n")
    lines = lines if lines[-1] else lines[:-1]
    rows = Rows.of(text, 0, len(text), bytes)

    assert [*rows] == lines
    assert [*rows[::-1]] == lines[::-1]
    assert [*rows[1:3]] == lines[1:3]
    assert len(rows) == len(lines)


def test_a_part_has_its_own_lines_as_they_are_read() -> None:
    assert [*Rows.of(b"a\nb\nc\n", 2, 4, bytes.upper)] == [b"B"]


def test_a_filter_knows_what_it_was_given_and_hardly_anything_else() -> None:
    known = Filter((b"%d" % number for number in range(1000)), 1000)

    assert all(b"%d" % number in known for number in range(1000))
    assert sum(b"%d" % number in known for number in range(1000, 21_000)) < 20
    assert b"" not in Filter([], 0)
