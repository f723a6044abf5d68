"""How a run may end: each way has its own words, and all evidence is kept."""

import hashlib
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record
from llmdbenchd.edge.files.control import Asked, request
from tests.daemon.evidence import assert_log_is_complete, starts
from tests.daemon.household import FAKE, Household
from tests.daemon.jobs import job
from tests.payload.file_server import CONTENT, file_server

pytestmark = pytest.mark.slow


def verdict(record: Record) -> tuple[Phase, str]:
    assert record.verdict is not None
    return record.phase, record.verdict.kind


def reason(record: Record) -> str:
    assert record.verdict is not None
    return record.verdict.reason


def told(house: Household, name: str) -> dict[str, Any]:
    """The archived run.json."""
    document: dict[str, Any] = json.loads((house.archive / name / "r001" / "run.json").read_bytes())
    return document


def speaks(house: Household, name: str, index: int = 1) -> bool:
    logs = house.state.glob(f"live/{name}/r001/1/launcher-{index}.log")
    return any(b"INFO - line 1" in log.read_bytes() for log in logs)


def test_a_good_run_has_everything_in_its_archive(home: Household) -> None:
    record = home.run_job("good", job(seconds=0.2, fake={"FAKE_HARNESS_LINES": 7}))

    archive = home.archive / "good" / "r001"
    assert verdict(record) == (Phase.SUCCEEDED, "good")
    assert_log_is_complete(archive, lines=7)
    reports = {path.name.partition(",")[0] for path in (archive / "reports" / "1").iterdir()}
    assert reports == {"benchmark_report_v0.2", "benchmark_report"}
    assert told(home, "good")["reports"]["problems"] == []
    assert "rate: 2" in (archive / "workload.yaml").read_text()
    finished = home.wait_for_event("run.finished", job="good")
    assert (finished["phase"], finished["requests"], finished["failures"]) == ("SUCCEEDED", 5, 0)
    assert finished["archive"] == str(archive)


def test_a_data_set_is_fetched_before_the_load_and_its_hash_is_in_the_archive(
    home: Household,
) -> None:
    with file_server() as server:
        record = home.run_job("fetched", job(dataset={"url": server.url.partition("?")[0]}))

    assert record.phase is Phase.SUCCEEDED, record
    [line] = (home.archive / "fetched/r001/results/1/dataset.sha256").read_text().splitlines()
    assert line.startswith(hashlib.sha256(CONTENT).hexdigest())
    assert line.endswith("/data.json")


def test_a_run_in_which_every_request_failed_failed_although_the_harness_exits_0(
    home: Household,
) -> None:
    record = home.run_job("none", job(fake={"FAKE_HARNESS_FAILURES": 5}))

    assert [end.how.code for end in record.ends] == [0]
    assert verdict(record) == (Phase.FAILED, "all requests failed")
    assert told(home, "none")["requests"] == {"total": 5, "failures": 5}


def test_a_retry_keeps_the_evidence_of_the_attempt_before(home: Household, tmp_path: Path) -> None:
    fake = {"FAKE_HARNESS_RC": 4, "FAKE_HARNESS_STARTED_FILE": tmp_path / "started"}
    record = home.run_job("again", job(fake=fake, retry={"attempts": 2, "delay": 1}))

    archive = home.archive / "again" / "r001"
    assert verdict(record) == (Phase.FAILED, "launcher")
    assert "exit code 4" in reason(record)
    assert (record.attempt, len(record.past), starts(tmp_path / "started")) == (2, 1, 2)
    for folder in (archive, archive / "attempts" / "1"):
        assert_log_is_complete(folder, lines=3)
        assert list(folder.glob("results/1/**/summary_lifecycle_metrics.json"))
    assert [past["attempt"] for past in told(home, "again")["past"]] == [1]


