"""The demo: a dropped file becomes a sealed archive, its figures stand beside the truth.

Starts the stand-in model server and the daemon as a person would, drops one job file,
follows its log, and compares what the real harness measured with what the server really
sent. Everything lies below `.demo/`; nothing is left running.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from llmdbenchd.simulate.truth import TruthSummary, read_truth

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / ".demo"
COMMAND = [sys.executable, "-m", "llmdbenchd"]
MODEL = "llmdbench/tiny"
START_S, RUN_S, STOP_S = 60, 300, 10
TOLERANCE_MS = {"TTFT": 25.0, "ITL": 2.0}  # a busy machine; see docs/performance.md for a quiet one
TELLING = re.compile(
    r"^LLMDBENCH_(HARNESS_NAME|HARNESS_STACK_ENDPOINT|.*WORKLOAD)|INFO - |Progress"
)

console = Console()


def main() -> int:
    """Run the demo; 0 when every figure is near the truth and nothing is left running."""
    shutil.rmtree(DEMO, ignore_errors=True)
    DEMO.mkdir()
    environment = {
        **os.environ,
        "LLMDBENCHD_QUEUE": str(DEMO / "queue"),
        "LLMDBENCHD_STATE": str(DEMO / "state"),
        "LLMDBENCHD_ARCHIVE": str(DEMO / "archive"),
        "LLMDBENCHD_ENGINE": "local",
        "PYTHONUNBUFFERED": "1",
    }
    with running("simulate", simulator_words(), environment), running("serve", [], environment):
        endpoint = wait_for_text(DEMO / "address")
        wait_for_event("daemon.ready")
        job = drop(endpoint, environment)
        follow(job, environment)
        row = finished(job, environment)
    truth = read_truth((DEMO / "truth.jsonl").read_text(encoding="utf-8"))
    return show(row, truth, environment)  # after the block: nothing of it runs any more


def simulator_words() -> list[str]:
    """TTFT 50 ms, ITL 10 ms, on a port of the kernel's choice."""
    return [
        *("--port", "0", "--ttft", "50", "--itl", "10", "--model", MODEL),
        *("--address-file", str(DEMO / "address"), "--truth", str(DEMO / "truth.jsonl")),
        *("--hf-cache", str(DEMO / "hub")),
    ]


def drop(endpoint: str, environment: dict[str, str]) -> str:
    """Write the job file and drop it; returns the job's id."""
    job = {
        "description": "the demo: 50 tokens in, 50 out, 2 requests a second for 10 seconds",
        "endpoint": endpoint,
        "models": [MODEL],
        "workload": "sanity_fixed.yaml",
        "overrides": {"load.stages.0.duration": 10},
        "harness": {
            "name": "inference-perf",
            "env": {"HF_HOME": str(DEMO / "hub"), "HF_HUB_OFFLINE": "1"},
        },
    }
    path = DEMO / "demo.yaml"
    path.write_text(yaml.safe_dump(job, sort_keys=False), encoding="utf-8")
    console.rule("the job file")
    console.print(path.read_text(encoding="utf-8"), end="", highlight=False)
    answer = subprocess.run(
        [*COMMAND, "submit", str(path)], env=environment, check=True, capture_output=True, text=True
    )
    return answer.stdout.strip()


def follow(job: str, environment: dict[str, str]) -> None:
    """Show the launcher's log as it is written: what happens, not the reports it prints."""
    console.rule(f"llmdbenchd logs {job} -f")
    wait_for_event("job.accepted")
    words, left_out = [*COMMAND, "logs", job, "-f"], 0
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as logs:
        for line in logs.stdout or ():
            if TELLING.search(line):
                console.print(line.rstrip()[:200], highlight=False, markup=False, soft_wrap=True)
            else:
                left_out += 1
    console.print(f"({left_out} further lines are in the archive)", style="dim")


def finished(job: str, environment: dict[str, str]) -> dict[str, object]:
    """The run's row of `results --json`, once it is there."""
    deadline = time.monotonic() + RUN_S
    while time.monotonic() < deadline:
        answer = subprocess.run(
            [*COMMAND, "results", job, "--json"],
            env=environment, check=False, capture_output=True, text=True,
        )  # fmt: skip
        rows = json.loads(answer.stdout) if answer.stdout else []
        if rows:
            row: dict[str, object] = rows[0]
            return row
        time.sleep(0.2)
    raise SystemExit(f"the demo's run is not in the archive after {RUN_S} s; see {DEMO}/serve.log")


def show(row: dict[str, object], truth: TruthSummary, environment: dict[str, str]) -> int:
    """Print measured beside true; 0 when they agree and the archive is whole."""
    table = Table("", "inference-perf measured", "the server really sent", "difference")
    far = []
    for name, key, true in (("TTFT", "ttft_ms", truth.ttft_ms), ("ITL", "itl_ms", truth.itl_ms)):
        spread = row[key]
        measured = float(spread["mean"]) if isinstance(spread, dict) else float("nan")
        difference = measured - float(true or "nan")
        table.add_row(f"mean {name}, ms", f"{measured:.2f}", f"{true:.2f}", f"{difference:+.2f} ms")
        if not abs(difference) <= TOLERANCE_MS[name]:
            far.append(name)
    requests = row["requests"]
    count = requests["total"] if isinstance(requests, dict) else "?"
    table.add_row("requests", str(count), str(truth.requests), "")
    console.rule("measured beside the truth")
    console.print(table)
    verified = subprocess.run(
        [*COMMAND, "verify", str(row["job"])], env=environment, check=False
    ).returncode
    console.print(f"phase {row['phase']}, archive {row['archive']}", soft_wrap=True)
    if far:
        console.print(f"far from the truth: {', '.join(far)} (a very busy machine?)", style="red")
    return 0 if row["phase"] == "SUCCEEDED" and verified == 0 and not far else 1


@contextmanager
def running(
    name: str, words: list[str], environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A command of ours for the length of the block, its output in `.demo/<name>.log`."""
    with (DEMO / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [*COMMAND, name, *words], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for_text(path: Path) -> str:
    """The content of a small file, once it is there."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if path.exists() and (text := path.read_text(encoding="utf-8").strip()):
            return text
        time.sleep(0.05)
    raise SystemExit(f"{path} did not appear within {START_S} s; see the logs in {DEMO}")


def wait_for_event(event: str) -> None:
    """Until the daemon's log tells this event."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if f'"event": "{event}"' in (DEMO / "serve.log").read_text(encoding="utf-8"):
            return
        time.sleep(0.05)
    raise SystemExit(f"no {event} within {START_S} s; see {DEMO}/serve.log")


if __name__ == "__main__":
    sys.exit(main())
