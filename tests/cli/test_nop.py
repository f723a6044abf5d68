"""`nop` answers with a waterfall or JSON, and says clearly what it cannot read."""

import argparse
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from llmdbenchd.cli import nop
from tests.core.nop.composing import ENGINE, TRUE, record, server


def call(*words: str) -> int:
    parser = argparse.ArgumentParser()
    nop.register(parser.add_subparsers())
    args = parser.parse_args(["nop", *words])
    return int(args.run(args))


def written(path: Path, lines: list[str]) -> str:
    path.write_text("".join(f"{line}\n" for line in lines))
    return str(path)


@pytest.fixture
def log(tmp_path: Path) -> str:
    sleeping = record("It took 1.500000 seconds to fall asleep.", 90, process=ENGINE)
    return written(tmp_path / "vllm.log", [*server(), sleeping])


def told(capsys: pytest.CaptureFixture[str]) -> Any:  # noqa: ANN401 - as JSON is, of any shape
    return json.loads(capsys.readouterr().out)


def test_json_is_one_object_of_one_file(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--json", log) == 0
    report = told(capsys)

    assert report["file"] == log
    assert report["lines"] == 23
    assert {name: [one["value"] for one in kept]
            for name, kept in report["attempts"][0]["values"].items()
            if name != "sleep_s"} == TRUE  # fmt: skip


def test_json_of_several_files_is_a_list_of_them(
    log: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("--json", log, str(tmp_path / "none"), log) == 3
    assert [one["lines"] for one in told(capsys)["files"]] == [23, 23]


def test_a_page_has_verdict_waterfall_values_and_absences(
    log: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(log) == 0
    page = capsys.readouterr().out

    assert "start 1 of 1, lines 1 to 23: ready (line 22: Application startup complete.)" in page
    assert "vLLM 0.19.1, engine V1, a/b, on cuda, load format auto, sleep mode off" in page
    assert "\u2588" in page
    assert "compile range (1, 2048), EngineCore_DP0" in page
    assert "not logged by vLLM 0.19.1 (since 0.20.2)" in page


def test_several_files_begin_with_one_line_each(
    log: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = written(tmp_path / "empty", [])
    assert call(log, empty) == 1
    out, error = capsys.readouterr()

    assert "vllm.log  ready (line 22)    60.00  0.19.1  1         9.00      14.75   26.50" in out
    assert "empty     no vLLM start          -  -       0            -          -       -" in out
    assert "verdict: of the last start that became ready" in out
    assert error == f"{empty}: no vLLM start found: it is empty\n"


def test_names_of_logs_are_never_cut_and_no_line_is_wider_than_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"{'a-very-long-name-of-a-server-' * 3}.log"
    lines = server("0.23.1rc1.dev1201+g1234567.d20260101")
    assert call(written(tmp_path / name, lines), written(tmp_path / "b", server()[:5])) == 0
    page = capsys.readouterr().out

    summary, _, _ = page.partition("verdict:")
    assert "".join(line.split(" ")[0] for line in summary.splitlines()[1:]) == name + "b"
    assert "0.23.1rc1.dev1201 " in summary
    assert "not told ready" in summary
    assert max(map(len, page.splitlines())) <= len(str(tmp_path)) + 120


def test_a_narrow_page_has_names_verdicts_and_whole_bars(
    log: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmdbenchd.cli.nop._WIDTH", 80)
    assert call(log, written(tmp_path / "b", server()[:5])) == 0
    page = capsys.readouterr().out

    assert "file      verdict          total s\nvllm.log  ready (line 22)    60.00\n" in page
    assert "\u2026" not in page


def test_ranks_that_say_the_same_are_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ranks = [record("Loading weights took 2.50 seconds", process=f"Worker_TP{n} pid={n + 9}")
             for n in range(6)]  # fmt: skip
    assert call(written(tmp_path / "log", ranks)) == 0

    assert "6 times 2.5: lines 1, 2, 3, 4 and 2 more" in capsys.readouterr().out


def test_failures_gaps_and_troubles_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fails = record("EngineCore failed to start.", level="ERROR", process=ENGINE)
    trace = [f"({ENGINE}) Traceback (most recent call last):", f"({ENGINE}) ValueError: no [room]"]
    late = ["Traceback (most recent call last):", "RuntimeError: late"]
    lines = [*server()[:6], "##### [cut: x", fails, *trace, *server(begin=99), *late]
    assert call(written(tmp_path / "log", lines)) == 0
    page = capsys.readouterr().out

    assert "start 1 of 2, lines 1 to 10: failed (line 8)" in page
    assert "EngineCore_DP0: ValueError: no [room] (line 10)" in page
    assert "lines are missing here: 7" in page
    assert "after it was ready, line 34: RuntimeError: late" in page


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (server()[:5], "never told to be ready"),
        ([*server()[:5], record("Shutdown initiated", process=ENGINE)], "stopped before it was"),
        ([record("Loading weights took 2.50 seconds")], "vLLM of unknown version"),
        ([f"web-1  | {line}" for line in server()], "pod or service web-1"),
        (server(config="enforce_eager=True", args="{'enable_sleep_mode': True}"),
         "sleep mode on, eager"),
        (["vLLM API server version 1.0.0"], "times: none"),
        ([record(f"Loading weights took {n}.50 seconds", process=f"VllmWorker rank={n} pid={n}")
          for n in range(9)], "(VllmWorker rank 3); and 5 more"),
    ],
)  # fmt: skip
def test_pages_of_starts_that_tell_little(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: list[str], words: str
) -> None:
    assert call(written(tmp_path / "log", lines)) == 0
    assert words in " ".join(capsys.readouterr().out.split())


def test_a_log_of_requests_alone_says_that_its_beginning_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tail = written(tmp_path / "log", [record("Engine 000: Avg", process=ENGINE)])
    assert call("--json", tail) == 1
    assert "it has lines of vLLM's, but of no start" in capsys.readouterr().err


def test_standard_input_and_gzip_are_read(
    log: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = gzip.compress(Path(log).read_bytes())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(packed)))
    assert call("--json", "--year", "2027", "-") == 0
    report = told(capsys)

    assert report["attempts"][0]["ready"]["line"] == 22
    assert report["time"]["year_is_known"] is True


def test_what_cannot_be_read_is_said_and_the_others_are_shown(
    log: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(str(tmp_path), log) == 3
    out, error = capsys.readouterr()

    assert "is a directory" in error
    assert "ready (line 22" in out