def test_a_dry_run_plans_and_launches_nothing(home: Household, tmp_path: Path) -> None:
    fake = {"FAKE_HARNESS_STARTED_FILE": tmp_path / "started"}
    record = home.run_job("dry", job(dry_run=True, fake=fake))

    assert verdict(record) == (Phase.SUCCEEDED, "dry run")
    assert starts(tmp_path / "started") == 0
    archive = home.archive / "dry" / "r001"
    assert (archive / "workload.yaml").stat().st_size > 0
    (plan,) = archive.glob("plan/*.json")
    assert json.loads(plan.read_text())["env"]["LLMDBENCH_HARNESS_NAME"] == "inference-perf"


def test_a_launcher_to_be_looked_into_sleeps_and_shows_the_way_in(
    home: Household, tmp_path: Path
) -> None:
    fake = {"FAKE_HARNESS_STARTED_FILE": tmp_path / "started"}
    home.drop("look", job(fake=fake, harness__debug=True))
    assert home.ended("look").phase is Phase.LEFT
    assert starts(tmp_path / "started") == 0

    told = [line.partition(":")[2].strip() for line in home.asked("why", "look").splitlines()]
    _, shell, by_hand, end = told
    inside = f"ls profiles/*; {by_hand}; ls $LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR/by-hand\n"
    done = subprocess.run(
        ["sh", "-c", shell], check=False, input=inside, capture_output=True, text=True
    )

    assert "shared_prefix_synthetic.yaml" in done.stdout
    assert "DONE.json" in done.stdout, done.stderr
    assert starts(tmp_path / "started") == 1
    assert "cancel asked for 1 runs" in home.asked(*end.split()[1:])
    home.wait_for("the end", lambda: home.record("look").phase is Phase.CANCELLED)
    assert list((home.archive / "look").glob("r001/results/1/**/by-hand/DONE.json"))
    assert home.processes() == {}


def test_with_no_waiting_time_a_run_is_left_running_and_collected_on_request(
    home: Household, tmp_path: Path
) -> None:
    fake = {"FAKE_HARNESS_STARTED_FILE": tmp_path / "started"}
    home.drop("left", job(seconds=1, fake=fake, harness__wait_timeout=0))
    assert home.ended("left").phase is Phase.LEFT
    assert home.processes()

    assert "collect asked for 1 runs" in home.asked("collect", "left")

    home.wait_for("success", lambda: home.record("left").phase is Phase.SUCCEEDED)
    assert starts(tmp_path / "started") == 1
    assert_log_is_complete(home.archive / "left" / "r001", lines=3)


def test_when_the_time_is_up_the_load_ends_and_its_evidence_is_kept(home: Household) -> None:
    fake = {"FAKE_HARNESS_LINES": 600}
    record = home.run_job("late", job(seconds=60, fake=fake, harness__wait_timeout=1))

    assert verdict(record) == (Phase.FAILED, "timeout:run")
    assert reason(record) == "not done after 1 s; last seen: launcher 1 Running"
    log = home.archive / "late" / "r001" / "logs" / "launcher-1.log"
    assert b"INFO - line 2" in log.read_bytes()


def test_a_launcher_that_somebody_kills_is_reported_as_just_that(household: Household) -> None:
    household.start()
    household.drop("killed", job(seconds=60))
    household.wait_for("a line", lambda: speaks(household, "killed"))

    os.kill(household.launcher_pid(), signal.SIGKILL)

    record = household.ended("killed")
    assert verdict(record) == (Phase.FAILED, "launcher")
    assert "killed by signal 9, which we did not send (often memory)" in reason(record)
    assert record.collected is not None
    assert record.collected.manifest == "late"
    assert household.processes() == {}


def test_a_shim_that_is_killed_takes_its_launcher_with_it_and_is_named(
    household: Household,
) -> None:
    household.start()
    household.drop("lost", job(seconds=60))
    household.wait_for("a line", lambda: speaks(household, "lost"))
    [claim] = household.state.glob("local/*/shim.json")

    os.kill(json.loads(claim.read_bytes())["shim"]["pid"], signal.SIGKILL)

    record = household.ended("lost")
    assert verdict(record) == (Phase.FAILED, "launcher")
    assert "its shim died" in reason(record)
    assert household.processes() == {}
    log = household.archive / "lost" / "r001" / "logs" / "launcher-1.log"
    assert b"INFO - line 1" in log.read_bytes()


