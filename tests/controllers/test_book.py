"""The book of jobs: what each says about its runs, read once."""

import pytest

from llmdbenchd.controllers.book import JobBook
from llmdbenchd.core.job.accepted import encoded
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Target
from llmdbenchd.core.workload.errors import WorkloadError
from tests.core.run.cases import record
from tests.fakes.jobs import accepted, book, places


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


@pytest.mark.parametrize(
    ("endpoint", "server"),
    [
        ("http://h:8000/v1", "h:8000"),
        ("http://h", "h:80"),
        ("https://h", "h:443"),
        ("http://[2001:db8::1]:8000", "2001:db8::1:8000"),
    ],
)
def test_a_target_is_known_by_its_host_and_port(endpoint: str, server: str) -> None:
    assert book(accepted(endpoint=endpoint)).target(record()) == Target(endpoint, (server,))


def test_a_shared_target_takes_no_lease() -> None:
    assert book(accepted(share_target=True)).target(record()).servers == ()


def test_a_workload_that_cannot_be_rendered_is_said_before_anything_runs() -> None:
    known = book(accepted(workload="a: REPLACE_ENV_LLMDBENCH_NOT_THERE\n"))

    with pytest.raises(WorkloadError, match="LLMDBENCH_NOT_THERE"):
        known.target(record())


def test_a_plan_is_made_for_the_places_of_its_own_launcher() -> None:
    known = book(accepted(workload="dir: REPLACE_ENV_LLMDBENCH_RUN_DATASET_DIR\n"))
    one = record(Phase.LAUNCHING)
    plan = known.plan(one, 1)

    assert plan.name == known.launchers(one)[0]
    assert f"/fake/{plan.name}/workspace" in plan.files[0].text


def test_a_run_that_has_no_target_yet_has_no_workload_yet() -> None:
    attempt = book(accepted()).attempt(record())

    assert (attempt.endpoint, attempt.workload_text) == ("", "")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_one_server_of_this_machine_has_one_name_whatever_the_url_calls_it(host: str) -> None:
    target = book(accepted("j", endpoint=f"http://{host}:8000/v1")).target(record(job="j"))

    assert target.servers == ("127.0.0.1:8000",)
