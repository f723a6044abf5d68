"""`status`: what is going on, from the folders alone."""

import subprocess
from dataclasses import replace

import pytest

from llmdbenchd.app.status import pid_namespace
from llmdbenchd.cli.status import told
from llmdbenchd.core.results.verdict import Outcome, Verdict
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Failure, Record
from tests.cli.home import Home
from tests.core.run.cases import record

GOOD = Verdict(Outcome.SUCCEEDED, "good", "5 requests")
ENDED = record(Phase.SUCCEEDED, job="old", verdict=GOOD)


def test_without_a_daemon_and_jobs_that_is_said(home: Home) -> None:
    said = home.call("status")

    assert (said.code, said.err) == (0, "")
    assert said.out.strip() == "daemon: not running"


def test_a_running_daemon_says_what_it_lives_with(home: Home) -> None:
    home.daemon_says(degraded=["disk"], paused=["people"])
    said = home.call("status")

    assert "daemon: running, pid 7" in said.out
    assert "degraded: disk" in said.out
    assert "admission stopped: people" in said.out


@pytest.mark.parametrize(("name", "is_ours"), [("llmdbenchd", True), ("another", False)])
def test_a_daemon_that_lives_and_cannot_say_so_is_not_called_away(
    home: Home, name: str, *, is_ours: bool
) -> None:
    """A full disk: `status` said that it was not running, and people started another."""
    with subprocess.Popen(("sh", "-c", "read line", name), stdin=subprocess.PIPE) as process:
        home.daemon_says(age_s=100, pid=process.pid, pid_namespace=pid_namespace())
        said = home.call("status").out
        process.communicate()

    silent = f"daemon: pid {process.pid} is there and has told nothing for 100 s"
    assert (silent in said) is is_ours
    assert ("daemon: not running" in said) is not is_ours


def test_a_daemon_that_was_not_heard_for_long_is_not_running(home: Home) -> None:
    home.daemon_says(age_s=100)

    assert "daemon: not running (last heard 100 s ago)" in home.call("status").out


def test_a_status_that_is_damaged_is_no_daemon(home: Home) -> None:
    home.state.mkdir()
    for text in ("{", '{"written": "yesterday"}', "{}"):
        (home.state / "status.json").write_text(text)
        assert "daemon: not running" in home.call("status").out


def test_open_jobs_are_listed_with_their_phases(home: Home) -> None:
    home.keep(
        record(Phase.RUNNING, job="new"),
        record(Phase.QUEUED, job="new", run="r002"),
        record(Phase.QUEUED, job="new", run="r003"),
        ENDED,
    )
    out = home.call("status").out

    assert "new" in out
    assert "1 RUNNING, 2 QUEUED" in out
    assert "old" not in out
    assert "1 finished jobs (--all shows them)" in out


def test_all_jobs_are_listed_on_request(home: Home) -> None:
    home.keep(ENDED)
    out = home.call("status", "--all").out

    assert "old" in out
    assert "1 SUCCEEDED" in out


def test_one_job_is_told_run_by_run(home: Home) -> None:
    home.keep(replace(ENDED, run="r001"), record(Phase.RUNNING, job="old", run="r002"))
    out = home.call("status", "old").out

    assert "old/r001" in out
    assert "good: 5 requests" in out
    assert "old/r002" in out
    assert "http://127.0.0.1:1" in out


def test_one_run_is_told_alone(home: Home) -> None:
    home.keep(ENDED, record(Phase.RUNNING, job="old", run="r002"))

    assert "r001" not in home.call("status", "old/r002").out


def test_the_beginning_of_an_id_is_enough_when_there_is_only_one(home: Home) -> None:
    home.keep(record(Phase.RUNNING, job="abc-1"), record(Phase.RUNNING, job="xyz-1"))

    assert home.call("status", "ab").code == 0
    assert "abc-1/r001" in home.call("status", "ab").out


@pytest.mark.parametrize(
    ("asked", "told_"),
    [
        ("nobody", "no job 'nobody'"),
        ("ab", "did you mean one of abc-1, abc-2?"),
        ("abc-1/r009", "job abc-1 has no run 'r009'"),
    ],
)
def test_what_is_not_there_is_a_no_with_a_reason(home: Home, asked: str, told_: str) -> None:
    home.keep(record(Phase.RUNNING, job="abc-1"), record(Phase.RUNNING, job="abc-2"))
    said = home.call("status", asked)

    assert (said.code, said.out) == (1, "")
    assert told_ in said.err


def test_machines_get_every_fact(home: Home) -> None:
    home.keep(replace(ENDED, left_behind="launchers kept"), record(Phase.QUEUED, job="new"))
    answer = home.json("status")

    assert isinstance(answer, dict)
    assert answer["daemon"] == {"running": False}
    new, old = sorted(answer["runs"], key=lambda run: str(run["job"]))
    assert (old["phase"], old["kind"], old["left_behind"]) == (
        "SUCCEEDED",
        "good",
        "launchers kept",
    )
    assert old["reason"] == "good: 5 requests; left behind: launchers kept"
    assert (new["phase"], new["target"], new["kind"], new["reason"]) == ("QUEUED", None, None, None)


def test_a_record_of_a_newer_daemon_cannot_be_told(home: Home) -> None:
    home.keep(ENDED)
    path = home.state / "jobs/old/runs/r001.json"
    path.write_text(path.read_text().replace('"version":1', '"version":99'))
    said = home.call("status")

    assert said.code == 3
    assert "99" in said.err


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (record(), ""),
        (record(Phase.RUNNING), "http://127.0.0.1:1"),
        (record(Phase.RUNNING, failure=Failure("launcher", "it broke")), "ending: it broke"),
        (record(Phase.COLLECTING, tries=2, last_error="disk"), "try 2 failed: disk"),
        (ENDED, "good: 5 requests"),
    ],
)
def test_the_last_word_about_a_run_is_what_matters_most(one: Record, sentence: str) -> None:
    assert told(one) == sentence
