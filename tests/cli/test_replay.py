"""A person has an archive and wants the same thing again."""

import argparse
from pathlib import Path

import pytest
import yaml

from llmdbenchd.cli import replay
from llmdbenchd.core.job.accepted import encoded
from llmdbenchd.core.results.document import RunFacts, run_text
from tests.core.job.test_replay import taken


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    job = taken("models: [a/b, c/d]")
    for cell in job.cells:
        folder = tmp_path / "mine-1" / cell.run
        folder.mkdir(parents=True)
        facts = RunFacts(
            job="mine-1", run=cell.run, phase="FAILED", kind="launcher", reason="it broke",
            attempt=1, harness="inference-perf", model=cell.model,
        )  # fmt: skip
        (folder / "run.json").write_bytes(run_text(facts))
        (folder / "spec.json").write_bytes(encoded(job))
    return tmp_path


def call(*words: str) -> int:
    parser = argparse.ArgumentParser()
    replay.register(parser.add_subparsers())
    args = parser.parse_args(["replay", *words])
    code: int = args.run(args)
    return code


def test_a_run_is_replayed_by_its_folder_or_by_its_name(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(str(archive / "mine-1" / "r002")) == 0
    by_folder = capsys.readouterr().out
    assert call("mine-1/r002", "--archive", str(archive)) == 0

    assert capsys.readouterr().out == by_folder
    assert by_folder.startswith('# mine-1/r002 again (FAILED: "it broke")\n')
    assert yaml.safe_load(by_folder)["models"] == ["c/d"]


def test_a_whole_job_is_replayed_with_all_of_its_runs(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(str(archive / "mine-1")) == 0
    assert yaml.safe_load(capsys.readouterr().out)["models"] == ["a/b", "c/d"]


@pytest.mark.parametrize(
    ("file", "content", "code", "told"),
    [
        ("spec.json", None, 1, "older llmdbenchd"),
        ("spec.json", "{}", 3, "not what a daemon sealed"),
        ("run.json", "{", 3, "not what a daemon sealed"),
    ],
)
def test_an_archive_that_cannot_be_replayed_says_why(
    archive: Path,
    capsys: pytest.CaptureFixture[str],
    file: str,
    content: str | None,
    code: int,
    told: str,
) -> None:
    path = archive / "mine-1" / "r001" / file
    path.unlink()
    if content is not None:
        path.write_text(content)

    assert call(str(path.parent)) == code
    assert told in capsys.readouterr().err


def test_what_is_not_there_is_told(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("nobody/r001", "--archive", str(archive)) == 3
    assert "no run is sealed there" in capsys.readouterr().err