def test_a_harness_that_is_not_installed_is_refused_by_name(household: Household) -> None:
    (household.root / "venvs" / "inference-perf" / "bin" / "inference-perf").unlink()
    household.start()

    record = household.run_job("missing", job(retry={"attempts": 3, "delay": 1}))

    assert verdict(record) == (Phase.FAILED, "refused")
    assert "inference-perf is not installed here" in reason(record)
    assert (household.archive / "missing" / "r001" / "run.json").exists()


def second_fails(house: Household) -> None:
    """From now on the second launcher of each run fails at once."""
    program = house.root / "venvs" / "inference-perf" / "bin" / "inference-perf"
    program.write_text(
        '#!/bin/sh\n[ "$LLMDBENCH_RUN_EXPERIMENT_PARALLEL_INDEX" = 2 ] && echo no && exit 7\n'
        f'exec python3 "{FAKE}" "$@"\n'
    )


def test_when_one_of_three_launchers_fails_the_others_are_stopped_and_it_is_named(
    household: Household,
) -> None:
    second_fails(household)
    household.start()

    record = household.run_job("three", job(seconds=60, harness__parallelism=3))

    assert verdict(record) == (Phase.FAILED, "launcher")
    assert reason(record) == "launcher 2 of 3 exited: exit code 7"
    assert {end.index: end.how.cause for end in record.ends} == {
        1: "stopped",
        2: "exited",
        3: "stopped",
    }
    assert household.processes() == {}
    assert len(list(household.archive.glob("three/r001/logs/launcher-*.log"))) == 3


def test_with_keep_going_the_others_finish_and_the_run_failed_all_the_same(
    household: Household,
) -> None:
    second_fails(household)
    household.start()
    wanted = job(seconds=0.5, harness__parallelism=2, keep_going=True)

    record = household.run_job("going", wanted)

    assert verdict(record) == (Phase.FAILED, "launcher")
    assert [(end.index, end.how.code) for end in sorted(record.ends, key=lambda e: e.index)] == [
        (1, 0),
        (2, 7),
    ]
    assert_log_is_complete(household.archive / "going" / "r001", lines=3)


def test_a_failed_run_ends_its_job_where_the_job_says_so(home: Household, tmp_path: Path) -> None:
    fake = {"FAKE_HARNESS_FAILURES": 5, "FAKE_HARNESS_STARTED_FILE": tmp_path / "started"}
    own = {"endpoint": "http://127.0.0.1:12", "share_target": False}  # one after the other
    home.drop("stops", job(seconds=1, fake=fake, repeat=3, stop_on_error=True) | own)
    home.ended("stops")

    records = home.records("stops")
    [failed] = (one for one in records if verdict(one) == (Phase.FAILED, "all requests failed"))
    others = [one for one in records if one is not failed]
    assert {verdict(one) for one in others} == {(Phase.CANCELLED, "job ended")}
    assert f"{failed.run} of the same job failed (stop_on_error)" in reason(others[0])
    assert (failed.cancels, failed.failure) == (0, None)
    assert starts(tmp_path / "started") == 1, "none begins while it is not known whether it failed"
    stops = home.told("run.action", job="stops", action="StopLauncher")
    end = home.wait_for_event("run.finished", job="stops", run=failed.run)
    assert all(home.events.index(stop) < home.events.index(end) for stop in stops)


def test_a_request_for_what_is_over_is_refused_with_the_reason(home: Household) -> None:
    home.run_job("over", job())

    request(home.queue, Asked.CANCEL, job="over")

    refused = home.wait_for_event("control.refused", request="cancel")
    assert "over has no open run" in refused["reason"]
