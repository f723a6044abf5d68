"""Long work: each piece ends by telling its run a fact, whatever happens to it."""

import asyncio
import json
from dataclasses import replace
from functools import partial

import pytest
from structlog.testing import capture_logs

from llmdbenchd.controllers.activities import FOLLOW_AGAIN_S, Activities
from llmdbenchd.core.results.document import Analysis
from llmdbenchd.core.results.metrics import Metrics
from llmdbenchd.core.run import facts
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import End, Failure, Record
from llmdbenchd.core.run.sight import Running
from llmdbenchd.core.run.wanted import Activity, Kind, wanted
from llmdbenchd.kit.taskset import TaskSet
from llmdbenchd.ports import Copied, Gone, Listed, Natives, NotReady, Refused, Seen, Unavailable
from tests.core.run.cases import GOOD, HOME, NEVER, TARGET, record
from tests.fakes.evidence import FakeEvidence
from tests.fakes.house import House
from tests.fakes.jobs import accepted, book
from tests.fakes.scout import FakeScout
from tests.fakes.servers import FakeServers

KEY = "j/r001"
JOB = accepted(harness={"parallelism": 2}, description="why", keywords=["k"])
COLLECTING = record(Phase.COLLECTING, seen=(1, 2))
REPORTING = record(Phase.REPORTING, seen=(1, 2), collected=HOME)


class Desk:
    """Activities over fakes; the records are looked at by nobody but the test."""

    def __init__(self) -> None:
        self.house, self.evidence, self.book = House(), FakeEvidence(), book(JOB)
        self.engine, self.scout = self.house.engine, FakeScout()
        self.servers = FakeServers()
        self.activities = Activities(
            self.house.runs,
            lambda _: self.house.site,
            scout=lambda _: self.scout,
            servers=self.servers,
            evidence=self.evidence,
            book=self.book,
            clock=self.house.clock,
            streams=1,
            preview=lambda place, plans: {f"plan/{place}": str(len(plans)).encode()},
        )

    def open(self, one: Record) -> Record:
        self.house.runs.open([one])
        return one

    async def do(self, kind: Kind, attempt: int = 1, index: int = 0) -> Record:
        await self.activities.run(Activity(KEY, kind, attempt, index))
        return self.house.runs[KEY]


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_target_that_is_found_is_learnt(desk: Desk) -> None:
    desk.open(record(Phase.RESOLVING))

    resolved = await desk.do("resolve")

    assert resolved.target == TARGET
    assert [one.endpoint for one in desk.scout.asked] == ["http://127.0.0.1:8000"]


async def test_a_target_that_is_none_is_a_refusal_and_not_tried_again(desk: Desk) -> None:
    desk.scout.trouble = [Refused("2 Services have `vllm` in their names: a, b")]
    desk.open(record(Phase.RESOLVING))

    refused = await desk.do("resolve")

    assert refused.failure == Failure("refused", "2 Services have `vllm` in their names: a, b")


async def test_a_target_that_is_not_ready_is_a_wait_of_its_own_name(desk: Desk) -> None:
    desk.scout.trouble = [NotReady("503: loading")] * 2
    desk.open(record(Phase.RESOLVING))

    waiting = await desk.do("resolve")

    assert (waiting.tries, waiting.last_error, waiting.failure) == (1, "503: loading", None)
    assert waiting.waiting is not None
    assert waiting.waiting.name == "target"
    desk.house.clock.pass_s(JOB.limits.target_s)
    assert (await desk.do("resolve")).failure == Failure(
        "timeout:target", "not ready after 900 s; last seen: 503: loading"
    )


async def test_what_nobody_could_say_is_not_held_against_the_target(desk: Desk) -> None:
    desk.scout.trouble = [NotReady("503"), Unavailable("no API server"), NotReady("503")]
    desk.open(record(Phase.RESOLVING))
    await desk.do("resolve")
    desk.house.clock.pass_s(JOB.limits.target_s)

    blind = await desk.do("resolve")

    assert (blind.failure, blind.last_error) == (None, "no API server")
    assert (await desk.do("resolve")).failure is not None


async def test_a_workload_that_cannot_be_made_is_a_refusal(desk: Desk) -> None:
    desk.book.job.cache_clear()
    desk.activities._book = book(accepted(workload="a: REPLACE_ENV_LLMDBENCH_NOT_THERE\n"))
    desk.open(record(Phase.RESOLVING))

    refused = await desk.do("resolve")

    assert refused.failure is not None
    assert refused.failure.kind == "refused"
    assert "LLMDBENCH_NOT_THERE" in refused.failure.detail


