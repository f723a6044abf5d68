"""What a record has to tell when its archive is sealed."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from llmdbenchd.core.account import Measured, entered, events, run_facts
from llmdbenchd.core.job.accepted import AcceptedJob
from llmdbenchd.core.job.attempt import Attempt
from llmdbenchd.core.job.model import JobSpec
from llmdbenchd.core.job.workloads import Source
from llmdbenchd.core.results.document import (
    Analysis,
    LauncherFacts,
    LogFacts,
    LogGap,
    PastAttempt,
    ServerFacts,
    ServerLog,
)
from llmdbenchd.core.results.verdict import Outcome, Verdict
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import End, Found, Past, Record, Step
from llmdbenchd.core.run.sight import Cause, Ended
from tests.core.run.cases import BAD, GOOD, HOME, NOW, record

SPEC = JobSpec.model_validate({"endpoint": "http://127.0.0.1:1", "models": ["m"]})
JOB = AcceptedJob(
    job="j",
    owner="ada",
    submitted=NOW.utc,
    engine="local",
    spec=SPEC,
    values={},
    source=Source("w.yaml", "a: 1\n"),
)
ATTEMPT = Attempt(
    spec=SPEC,
    cell=JOB.cells[0],
    endpoint="http://127.0.0.1:1",
    instance="i",
    job="j",
    epoch=1_000,
    workload_file="w.yaml",
    workload_text="a: 1\n",
)
GAPS = (LogGap("2026-11-24T12:00:00Z", None),)
LATER = NOW.utc + timedelta(minutes=5)
MEASURED = Measured(logs={1: LogFacts(7), 2: LogFacts(9, GAPS)}, finished=LATER)


def history(*steps: tuple[int, Phase, int]) -> tuple[Step, ...]:
    return tuple(
        Step(NOW.utc + timedelta(seconds=at), phase, attempt) for at, phase, attempt in steps
    )


@pytest.fixture
def judged() -> Record:
    return record(
        Phase.REPORTING,
        ends=(End(2, BAD), End(1, GOOD)),
        collected=HOME,
        verdict=Verdict(Outcome.FAILED, "launcher", "launcher 2 of 2 exited: exit code 3"),
        history=history((1, Phase.RESOLVING, 1), (2, Phase.LAUNCHING, 1), (9, Phase.LAUNCHING, 2)),
    )


def test_the_verdict_is_told_with_its_reason(judged: Record) -> None:
    told = run_facts(judged, JOB, ATTEMPT, MEASURED)

    assert (told.phase, told.kind) == ("FAILED", "launcher")
    assert told.reason == "launcher 2 of 2 exited: exit code 3"


def test_launchers_are_told_in_the_order_of_their_indices_with_their_logs(judged: Record) -> None:
    told = run_facts(judged, JOB, ATTEMPT, MEASURED)

    assert told.launchers == (
        LauncherFacts(1, Cause.EXITED, 0, None, "", 7),
        LauncherFacts(2, Cause.EXITED, 3, None, "", 9, GAPS),
    )


def test_logs_of_servers_are_told_with_their_gaps(judged: Record) -> None:
    logs = {"results/1/p_c/vllm.log": LogFacts(9, GAPS)}

    assert run_facts(judged, JOB, ATTEMPT, replace(MEASURED, server_logs=logs)).server_logs == logs


def test_what_came_home_is_told(judged: Record) -> None:
    told = run_facts(judged, JOB, ATTEMPT, MEASURED)

    assert (told.files, told.size, told.manifest) == (3, 10, "launcher")
    assert told.notes == ()


def test_what_became_of_the_local_analysis_is_told(judged: Record) -> None:
    analysis = Analysis(("analysis/1/summary.txt",), ("launcher 2: late",))

    assert run_facts(judged, JOB, ATTEMPT, MEASURED).analysis is None
    told = run_facts(judged, JOB, ATTEMPT, replace(MEASURED, analysis=analysis))
    assert told.analysis == analysis


def test_times_are_those_of_the_first_launch_and_of_the_archive(judged: Record) -> None:
    told = run_facts(judged, JOB, ATTEMPT, MEASURED)

    assert told.queued == NOW.utc
    assert told.started == NOW.utc + timedelta(seconds=2)
    assert told.finished == LATER


def test_nothing_collected_is_told_as_unknown_and_not_as_zero() -> None:
    why = "timeout:collect after 10 s: disk full"
    gave_up = record(Phase.REPORTING, uncollected=why, gone="launcher 2 is gone")

    told = run_facts(gave_up, JOB, ATTEMPT, MEASURED)

    assert (told.files, told.size, told.manifest) == (None, None, "")
    assert told.notes == (why, "launcher 2 is gone")
    assert told.started is None


def test_a_run_without_target_or_verdict_can_be_told_of_too() -> None:
    bare = replace(record(Phase.REPORTING), verdict=None, target=None)

    told = run_facts(bare, JOB, ATTEMPT, MEASURED)

    assert (told.phase, told.kind, told.reason, told.endpoint) == ("REPORTING", "", "", "")


def test_attempts_that_are_over_are_told_with_how_their_launchers_ended() -> None:
    killed = End(1, Ended(Cause.KILLED, signal=9, detail="often memory"))
    verdict = Verdict(Outcome.FAILED, "launcher", "it was killed")
    again = record(Phase.REPORTING, attempt=2, past=(Past(1, verdict, (killed,)),))

    told = run_facts(again, JOB, ATTEMPT, MEASURED)

    assert told.past == (
        PastAttempt(
            1,
            "FAILED",
            "launcher",
            "it was killed",
            (LauncherFacts(1, Cause.KILLED, None, 9, "often memory", None),),
        ),
    )


SERVER = ServerLog("vllm-0", "vllm", 0, "logs/servers/vllm-0/vllm.log", 9)
BESIDE = replace(JOB, spec=SPEC.model_copy(update={"follow_servers": True}))


@pytest.mark.parametrize(
    ("lacking", "told", "notes"),
    [
        ("", "", ()),
        ("no pods are known", "no pods are known", ("the servers' logs: no pods are known",)),
        (None, "the run did not wait until they were read to the end", ()),
    ],
)
def test_servers_logs_are_told_of_with_what_they_lack(
    judged: Record, lacking: str | None, told: str, notes: tuple[str, ...]
) -> None:
    measured = replace(MEASURED, servers=(SERVER,))
    launched = replace(judged, servers=lacking)

    said = run_facts(launched, BESIDE, ATTEMPT, measured)

    assert (said.servers, said.notes) == (ServerFacts(told, (SERVER,)), notes)


def test_servers_that_nobody_asked_for_or_that_met_no_load_are_not_told_of(judged: Record) -> None:
    assert run_facts(judged, JOB, ATTEMPT, MEASURED).servers is None
    assert run_facts(record(Phase.REPORTING), BESIDE, ATTEMPT, MEASURED).servers is None


def test_events_are_the_history_line_by_line(judged: Record) -> None:
    lines = [json.loads(line) for line in events(judged).splitlines()]

    assert lines[0] == {"at": NOW.utc.isoformat(), "event": "run.queued", "attempt": 1}
    assert [(line["event"], line["now"], line["attempt"]) for line in lines[1:]] == [
        ("run.moved", "RESOLVING", 1),
        ("run.moved", "LAUNCHING", 1),
        ("run.moved", "LAUNCHING", 2),
    ]
    assert events(judged).endswith(b"\n")


def test_when_a_phase_was_entered_can_be_asked_for_one_attempt(judged: Record) -> None:
    assert entered(judged, Phase.LAUNCHING) == NOW.utc + timedelta(seconds=2)
    assert entered(judged, Phase.LAUNCHING, attempt=2) == NOW.utc + timedelta(seconds=9)
    assert entered(judged, Phase.LAUNCHING, attempt=3) is None
    assert entered(judged, Phase.CLEANING) is None


def test_what_was_found_on_a_claim_is_told_folder_by_folder(judged: Record) -> None:
    one = Found("a_1_s_1", 3, 10, "launcher")
    late = Found("a_2_s_1", 1, 2, "late")

    alone = run_facts(replace(judged, found=(one,)), JOB, ATTEMPT, MEASURED)
    both = run_facts(replace(judged, found=(one, late)), JOB, ATTEMPT, MEASURED)

    assert alone.experiment_id == "a_1_s"
    assert alone.notes == (
        "results/1 is a_1_s_1: 3 files, 10 bytes, proven by the launcher's manifest",
    )
    assert both.experiment_id == ATTEMPT.experiment
    assert "without a whole manifest" in both.notes[1]
    assert both.notes[2] == "the figures of 2 loads are not put together: see reports/"
