"""What people and programs read about archived runs."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from llmdbenchd.cli import results
from llmdbenchd.core.results.document import RunFacts, run_text
from llmdbenchd.core.results.metrics import Metrics, Spread
from llmdbenchd.edge.files.archive import Archive

JOB = "chat-llama-sweep-20261124t071930-1a2b"


def seal(root: Path, run: str, *, ttft: float | None = 51.97, **changes: Any) -> None:  # noqa: ANN401  # any fact
    metrics = Metrics(
        requests=30, failures=1, duration_s=15.09, requests_per_s=1.99, output_tokens_per_s=99.4,
        ttft_ms=None if ttft is None else Spread(ttft, 51.9, 52.8, 54.46),
        itl_ms=Spread(10.006), tpot_ms=Spread(10.004),
    )  # fmt: skip
    values: dict[str, Any] = {
        "job": JOB, "run": run, "phase": "SUCCEEDED", "kind": "good", "reason": "30 requests",
        "attempt": 1, "harness": "inference-perf", "model": "meta-llama/Llama-3.2-1B-Instruct",
        "metrics": metrics, **changes,
    }  # fmt: skip
    facts = RunFacts(**values)
    Archive(root).seal(facts.job, run, attempt=1, documents={"run.json": run_text(facts)})


def call(root: Path, *words: str) -> int:
    parser = argparse.ArgumentParser()
    results.register(parser.add_subparsers())
    args = parser.parse_args(["results", "--archive", str(root), *words])
    return int(args.run(args))


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_json_has_every_run_with_the_place_of_its_evidence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seal(tmp_path, "r1")
    seal(tmp_path, "r2", phase="FAILED", metrics=None, reason="refused", job="other")

    assert call(tmp_path, "--json") == 0

    rows = json.loads(capsys.readouterr().out)
    assert [(row["job"], row["run"], row["archive"]) for row in rows] == [
        (JOB, "r1", str(tmp_path / JOB / "r1")),
        ("other", "r2", str(tmp_path / "other/r2")),
    ]
    assert rows[0]["ttft_ms"]["mean"] == 51.97
    assert rows[1]["ttft_ms"] is None


def test_an_empty_archive_is_an_empty_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(tmp_path / "none", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize("words", [["nobody"], [f"{JOB}/r9"]])
def test_a_run_that_is_not_there_is_a_no(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    seal(tmp_path, "r1")

    assert call(tmp_path, *words) == 1
    assert words[0] in capsys.readouterr().err


def test_one_run_of_one_job_can_be_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seal(tmp_path, "r1")
    seal(tmp_path, "r2")

    assert call(tmp_path, f"{JOB}/r2", "--json") == 0
    assert [row["run"] for row in json.loads(capsys.readouterr().out)] == ["r2"]


@pytest.mark.parametrize("columns", [80, 120])
def test_the_table_fits_and_shows_each_figure(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    seal(tmp_path, "0a1b2c3d")
    seal(tmp_path, "4e5f6071", model="ibm-granite/granite-vision-3.3-2b", treatment="qps-16")

    assert call(tmp_path) == 0

    printed = lines(capsys)
    assert max(map(len, printed)) <= columns
    (row,) = [line for line in printed if line.startswith("0a1b2c3d")]
    assert row.split() == [
        "0a1b2c3d", "SUCCEEDED", "29/1", "51.97/54.46", "10.01", "10.00", "99.40", "15.09",
    ]  # fmt: skip
    text = "".join(printed).replace(" ", "")
    assert "ibm-granite/granite-vision-3.3-2b" in text
    assert "qps-16" in text


def test_what_all_runs_share_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seal(tmp_path, "r1")
    seal(tmp_path, "r2")

    call(tmp_path)

    assert capsys.readouterr().out.count("meta-llama/Llama-3.2-1B-Instruct") == 1


def test_what_was_not_measured_is_a_dash_and_not_a_zero(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seal(tmp_path, "r1", ttft=None)
    seal(tmp_path, "r2", metrics=None, phase="FAILED", reason="all 30 requests failed")

    call(tmp_path)

    printed = lines(capsys)
    assert [line for line in printed if line.startswith("r1")][0].split()[3] == "-"  # noqa: RUF015  # clearer
    assert [line.split()[2:] for line in printed if line.startswith("r2 ")] == [["-"] * 6]
    assert "r2: all 30 requests failed" in printed


def test_repetitions_end_with_mean_and_standard_deviation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, ttft in enumerate((48.0, 50.0, 52.0), start=1):
        seal(tmp_path, f"r{number}", ttft=ttft, repetition=number)
    seal(tmp_path, "r4", ttft=900.0, phase="FAILED", repetition=4)

    call(tmp_path)

    printed = lines(capsys)
    (mean,) = [line.split() for line in printed if line.startswith("mean of 3")]
    (deviation,) = [line.split() for line in printed if line.startswith("std dev")]
    assert mean[3] == "50.00"
    assert deviation[2] == "2.00"


def test_one_archive_that_cannot_be_read_is_named_and_the_others_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seal(tmp_path, "r1")
    seal(tmp_path, "r2")
    (tmp_path / JOB / "r1/run.json").chmod(0o640)
    (tmp_path / JOB / "r1/run.json").write_text('{"version": 99}')

    assert call(tmp_path, "--json") == 3

    captured = capsys.readouterr()
    assert [row["run"] for row in json.loads(captured.out)] == ["r2"]
    assert f"{JOB}/r1/run.json: version 99" in captured.err


def test_an_archive_that_is_no_folder_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")

    assert call(tmp_path / "file") == 3
    assert "cannot be read" in capsys.readouterr().err


def test_without_the_flag_the_settings_name_the_archive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seal(tmp_path, "r1")
    monkeypatch.setenv("LLMDBENCHD_ARCHIVE", str(tmp_path))
    parser = argparse.ArgumentParser()
    results.register(parser.add_subparsers())
    args = parser.parse_args(["results", "--json"])

    assert args.run(args) == 0
    assert len(json.loads(capsys.readouterr().out)) == 1
