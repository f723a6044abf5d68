"""The commands, as people type them at a running daemon."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from llmdbenchd.core.run.phase import Phase
from tests.daemon.evidence import followed
from tests.daemon.household import Household
from tests.daemon.jobs import job

pytestmark = pytest.mark.slow

LINES = 50


def test_status_tells_the_daemon_the_jobs_and_one_jobs_runs(home: Household) -> None:
    assert home.daemon is not None
    home.drop("here", job(seconds=60, repeat=2))
    home.in_phase("here", Phase.RUNNING)

    assert f"daemon: running, pid {home.daemon.pid}" in home.asked("status")
    assert "here/r002" in home.asked("status", "here")
    told = json.loads(home.asked("status", "here", "--json"))
    assert told["daemon"]["running"] is True
    assert [run["run"] for run in told["runs"]] == ["r001", "r002"]

    home.asked("cancel", "here/r001")
    home.wait_for("one end", lambda: home.record("here").phase is Phase.CANCELLED)
    assert not home.record("here", "r002").phase.is_final
    home.asked("cancel", "here")
    home.ended("here")
    assert home.cli("cancel", "here").returncode == 1
    assert home.cli("status", "nobody").returncode == 1


def test_logs_follow_two_launchers_to_their_ends_each_line_with_its_launchers_name(
    home: Household,
) -> None:
    fake = {"FAKE_HARNESS_LINES": LINES}
    home.drop("two", job(seconds=1.5, fake=fake, harness__parallelism=2))
    home.in_phase("two", Phase.RUNNING)

    lines = home.cli("logs", "two", "-f").stdout.encode().splitlines()

    assert home.ended("two").phase is Phase.SUCCEEDED
    for index in (1, 2):
        prefix = f"{index} | ".encode()
        mine = [line.removeprefix(prefix) for line in lines if line.startswith(prefix)]
        numbers = [int(line.split()[-1]) for line in mine if b"INFO - line " in line]
        assert numbers == list(range(1, LINES + 1))
    assert all(line.startswith((b"1 | ", b"2 | ")) for line in lines)
    again = home.asked("logs", "two", "--launcher", "2").encode().splitlines()
    assert [line for line in again if b"INFO" in line] == [
        line for line in followed(home.archive / "two" / "r001", 2) if b"INFO" in line
    ]


def test_results_and_verify_answer_for_people_and_for_programs(home: Household) -> None:
    home.run_job("sound", job())
    home.run_job("tampered", job())
    spoilt = next((home.archive / "tampered").glob("r001/results/1/summary_*.json"))
    spoilt.chmod(0o640)
    spoilt.write_text("{}")

    [row] = json.loads(home.asked("results", "sound", "--json"))
    assert (row["job"], row["phase"], row["requests"]) == (
        "sound",
        "SUCCEEDED",
        {"total": 5, "failures": 0},
    )
    assert row["ttft_ms"]["mean"] == 50
    assert home.cli("verify", "sound").returncode == 0
    bad = home.cli("verify", "tampered")
    assert bad.returncode == 1
    assert "summary_lifecycle_metrics.json': changed: 2 bytes" in bad.stderr
    assert home.cli("results", "nobody").returncode == 1


@pytest.mark.parametrize("words", [["results"], ["status", "--all"], ["logs", "sound-too"]])
def test_a_reader_that_goes_early_is_no_error(home: Household, words: list[str]) -> None:
    if not home.records("sound-too"):
        home.run_job("sound-too", job(fake={"FAKE_HARNESS_LINES": 5000}))
    command = subprocess.Popen(
        (sys.executable, "-m", "llmdbenchd", *words),
        env=home.environment,
        cwd=home.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert command.stdout is not None
    command.stdout.close()  # as `| head -0` does
    _, complaints = command.communicate(timeout=60)

    assert complaints == b""


def test_submit_waits_and_answers_with_the_jobs_fate(home: Household, tmp_path: Path) -> None:
    good, failing, wrong = (tmp_path / f"{name}.yaml" for name in ("good", "failing", "wrong"))
    good.write_text(yaml.safe_dump(job()))
    failing.write_text(yaml.safe_dump(job(fake={"FAKE_HARNESS_RC": 9})))
    wrong.write_text(yaml.safe_dump(job(priority=1000)))

    done = home.cli("submit", str(good), "--wait")
    assert done.returncode == 0, done.stderr
    assert home.records(done.stdout.strip())[0].phase is Phase.SUCCEEDED
    done = home.cli("submit", str(failing), "--wait")
    assert done.returncode == 1
    assert "exit code 9" in done.stderr
    done = home.cli("submit", str(wrong), "--wait")
    assert done.returncode == 1
    assert "priority" in done.stderr
    assert home.cli("submit", str(tmp_path / "none.yaml")).returncode == 2
    assert home.cli("submit", "-", text="just words").returncode == 1


def test_commands_work_without_a_daemon_and_say_that_there_is_none(household: Household) -> None:
    household.start()
    household.run_job("past", job())
    household.drop("waits", job(not_before="2099-01-01T00:00:00Z"))
    household.in_phase("waits", Phase.QUEUED)
    household.stop()

    asked = household.cli("cancel", "waits")
    assert "no daemon is running" in household.asked("why", "waits")
    assert asked.returncode == 1
    assert "carried out when one starts" in asked.stdout
    assert "past" in household.asked("results")

    household.start()
    assert household.ended("waits").phase is Phase.CANCELLED


def test_a_job_out_of_flags_alone_is_waited_for_and_replayed_from_its_archive(
    home: Household, tmp_path: Path
) -> None:
    (tmp_path / "mine.yaml.in").write_text(
        "load: {stages: [{rate: 1, duration: 1}]}\n"
        "server: {base_url: REPLACE_ENV_LLMDBENCH_HARNESS_STACK_ENDPOINT_URL}\n"
    )
    flags = ("-U", "http://127.0.0.1:9/v1=a", "--models=a/b,c/d", "-w", f"{tmp_path}/mine", "-s=60")
    done = home.cli("submit", *flags, "-o", "rate=7", "--name", "flags", "--wait")

    assert done.returncode == 0, done.stderr
    name = done.stdout.strip()
    first = home.archive / name / "r002"
    assert "rate: 7" in (first / "workload.yaml").read_text()

    again = home.asked("replay", f"{name}/r002")
    done = home.cli("submit", "--wait", "-", text=again)

    assert done.returncode == 0, done.stderr
    second = home.archive / done.stdout.strip() / "r001"
    assert (second / "workload.yaml").read_text() == (first / "workload.yaml").read_text()
    told = [json.loads((folder / "run.json").read_text()) for folder in (first, second)]
    for fact in ("model", "harness", "method", "endpoint"):
        assert told[0][fact] == told[1][fact]
