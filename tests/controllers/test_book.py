"""The book of jobs: what each says about its runs, read once."""

from dataclasses import replace

import pytest

from llmdbenchd.controllers.book import JobBook
from llmdbenchd.core.job.accepted import encoded
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.target.asked import Asked
from llmdbenchd.core.workload.errors import WorkloadError
from tests.core.run.cases import TARGET, record
from tests.fakes.jobs import ENDPOINT, accepted, book, places


def test_a_job_is_read_once() -> None:
    reads: list[str] = []

    def read(job: str) -> bytes:
        reads.append(job)
        return encoded(accepted(job))

    known = JobBook(read, instance="here", places=places)
    for _ in range(3):
        known.limits("j/r001")
        known.launchers(record())

    assert reads == ["j"]


def test_limits_are_those_of_the_job() -> None:
    known = book(accepted("j"), accepted("k", retry={"attempts": 3}, harness={"parallelism": 2}))

    assert known.limits("j/r001").attempts == 1
    assert known.limits("k/r001").attempts == 3
    assert known.limits("k/r001").launchers == 2


def test_the_patience_with_a_place_that_says_no_is_the_daemon_s() -> None:
    known = JobBook(lambda job: encoded(accepted(job)), instance="i", places=places, lost_after=7)

    assert known.limits("j/r001").lost_s == 7


def test_launchers_have_a_name_for_each_run_attempt_and_index() -> None:
    known = book(accepted(harness={"parallelism": 2}, repeat=2))
    names = [
        name
        for run, attempt in (("r001", 1), ("r001", 2), ("r002", 1))
        for name in known.launchers(record(run=run, attempt=attempt))
    ]

    assert len(set(names)) == 6
    assert known.launchers(record()) == tuple(names[:2])


def test_two_daemons_never_give_the_same_name() -> None:
    jobs = {"j": encoded(accepted())}
    names = {
        JobBook(jobs.__getitem__, instance=instance, places=places).launchers(record())
        for instance in ("here", "there")
    }

    assert len(names) == 2


def test_a_run_is_one_cell_of_its_job() -> None:
    known = book(accepted(models=["m", "n"]))

    assert known.cell(record(run="r002")).model == "n"


def test_a_run_says_what_its_target_is() -> None:
    known = book(accepted(endpoint=None, methods=["vllm"], namespace="llm", share_target=True))

    assert known.asked(record()) == Asked(
        method="vllm", namespace="llm", near="llm", model="m", shared=True
    )
    asked = book(accepted(harness={"namespace": "bench"})).asked(record())
    assert (asked.endpoint, asked.near) == (ENDPOINT, "bench")


def test_the_model_that_is_served_is_the_runs_once_it_is_known() -> None:
    """`models: [auto]`: what the server said is in the workload, in names and in reports."""
    text = "m: REPLACE_ENV_LLMDBENCH_DEPLOY_CURRENT_MODEL"
    known = book(accepted(models=["auto"], workload=text))
    found = record(target=replace(TARGET, model="org/served"))

    assert known.cell(record()).model == "auto"
    assert known.cell(found).model == "org/served"
    assert "org/served" in known.attempt(found).workload_text


def test_a_workload_that_cannot_be_rendered_is_said_before_anything_runs() -> None:
    known = book(accepted(workload="a: REPLACE_ENV_LLMDBENCH_NOT_THERE\n"))

    with pytest.raises(WorkloadError, match="LLMDBENCH_NOT_THERE"):
        known.prove(record(target=TARGET))


def test_a_plan_is_made_for_the_places_of_its_own_launcher() -> None:
    known = book(accepted(workload="dir: REPLACE_ENV_LLMDBENCH_RUN_DATASET_DIR\n"))
    one = record(Phase.LAUNCHING)
    plan = known.plan(one, 1)

    assert plan.name == known.launchers(one)[0]
    assert f"/fake/{plan.name}/workspace" in plan.files[0].text


def test_a_run_that_has_no_target_yet_has_no_workload_yet() -> None:
    attempt = book(accepted()).attempt(record())

    assert (attempt.endpoint, attempt.workload_text) == ("", "")
