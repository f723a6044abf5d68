"""`logs -f` by the real command, while the run goes on and ends."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from llmdbenchd.core.run.phase import Phase
from tests.cli.home import Home
from tests.core.run.cases import record

RUNNING, ENDED = record(Phase.RUNNING, seen=(1,)), record(Phase.SUCCEEDED, seen=(1,))
LLMDBENCHD = (sys.executable, "-m", "llmdbenchd")


@pytest.fixture
def following(home: Home) -> Iterator["subprocess.Popen[bytes]"]:
    home.keep(RUNNING)
    home.live_log(RUNNING, 1, b"first\n")
    with subprocess.Popen(
        [*LLMDBENCHD, "logs", "j", "-f"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        yield process
        process.kill()


def line_of(process: "subprocess.Popen[bytes]") -> bytes:
    assert process.stdout is not None
    return process.stdout.readline()


def test_lines_come_as_they_are_written_and_the_command_ends_with_the_run(
    home: Home, following: "subprocess.Popen[bytes]"
) -> None:
    assert line_of(following) == b"first\n"
    log = home.state / "live/j/r001/1/launcher-1.log"
    with log.open("ab") as opened:
        opened.write(b"second\n")
    assert line_of(following) == b"second\n"

    with log.open("ab") as opened:
        opened.write(b"last, without an end")
    home.keep(ENDED)
    out, err = following.communicate(timeout=30)
    assert (out, err, following.returncode) == (b"last, without an end", b"", 0)


def test_a_command_that_nobody_knows_is_wrong_usage() -> None:
    done = subprocess.run([*LLMDBENCHD, "dance"], capture_output=True, check=False, text=True)

    assert done.returncode == 2
    assert "invalid choice" in done.stderr


def into_nobodys_hands(*words: str) -> "subprocess.CompletedProcess[bytes]":
    """Call the command; who reads its answer has gone already, as with `| head -0`."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run(
            [*LLMDBENCHD, *words], stdout=writing, stderr=subprocess.PIPE, check=False, timeout=60
        )
    finally:
        os.close(writing)


def test_a_reader_of_the_status_that_has_seen_enough_is_no_error(home: Home) -> None:
    for number in range(500):
        home.keep(record(Phase.RUNNING, job=f"job-{number}"))
    done = into_nobodys_hands("status", "--json")

    assert (done.returncode, done.stderr) == (0, b"")


def test_a_reader_of_a_log_that_has_seen_enough_is_no_error(home: Home) -> None:
    home.keep(RUNNING)
    home.live_log(RUNNING, 1, b"a line\n" * 100_000)
    done = into_nobodys_hands("logs", "j")

    assert (done.returncode, done.stderr) == (0, b"")


def test_a_run_that_is_tried_again_goes_on_with_the_log_of_its_next_attempt(
    home: Home, following: "subprocess.Popen[bytes]"
) -> None:
    assert line_of(following) == b"first\n"

    second = record(Phase.RUNNING, seen=(1,), attempt=2)
    home.live_log(second, 1, b"of the second attempt\n")
    home.keep(second)
    assert line_of(following) == b"of the second attempt\n"

    home.keep(record(Phase.SUCCEEDED, seen=(1,), attempt=2))
    assert following.communicate(timeout=30) == (b"", b"")
