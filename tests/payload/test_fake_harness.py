"""The fake inference-perf is a fair stand-in: what reads the real one's files reads its files."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from llmd_benchmark_report.native_to_br0_2 import import_inference_perf

from tests.payload.stage import PROGRAMS, Stage


@pytest.fixture
def native(stage: Stage) -> Path:
    """The fake's stage file, after a run with 10 requests of which 4 failed."""
    stage.env |= {"FAKE_HARNESS_REQUESTS": "10", "FAKE_HARNESS_FAILURES": "4"}
    assert stage.run().returncode == 0
    return stage.results / "stage_0_lifecycle_metrics.json"


def test_the_fields_own_converter_reads_it(native: Path) -> None:
    report: dict[str, Any] = import_inference_perf(str(native)).model_dump(mode="json")

    aggregate = report["results"]["request_performance"]["aggregate"]
    assert (aggregate["requests"]["total"], aggregate["requests"]["failures"]) == (10, 4)
    assert aggregate["latency"]["time_to_first_token"]["mean"] == 0.05
    assert aggregate["latency"]["time_to_first_token"]["p99p9"] == 0.05


def test_the_stage_file_has_what_the_summary_has_and_its_own_rates(native: Path) -> None:
    stage = json.loads(native.read_text())
    summary = json.loads((native.parent / "summary_lifecycle_metrics.json").read_text())

    for rate in ("send_duration", "requested_rate", "achieved_rate"):
        assert stage["load_summary"].pop(rate) > 0
    assert stage == summary


def test_when_every_request_failed_nothing_is_known_of_latency(stage: Stage) -> None:
    stage.env |= {"FAKE_HARNESS_REQUESTS": "5", "FAKE_HARNESS_FAILURES": "5"}
    assert stage.run().returncode == 0

    metrics = json.loads((stage.results / "stage_0_lifecycle_metrics.json").read_text())

    assert metrics["successes"]["count"] == 0
    assert set(metrics["successes"]["latency"].values()) == {None}
    assert metrics["failures"]["count"] == 5


def test_it_takes_both_spellings_of_the_real_option(tmp_path: Path) -> None:
    for number, option in enumerate(["-c", "--config_file"]):
        profile = tmp_path / f"{number}.yaml"
        profile.write_text(f"storage: {{local_storage: {{path: {tmp_path / str(number)}}}}}\n")
        subprocess.run(
            [PROGRAMS / "inference-perf", option, profile], check=True, capture_output=True
        )

        assert (tmp_path / str(number) / "summary_lifecycle_metrics.json").exists()
