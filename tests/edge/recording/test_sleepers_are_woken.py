"""Nobody's server is left asleep: not by a stop, by trouble, by a kill, or by our own end."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from llmdbenchd.core.nop.behind import Behind
from llmdbenchd.core.nop.calls import Cycle
from llmdbenchd.core.nop.order import Order
from llmdbenchd.core.run.sight import Cause, Ended
from llmdbenchd.core.target.asked import Asked
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.edge.recording import calling
from llmdbenchd.edge.recording.calling import Caller
from llmdbenchd.edge.recording.folder import Folder, Pass
from llmdbenchd.edge.recording.recording import UNFINISHED, Recording
from tests.fakes.api import ScriptedApi, answer, failure

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker knows no keyword
PODS = "/api/v1/namespaces/n/pods"
SERVER = f"{PODS}/vllm-0:8000/proxy"
POD = {
    "metadata": {"name": "vllm-0", "namespace": "n", "uid": "u"},
    "spec": {"containers": [{"name": "vllm", "ports": [{"containerPort": 8000}]}]},
}


@dataclass
class Sleeper:
    """A server in a pod, behind the API server's proxy.

    Attributes:
        is_asleep: what it answers.
        falls: set once a sleep was asked for.
        may_fall: a sleep waits for it.
        trouble: answers that come instead of the next ones to `/is_sleeping` and `/wake_up`.
        wakes: what was asked of it to wake up, in order.
    """

    api: ScriptedApi
    session: Session
    is_asleep: bool = False
    falls: asyncio.Event = field(default_factory=asyncio.Event)
    may_fall: asyncio.Event = field(default_factory=asyncio.Event)
    trouble: list[web.Response] = field(default_factory=list)
    wakes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.may_fall.set()
        self.api.give("GET", PODS, {"metadata": {}, "items": [POD]})
        self.api.give("GET", f"{SERVER}/v1/models", {"data": [{"id": "m"}]})
        self.api.give("POST", f"{SERVER}/v1/completions", {"choices": [{"text": "a"}]})
        self.api.on("GET", f"{SERVER}/is_sleeping", self._is_sleeping)
        self.api.on("POST", f"{SERVER}/sleep", self._sleep)
        self.api.on("POST", f"{SERVER}/wake_up", self._wake_up)
        self.api.on("POST", f"{SERVER}/collective_rpc", self._reload)

    def caller(self, *, is_stopped: bool = False) -> Caller:
        return Caller(self.session, lambda: 5.0, lambda: is_stopped and self.falls.is_set())

    async def _is_sleeping(self, _: web.Request) -> web.StreamResponse:
        if self.trouble and self.falls.is_set():
            return self.trouble.pop(0)
        return answer({"is_sleeping": self.is_asleep})

    async def _sleep(self, _: web.Request) -> web.StreamResponse:
        self.falls.set()
        self.is_asleep = True  # memory is freed bit by bit: half asleep is asleep
        await self.may_fall.wait()
        return answer()

    async def _wake_up(self, request: web.Request) -> web.StreamResponse:
        if self.trouble:
            return self.trouble.pop(0)
        self.wakes.append(request.query.get("tags", "all"))
        self.is_asleep = self.wakes[-1] == "weights"
        return answer()

    async def _reload(self, _: web.Request) -> web.StreamResponse:
        self.wakes.append("reload")
        return answer()


@pytest.fixture
async def sleeper(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sleeper]:
    monkeypatch.setattr(calling, "AGAIN_S", 0.01)
    async with ScriptedApi() as api:
        yield Sleeper(api, await api.session())


@pytest.mark.parametrize(("level", "wakes"), [(1, ["all"]), (2, ["weights", "reload", "kv_cache"])])
async def test_a_stop_is_heard_while_a_server_falls_asleep_and_it_is_woken(
    sleeper: Sleeper, level: int, wakes: list[str]
) -> None:
    sleeper.may_fall.clear()  # it takes as long as it takes

    cycle = await sleeper.caller(is_stopped=True).cycle("n", "vllm-0", level)

    assert (cycle.sleep_s, cycle.trouble) == (None, "stopped in the middle of it, and woken again")
    assert sleeper.wakes == wakes
    assert not sleeper.is_asleep


async def test_a_stop_after_it_woke_wakes_nobody(sleeper: Sleeper) -> None:
    asked = asyncio.Event()

    async def never(_: web.Request) -> web.StreamResponse:
        asked.set()
        await asyncio.Event().wait()
        return answer()

    sleeper.api.on("POST", f"{SERVER}/v1/completions", never)
    caller = Caller(sleeper.session, lambda: 5.0, asked.is_set)

    cycle = await caller.cycle("n", "vllm-0", 2)

    assert cycle.trouble == "stopped before its first token"
    assert sleeper.wakes == ["weights", "reload", "kv_cache"]


async def test_an_answer_that_fails_while_it_sleeps_leaves_nobody_asleep(sleeper: Sleeper) -> None:
    sleeper.trouble = [failure(500, "etcd is away")]

    cycle = await sleeper.caller().cycle("n", "vllm-0", 1)

    assert "etcd is away" in cycle.trouble
    assert cycle.trouble.endswith("and woken again")
    assert not sleeper.is_asleep


async def test_a_waking_that_fails_is_tried_again(sleeper: Sleeper) -> None:
    sleeper.trouble = [failure(500), failure(502), failure(500)]

    await sleeper.caller().cycle("n", "vllm-0", 1)

    assert not sleeper.is_asleep


async def test_who_refuses_to_wake_is_named(sleeper: Sleeper) -> None:
    sleeper.trouble = [failure(500, "etcd is away"), failure(403, "not you")]

    cycle = await sleeper.caller().cycle("n", "vllm-0", 1)

    assert "and could not be woken again: " in cycle.trouble
    assert "not you" in cycle.trouble


async def test_a_right_that_is_missing_is_named_with_the_file_that_grants_it(
    sleeper: Sleeper,
) -> None:
    sleeper.api.give("POST", f"{SERVER}/sleep", failure(403, "no"))

    cycle = await sleeper.caller().cycle("n", "vllm-0", 1)

    assert "rbac-stack-nop.yaml" in cycle.trouble
    assert "woken" not in cycle.trouble  # it never slept


async def test_a_daemon_that_is_asked_to_end_wakes_it_first(sleeper: Sleeper) -> None:
    sleeper.may_fall.clear()
    task = asyncio.create_task(sleeper.caller().cycle("n", "vllm-0", 1))
    await sleeper.falls.wait()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert not sleeper.is_asleep


async def test_a_daemon_that_ends_does_not_wait_for_ever(
    sleeper: Sleeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "LAST_S", 0.05)
    sleeper.may_fall.clear()
    task = asyncio.create_task(sleeper.caller().cycle("n", "vllm-0", 1))
    await sleeper.falls.wait()
    sleeper.trouble = [failure(500) for _ in range(10_000)]

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert sleeper.is_asleep  # the next daemon finds the mark that it was begun


async def test_a_cycle_that_nobody_disturbs_is_measured(sleeper: Sleeper) -> None:
    cycle = await sleeper.caller().cycle("n", "vllm-0", 2)

    assert cycle.trouble == ""
    assert None not in {cycle.sleep_s, cycle.wake_s, cycle.reload_s, cycle.first_token_s}


async def test_who_slept_before_us_is_left_alone(sleeper: Sleeper) -> None:
    sleeper.is_asleep = True

    cycle = await sleeper.caller().cycle("n", "vllm-0", 1)

    assert "not ours to end" in cycle.trouble
    assert sleeper.wakes == []


async def test_a_stop_after_a_kill_wakes_who_was_left_asleep(
    sleeper: Sleeper, tmp_path: Path
) -> None:
    """A pod that sleeps may be not ready: nothing waits for that, nor goes on after the stop."""
    sleeper.is_asleep = True
    folder = Folder(tmp_path / "nop-1")
    folder.make(Order(asked=Asked(method="vllm", namespace="n", model="m"), sleep_mode=True))
    folder.keep_behind(Behind(namespace="n", names=("vllm-0",)))
    left = Cycle(server="vllm-0", level=1, begun=2.0, trouble=UNFINISHED)
    folder.keep_passes([Pass(begun=1.0, cycles=(left,))])
    folder.ask_to_stop()

    await Recording(folder, sleeper.session, lambda: 5.0).run()

    assert sleeper.wakes == ["all"]
    sight = folder.sight()
    assert isinstance(sight, Ended)
    assert sight.cause is Cause.STOPPED
    assert folder.passes()[0].cycles[0].trouble == "interrupted, and woken again"
