"""What people ask of the daemon: who may, what is refused and why, and nothing lost by a crash."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from llmdbenchd.controllers.requests import AGAIN_S, KEPT_WITHIN_S, Counter
from llmdbenchd.controllers.runs import AGAIN_S as SAVED_AGAIN_S
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record
from llmdbenchd.ports import Request, Unavailable
from tests.core.run.cases import AHEAD, record
from tests.fakes.house import House, keyed

WAITING = record(Phase.READY, wait_until=AHEAD.after(10_000))
LEFT = record(Phase.LEFT, seen=(1,))


def ask(asked: str, job: str = "", run: str = "", *, owner: str = "ada", name: str = "") -> Request:
    return Request(name or f"{asked}-{job}-{run}.json", asked, job, run, owner)


class Office:
    """A counter, the folder of requests, and the runs.

    Attributes:
        folder: requests that wait; `refused` the reasons beside those that were set aside.
        told: each pause (True) and resume (False) that was carried out.
        trouble: what the next ways to the disk raise.
        looks: after so many the arrivals end.
    """

    def __init__(self, *records: Record) -> None:
        self.house = House()
        self.folder: dict[str, Request] = {}
        self.refused: dict[str, str] = {}
        self.told: list[bool] = []
        self.trouble: list[Exception] = []
        self.looks = 1000
        self.counter = Counter(
            runs=self.house.runs,
            owner_of=self._owner,
            masters=frozenset({"root"}),
            pause=self._pause,
            done=self._done,
            refused=self._refuse,
        )
        self.house.open(*records)

    async def answer(self, *requests: Request) -> None:
        """They are put into the folder and answered once, while workers do their work."""
        self.folder.update({one.name: one for one in requests})
        worker = asyncio.create_task(self.house.runs.work_forever())
        for request in requests:
            with suppress(Unavailable):
                await self.counter.answer(request)
        worker.cancel()
        await asyncio.wait([worker])

    async def arrivals(self) -> AsyncIterator[Sequence[Request]]:
        for _ in range(self.looks):
            if self.trouble:
                raise self.trouble.pop()
            yield list(self.folder.values())
            await asyncio.sleep(5)

    def _owner(self, job: str) -> str:
        if job == "damaged":
            raise ValueError("spec.json is damaged")
        return {"j": "ada", "k": "bob"}[job]

    async def _pause(self, paused: bool) -> None:  # noqa: FBT001 - the counter calls it by position
        self.told.append(paused)

    async def _done(self, request: Request) -> None:
        if self.trouble:
            raise self.trouble.pop()
        del self.folder[request.name]

    async def _refuse(self, request: Request, why: str) -> None:
        self.refused[request.name] = why
        del self.folder[request.name]


@pytest.fixture
async def office() -> Office:
    return Office(WAITING, keyed(WAITING, "j/r002"), keyed(WAITING, "k/r001"))


def cancels(office: Office) -> dict[str, int]:
    return {key: one.cancels for key, one in office.house.ledger.disk.items() if one.cancels}


async def test_a_job_is_cancelled_with_all_its_runs(office: Office) -> None:
    with capture_logs() as logged:
        await office.answer(ask("cancel", "j"))

    assert cancels(office) == {"j/r001": 1, "j/r002": 1}
    assert office.folder == {}
    done = [line for line in logged if line["event"] == "control.done"]
    assert [(line["request"], line["owner"], line["job"]) for line in done] == [
        ("cancel", "ada", "j")
    ]


async def test_one_run_is_cancelled_alone(office: Office) -> None:
    await office.answer(ask("cancel", "j", "r002"))

    assert cancels(office) == {"j/r002": 1}


async def test_the_same_request_told_twice_counts_once(office: Office) -> None:
    """It was carried out, and its file could not be taken away: it comes again."""
    office.trouble = [Unavailable("read-only")]
    await office.answer(ask("cancel", "j", name="one"))
    assert list(office.folder) == ["one"]
    await office.answer(ask("cancel", "j", name="one"))

    assert cancels(office) == {"j/r001": 1, "j/r002": 1}
    assert office.folder == {}


async def test_another_request_counts_again(office: Office) -> None:
    await office.answer(ask("cancel", "j", name="one"), ask("cancel", "j", name="two"))

    assert cancels(office) == {"j/r001": 2, "j/r002": 2}


@pytest.mark.parametrize("owner", ["ada", "root"])
async def test_the_owner_and_the_masters_may(office: Office, owner: str) -> None:
    await office.answer(ask("cancel", "j", owner=owner))

    assert office.refused == {}
    assert cancels(office)


async def test_nobody_else_may(office: Office) -> None:
    await office.answer(ask("cancel", "j", owner="bob", name="q"))

    assert office.refused == {"q": "job j is ada's, and bob may not cancel it"}
    assert cancels(office) == {}
    assert office.folder == {}


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (ask("cancel", "nobody"), "no job nobody is known"),
        (ask("cancel", "j", "r009"), "j/r009 has no open run"),
        (ask("collect", "j"), "j was not left running"),
        (ask("collect", "j", "r001"), "j/r001 was not left running"),
    ],
)
async def test_what_cannot_be_is_refused_with_the_reason(
    office: Office, request_: Request, why: str
) -> None:
    with capture_logs() as logged:
        await office.answer(request_)

    assert why in office.refused[request_.name]
    assert [line["event"] for line in logged] == ["control.refused"]


async def test_a_run_that_was_left_running_is_collected_on_request() -> None:
    office = Office(LEFT, keyed(WAITING, "j/r002"))
    await office.answer(ask("collect", "j"))

    assert office.house.on_disk().collect_asked
    assert not office.house.on_disk("j/r002").collect_asked


async def test_a_run_that_was_left_running_can_be_cancelled() -> None:
    office = Office(LEFT)
    await office.answer(ask("cancel", "j", name="q"))

    assert office.refused == {}
    assert office.folder == {}


async def test_admission_is_paused_and_resumed_by_anybody(office: Office) -> None:
    await office.answer(ask("pause", owner="bob"))
    await office.answer(ask("resume", owner="bob"))

    assert office.told == [True, False]
    assert office.folder == {}


async def test_a_request_stays_until_what_it_asks_is_on_disk(office: Office) -> None:
    """Else a kill between the two would lose it."""
    office.house.ledger.is_full = True
    await office.answer(ask("cancel", "j"))
    assert cancels(office) == {}
    assert office.folder != {}

    office.house.ledger.is_full = False
    await office.house.wait_s(SAVED_AGAIN_S)
    await office.answer(*office.folder.values())
    assert cancels(office) == {"j/r001": 1, "j/r002": 1}
    assert office.folder == {}


async def serving(office: Office, seconds: float) -> list[str]:
    """Serve for so long; the events of the log."""
    with capture_logs() as logged:
        worker = asyncio.create_task(office.house.runs.work_forever())
        task = asyncio.create_task(office.counter.serve(office.arrivals))
        await asyncio.sleep(seconds)
        assert not task.done()
        for one in (task, worker):
            one.cancel()
        await asyncio.wait([task, worker])
    return [line["event"] for line in logged if line["event"] != "run.delayed"]


async def test_one_request_that_cannot_be_answered_now_does_not_stop_the_others(
    office: Office,
) -> None:
    office.folder = {one.name: one for one in (ask("cancel", "damaged"), ask("cancel", "k"))}
    office.folder["cancel-k-.json"] = ask("cancel", "k", owner="bob")

    assert await serving(office, 1) == ["control.delayed", "control.done"]
    assert cancels(office) == {"k/r001": 1}
    assert list(office.folder) == ["cancel-damaged-.json"]


async def test_a_delayed_request_is_tried_again(office: Office) -> None:
    office.folder = {"q": ask("pause", name="q")}
    office.trouble = [Unavailable("read-only")]

    assert await serving(office, 2 * AGAIN_S) == ["queue.unavailable", "control.done"]
    assert office.folder == {}


async def test_a_full_disk_does_not_hold_up_who_wants_to_pause(office: Office) -> None:
    office.house.ledger.is_full = True
    office.folder = {one.name: one for one in (ask("cancel", "j"), ask("pause"))}

    assert await serving(office, KEPT_WITHIN_S + 1) == ["control.delayed", "control.done"]
    assert office.told == [True]


async def test_arrivals_that_end_are_begun_again(office: Office) -> None:
    office.looks = 1
    serve = asyncio.create_task(serving(office, 20))
    await asyncio.sleep(10)
    office.folder = {"q": ask("pause", name="q")}

    assert await serve == ["control.done"]
