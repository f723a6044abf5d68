"""Results that are home are analysed on this machine, and a kill in between costs nothing."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llmdbenchd.core.run.phase import Phase
from tests.daemon.household import Household
from tests.daemon.jobs import job
from tests.daemon.real import harness_venvs, simulator

pytestmark = pytest.mark.slow


def archived(house: Household, name: str) -> tuple[Path, dict[str, Any]]:
    """The archive of a job's only run, and what `run.json` says of the analysis."""
    folder = house.archive / name / "r001"
    found: dict[str, Any] = json.loads((folder / "run.json").read_bytes())["analysis"]
    return folder, found


def environment(house: Household, name: str, python: str) -> Path:
    """An environment among the household's, whose Python is this shell script."""
    path = house.root / "venvs" / name / "bin" / "python"
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\n{python}\n")
    path.chmod(0o755)
    return path.parent.parent


def test_every_launchers_results_are_analysed_once_more_and_proven_with_the_rest(
    household: Household,
) -> None:
    household.start()
    record = household.run_job("twice", job(analyze_locally=True, harness__parallelism=2))
    assert record.phase is Phase.SUCCEEDED

    folder, found = archived(household, "twice")
    assert found["problems"] == []
    assert found["made"] == ["analysis/1/summary.txt", "analysis/2/summary.txt"]
    listed = (folder / "MANIFEST.jsonl").read_text()
    for index in (1, 2):
        mine = folder / f"analysis/{index}/summary.txt"
        assert (
            mine.read_bytes()
            == (folder / f"results/{index}").joinpath("analysis/summary.txt").read_bytes()
        )
        assert f'"analysis/{index}/summary.txt"' in listed
    assert household.told("analysis.made", files=2)
    assert "1 of 1 runs are whole" in household.asked("verify")


def test_a_real_environment_is_found_by_name_and_one_that_is_missing_refuses_the_job(
    household: Household,
) -> None:
    place = household.root / "venvs" / "mine"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    household.start()
    record = household.run_job("named", job(analyze_locally=True, harness__conda_env="mine"))
    assert record.phase is Phase.SUCCEEDED
    assert f"analysed by {place}/bin/python" in str(archived(household, "named")[1]["notes"])

    household.drop("wrong", job(analyze_locally=True, harness__conda_env="nobodys"))

    why = household.queue / "rejected" / "wrong.yaml.why"
    household.wait_for("the refusal", why.exists)
    said = why.read_text()
    assert "no environment nobodys" in said
    assert f"looked in {household.root}/venvs" in said


def test_an_analysis_that_crashes_is_told_and_the_run_succeeds(household: Household) -> None:
    environment(household, "inference-perf-runner", "echo no luck >&2; kill -9 $$")
    household.start()

    assert household.run_job("crash", job(analyze_locally=True)).phase is Phase.SUCCEEDED

    folder, found = archived(household, "crash")
    [problem] = found["problems"]
    assert "launcher 1: the analysis ended by signal SIGKILL; it said last: no luck" in problem
    assert "Note: local analysis: launcher 1" in (folder / "summary.txt").read_text()
    assert household.told("analysis.failed", reason=problem)
    assert "1 of 1 runs are whole" in household.asked("verify")


def test_a_kill_in_the_middle_of_an_analysis_leaves_no_process_and_it_is_made_anew(
    household: Household,
) -> None:
    begun = household.root / "begun"
    environment(
        household,
        "inference-perf-runner",
        f'if [ ! -e "{begun}" ]; then touch "$LLMDBENCHD_ANALYSIS_DIR/half"; touch "{begun}"; '
        f'exec sleep 600; fi; exec "{sys.executable}" "$@"',
    )
    household.start()
    household.drop("again", job(analyze_locally=True))
    household.wait_for("the analysis", begun.exists)

    household.kill()

    household.wait_for("its end", lambda: not household.processes(), within_s=10)
    household.start()
    assert household.ended("again").phase is Phase.SUCCEEDED
    folder, found = archived(household, "again")
    assert (found["made"], found["problems"]) == (["analysis/1/summary.txt"], [])
    assert [path.name for path in (folder / "analysis").rglob("*")] == ["1", "summary.txt"]
    assert "1 of 1 runs are whole" in household.asked("verify")


@pytest.mark.real
@pytest.mark.timeout(180)
def test_the_real_inference_perf_is_asked_for_its_charts_by_its_own_environment(
    household: Household, tmp_path: Path
) -> None:
    venvs = harness_venvs()
    household.settings["LLMDBENCHD_HARNESS_VENVS"] = str(venvs)
    household.start()
    with simulator(tmp_path) as server:
        asked = server.job(seconds=3)
        asked["analyze_locally"] = True
        asked["harness"]["conda_env"] = str(venvs / "inference-perf")
        record = household.run_job("real", asked)

    assert record.phase is Phase.SUCCEEDED, record
    folder, found = archived(household, "real")
    assert found["problems"] == []
    table = (folder / "analysis/1/summary.txt").read_text()
    assert f"requests succeeded{len(server.served()):>28}" in table
    has_charts = list((folder / "analysis/1").glob("*.png")) != []
    assert has_charts or "matplotlib is not installed" in str(found["notes"])
    assert "1 of 1 runs are whole" in household.asked("verify")
