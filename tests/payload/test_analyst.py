"""The same analysis once more, of results that have come home."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.payload.stage import LAUNCH, Stage

OUTPUT = {  # what each harness leaves, and the line that its analysis begins with
    "guidellm": ("stdout.log", "noise\nSetup complete, starting benchmarks\nfigures\n", "Setup"),
    "vllm-benchmark": ("stdout.log", "noise\n=== Benchmark Result ===\nfigures\n", "==="),
    "inferencemax": ("stdout.log", "noise\n=== Benchmark Result ===\nfigures\n", "==="),
    "aiperf": ("profile_export_console.txt", "a table\n", "a table"),
}


class Home:
    """Results that have come home, and a folder for what is made of them."""

    def __init__(self, folder: Path) -> None:
        self.results, self.analysis = folder / "results", folder / "analysis"
        for one in (self.results, self.analysis):
            one.mkdir(exist_ok=True)
        self.env = {
            "PATH": "/usr/bin:/bin",
            "LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR": str(self.results),
            "LLMDBENCHD_ANALYSIS_DIR": str(self.analysis),
        }

    def analyse(self, harness: str) -> tuple[dict[str, Any], subprocess.CompletedProcess[str]]:
        """The answer, and the process."""
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(LAUNCH), "analyse"],
            env=self.env | {"LLMDBENCH_HARNESS_NAME": harness},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return json.loads(done.stdout), done

    @property
    def summary(self) -> str:
        return (self.analysis / "summary.txt").read_text()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_it_makes_what_the_launcher_made_and_touches_no_result(stage: Stage, home: Home) -> None:
    assert stage.run().returncode == 0
    made_there = (stage.results / "analysis" / "summary.txt").read_text()
    before = {path: path.stat().st_mtime_ns for path in stage.results.rglob("*")}
    home.env["LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR"] = str(stage.results)

    answer, done = home.analyse("inference-perf")

    assert (done.returncode, answer["problem"], answer["full"]) == (0, "", "")
    assert home.summary == made_there
    assert {path: path.stat().st_mtime_ns for path in stage.results.rglob("*")} == before


@pytest.mark.parametrize("harness", OUTPUT)
def test_each_harness_is_analysed_by_its_own_script(home: Home, harness: str) -> None:
    name, text, start = OUTPUT[harness]
    (home.results / name).write_text(text)

    answer, _ = home.analyse(harness)

    assert answer == {"problem": "", "full": "", "notes": [], "charts": ""}
    assert home.summary.startswith(start)


@pytest.mark.parametrize("harness", [*OUTPUT, "inference-perf"])
def test_nothing_to_analyse_is_said_and_is_no_crash(home: Home, harness: str) -> None:
    answer, done = home.analyse(harness)

    assert answer["problem"] == f"{harness} left nothing that can be analysed"
    assert done.returncode == 0


def test_a_harness_without_a_script_is_said(home: Home) -> None:
    answer, _ = home.analyse("mine")

    assert "no script for the harness mine" in answer["problem"]


def test_a_broken_script_is_named_with_its_line(home: Home, tmp_path: Path) -> None:
    scripts = tmp_path / "payload" / "harness"
    scripts.mkdir(parents=True)
    home.env["LLMDBENCHD_PAYLOAD_DIR"] = str(scripts.parent)
    for body, says in {
        "def analyse(context): 1 / 0": "ZeroDivisionError",
        "def analyse(context): open(context.analysis + '/x', 'w')\n"
        "def charts(context): raise KeyError('y')": "KeyError",
    }.items():
        (scripts / "mine.py").write_text(body)

        answer, _ = home.analyse("mine")

        assert says in f"{answer['problem']}{answer['notes']}"
        assert "line " in f"{answer['problem']}{answer['notes']}"


def test_no_room_is_told_apart_from_all_that_will_not_pass(home: Home) -> None:
    (home.results / "stdout.log").write_text("figures\n")
    (home.analysis / "summary.txt").symlink_to("/dev/full")

    answer, _ = home.analyse("guidellm")

    assert "No space left on device" in answer["full"]
    assert answer["problem"] == ""


def stages(home: Home) -> None:
    (home.results / "stage_0_lifecycle_metrics.json").write_text("{}")
    summary = {"successes": {"count": 1, "throughput": {}, "latency": {}}, "failures": {"count": 0}}
    (home.results / "summary_lifecycle_metrics.json").write_text(json.dumps(summary))


def test_charts_are_drawn_by_the_environments_own_program(home: Home, tmp_path: Path) -> None:
    stages(home)
    program = tmp_path / "bin" / "inference-perf"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\necho "drawing $*"; echo x > "$2/a.png"; ls "$2"/stage_*; exit 3\n'
    )
    program.chmod(0o755)
    home.env["PATH"] = f"{program.parent}:/usr/bin:/bin"

    answer, done = home.analyse("inference-perf")

    assert answer["charts"] == "inference-perf"
    assert done.returncode == 3
    assert f"drawing --analyze {home.analysis}" in done.stderr  # what it prints is no answer
    assert (home.analysis / "a.png").exists()
    assert [path.name for path in home.results.glob("*.png")] == []


def test_without_that_program_there_are_no_charts_and_a_note_says_so(home: Home) -> None:
    stages(home)

    answer, _ = home.analyse("inference-perf")

    assert answer["problem"] == ""
    assert "no charts: the program inference-perf is not there" in answer["notes"][0]
