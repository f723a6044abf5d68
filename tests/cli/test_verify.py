"""`verify` answers with its exit code, and names every difference."""

import argparse
import json
from pathlib import Path

import pytest

from llmdbenchd.cli import verify
from llmdbenchd.edge.files.archive import Archive


@pytest.fixture
def root(tmp_path: Path) -> Path:
    archive = Archive(tmp_path / "archive")
    for run in ("r1", "r2"):
        results = archive.staging("job", run) / "attempts/1/results/1"
        results.mkdir(parents=True)
        (results / "stage.json").write_text("{}")
        archive.seal("job", run, attempt=1, documents={"run.json": b"{}"})
    return archive.root


def call(root: Path, *words: str) -> int:
    parser = argparse.ArgumentParser()
    verify.register(parser.add_subparsers())
    args = parser.parse_args(["verify", "--archive", str(root), *words])
    return int(args.run(args))


def damage(root: Path) -> None:
    file = root / "job/r1/results/1/stage.json"
    file.chmod(0o640)
    file.write_text("[]")


def test_whole_runs_are_good(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(root) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 of 2 runs are whole"


def test_a_difference_is_a_no_and_the_file_is_named(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(root)

    assert call(root) == 1

    captured = capsys.readouterr()
    assert "job/r1: 1 findings" in captured.out
    assert "job/r2: whole" in captured.out
    assert "'results/1/stage.json': changed" in captured.err


def test_only_what_was_asked_for_is_judged(root: Path) -> None:
    damage(root)

    assert call(root, "job/r2") == 0
    assert call(root, "job/r1") == 1
    assert call(root, "job") == 1


def test_json_names_each_run_and_finding(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damage(root)

    assert call(root, "--json") == 1

    first, second = json.loads(capsys.readouterr().out)
    assert first["findings"] == [
        {
            "path": "results/1/stage.json",
            "kind": "changed",
            "detail": "another content of the same size",
        }
    ]
    assert (first["whole"], second["whole"], second["run"]) == (False, True, "r2")


@pytest.mark.parametrize("words", [["nobody"], ["job/r9"]])
def test_nothing_to_verify_could_not_be_found_out(
    root: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert call(root, *words) == 3
    assert f"no archived run of {words[0]}" in capsys.readouterr().err


def test_an_archive_that_is_no_folder_could_not_be_found_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert call(tmp_path / "file") == 3