async def test_a_log_is_followed_to_its_end(desk: Desk) -> None:
    one = desk.open(record(Phase.RUNNING, seen=(1, 2)))
    name = desk.book.launchers(one)[1]
    desk.engine.launchers[name] = Running()
    following = asyncio.create_task(desk.do("follow", index=2))
    await asyncio.sleep(100)
    assert not following.done()

    desk.engine.put(name, GOOD)
    assert (await following).logs_done == (2,)


async def test_following_goes_on_after_a_broken_connection(desk: Desk) -> None:
    one = desk.open(record(Phase.RUNNING, seen=(1,)))
    desk.engine.launchers[desk.book.launchers(one)[0]] = GOOD
    desk.engine.trouble["follow"] = [Unavailable("closed")] * 3
    with capture_logs() as logged:
        followed = await desk.do("follow", index=1)

    assert followed.logs_done == (1,)
    assert [line["event"] for line in logged].count("activity.failed") == 3


async def test_more_logs_than_streams_are_followed_one_after_the_other(desk: Desk) -> None:
    one = desk.open(record(Phase.RUNNING, seen=(1, 2)))
    names = desk.book.launchers(one)
    desk.engine.launchers.update(dict.fromkeys(names, Running()))
    async with asyncio.TaskGroup() as group:
        for index in (1, 2):
            group.create_task(desk.do("follow", index=index))
        await asyncio.sleep(10)
        desk.engine.put(names[1], GOOD)
        await asyncio.sleep(10)
        assert desk.house.runs[KEY].logs_done == ()
        desk.engine.put(names[0], GOOD)

    assert desk.house.runs[KEY].logs_done == (1, 2)


@pytest.mark.parametrize("error", [Refused("no right to"), ZeroDivisionError("a fault of ours")])
async def test_following_that_fails_for_good_is_tried_again_slowly(
    desk: Desk, error: Exception
) -> None:
    """It is wanted again as soon as it ends: without a pause that would be a busy loop."""
    one = desk.open(record(Phase.RUNNING, seen=(1,)))
    desk.engine.trouble["follow"] = [error] * 1000
    with capture_logs() as logged:
        async with asyncio.TaskGroup() as group:

            def again(owner: str) -> None:
                tasks.match(owner, wanted(one, desk.house.clock.now()) if is_on else frozenset())

            is_on = True
            tasks = TaskSet[Activity](group, desk.activities.run, again)
            again(KEY)
            await asyncio.sleep(10 * FOLLOW_AGAIN_S)
            is_on = False
            again(KEY)

    assert 5 <= [line["event"] for line in logged].count("activity.failed") <= 11


async def test_results_of_all_launchers_are_one_fact(desk: Desk) -> None:
    desk.evidence.found = Natives(2, Metrics(requests=10, failures=1))
    one = desk.open(COLLECTING)

    home = (await desk.do("collect")).collected

    assert home is not None
    assert (home.files, home.size, home.manifest) == (6, 20, "launcher")
    assert (home.native_files, home.requests, home.failures) == (2, 10, 1)
    assert desk.engine.collected == set(desk.book.launchers(one))


async def test_only_launchers_that_existed_are_collected(desk: Desk) -> None:
    one = desk.open(record(Phase.COLLECTING, seen=(2,)))
    await desk.do("collect")

    assert desk.engine.collected == {desk.book.launchers(one)[1]}


async def test_only_launchers_that_began_are_collected(desk: Desk) -> None:
    one = desk.open(replace(COLLECTING, ends=(End(1, NEVER),)))
    await desk.do("collect")

    assert desk.engine.collected == {desk.book.launchers(one)[1]}


async def test_results_that_are_gone_keep_those_of_the_others_from_nothing(desk: Desk) -> None:
    one = desk.open(COLLECTING)
    desk.engine.trouble["collect"] = [Gone("launcher a is gone, with its results")]

    home = await desk.do("collect")

    assert desk.engine.collected == {desk.book.launchers(one)[1]}
    assert home.collected is not None
    assert home.collected.files == 3
    assert home.gone == "results of launcher 1: launcher a is gone, with its results"
    assert wanted(home, desk.house.clock.now()) == {
        Activity(KEY, "follow", 1, 1),
        Activity(KEY, "follow", 1, 2),
    }


