"""The session through a bad network: each fault of the proxy, and what becomes of it."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web

from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.ports import Unavailable
from tests.fakes.api import ScriptedApi
from tests.fakes.faults import BAD_GATEWAY, FaultProxy

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker knows no keyword

PODS = "/api/v1/namespaces/bench/pods"
LOG = f"{PODS}/p/log"


@pytest.fixture
async def proxy(api: ScriptedApi) -> AsyncIterator[FaultProxy]:
    """A proxy before the scripted server, nothing wrong yet."""
    port = int(api.url.rpartition(":")[2])
    async with FaultProxy("127.0.0.1", port) as started:
        yield started


@pytest.fixture
async def session(api: ScriptedApi, proxy: FaultProxy) -> Session:
    """A session that goes through the proxy."""
    api.give("GET", PODS, {"items": []})
    api.on("GET", LOG, _endless)
    return await api.session(url=proxy.url)


async def _endless(request: web.Request) -> web.StreamResponse:
    """A container that writes a line every now and then, for as long as somebody listens."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"a line\n")
        await asyncio.sleep(0.005)


def _nothing() -> None:
    """Nothing happens to the network."""


async def _read(
    session: Session,
    *,
    silence_s: float | None = None,
    after_a_line: Callable[[], None] = _nothing,
) -> None:
    """Follow the log to its end; something happens once the first line is here."""
    async with session.stream(LOG, pool="logs", silence_s=silence_s) as log:
        assert await log.content.readline() == b"a line\n"
        after_a_line()
        async for _ in log.content.iter_any():
            pass


async def test_without_faults_all_passes(session: Session) -> None:
    assert await session.ask("GET", PODS) == b'{"items":[]}'


async def test_drip_and_delay_change_nothing_but_time(session: Session, proxy: FaultProxy) -> None:
    proxy.faults.drip, proxy.faults.delay_s = 7, 0.0005

    assert await session.ask("GET", PODS) == b'{"items":[]}'


async def test_a_frozen_server_is_given_up(session: Session, proxy: FaultProxy) -> None:
    proxy.freeze()
    with pytest.raises(Unavailable, match="no answer in time"):
        await session.ask("GET", PODS, timeout_s=0.1)
    proxy.thaw()

    assert await session.ask("GET", PODS) == b'{"items":[]}'


async def test_a_stream_that_freezes_is_noticed_by_its_silence(
    session: Session, proxy: FaultProxy
) -> None:
    with pytest.raises(Unavailable, match="nothing came for too long"):
        await _read(session, silence_s=0.2, after_a_line=proxy.freeze)


async def test_the_head_of_a_stream_is_not_waited_for_either(
    session: Session, proxy: FaultProxy
) -> None:
    proxy.freeze()
    with pytest.raises(Unavailable, match="nothing came for too long"):
        await _read(session, silence_s=0.1)


@pytest.mark.parametrize("reset", [True, False])
async def test_a_cut_stream_is_no_end(session: Session, proxy: FaultProxy, *, reset: bool) -> None:
    proxy.cut_after(400, reset=reset)
    with pytest.raises(Unavailable, match=r"log: (the answer was cut off|.*reset)"):
        await _read(session)


async def test_a_cut_in_the_middle_of_a_small_answer_is_no_answer(
    session: Session, proxy: FaultProxy
) -> None:
    whole = len(await session.ask("GET", PODS)) + 100
    proxy.cut_after(whole)
    with pytest.raises(Unavailable):
        await session.ask("GET", PODS)


async def test_a_half_closed_stream_is_cut_off(session: Session, proxy: FaultProxy) -> None:
    with pytest.raises(Unavailable):
        await _read(session, silence_s=5, after_a_line=proxy.half_close)


async def test_a_page_of_a_load_balancer_is_said_in_one_sentence(
    session: Session, proxy: FaultProxy
) -> None:
    proxy.faults.answer = BAD_GATEWAY
    with pytest.raises(Unavailable, match="502 Bad Gateway") as caught:
        await session.ask("GET", PODS)

    assert "<" not in str(caught.value)
    assert session.health.trouble == str(caught.value)


async def test_a_server_that_is_down_and_comes_back(session: Session, proxy: FaultProxy) -> None:
    await proxy.down()
    with pytest.raises(Unavailable, match="cannot connect"):
        await session.ask("GET", PODS)
    await proxy.up()

    assert await session.ask("GET", PODS) == b'{"items":[]}'
    assert session.health.trouble == ""


async def test_a_server_that_resets_every_connection(session: Session, proxy: FaultProxy) -> None:
    proxy.faults.refuse = True
    with pytest.raises(Unavailable):
        await session.ask("GET", PODS)
    proxy.heal()

    assert await session.ask("GET", PODS) == b'{"items":[]}'
