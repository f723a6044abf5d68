"""A job file made out of an accepted job asks for the same thing again."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import yaml

from llmdbenchd.core.job.accepted import AcceptedJob, decoded, encoded
from llmdbenchd.core.job.attempt import Attempt
from llmdbenchd.core.job.completion import completed
from llmdbenchd.core.job.matrix import Cell
from llmdbenchd.core.job.replay import again, job_text
from llmdbenchd.core.job.scenarios import ScenarioFile
from llmdbenchd.core.job.treatment_files import TreatmentsFile
from llmdbenchd.core.job.whole import read_whole_job
from llmdbenchd.core.job.workloads import find_all, rendered
from llmdbenchd.core.launch.plan import IMAGE, LauncherPlan
from llmdbenchd.core.scenario.errors import ScenarioError
from llmdbenchd.core.workload.errors import WorkloadError, WorkloadProblem

WORKLOAD = "min: 1  # why\n\nmax: 1\ntext: REPLACE_ENV_LLMDBENCH_DEPLOY_CURRENT_MODEL\n"
ERA = """\
run:
  constants: [{max: 70}]
  factors: [min, text]
  treatments: {long one: "40,1e3", short: '10,"007"'}
"""
TODAY = "constants: {max: 70}\ntreatments: [{name: a, min: 2}, {name: b, profile: other, max: 9}]\n"


class World:
    """Every file that a job may name: all of them lie here, or (later) none.

    Attributes:
        scenario: what every scenario says; None = none is there.
        treatments: likewise.
        there: whether there are profiles.
    """

    def __init__(
        self, scenario: str | None = None, treatments: str | None = None, *, there: bool = True
    ) -> None:
        self.scenario, self.treatments, self.there = scenario, treatments, there

    def open_scenario(self, name: str) -> ScenarioFile:
        if self.scenario is None:
            raise ScenarioError(name, 0, "is gone")
        return ScenarioFile(name, self.scenario)

    def open_treatments(self, name: str) -> TreatmentsFile:
        if self.treatments is None:
            raise WorkloadError([WorkloadProblem(name, 0, name, "is gone")])
        return TreatmentsFile(name, self.treatments)

    def harnesses(self) -> Sequence[str]:
        return ["inference-perf"]

    def names(self, harness: str) -> Sequence[str]:
        return ["sanity_random", "other"] if harness else []

    def read(self, harness: str, name: str) -> "Profile":
        if not self.there:
            raise WorkloadError([WorkloadProblem(name, 0, name, f"of {harness} is gone")])
        return Profile(name)


class Profile:
    """One that lets itself be told from another."""

    def __init__(self, name: str) -> None:
        self.path = f"profiles/{name}.yaml.in"
        self.text = f"{WORKLOAD}{name}: 3\n"


def taken(
    text: str,
    *,
    environment: Mapping[str, str] | None = None,
    world: World | None = None,
    engine: str = "kubernetes",
) -> AcceptedJob:
    world = world or World("", ERA)
    reading = read_whole_job(text.encode(), stem="mine", environment=environment or {}, files=world)
    assert reading.problems == ()
    reading = completed(reading, engine=engine, image="given:v1", namespace="ours")
    assert reading.spec is not None
    sources = dict(find_all(reading.spec, world, lambda path: f"{WORKLOAD}at: {path}\n"))
    job = AcceptedJob(
        job="mine-1",
        owner="o",
        submitted=datetime(2026, 1, 1, tzinfo=UTC),
        engine=engine,
        spec=reading.spec,
        values=reading.values,
        source=sources.pop(""),
        sources=sources,
    )
    return decoded(encoded(job))


def replayed(job: AcceptedJob, run: str = "") -> AcceptedJob:
    cell = next((one for one in job.cells if one.run == run), None)
    return taken(job_text(again(job, cell), "why"), world=World(there=False))


def same(job: AcceptedJob) -> dict[str, object]:
    """What the job asks for, whoever said it."""
    said = job.spec.model_dump(mode="json", by_alias=True)
    for other in (
        "id", "not_before", "engine", "workload", "treatments", "variables",
        "submitted_environment",
    ):  # fmt: skip
        del said[other]
    texts = [text_of(job, cell) for cell in job.cells]
    plans = [plan_of(job, cell, text) for cell, text in zip(job.cells, texts, strict=True)]
    return said | {
        "engine": job.engine, "limits": job.limits, "cells": job.cells, "texts": texts,
        "plans": plans,
    }  # fmt: skip


def plan_of(job: AcceptedJob, cell: Cell, text: str) -> LauncherPlan:
    attempt = Attempt(
        spec=job.spec.model_copy(update={"id": None}),
        cell=cell,
        endpoint="http://h:1",
        instance="i",
        job="j",
        epoch=0,
        workload_file=job.source_of(cell).rendered_file(cell.treatment),
        workload_text=text,
    )
    return attempt.plan(1, IMAGE)


JOBS = {
    "defaults": "",
    "named": "id: x\nnot_before: 2026-01-01T00:00:00Z\nmodels: [a/b, c/d]\nrepeat: 2\n"
    "harness: {name: guidellm, cpu: 16, env: {A: '1'}, node_selector: {a: 'true'}}\n"
    "hf_token: {}\nendpoint_auth: {secret: s, key: k}\noverrides: min=20,text='1:30'\n",
    "variables": "variables: {LLMDBENCH_HARNESS_CPU_NR: '3', LLMDBENCH_MINE: '010'}\n"
    "submitted_environment: {LLMDBENCH_HARNESS_CPU_MEM: 1Gi, LLMDBENCH_IMAGE_TAG: v7}\n",
    "a workload of its own": "workload: {min: 1, max: 2, text: a}\nharness: nop\n",
    "a workload by path": "workload: /srv/w.yaml\n",
    "a scenario": "scenario: guide.sh\nrepeat: 2\n",
    "a scenario in the job": "scenario: {LLMDBENCH_HARNESS_CPU_NR: 010, OTHER: 'no'}\n",
    "treatments": "treatments: both\nharness: {env_to_pod: OTHER}\n",
    "treatments and a scenario": "treatments: both\nscenario: guide\noverrides: max=3\n",
}
DAEMON = {
    "LLMDBENCH_HARNESS_CPU_NR": "5",
    "LLMDBENCH_DEPLOY_MODEL_LIST": "a/b,c/d",
    "LLMDBENCH_IMAGE_REGISTRY": "r.example",
    "LLMDBENCH_HARNESS_EXPERIMENT_PROFILE_OVERRIDES": "min=20",
    "LLMDBENCH_RUN_EXPERIMENT_ANALYZE_LOCALLY": "1",
}
NAMING = {
    "LLMDBENCH_DEPLOY_SCENARIO": "guide",
    "LLMDBENCH_HARNESS_EXPERIMENT_TREATMENTS": "both",
    "LLMDBENCH_HARNESS_EXPERIMENT_PROFILE": "other",
}
GUIDE = """\
export LLMDBENCH_HARNESS_PVC_NAME=theirs LLMDBENCH_HF_TOKEN=hf_abcdefghijk OTHER=1
export LLMDBENCH_HARNESS_EXPERIMENT_PROFILE_OVERRIDES=text=9
export LLMDBENCH_RUN_EXPERIMENT_MINE=$LLMDBENCH_HARNESS_NAME LLMDBENCH_DEPLOY_METHODS=a,b
export LLMDBENCH_IMAGE_TAG=v9
"""


@pytest.mark.parametrize("text", JOBS.values(), ids=JOBS)
@pytest.mark.parametrize(
    "environment", [{}, DAEMON, NAMING], ids=["alone", "the daemon's values", "the daemon's files"]
)
@pytest.mark.parametrize("treatments", [ERA, TODAY], ids=["era", "today"])
def test_the_same_thing_is_asked_for_wherever_its_values_came_from(
    text: str, environment: dict[str, str], treatments: str
) -> None:
    job = taken(text, environment=environment, world=World(GUIDE, treatments))
    again_job = replayed(job)

    assert same(again_job) == same(job)
    assert again_job.spec.experiment == replayed(again_job).spec.experiment
    assert same(replayed(again_job)) == same(job)
    for cell in (job.cells[0], job.cells[-1]):
        (only,) = (one := replayed(job, cell.run)).cells
        assert replace(cell, run="r001", repetition=1) == only
        assert text_of(one, only) == text_of(job, cell)


def text_of(job: AcceptedJob, cell: Cell) -> str:
    return rendered(job.spec, cell, job.source_of(cell), endpoint="http://h:1")


def test_the_workload_is_that_of_its_time_word_for_word_and_readable() -> None:
    job = taken("workload: sanity_random")
    text = job_text(again(job), "why")

    assert replayed(job).source == job.source
    assert text.startswith("# why\nname: mine\n")
    assert "    min: 1  # why\n\n    max: 1\n    text: REPLACE_ENV" in text


def test_a_scenario_is_replayed_as_it_was_kept_and_nothing_of_it_twice() -> None:
    told = again(taken("scenario: guide", world=World(GUIDE)))

    assert told["scenario"] == {
        "LLMDBENCH_HARNESS_PVC_NAME": "theirs",
        "OTHER": "1",
        "LLMDBENCH_HARNESS_EXPERIMENT_PROFILE_OVERRIDES": "text=9",
        "LLMDBENCH_RUN_EXPERIMENT_MINE": "inference-perf",
        "LLMDBENCH_DEPLOY_METHODS": "a,b",
        "LLMDBENCH_IMAGE_TAG": "v9",
    }
    assert not told.keys() & {"storage", "overrides", "methods", "variables"}


def test_a_scenario_without_a_word_is_kept_or_the_variable_would_name_another_one() -> None:
    job = taken("submitted_environment: {LLMDBENCH_DEPLOY_SCENARIO: none}", world=World(""))

    assert again(job)["scenario"] == {}
    assert replayed(job).spec.scenario == {}


def test_values_of_elsewhere_stay_as_weak_as_they_were() -> None:
    job = taken("", environment={"LLMDBENCH_HARNESS_PVC_SIZE": "1Gi"}, engine="local")
    told = again(job)

    assert told["submitted_environment"] == {"LLMDBENCH_HARNESS_PVC_SIZE": "1Gi"}
    assert "storage" not in told


def test_nothing_of_todays_caller_gets_into_it() -> None:
    assert again(taken(""))["submitted_environment"] == {}


def test_one_run_of_many_is_that_run_alone() -> None:
    job = taken("models: [a/b, c/d]\nmethods: standalone,other\nrepeat: 3\n")
    run = job.cells[8]
    (only,) = replayed(job, run.run).cells

    assert replace(run, run="r001", repetition=1) == only
    with_endpoint = taken("models: [a/b, c/d]\nendpoint: http://h:1\n")
    (only,) = replayed(with_endpoint, "r002").cells
    assert (only.model, only.method) == ("c/d", "endpoint")


def test_one_treatment_of_many_is_asked_for_alone_with_its_constants_and_its_profile() -> None:
    job = taken("treatments: both\nworkload: sanity_random", world=World(treatments=TODAY))

    assert again(job, job.cells[1])["treatments"] == {
        "constants": {"max": 70},
        "treatments": [
            {"name": "b", "profile": {"file": "other.yaml.in", "text": Profile("other").text},
             "max": 9}
        ],
    }  # fmt: skip
    assert replayed(job, "r002").sources["b"] == job.sources["b"]


def test_an_id_and_a_moment_of_the_past_are_not_repeated() -> None:
    told = yaml.safe_load(job_text(again(taken(JOBS["named"])), "why"))

    assert not told.keys() & {"id", "not_before"}
