"""A job file made out of an accepted job asks for the same thing again."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import yaml

from llmdbenchd.core.job.accepted import AcceptedJob, decoded, encoded
from llmdbenchd.core.job.completion import completed
from llmdbenchd.core.job.jobfile import read_job
from llmdbenchd.core.job.layers import SCENARIO, Layer
from llmdbenchd.core.job.replay import CannotReplay, again, job_text
from llmdbenchd.core.job.workloads import Source, find
from tests.core.job.test_every_row import Shelf

WORKLOAD = "a: 1  # why\n\nb: REPLACE_ENV_LLMDBENCH_DEPLOY_CURRENT_MODEL\n"


def taken(
    text: str,
    *,
    environment: Mapping[str, str] | None = None,
    scenario: Mapping[str, str] | None = None,
    engine: str = "kubernetes",
) -> AcceptedJob:
    reading = read_job(
        text.encode(),
        stem="mine",
        environment=environment or {},
        scenario=Layer(SCENARIO, scenario or {}),
    )
    assert reading.problems == ()
    reading = completed(reading, engine=engine, image="given:v1", namespace="ours")
    assert reading.spec is not None
    job = AcceptedJob(
        job="mine-1",
        owner="o",
        submitted=datetime(2026, 1, 1, tzinfo=UTC),
        engine=engine,
        spec=reading.spec,
        values=reading.values,
        source=Source("mine.yaml.in", WORKLOAD),
    )
    return decoded(encoded(job))


def replayed(job: AcceptedJob, run: str = "") -> AcceptedJob:
    cell = next((one for one in job.cells if one.run == run), None)
    return taken(job_text(again(job, cell), "why"))


def same(job: AcceptedJob) -> dict[str, object]:
    """What the job asks for, whoever said it."""
    said = job.spec.model_dump(mode="json", by_alias=True)
    for other in ("id", "not_before", "engine", "workload", "variables", "submitted_environment"):
        del said[other]
    return said | {"engine": job.engine, "cells": job.cells, "limits": job.limits}


JOBS = {
    "defaults": "",
    "named": "id: x\nnot_before: 2026-01-01T00:00:00Z\nmodels: [a/b, c/d]\nrepeat: 2\n"
    "harness: {name: guidellm, cpu: 16, env: {A: '1'}, node_selector: {a: 'true'}}\n"
    "hf_token: {}\nendpoint_auth: {secret: s, key: k}\noverrides: min=20,text='1:30'\n",
    "variables": "variables: {LLMDBENCH_HARNESS_CPU_NR: '3', LLMDBENCH_MINE: '010'}\n"
    "submitted_environment: {LLMDBENCH_HARNESS_CPU_MEM: 1Gi, LLMDBENCH_IMAGE_TAG: v7}\n",
    "a workload of its own": "workload: {load: {rate: 1}}\nharness: nop\n",
}
DAEMON = {
    "LLMDBENCH_HARNESS_CPU_NR": "5",
    "LLMDBENCH_DEPLOY_MODEL_LIST": "a/b,c/d",
    "LLMDBENCH_IMAGE_REGISTRY": "r.example",
    "LLMDBENCH_HARNESS_EXPERIMENT_PROFILE_OVERRIDES": "min=20",
    "LLMDBENCH_RUN_EXPERIMENT_ANALYZE_LOCALLY": "1",
}


@pytest.mark.parametrize("text", JOBS.values(), ids=JOBS)
@pytest.mark.parametrize("environment", [{}, DAEMON], ids=["alone", "with the daemon's variables"])
@pytest.mark.parametrize("scenario", [{}, {"LLMDBENCH_HARNESS_PVC_NAME": "theirs"}])
def test_the_same_thing_is_asked_for_wherever_its_values_came_from(
    text: str, environment: dict[str, str], scenario: dict[str, str]
) -> None:
    job = taken(text, environment=environment, scenario=scenario)

    assert same(replayed(job)) == same(job)
    assert same(replayed(replayed(job))) == same(job)


def test_the_workload_is_that_of_its_time_word_for_word_and_readable() -> None:
    job = taken("workload: sanity_random")
    text = job_text(again(job), "why")

    again_spec = replayed(job).spec
    assert find(again_spec, Shelf(), lambda path: path) == job.source
    assert text.startswith("# why\nname: mine\n")
    assert "    a: 1  # why\n\n    b: REPLACE_ENV" in text


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


def test_one_treatment_of_many_is_refused_since_no_job_file_says_it() -> None:
    job = taken("")
    with pytest.raises(CannotReplay, match="replay the whole job"):
        again(job, replace(job.cells[0], treatment="t"))


def test_an_id_and_a_moment_of_the_past_are_not_repeated() -> None:
    told = yaml.safe_load(job_text(again(taken(JOBS["named"])), "why"))

    assert not told.keys() & {"id", "not_before"}
