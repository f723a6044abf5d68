"""`serve` refuses before it touches anything; and the commands on offer are all there."""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pytest

from llmdbenchd import cli
from llmdbenchd.app.serve import HELD, WRONG_SETTINGS
from llmdbenchd.edge.files.locks import queue_lock
from tests.cli.home import Home


def test_wrong_settings_have_their_own_exit_code_and_all_are_named(
    home: Home, tmp_path: Path
) -> None:
    (tmp_path / "config.toml").write_text("max_active_runs = 'many'\nquue = 'x'\n")
    said = home.call("serve", "--config", "config.toml")

    assert said.code == WRONG_SETTINGS == 78
    assert "max_active_runs" in said.err
    assert "quue" in said.err
    assert not home.state.exists()


def test_a_queue_that_another_daemon_holds_has_its_own_exit_code(home: Home) -> None:
    with queue_lock(home.queue):
        done = subprocess.run(
            [sys.executable, "-m", "llmdbenchd", "serve"],
            capture_output=True,
            check=False,
            timeout=60,
        )

    assert done.returncode == HELD == 75
    assert b"daemon.refused" in done.stdout


def test_its_help_names_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["serve", "--help"])

    told = " ".join(capsys.readouterr().out.split())
    assert f"{HELD} another daemon holds the queue" in told
    assert f"{WRONG_SETTINGS} wrong settings" in told


def test_every_command_on_offer_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])

    told = capsys.readouterr().out
    for command in cli.COMMANDS:
        assert re.search(rf"^ +{command}\b", told, re.MULTILINE), command


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])

    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: llmdbenchd {command}")


def test_no_command_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["llmdbenchd"])
    with pytest.raises(SystemExit) as ended:
        cli.main()

    assert ended.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


def test_the_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])

    assert ended.value.code == 0
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", capsys.readouterr().out)


def test_ctrl_c_ends_a_command_with_the_shells_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("llmdbenchd.cli.profiles.run", interrupted)

    assert cli.main(["profiles"]) == 130
