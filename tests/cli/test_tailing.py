"""Log files printed as they grow: every byte of one, whole lines of several."""

import asyncio
from pathlib import Path

import pytest

from llmdbenchd.cli.tailing import LONGEST, LogFile, Printer, tail

AWKWARD = b"\xff\xfe 10%\r 20%\r done\nno end"


class Terminal:
    """What was printed so far."""

    def __init__(self, captured: pytest.CaptureFixture[bytes]) -> None:
        self._captured = captured
        self._before = b""

    @property
    def text(self) -> bytes:
        self._before += self._captured.readouterr().out
        return self._before

    @property
    def lines(self) -> list[bytes]:
        return self.text.splitlines(keepends=True)


@pytest.fixture
def terminal(capsysbinary: pytest.CaptureFixture[bytes]) -> Terminal:
    return Terminal(capsysbinary)


@pytest.fixture
def file(tmp_path: Path) -> LogFile:
    (tmp_path / "kept").mkdir()
    return LogFile("1", tmp_path / "live.log", tmp_path / "kept/launcher-1.log")


def test_one_log_is_printed_as_it_is(terminal: Terminal) -> None:
    printer = Printer(("1",))
    printer.write("1", AWKWARD)
    printer.finish("1")

    assert terminal.text == AWKWARD


def test_with_several_each_line_says_whose_it_is(terminal: Terminal) -> None:
    printer = Printer(("1", "2"))
    printer.write("1", b"a\nb\n")
    printer.write("2", b"c\n")

    assert terminal.lines == [b"1 | a\n", b"1 | b\n", b"2 | c\n"]


def test_a_line_that_comes_in_pieces_is_printed_once_it_is_whole(terminal: Terminal) -> None:
    printer = Printer(("1", "2"))
    printer.write("1", b"half ")
    printer.write("2", b"other\n")
    printer.write("1", b"a line\n")

    assert terminal.lines == [b"2 | other\n", b"1 | half a line\n"]


def test_the_last_line_needs_no_end(terminal: Terminal) -> None:
    printer = Printer(("1", "2"))
    printer.write("1", b"no end")
    assert terminal.lines == []
    printer.finish("1")
    printer.finish("1")
    printer.finish("2")

    assert terminal.lines == [b"1 | no end\n"]


def test_a_line_without_an_end_is_not_held_back_for_ever(terminal: Terminal) -> None:
    printer = Printer(("1", "2"))
    printer.write("1", b"x" * (2 * LONGEST + 5))
    printer.finish("1")

    assert [len(line) for line in terminal.lines] == [LONGEST + 5, LONGEST + 5, 5 + 5]


def test_a_log_is_where_it_is_written_or_where_it_is_kept(file: LogFile) -> None:
    assert file.path() is None
    file.kept.write_bytes(b"")
    assert file.path() == file.kept
    file.live.write_bytes(b"")
    assert file.path() == file.live


@pytest.mark.looptime(False)  # noqa: FBT003 - the marker's own signature; files are read by threads
async def test_an_ended_log_is_printed_whole_and_then_it_is_over(
    file: LogFile, terminal: Terminal
) -> None:
    file.kept.write_bytes(AWKWARD)
    await tail(file, Printer(("1",)), goes_on=lambda: False)

    assert terminal.text == AWKWARD


@pytest.mark.looptime(False)  # noqa: FBT003 - the marker's own signature
async def test_a_log_that_never_was_is_nothing(file: LogFile, terminal: Terminal) -> None:
    await tail(file, Printer(("1",)), goes_on=lambda: False)

    assert terminal.lines == []


@pytest.mark.looptime(False)  # noqa: FBT003 - the marker's own signature
async def test_a_growing_log_is_followed_from_before_its_beginning_to_its_last_byte(
    file: LogFile, terminal: Terminal
) -> None:
    """The end is asked for before the read: what came just before the end is not missed."""
    asked = 0

    def goes_on() -> bool:
        nonlocal asked
        asked += 1
        if asked == 2:
            file.live.write_bytes(b"first\n")
        elif asked == 4:
            with file.live.open("ab") as opened:
                opened.write(b"last")
        return asked < 4

    await asyncio.wait_for(tail(file, Printer(("1", "2")), goes_on=goes_on), 20)

    assert terminal.lines == [b"1 | first\n", b"1 | last\n"]


def test_the_times_at_which_a_cluster_wrote_lines_are_left_out(terminal: Terminal) -> None:
    stamp = b"2026-11-24T12:00:00.123456789Z "
    one = Printer(("1",), frozenset({"1"}))
    one.write("1", stamp + b"first\n" + stamp)
    one.write("1", b"second\nno stamp\n")
    two = Printer(("1", "2"), frozenset({"2"}))
    two.write("1", stamp + b"kept\n")
    two.write("2", stamp + b"10%\r20%\n")

    assert terminal.lines == [
        b"first\n",
        b"second\n",
        b"no stamp\n",
        b"1 | " + stamp + b"kept\n",
        b"2 | 20%\n",
    ]
