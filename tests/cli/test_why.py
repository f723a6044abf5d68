"""`why`: what a run waits for and who holds it, or why it ended."""

import os
from dataclasses import replace
from datetime import timedelta

import pytest

from llmdbenchd.core.job.accepted import encoded
from llmdbenchd.core.results.verdict import Outcome, Verdict
from llmdbenchd.core.run.phase import FINAL, Phase
from llmdbenchd.core.run.record import Failure
from llmdbenchd.core.run.rivals import mark
from tests.cli.home import Home
from tests.core.run.cases import NOW, record
from tests.fakes.jobs import accepted

LATER = NOW.utc + timedelta(minutes=1)


def reason(home: Home, key: str = "j/r001") -> str:
    answer = home.json("why", key)
    assert isinstance(answer, dict)
    return str(answer["why"][key])


def test_the_run_that_holds_the_target_is_named(home: Home) -> None:
    home.keep(record(Phase.READY, submitted=LATER), record(Phase.RUNNING, job="k"))

    assert reason(home) == "its target 127.0.0.1:1 is held by k/r001 (RUNNING)"


def test_a_paused_queue_is_the_reason(home: Home) -> None:
    home.keep(record())
    (home.queue / "PAUSED").touch()

    assert "PAUSED" in reason(home)


def test_a_run_whose_turn_it_is_says_so(home: Home) -> None:
    home.keep(record())

    assert reason(home) == "it is its turn"


@pytest.mark.parametrize("phase", sorted(set(Phase) - FINAL - {Phase.QUEUED, Phase.READY}))
def test_a_run_that_moves_says_what_is_done_for_it(home: Home, phase: Phase) -> None:
    home.keep(record(phase))

    assert reason(home) not in {"", "it is its turn"}


def test_trouble_on_the_way_is_told_as_well(home: Home) -> None:
    home.keep(record(Phase.COLLECTING, tries=3, last_error="a.json differs"))
    assert reason(home).endswith("(try 3 failed: a.json differs)")

    home.keep(record(Phase.RUNNING, failure=Failure("launcher", "launcher 1 broke")))
    assert reason(home).endswith("(ending: launcher 1 broke)")


@pytest.mark.parametrize("phase", [Phase.LAUNCHING, Phase.RUNNING, Phase.COLLECTING, Phase.LEFT])
def test_a_run_whose_place_nobody_sees_says_so_and_since_when(home: Home, phase: Phase) -> None:
    home.keep(record(phase))
    [said] = home.json("why", "j")["why"].values()  # type: ignore[index]  # of a dict
    since = {"since": "2026-11-24T12:00:00+00:00", "reason": "cannot connect: no route"}
    home.daemon_says(pid=os.getpid(), degraded=["local"], degraded_since={"local": since})

    assert reason(home) == (
        f"{said}; local is degraded since 2026-11-24T12:00:00: cannot connect: no route"
    )


def test_a_place_that_is_well_and_an_end_say_nothing_of_others(home: Home) -> None:
    since = {"since": "2026-11-24T12:00:00+00:00", "reason": "no"}
    home.daemon_says(
        pid=os.getpid(), degraded_since={"kubernetes/other": since, "disk": since, "local": since}
    )
    verdict = Verdict(Outcome.FAILED, "launcher", "exit code 3")
    home.keep(record(Phase.FAILED, verdict=verdict))
    assert "degraded" not in reason(home)

    home.daemon_says(pid=os.getpid(), degraded_since={"kubernetes/other": since})
    home.keep(record(Phase.RUNNING))
    assert "degraded" not in reason(home)


def test_an_ended_run_says_why_it_ended(home: Home) -> None:
    verdict = Verdict(Outcome.FAILED, "launcher", "launcher 1 of 1 exited: exit code 3")
    home.keep(record(Phase.FAILED, verdict=verdict))

    assert reason(home) == "launcher: launcher 1 of 1 exited: exit code 3"


def test_a_run_that_was_left_running_says_how_it_comes_back(home: Home) -> None:
    home.keep(record(Phase.LEFT))

    assert "llmdbenchd collect" in reason(home)


def test_people_get_one_line_for_each_run_and_hear_that_nothing_moves(home: Home) -> None:
    home.keep(record(), record(run="r002"))
    lines = home.call("why", "j").out.splitlines()

    assert [line.partition(":")[0] for line in lines] == [
        "j/r001 QUEUED",
        "j/r002 QUEUED",
        "no daemon is running on this state folder",
    ]


