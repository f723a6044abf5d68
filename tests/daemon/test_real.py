"""The real inference-perf, from a dropped file to a sealed archive, beside a known truth."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from llmd_benchmark_report import load_benchmark_report

from llmdbenchd.core.results.merged import NAME
from llmdbenchd.core.run.phase import Phase
from tests.daemon.household import Household
from tests.daemon.real import harness_venvs, simulator
from tests.systemd.manager import UserManager, user_manager, why_not

pytestmark = [pytest.mark.slow, pytest.mark.real, pytest.mark.timeout(180)]

UNIT_NAME = "llmdbenchd.service"
UNIT = """
[Service]
Type=notify
NotifyAccess=main
ExecStart="{python}" -m llmdbenchd serve
WorkingDirectory={folder}
{environment}
KillMode=process
WatchdogSec=60
StandardOutput=append:{folder}/daemon.log
StandardError=append:{folder}/daemon.log
"""


def test_a_dropped_file_becomes_a_sealed_archive_that_tells_the_truth(
    household: Household, tmp_path: Path
) -> None:
    household.settings["LLMDBENCHD_HARNESS_VENVS"] = str(harness_venvs())
    household.start()
    with simulator(tmp_path) as server:
        record = household.run_job("real", server.job(seconds=5))

    assert record.phase is Phase.SUCCEEDED, record
    [row] = json.loads(household.asked("results", "real", "--json"))
    assert row["requests"] == {"total": len(server.served()), "failures": 0}
    # generous: the client measures on a machine that does other things as well
    assert row["ttft_ms"]["mean"] == pytest.approx(server.mean_ms("ttft_s"), abs=60, rel=0.5)
    assert row["itl_ms"]["mean"] == pytest.approx(server.mean_ms("itl_s"), abs=5, rel=0.3)
    assert "1 of 1 runs are whole" in household.asked("verify")
    assert_reports(household.archive / "real" / "r001", requests=len(server.served()))


def test_on_this_machine_a_key_comes_out_of_a_file_and_goes_nowhere_else(
    household: Household, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "a-key-that-nobody-may-find-4711"
    secret = tmp_path / "secrets" / "door"
    secret.mkdir(parents=True)
    (secret / "token").write_text(f"{key}\n")
    monkeypatch.setenv("VLLM_API_KEY", key)  # for the server, which wants it
    household.settings["LLMDBENCHD_HARNESS_VENVS"] = str(harness_venvs())
    household.settings["LLMDBENCHD_SECRETS"] = str(tmp_path / "secrets")
    household.start()
    with simulator(tmp_path) as server:
        job = server.job(seconds=2)
        job["endpoint_auth"] = {"secret": "door", "key": "token"}
        keyed = household.run_job("keyed", job)
        job["models"] = ["auto"]
        unknown = household.run_job("unknown", job)

    assert keyed.phase is Phase.SUCCEEDED, keyed
    assert unknown.phase is Phase.FAILED
    assert unknown.verdict is not None
    assert "write models: [NAME]" in unknown.verdict.reason
    written = [path for path in household.root.rglob("*") if path.is_file()]
    assert [path for path in written if key.encode() in path.read_bytes()] == []


def test_two_real_aiperfs_become_one_merged_report_of_all_their_requests(
    household: Household, tmp_path: Path
) -> None:
    household.settings["LLMDBENCHD_HARNESS_VENVS"] = str(harness_venvs("aiperf"))
    household.start()
    with simulator(tmp_path) as server:
        job = server.job(seconds=1)
        job["harness"] |= {"name": "aiperf", "parallelism": 2}
        job["overrides"] = {"request-count": 10, "request-rate": 8, "osl": 10}
        record = household.run_job("two", job)

    assert record.phase is Phase.SUCCEEDED, record
    archive = household.archive / "two" / "r001"
    facts = json.loads((archive / "run.json").read_bytes())
    assert facts["requests"] == {"total": len(server.served()), "failures": 0}
    assert facts["reports"]["problems"] == []
    assert f"reports/{NAME}" in facts["reports"]["made"]
    assert facts["notes"][0] == "latencies are pooled from the single requests of 2 launchers"
    ttft = facts["metrics"]["ttft_ms"]
    assert ttft["mean"] == pytest.approx(server.mean_ms("ttft_s"), abs=60, rel=0.5)
    assert ttft["p50"] <= ttft["p90"] <= ttft["p99"]
    first, second = (
        yaml.safe_load((archive / f"results/{index}/run_metadata.yaml").read_text())["harness_args"]
        for index in (1, 2)
    )
    assert first.partition("--random-seed=")[2] != second.partition("--random-seed=")[2]


def assert_reports(archive: Path, *, requests: int) -> None:
    """Both versions are there, load as what they are, and count the same requests."""
    facts = json.loads((archive / "run.json").read_bytes())["reports"]
    assert facts["problems"] == []
    versions = set()
    for path in (archive / "reports" / "1").glob("*stage_0*.yaml"):
        document = yaml.safe_load(path.read_text())
        load_benchmark_report(document)
        versions.add(str(document["version"]))
        assert f"total: {requests}" in path.read_text()
    assert versions == {"0.1", "0.2.1"}


@contextmanager
def own_manager() -> Iterator[UserManager]:
    reason = why_not()
    if reason is not None:
        pytest.skip(f"real systemd missing: {reason}")
    with user_manager() as manager:
        yield manager


@pytest.mark.systemd
def test_a_restart_of_the_unit_leaves_the_real_harness_running_and_its_run_succeeds(
    household: Household, tmp_path: Path
) -> None:
    household.settings["LLMDBENCHD_HARNESS_VENVS"] = str(harness_venvs())
    with own_manager() as manager, simulator(tmp_path) as server:
        variables = [f'Environment="{name}={v}"' for name, v in household.environment.items()]
        text = UNIT.format(
            python=sys.executable, folder=household.root, environment="\n".join(variables)
        )
        manager.install(UNIT_NAME, text)
        manager.start(UNIT_NAME)
        try:
            household.drop("lasting", server.job(seconds=8))
            household.wait_for("a request", lambda: server.truth.exists() and server.served())
            first, pid = manager.show(UNIT_NAME, "MainPID"), household.launcher_pid()

            manager.restart(UNIT_NAME)

            assert manager.show(UNIT_NAME, "MainPID") != first
            os.kill(pid, 0)
            assert household.launcher_pid() == pid
            assert household.record("lasting").phase is Phase.RUNNING
            assert household.ended("lasting").phase is Phase.SUCCEEDED
            household.wait_for(  # it is told every two seconds
                "the status", lambda: "RUNNING" not in manager.show(UNIT_NAME, "StatusText")
            )
        finally:
            manager.stop(UNIT_NAME)
    [row] = json.loads(household.asked("results", "lasting", "--json"))
    assert row["requests"] == {"total": len(server.served()), "failures": 0}
