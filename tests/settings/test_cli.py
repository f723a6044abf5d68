"""`llmdbenchd settings` at a terminal and in a pipe."""

import argparse
import json
from pathlib import Path

import pytest

from llmdbenchd import settings
from llmdbenchd.cli import settings as command
from llmdbenchd.settings import NAMES


@pytest.fixture(autouse=True)
def _own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "SYSTEM_FILE", tmp_path / "none.toml")
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        monkeypatch.delenv(f"LLMDBENCHD_{name.upper()}", raising=False)


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers())
    args = parser.parse_args(["settings", *words])
    code: int = args.run(args)
    return code


def test_each_setting_has_a_line_with_value_and_origin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    deep = "a folder/" + "deep/" * 40
    (tmp_path / "c.toml").write_text(f'profiles = "{deep}"\npath_roots = ["/a", "/b"]\n')
    monkeypatch.setenv("LLMDBENCHD_MAX_STREAMS", "9")
    assert run("--config", "c.toml") == 0

    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert set(NAMES) <= set(lines)
    assert lines["max_streams"].split() == ["max_streams", "9", "LLMDBENCHD_MAX_STREAMS"]
    assert str(tmp_path / deep) in lines["profiles"]
    assert lines["path_roots"].split() == ["path_roots", "/a:/b", f"{tmp_path}/c.toml:2"]
    assert lines["keep_days"].split() == ["keep_days", "-", "default"]


def test_a_mistake_is_a_no_and_a_complaint(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--config", "absent.toml") == 1

    said = capsys.readouterr()
    assert "absent.toml: cannot be read" in said.err
    assert "absent" not in said.out


def test_for_programs_there_is_one_object(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LLMDBENCHD_MIN_FREE", "lots")
    assert run("--json") == 1

    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is False
    assert [problem["name"] for problem in said["problems"]] == ["min_free"]
    assert set(said["settings"]) == set(NAMES)
    assert said["settings"]["min_free"] == {"value": 2 * 2**30, "origin": "default"}