def test_with_a_daemon_nothing_is_said_about_it(home: Home) -> None:
    home.keep(record())
    home.daemon_says()

    assert "no daemon" not in home.call("why", "j").out


def test_a_job_that_is_not_known_is_a_no(home: Home) -> None:
    assert home.call("why", "nobody").code == 1


def test_the_way_into_a_launcher_that_sleeps_is_told(home: Home) -> None:
    home.keep(record(Phase.LEFT), harness={"debug": True, "parallelism": 2})
    (home.state / "instance").write_text("0a1b2c3d\n")

    said = home.call("why", "j/r001")

    assert "  into launcher 2:  cd " in said.out
    assert "launch.py" in said.out
    assert "llmdbenchd cancel j/r001" in said.out


def test_on_a_cluster_the_way_in_is_the_exec_command(home: Home) -> None:
    one = record(Phase.LEFT)
    home.keep(one)
    job = replace(accepted("j", harness={"debug": True, "namespace": "load"}), engine="kubernetes")
    (home.state / "jobs" / "j" / "spec.json").write_bytes(encoded(job))
    (home.state / "instance").write_text("0a1b2c3d\n")

    answer = home.json("why", "j/r001")

    assert isinstance(answer, dict)
    shell, by_hand = answer["ways_in"]["j/r001"]
    assert shell.startswith("kubectl exec -it -n load llmdbench-inference-perf-launcher-")
    assert shell.endswith("-c harness -- sh")
    assert by_hand.endswith("python3 -I -S /llmdbenchd/payload/launch.py")


def test_a_launcher_of_another_daemon_that_loads_the_target_is_named(home: Home) -> None:
    home.keep(record(Phase.READY))
    rivals = {mark("127.0.0.1:1"): "launcher p of the daemon 0a1b2c3d"}
    home.daemon_says(pid=os.getpid(), rivals=rivals)

    assert reason(home) == "its target 127.0.0.1:1 is held by launcher p of the daemon 0a1b2c3d"


def test_a_load_that_goes_on_although_its_log_tells_of_errors_says_so(home: Home) -> None:
    """#1342: the tool reported progress while the pod's log was full of errors."""
    one = record(Phase.RUNNING, seen=(1, 2, 3))
    home.keep(one)
    home.live_log(one, 1, b"INFO begin\nERROR request 7 failed: 503\nINFO request 8\n")
    home.live_log(one, 2, b"INFO all is well\n")

    assert reason(home).endswith("; launcher 1 says: ERROR request 7 failed: 503")
    assert "launcher 1 says: ERROR request 7" in " ".join(home.call("status", "j").out.split())
    [told] = home.json("status", "j")["runs"]  # type: ignore[index]  # of a dict
    assert told["complaint"] == "launcher 1 says: ERROR request 7 failed: 503"


def test_of_a_long_log_the_end_counts_and_stamps_are_no_words(home: Home) -> None:
    one = record(Phase.RUNNING, seen=(1,))
    home.keep(one)
    job = replace(accepted("j"), engine="kubernetes")
    (home.state / "jobs" / "j" / "spec.json").write_bytes(encoded(job))
    stamp = b"2026-11-24T12:00:00.123456789Z "
    home.live_log(one, 1, b"ERROR cut in two" + b"x" * 2**18 + b"\n" + stamp + b"ERROR late\n")

    assert reason(home).endswith("; launcher 1 says: ERROR late")


def test_a_run_that_is_over_complains_by_its_verdict_only(home: Home) -> None:
    verdict = Verdict(Outcome.SUCCEEDED, "good", "5 requests")
    one = record(Phase.SUCCEEDED, verdict=verdict, seen=(1,))
    home.keep(one)
    home.live_log(one, 1, b"ERROR once\n")

    assert reason(home) == "good: 5 requests"


def test_until_when_somebody_is_patient_is_told(home: Home) -> None:
    home.keep(record(Phase.LAUNCHING).enter(Phase.RUNNING, NOW, patience_s=3600))

    assert reason(home) == "its launchers generate load, until 2026-11-24 13:00:00 UTC at most"
    [told] = home.json("status", "j")["runs"]  # type: ignore[index]  # of a dict
    assert told["until"] == "2026-11-24T13:00:00+00:00"