async def test_where_all_results_are_gone_nothing_is_waited_for(desk: Desk) -> None:
    desk.open(COLLECTING)
    desk.engine.trouble["collect"] = [Gone("gone")] * 2

    home = await desk.do("collect")

    assert (home.collected, home.wait_until) == (None, None)
    assert home.gone == "results of launcher 1: gone; results of launcher 2: gone"


async def test_one_manifest_that_was_made_late_makes_the_whole_copy_late(desk: Desk) -> None:
    desk.open(COLLECTING)
    copies = iter([Copied(1, 5, "launcher"), Copied(1, 5, "late")])

    async def collect(*_: object) -> Copied:
        return next(copies)

    desk.engine.collect = collect  # type: ignore[assignment]  # two copies of different kinds
    home = (await desk.do("collect")).collected

    assert home is not None
    assert home.manifest == "late"


async def test_no_proof_in_the_native_files_is_not_zero_requests(desk: Desk) -> None:
    desk.open(COLLECTING)

    home = (await desk.do("collect")).collected

    assert home is not None
    assert (home.requests, home.failures) == (None, None)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Unavailable("a.json differs"), "a.json differs"),
        (Refused("read-only"), "read-only"),
        (ZeroDivisionError("x"), "a fault in llmdbenchd: ZeroDivisionError('x')"),
    ],
    ids=["unavailable", "refused", "fault"],
)
async def test_a_copy_that_fails_is_delayed_longer_each_time(
    desk: Desk, error: Exception, told: str
) -> None:
    desk.open(COLLECTING)
    desk.engine.trouble["collect"] = [error] * 3
    tries = [await desk.do("collect") for _ in range(3)]

    now = desk.house.clock.now()
    assert [now.until(one.wait_until) for one in tries if one.wait_until] == [1, 2, 4]
    assert (tries[2].tries, tries[2].last_error, tries[2].collected) == (3, told, None)
    assert (await desk.do("collect")).collected is not None


async def test_a_report_is_sealed_with_all_that_is_known(desk: Desk) -> None:
    desk.evidence.found = Natives(2, Metrics(requests=10, failures=1))
    desk.open(REPORTING)

    assert (await desk.do("report")).sealed

    archive = desk.evidence.archives[KEY]
    assert sorted(archive) == [
        "events.jsonl", "run.json", "spec.json", "summary.txt", "workload.yaml"
    ]  # fmt: skip
    told = json.loads(archive["run.json"])
    assert (told["job"], told["run"], told["phase"]) == ("j", "r001", "SUCCEEDED")
    assert archive["workload.yaml"] == b"a: 1\n"
    order = desk.evidence.orders[KEY]
    assert (order.harness, order.model, order.description) == ("inference-perf", "m", "why")
    assert order.keywords == ("k",)


async def test_results_are_analysed_here_if_the_job_asks_for_it(desk: Desk) -> None:
    harness = {"name": "guidellm", "conda_env": "mine"}
    desk.activities._book = book(accepted(analyze_locally=True, harness=harness))
    desk.evidence.analysed = Analysis(("analysis/1/summary.txt",), ("launcher 1: no charts",))
    desk.open(REPORTING)
    with capture_logs() as logged:
        assert (await desk.do("report")).sealed

    told = json.loads(desk.evidence.archives[KEY]["run.json"])
    assert desk.evidence.analyses == {KEY: ("guidellm", "mine")}
    assert told["phase"] == "SUCCEEDED"
    assert told["analysis"]["made"] == ["analysis/1/summary.txt"]
    assert told["analysis"]["problems"] == ["launcher 1: no charts"]
    facts_of = {line["event"]: line for line in logged}
    assert facts_of["analysis.failed"]["reason"] == "launcher 1: no charts"
    assert facts_of["analysis.made"]["files"] == 1


async def test_without_being_asked_nothing_is_analysed_and_run_json_says_null(desk: Desk) -> None:
    desk.open(REPORTING)

    await desk.do("report")

    assert desk.evidence.analyses == {}
    assert json.loads(desk.evidence.archives[KEY]["run.json"])["analysis"] is None


async def test_where_nothing_came_home_nothing_is_analysed(desk: Desk) -> None:
    desk.activities._book = book(accepted(analyze_locally=True))
    desk.open(record(Phase.REPORTING))

    assert (await desk.do("report")).sealed
    assert desk.evidence.analyses == {}


async def test_an_analysis_without_room_is_tried_again(desk: Desk) -> None:
    desk.activities._book = book(accepted(analyze_locally=True))
    desk.open(REPORTING)
    desk.evidence.trouble["analyse"] = [Unavailable("no room for the analysis")]

    late = await desk.do("report")
    assert (late.sealed, late.last_error) == (False, "no room for the analysis")

    assert (await desk.do("report")).sealed


