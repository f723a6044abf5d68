"""`logs`: what the launchers of a job wrote, live or archived."""

import pytest

from llmdbenchd.core.run.phase import Phase
from llmdbenchd.edge.recording.folder import Facts, Folder
from tests.cli.home import Home
from tests.core.nop.recorded import pod
from tests.core.run.cases import record

RUNNING, ENDED = record(Phase.RUNNING, seen=(1, 2)), record(Phase.SUCCEEDED, seen=(1, 2))
LINE = b"2026-03-01T12:00:00.000000000Z serving\n"
TWO = {"harness": {"parallelism": 2}}

pytestmark = pytest.mark.usefixtures("home")


def test_the_log_of_a_single_launcher_is_printed_as_it_is(home: Home) -> None:
    home.keep(RUNNING)
    home.live_log(RUNNING, 1, b"one\rtwo\nthree")
    said = home.call("logs", "j")

    assert (said.code, said.out) == (0, "one\rtwo\nthree")


def test_several_launchers_are_told_apart(home: Home) -> None:
    home.keep(RUNNING, **TWO)
    home.live_log(RUNNING, 1, b"a\n")
    home.live_log(RUNNING, 2, b"b\n")

    assert sorted(home.call("logs", "j").out.splitlines()) == ["1 | a", "2 | b"]


def test_several_runs_are_told_apart(home: Home) -> None:
    other = record(Phase.RUNNING, run="r002")
    home.keep(RUNNING, other)
    home.live_log(RUNNING, 1, b"a\n")
    home.live_log(other, 1, b"b\n")

    assert sorted(home.call("logs", "j").out.splitlines()) == ["r001.1 | a", "r002.1 | b"]
    assert home.call("logs", "j/r002").out == "b\n"


def test_one_launcher_can_be_chosen(home: Home) -> None:
    home.keep(RUNNING, **TWO)
    home.live_log(RUNNING, 1, b"a\n")
    home.live_log(RUNNING, 2, b"b\n")

    assert home.call("logs", "j", "--launcher", "2").out == "b\n"


def test_a_launcher_that_is_not_there_is_a_no(home: Home) -> None:
    home.keep(RUNNING)
    said = home.call("logs", "j", "--launcher", "2")

    assert said.code == 1
    assert "j has no launcher 2" in said.err


def test_an_archived_log_is_read_from_the_archive(home: Home) -> None:
    home.keep(ENDED)
    home.kept_log(ENDED, 1, b"kept\n")

    assert home.call("logs", "j").out == "kept\n"
    assert home.call("logs", "j", "-f").out == "kept\n"


def test_the_log_of_the_attempt_that_runs_is_the_one_that_is_meant(home: Home) -> None:
    again = record(Phase.RUNNING, attempt=2, seen=(1,))
    home.keep(again)
    home.live_log(RUNNING, 1, b"first attempt\n")
    home.live_log(again, 1, b"second attempt\n")

    assert home.call("logs", "j").out == "second attempt\n"


def test_a_run_that_has_not_begun_has_no_log_and_that_is_a_no(home: Home) -> None:
    home.keep(record())
    said = home.call("logs", "j")

    assert said.code == 1
    assert "-f waits for it" in said.out


def test_no_servers_logs_are_a_no_that_says_how_to_get_some(home: Home) -> None:
    home.keep(RUNNING)
    said = home.call("logs", "j", "--server")

    assert said.code == 1
    assert "follow_servers: true" in said.out


def test_the_logs_of_servers_are_printed_without_their_stamps(home: Home) -> None:
    home.keep(RUNNING)
    live = Folder(home.state / "live/j/r001/1/servers")
    live.path.mkdir(parents=True)
    live.say("2026-03-01T12:00:00.000000000Z", "pod vllm-0 is recorded")
    live.server("u").keep(pod(), Facts(number=0))
    log = live.server("u").log("vllm", 0)
    log.parent.mkdir()
    log.write_bytes(LINE)

    assert home.call("logs", "j", "--server").out == "serving\n"
    assert home.call("logs", "j", "--server", "--timestamps").out == LINE.decode()


def test_archived_logs_of_several_servers_are_told_apart(home: Home) -> None:
    other = record(Phase.SUCCEEDED, run="r002")
    home.keep(ENDED, other)
    for run, name in (("r001", "vllm-0/vllm"), ("r001", "vllm-0/vllm.0"), ("r002", "vllm-0/vllm")):
        path = home.archive / "j" / run / "logs/servers" / f"{name}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(LINE)

    said = home.call("logs", "j", "--server", "-f").out

    assert sorted(said.splitlines()) == [
        "r001 vllm-0/vllm | serving",
        "r001 vllm-0/vllm.0 | serving",
        "r002 vllm-0/vllm | serving",
    ]


def test_a_job_that_is_not_known_is_a_no(home: Home) -> None:
    assert home.call("logs", "nobody").code == 1
