"""Sealing and converting, interrupted."""

import json
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from llmdbenchd.core.results.merged import NAME
from llmdbenchd.core.run.phase import Phase
from tests.daemon.household import Household
from tests.daemon.jobs import job

pytestmark = pytest.mark.slow


def test_a_kill_between_the_sealing_and_its_record_leaves_one_whole_archive(
    household: Household,
) -> None:
    household.start()
    household.drop("sealed", job())
    record = household.state / "jobs" / "sealed" / "runs" / "r001.json"
    household.wait_for("a job", record.exists)
    before = household.wait_for("a record", lambda: reporting(record))
    household.ended("sealed")
    household.kill()

    record.write_bytes(before)  # what is on disk when the kill comes right after the sealing
    household.start()

    assert household.ended("sealed").phase is Phase.SUCCEEDED
    assert list((household.archive / ".incoming").iterdir()) == []
    assert household.told("activity.failed") == []
    assert "1 of 1 runs are whole" in household.asked("verify")


def reporting(record: Path) -> bytes:
    """The record's bytes while it is in REPORTING, or nothing."""
    data = record.read_bytes()
    return data if b'"phase":"REPORTING"' in data.replace(b" ", b"") else b""


def converters(house: Household) -> list[int]:
    """The household's report converters that have begun: their memory is confined."""
    found = []
    for pid in house.processes():
        with suppress(OSError):
            folder = Path(f"/proc/{pid}")
            is_one = b"report_child" in (folder / "cmdline").read_bytes()
            limits = (folder / "limits").read_text().splitlines()
            [space] = (line for line in limits if line.startswith("Max address space"))
            found += [pid] if is_one and "unlimited" not in space else []
    return found


def test_a_converter_does_not_outlive_the_daemon_that_asked_it(household: Household) -> None:
    household.start()
    household.drop("converts", job(harness__parallelism=4))
    mine = household.wait_for("a converter", lambda: converters(household), glance_s=0.002)
    for pid in mine:
        os.kill(pid, signal.SIGSTOP)  # a slow one

    household.kill()

    household.wait_for("its end", lambda: not household.processes(), within_s=10)
    household.start()
    assert household.ended("converts").phase is Phase.SUCCEEDED


def test_several_launchers_get_one_merged_report_beside_their_own(household: Household) -> None:
    household.start()
    record = household.run_job("many", job(harness__parallelism=2))

    assert record.phase is Phase.SUCCEEDED, record
    archive = household.archive / "many" / "r001"
    facts = json.loads((archive / "run.json").read_bytes())
    assert {path.split("/")[1] for path in facts["reports"]["made"]} == {"1", "2", NAME}
    assert facts["reports"]["problems"] == []
    total = facts["requests"]["total"]
    document = yaml.safe_load((archive / "reports" / NAME).read_text())
    aggregate = document["results"]["request_performance"]["aggregate"]
    assert aggregate["requests"]["total"] == total
    assert f"({total} requests)" in (archive / "summary.txt").read_text().splitlines()[0]
    assert "1 of 1 runs are whole" in household.asked("verify")
