"""`cancel`, `collect`, `pause`, `resume`: a request in the queue's control folder."""

import pytest

from llmdbenchd.core.results.verdict import Outcome, Verdict
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.edge.files.control import Control
from tests.cli.home import Home
from tests.core.run.cases import record

ENDED = record(Phase.SUCCEEDED, verdict=Verdict(Outcome.SUCCEEDED, "good", "5 requests"))


def asked(home: Home) -> list[tuple[str, str, str]]:
    """What a daemon would find."""
    return [(one.asked, one.job, one.run) for one in Control(home.queue).pending()]


def test_cancel_asks_for_the_job(home: Home) -> None:
    home.keep(record(Phase.RUNNING), record(run="r002"))
    home.daemon_says()
    said = home.call("cancel", "j")

    assert said.code == 0
    assert "2 runs" in said.out
    assert asked(home) == [("cancel", "j", "")]


def test_cancel_asks_for_one_run(home: Home) -> None:
    home.keep(record(Phase.RUNNING), record(run="r002"))
    home.daemon_says()

    assert home.call("cancel", "j/r002").code == 0
    assert asked(home) == [("cancel", "j", "r002")]


def test_the_beginning_of_an_id_is_asked_for_by_the_whole_id(home: Home) -> None:
    home.keep(record(Phase.RUNNING, job="abc-1"))
    home.daemon_says()
    home.call("cancel", "abc")

    assert asked(home) == [("cancel", "abc-1", "")]


def test_without_a_daemon_the_request_waits_and_that_is_a_no(home: Home) -> None:
    home.keep(record(Phase.RUNNING))
    said = home.call("cancel", "j")

    assert said.code == 1
    assert "no daemon is running" in said.out
    assert asked(home) == [("cancel", "j", "")]


@pytest.mark.parametrize("command", ["cancel", "collect"])
def test_what_has_ended_is_asked_for_nothing(home: Home, command: str) -> None:
    home.keep(ENDED)
    said = home.call(command, "j")

    assert said.code == 1
    assert "has no" in said.err
    assert asked(home) == []


def test_collect_asks_for_what_was_left_running(home: Home) -> None:
    home.keep(record(Phase.LEFT), record(Phase.RUNNING, run="r002"))
    home.daemon_says()
    said = home.call("collect", "j")

    assert said.code == 0
    assert "1 runs" in said.out
    assert asked(home) == [("collect", "j", "")]


def test_pause_and_resume_work_with_or_without_a_daemon(home: Home) -> None:
    assert home.call("pause").code == 0
    assert (home.queue / "PAUSED").exists()
    assert home.call("pause").code == 0

    assert home.call("resume").code == 0
    assert not (home.queue / "PAUSED").exists()
    assert home.call("resume").code == 0
    assert sorted(asked(home)) == 2 * [("pause", "", "")] + 2 * [("resume", "", "")]


def test_a_queue_that_cannot_be_written_is_said_with_who_may(home: Home) -> None:
    (home.queue / "PAUSED").mkdir()
    said = home.call("resume")

    assert said.code == 3
    assert "PAUSED" in said.err


@pytest.mark.parametrize("command", ["cancel", "collect", "pause", "resume"])
def test_every_command_says_what_it_does(
    command: str, capsys: pytest.CaptureFixture[str], home: Home
) -> None:
    with pytest.raises(SystemExit) as ended:
        home.call(command, "--help")

    assert ended.value.code == 0
    assert f"llmdbenchd {command}" in capsys.readouterr().out
