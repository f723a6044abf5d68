"""The command itself: who is called, and what a reader that goes away means."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmdbenchd.cli import COMMANDS, main


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])

    assert ended.value.code == 0
    assert command in capsys.readouterr().out


def test_an_unknown_command_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["frobnicate"])

    assert ended.value.code == 2
    assert "simulate" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "llmdbenchd", "profiles"],
            stdout=pipe, stderr=subprocess.PIPE, cwd=tmp_path, check=False,
        )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, b"")
