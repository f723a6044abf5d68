"""Lines on their way out, while the world is slow, full or gone."""

import os
import threading
from io import StringIO
from pathlib import Path

from llmdbenchd.logs.writer import LineWriter, to_stream

PATIENCE_S = 30.0


class Journal:
    """A sink that can stall and fail, and remembers what it took."""

    def __init__(self, *, stalled: bool = False) -> None:
        """Begin, stalled or not."""
        self.text = ""
        self.broken = False
        self.entered = threading.Event()
        self.open = threading.Event()
        if not stalled:
            self.open.set()

    def __call__(self, data: bytes) -> None:
        """Take bytes, when open."""
        self.entered.set()
        self.open.wait(PATIENCE_S)
        if self.broken:
            raise OSError("no space left")
        self.text += data.decode()


def lost(lines: int) -> str:
    return f"lost {lines}\n"


def test_lines_come_out_whole_and_in_order() -> None:
    journal = Journal()
    writer = LineWriter(journal, lost)
    for number in range(1000):
        writer.write(f"{number} → \udcff\n")

    assert writer.close(PATIENCE_S)
    assert journal.text == "".join(f"{number} → \\udcff\n" for number in range(1000))


def test_a_stalled_journal_makes_nobody_wait_and_its_losses_are_counted() -> None:
    journal = Journal(stalled=True)
    writer = LineWriter(journal, lost, room=20)
    writer.write("first\n")
    assert journal.entered.wait(PATIENCE_S)
    for number in range(10):  # ten bytes each; two have room
        writer.write(f"line {number:4}\n")
    journal.open.set()

    assert writer.close(PATIENCE_S)
    assert journal.text == "first\nline    0\nline    1\nlost 8\n"


def test_lines_that_could_not_be_written_are_counted_when_writing_works_again() -> None:
    journal = Journal(stalled=True)
    journal.broken = True
    writer = LineWriter(journal, lost)
    writer.write("into the void\n")
    assert journal.entered.wait(PATIENCE_S)
    writer.write("here again\n")
    journal.open.set()
    assert writer.close(PATIENCE_S)
    assert journal.text == ""

    journal = Journal()
    writer = LineWriter(_failing_once(journal), lost)
    writer.write("into the void\n")
    assert journal.entered.wait(PATIENCE_S)
    writer.write("here again\n")
    assert writer.close(PATIENCE_S)
    assert journal.text == "here again\nlost 1\n"


def _failing_once(journal: Journal) -> Journal:
    class Once(Journal):
        def __call__(self, data: bytes) -> None:
            if not journal.entered.is_set():
                journal.entered.set()
                raise OSError("a moment")
            journal(data)

    return Once()


def test_the_end_waits_for_a_stalled_journal_only_so_long() -> None:
    journal = Journal(stalled=True)
    writer = LineWriter(journal, lost)
    writer.write("never\n")

    assert not writer.close(0.01)
    journal.open.set()
    assert writer.close(PATIENCE_S)


def test_a_line_after_the_end_is_no_error() -> None:
    journal = Journal()
    writer = LineWriter(journal, lost)
    writer.close(PATIENCE_S)
    writer.write("too late\n")

    assert journal.text == ""


def test_a_stream_without_a_descriptor_is_written_as_text() -> None:
    stream = StringIO()
    to_stream(stream)("é\n".encode())

    assert stream.getvalue() == "é\n"


def test_a_file_gets_what_the_stream_had_first(tmp_path: Path) -> None:
    file = tmp_path / "out"
    with file.open("w") as stream:
        stream.write("before\n")
        to_stream(stream)(b"after\n")

        assert file.read_text() == "before\nafter\n"


def test_a_pipe_that_does_not_block_and_is_full_is_waited_for() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    data = b"x" * 1_000_000  # many times what a pipe holds
    with os.fdopen(writing, "w") as stream, os.fdopen(reading, "rb") as reader:
        sending = threading.Thread(target=to_stream(stream), args=(data,))
        sending.start()

        assert reader.read(len(data)) == data
        sending.join()