async def test_a_run_without_results_is_sealed_without_reports(desk: Desk) -> None:
    desk.open(record(Phase.REPORTING))

    assert (await desk.do("report")).sealed
    assert desk.evidence.orders == {}
    assert "run.json" in desk.evidence.archives[KEY]


async def test_a_dry_run_is_sealed_with_what_it_would_have_launched(desk: Desk) -> None:
    desk.activities._book = book(accepted(dry_run=True, harness={"parallelism": 3}))
    desk.open(record(Phase.REPORTING))

    await desk.do("report")

    assert desk.evidence.archives[KEY]["plan/local"] == b"3"


async def test_a_dry_run_that_found_no_target_has_nothing_to_show(desk: Desk) -> None:
    desk.activities._book = book(accepted(dry_run=True))
    desk.open(replace(record(Phase.REPORTING), target=None))

    assert (await desk.do("report")).sealed
    assert "plan/local" not in desk.evidence.archives[KEY]


async def test_an_archive_that_was_sealed_before_a_crash_is_left_as_it_is(desk: Desk) -> None:
    desk.evidence.archives[KEY] = {"run.json": b"first"}
    desk.open(REPORTING)

    assert (await desk.do("report")).sealed
    assert desk.evidence.archives[KEY] == {"run.json": b"first"}
    assert desk.evidence.orders == {}


@pytest.mark.parametrize("step", ["is_sealed", "natives", "report", "logs", "servers", "seal"])
async def test_a_report_that_fails_at_any_step_is_tried_again(desk: Desk, step: str) -> None:
    desk.open(REPORTING)
    desk.evidence.trouble[step] = [Unavailable("disk full")]

    late = await desk.do("report")
    assert (late.sealed, late.tries, late.last_error) == (False, 1, "disk full")

    assert (await desk.do("report")).sealed


async def test_a_fact_that_comes_too_late_changes_nothing(desk: Desk) -> None:
    desk.open(COLLECTING)
    collecting = asyncio.create_task(desk.do("collect"))
    desk.house.learn(KEY, partial(facts.resolved, target=TARGET))
    await collecting
    desk.house.runs.open([record(Phase.READY, attempt=2)])

    assert (await desk.do("collect", attempt=1)).collected is None


async def test_work_for_a_run_that_is_closed_is_not_begun(desk: Desk) -> None:
    await desk.activities.run(Activity(KEY, "collect", 1))

    assert desk.engine.collected == set()


async def test_cancelled_work_tells_nothing(desk: Desk) -> None:
    one = desk.open(record(Phase.RUNNING, seen=(1,)))
    desk.engine.launchers[desk.book.launchers(one)[0]] = Running()
    following = asyncio.create_task(desk.activities.run(Activity(KEY, "follow", 1, 1)))
    await asyncio.sleep(1)
    following.cancel()
    await asyncio.wait([following])

    assert following.cancelled()
    assert desk.house.runs[KEY] == one


HELD = record(Phase.RUNNING, seen=(1, 2), held=True)


async def test_launchers_that_wait_for_our_word_get_it_when_all_of_them_run(desk: Desk) -> None:
    desk.open(HELD)
    first, second = desk.book.launchers(HELD)
    desk.house.view.apply(Listed({first: GOOD}))
    telling = asyncio.create_task(desk.do("release"))
    await asyncio.sleep(60)
    assert desk.engine.released == []

    desk.house.view.apply(Seen(second, Running()))
    with capture_logs() as logs:
        assert not (await telling).held

    assert desk.engine.released == [(first, second)]
    assert [one["event"] for one in logs] == ["launchers.released"]


async def test_a_lost_answer_means_that_they_are_told_again(desk: Desk) -> None:
    desk.open(HELD)
    desk.house.view.apply(Listed(dict.fromkeys(desk.book.launchers(HELD), Running())))
    desk.engine.trouble["release"] = [Unavailable("503")]

    assert (await desk.do("release")).held
    assert not (await desk.do("release")).held


async def test_launchers_that_can_never_be_told_end_the_attempt(desk: Desk) -> None:
    desk.open(HELD)
    desk.house.view.apply(Listed(dict.fromkeys(desk.book.launchers(HELD), Running())))
    desk.engine.trouble["release"] = [Refused("no right")]

    assert (await desk.do("release")).failure == Failure("refused", "no right")
