"""A job that is a matrix: its runs, their evidence, and what the job says as a whole."""

import json
from itertools import product

import pytest

from llmdbenchd.core.run.phase import Phase
from tests.daemon.household import Household
from tests.daemon.jobs import job

pytestmark = pytest.mark.slow

MATRIX = list(product(["m/a-1b", "m/b-2b"], ["run_1", "run_30"], [1, 2]))
SWEEP = job(
    scenario={"LLMDBENCH_DEPLOY_MODEL_LIST": "m/a-1b,m/b-2b"},
    treatments={"run": {"factors": ["rate"], "treatments": ["1", "30"]}},
    repeat=2,
)


def test_a_sweeps_runs_are_archived_apart_and_its_repetitions_are_summed_up(
    home: Household,
) -> None:
    home.drop("sweep", SWEEP)
    home.ended("sweep")

    records = sorted(home.records("sweep"), key=lambda one: one.run)
    assert {one.phase for one in records} == {Phase.SUCCEEDED}
    rows = sorted(json.loads(home.asked("results", "sweep", "--json")), key=lambda row: row["run"])
    assert [(row["model"], row["treatment"], row["repetition"]) for row in rows] == MATRIX
    workloads = [
        (home.archive / "sweep" / row["run"] / "workload.yaml").read_text() for row in rows
    ]
    assert ["rate: 30  # requests" in text for text in workloads] == [
        row["treatment"] == "run_30" for row in rows
    ]
    assert ["m/a-1b" in text for text in workloads] == [row["model"] == "m/a-1b" for row in rows]
    table = home.asked("results", "sweep")
    assert (table.count("mean of 2"), table.count("std dev")) == (4, 4)
