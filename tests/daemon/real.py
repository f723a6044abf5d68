"""The real harness, and the stand-in model server that it loads."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

PATIENCE_S = 60.0
MODEL = "llmdbench/tiny"


def harness_venvs(harness: str = "inference-perf") -> Path:
    """The folder of installed harnesses; the test is skipped with the reason without this one."""
    named = os.environ.get("LLMDBENCHD_HARNESS_VENVS", "")
    if not named:
        pytest.skip("real harness missing: LLMDBENCHD_HARNESS_VENVS is not set (make test sets it)")
    venvs = Path(named).absolute()
    if not (venvs / harness / "bin" / harness).exists():
        pytest.skip(f"real harness missing: no {harness} in {venvs} (make test installs it)")
    return venvs


@dataclass(frozen=True, slots=True)
class Simulator:
    """A running `llmdbenchd simulate`.

    Attributes:
        address: its URL.
        truth: what it really sent, a line for each request.
        cache: a folder for HF_HOME in which the model's tokenizer is found.
    """

    address: str
    truth: Path
    cache: Path

    def job(self, *, seconds: int, rate: int = 4) -> dict[str, Any]:
        """A job for the real inference-perf against this server."""
        return {
            "endpoint": self.address,
            "models": [MODEL],
            "workload": "sanity_fixed",
            "overrides": {"load.stages.0.duration": seconds, "load.stages.0.rate": rate},
            "harness": {
                "name": "inference-perf",
                "env": {"HF_HOME": str(self.cache), "HF_HUB_OFFLINE": "1"},
            },
        }

    def asked(self) -> list[dict[str, Any]]:
        """All requests for tokens."""
        return [json.loads(line) for line in self.truth.read_text().splitlines()]

    def served(self) -> list[dict[str, Any]]:
        """The requests that it answered."""
        return [line for line in self.asked() if line["outcome"] == "served" and line["streamed"]]

    def mean_ms(self, name: str) -> float:
        """The true mean of `ttft_s` or `itl_s`, in milliseconds."""
        return 1000 * mean(float(line[name]) for line in self.served())


@contextmanager
def simulator(folder: Path, *more: str) -> Iterator[Simulator]:
    """Start a server with a TTFT of 80 ms and an ITL of 10 ms; it ends with the block.

    Args:
        folder: for what it writes.
        more: options of `llmdbenchd simulate`.
    """
    truth, cache = folder / "truth.jsonl", folder / "hf"
    options = ("--port", "0", "--truth", str(truth), "--hf-cache", str(cache))
    timing = ("--ttft", "80ms", "--itl", "10ms")
    process = subprocess.Popen(
        (sys.executable, "-m", "llmdbenchd", "simulate", *options, *timing, *more),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield Simulator(process.stdout.readline().strip(), truth, cache)
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)
