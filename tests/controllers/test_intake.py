"""From a dropped file to open runs: each exactly once, whatever the disk does meanwhile."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest
from structlog.testing import capture_logs

from llmdbenchd.controllers.intake import AGAIN_S, Intake
from llmdbenchd.core.job.accepted import decoded
from llmdbenchd.core.job.jobfile import Reading
from llmdbenchd.core.job.scenarios import ScenarioFile
from llmdbenchd.core.job.treatment_files import TreatmentsFile
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.workload.errors import WorkloadError, WorkloadProblem
from llmdbenchd.ports import NewJob, Unavailable
from tests.core.run.cases import NOW
from tests.fakes.house import House
from tests.fakes.queue import FakeQueue, dropped

GOOD = "endpoint: http://127.0.0.1:8000\nmodels: m\nworkload: {a: 1}\n"
BAD = "endpoint: http://127.0.0.1:8000\nrepeet: 2\npriority: high\n"


@dataclass(frozen=True)
class Profile:
    """What lies on the shelf."""

    text: str = "a: 1\n"
    path: str = "profiles/inference-perf/sanity_random.yaml"


class Desk:
    """One profile for every harness, and a fault when somebody asks for the wrong engine."""

    environment: Mapping[str, str] = {}

    @property
    def shelf(self) -> "Desk":
        return self

    def harnesses(self) -> Sequence[str]:
        return ["inference-perf"]

    def names(self, harness: str) -> Sequence[str]:
        assert harness
        return ["sanity_random.yaml"]

    def read(self, harness: str, name: str) -> Profile:
        assert harness
        assert name
        return Profile()

    def read_path(self, path: str) -> str:
        raise WorkloadError([WorkloadProblem(path, 0, path, "cannot be read")])

    def open_scenario(self, name: str) -> ScenarioFile:
        return ScenarioFile(f"{name}.sh", "export LLMDBENCH_HARNESS_CPU_NR=3\n")

    def open_treatments(self, name: str) -> TreatmentsFile:
        return TreatmentsFile(name, "treatments: [{name: one, a: 2}, {name: two, a: 3}]\n")

    def engine(self, asked: str) -> str:
        if asked == "kubernetes":
            raise ZeroDivisionError("a fault of ours")
        return "local"

    def completed(self, reading: Reading, engine: str) -> Reading:
        assert engine == "local"
        return reading


class Room:
    """The intake of one life of the daemon."""

    def __init__(self) -> None:
        self.queue, self.house = FakeQueue(), House()
        self.beats = 0
        self.intake = Intake(
            queue=self.queue,
            desk=Desk(),
            runs=self.house.runs,
            clock=self.house.clock,
            beat=self._beat,
        )

    @property
    def opened(self) -> list[str]:
        """Keys of the open runs."""
        return [one.key for one in self.house.runs]

    def _beat(self) -> None:
        self.beats += 1


@pytest.fixture
def room() -> Room:
    return Room()


async def test_a_good_file_becomes_a_job_with_open_runs(room: Room) -> None:
    with capture_logs() as logged:
        await room.intake.take([dropped("a", GOOD + "repeat: 2\npriority: 7\n")])

    assert room.opened == ["a/r001", "a/r002"]
    first = room.house.runs["a/r001"]
    assert (first.phase, first.priority, first.wait_until) == (Phase.QUEUED, 7, None)
    job = decoded(room.queue.jobs["a"].spec)
    assert (job.job, job.owner, job.engine, job.source.text) == ("a", "ada", "local", "a: 1\n")
    assert room.queue.jobs["a"].records == tuple(room.house.runs)
    assert [line["event"] for line in logged] == ["job.accepted"]


async def test_a_job_keeps_what_its_scenario_said_when_it_was_taken(room: Room) -> None:
    await room.intake.take([dropped("a", GOOD + "scenario: guide\n")])

    job = decoded(room.queue.jobs["a"].spec)
    assert job.spec.scenario == {"LLMDBENCH_HARNESS_CPU_NR": "3"}
    assert (job.values["scenario"].value, job.spec.harness.cpu) == ("guide", "3")
    assert job.values["harness.cpu"].place == "guide.sh:1"


async def test_each_treatment_becomes_a_run_and_the_job_keeps_what_its_file_said(
    room: Room,
) -> None:
    await room.intake.take([dropped("a", GOOD + "treatments: sweep\n")])

    assert room.opened == ["a/r001", "a/r002"]
    job = decoded(room.queue.jobs["a"].spec)
    assert [one.treatment for one in job.cells] == ["one", "two"]
    assert job.spec.changes("two") == ({}, {"a": 3}, {})
    assert (job.values["treatments"].value, job.sources) == ("sweep", {})


async def test_a_file_may_name_its_own_id(room: Room) -> None:
    await room.intake.take([dropped("a", GOOD + "id: mine\n")])

    assert room.opened == ["mine/r001"]
    assert room.queue.jobs["mine"].claim == "a"


async def test_not_before_is_kept_as_a_moment(room: Room) -> None:
    await room.intake.take([dropped("a", GOOD + "not_before: 2026-11-24T13:00:00Z\n")])

    assert room.house.runs["a/r001"].wait_until == NOW.after(3600)


async def test_a_bad_file_goes_back_with_every_reason(room: Room) -> None:
    await room.intake.take([dropped("a", BAD)])

    assert room.opened == []
    why = room.queue.rejected["a"]
    assert "a.yaml:2" in why
    assert "a.yaml:3" in why
    assert "repeat" in why


async def test_a_workload_that_cannot_be_read_is_a_reason_too(room: Room) -> None:
    await room.intake.take([dropped("a", GOOD.replace("{a: 1}", "some/where.yaml"))])

    assert "cannot be read" in room.queue.rejected["a"]


async def test_good_and_bad_files_of_one_group_do_not_disturb_each_other(room: Room) -> None:
    await room.intake.take([dropped("a", BAD), dropped("b", GOOD), dropped("c", BAD)])

    assert room.opened == ["b/r001"]
    assert set(room.queue.rejected) == {"a", "c"}


async def test_a_fault_of_ours_with_one_file_stops_no_other(room: Room) -> None:
    with capture_logs():
        await room.intake.take([dropped("a", GOOD + "engine: kubernetes\n"), dropped("b", GOOD)])

    assert room.opened == ["b/r001"]
    assert "a fault in llmdbenchd" in room.queue.rejected["a"]


async def test_a_second_file_of_an_id_is_refused_and_its_runs_are_not_opened(room: Room) -> None:
    group = [dropped("a", GOOD + "id: mine\n"), dropped("b", GOOD + "id: mine\n")]
    with capture_logs() as logged:
        await room.intake.take(group)

    assert room.opened == ["mine/r001"]
    assert "already known" in room.queue.rejected["b"]
    assert [line["event"] for line in logged] == ["job.accepted", "job.rejected"]


async def test_a_job_that_was_committed_before_a_crash_is_not_opened_anew(room: Room) -> None:
    """Its records are read from disk at the start; it may even have ended since."""
    room.queue.jobs["a"] = NewJob("a", "a", b"from before a crash", ())
    with capture_logs() as logged:
        await room.intake.take([dropped("a", GOOD)])

    assert room.opened == []
    assert logged == []


@pytest.mark.parametrize("fails_after", range(6))
async def test_a_disk_that_fails_between_two_files_loses_and_doubles_none(
    room: Room, fails_after: int
) -> None:
    room.queue.fails_after = fails_after
    texts = {"a": GOOD, "b": BAD, "c": GOOD, "d": BAD, "e": GOOD}
    with capture_logs() as logged:
        await room.intake.take([dropped(claim, text) for claim, text in texts.items()])
        await room.intake.take([dropped("f", GOOD)])
        await room.intake.take([])

    assert sorted(room.opened) == ["a/r001", "c/r001", "e/r001", "f/r001"]
    assert set(room.queue.rejected) == {"b", "d"}
    events = [line["event"] for line in logged]
    assert events.count("queue.unavailable") == 1
    assert events.count("job.accepted") == 4
    assert events.count("job.rejected") == 2
    assert room.intake._left == []


async def test_nothing_is_open_that_is_not_on_disk(room: Room) -> None:
    room.queue.fails_after = 0
    with capture_logs():
        await room.intake.take([dropped("a", GOOD)])

    assert room.opened == []


async def test_it_takes_what_arrives_for_ever_and_gives_signs_of_life(room: Room) -> None:
    taking = asyncio.create_task(room.intake.run())
    room.queue.drop(dropped("a", GOOD))
    room.queue.drop()
    await asyncio.sleep(1)
    assert room.beats == 2
    with capture_logs() as logged:
        room.queue.end(Unavailable("the folder is away"))
        room.queue.drop(dropped("b", GOOD))
        await asyncio.sleep(AGAIN_S / 2)
        assert [line["event"] for line in logged] == ["queue.unavailable"]
        await asyncio.sleep(AGAIN_S)
    room.queue.end()
    room.queue.drop(dropped("c", GOOD))
    await asyncio.sleep(2 * AGAIN_S)
    assert not taking.done()
    taking.cancel()
    await asyncio.wait([taking])

    assert room.opened == ["a/r001", "b/r001", "c/r001"]
