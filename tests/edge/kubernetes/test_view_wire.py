"""The watch of pods over real connections, through a bad network, and what is noted of a pod."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web

from llmdbenchd.edge.kubernetes import lines, view
from llmdbenchd.edge.kubernetes.events import events_of
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.edge.kubernetes.view import Pace, PodSeen
from tests.edge.kubernetes.pod_listener import Listener, listening
from tests.edge.kubernetes.pod_server import bookmark_line, event_line
from tests.fakes.api import ScriptedApi, answer, failure
from tests.fakes.faults import BAD_GATEWAY, FaultProxy

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker knows no keyword

PODS = "/api/v1/namespaces/bench/pods"
EVENTS = "/api/v1/namespaces/bench/events"
QUICK = Pace(silence=0.3, answer=0.3)
PATIENCE_S = 10.0


class Server:
    """Answers lists with one pod `a`, and tells watches whatever is put into `telling`."""

    def __init__(self, api: ScriptedApi) -> None:
        self.telling: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.watches = 0
        api.on("GET", PODS, self._answer)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if "watch" not in request.query:
            return answer({"metadata": {"resourceVersion": "5"}, "items": [thing("a")]})
        self.watches += 1
        response = web.StreamResponse()
        await response.prepare(request)
        while (piece := await self.telling.get()) is not None:
            await response.write(piece)
        return response


def thing(name: str, **more: object) -> dict[str, object]:
    """A pod as JSON has it."""
    return {"metadata": {"name": name, "uid": name, "resourceVersion": "9"}, **more}


@pytest.fixture
def server(api: ScriptedApi) -> Server:
    """A server of pods."""
    return Server(api)


@pytest.fixture
async def proxy(api: ScriptedApi, server: Server) -> AsyncIterator[FaultProxy]:
    """The network before it, nothing wrong yet."""
    assert server.watches == 0
    async with FaultProxy("127.0.0.1", int(api.url.rpartition(":")[2])) as started:
        yield started


@pytest.fixture
async def session(api: ScriptedApi, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session through that network, with short pauses."""
    monkeypatch.setattr(view, "FIRST_S", 0.01)
    monkeypatch.setattr(view, "LONGEST_S", 0.05)
    monkeypatch.setattr(view, "STEADY_S", 0.05)
    return await api.session(url=proxy.url)


async def troubled(pods: Listener, *words: str) -> None:
    """Until the watch says that something of this kind is wrong."""
    await until(lambda: any(word in pods.watch.degraded for word in words))


async def well(pods: Listener) -> None:
    """Until the watch says that all is well."""
    await until(lambda: not pods.watch.degraded)


async def until(is_so: Callable[[], bool]) -> None:
    """Until something is so, of which nobody tells."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110 - `degraded` is asked for and never told
            await asyncio.sleep(0.001)


async def test_pods_are_listed_and_then_watched(server: Server, session: Session) -> None:
    async with listening(session) as pods:
        assert await pods.next(PATIENCE_S) == "list a"
        server.telling.put_nowait(event_line("MODIFIED", thing("a")))
        server.telling.put_nowait(event_line("DELETED", thing("a")))

        assert [await pods.next(PATIENCE_S) for _ in range(2)] == ["seen a", "gone a"]


async def test_an_event_may_come_in_pieces_and_be_of_five_megabytes(
    server: Server, session: Session
) -> None:
    long = thing("b", status={"phase": "Failed", "message": "x" * 5_000_000})
    line = bookmark_line(8) + event_line("ADDED", long)
    async with listening(session) as pods:
        await pods.next(PATIENCE_S)
        for start in range(0, len(line), 1_000_003):
            server.telling.put_nowait(line[start : start + 1_000_003])

        assert await pods.next(PATIENCE_S) == "seen b"
        seen = pods.changes[-1]
        assert isinstance(seen, PodSeen)
        assert len(seen.pod.status.message) == 5_000_000
        assert server.watches == 1


async def test_a_line_without_an_end_is_trouble(
    server: Server, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "LONGEST", 2**20)
    async with listening(session) as pods:
        await pods.next(PATIENCE_S)
        server.telling.put_nowait(b"x" * 2**20)
        server.telling.put_nowait(b"x")

        await troubled(pods, "no API server sends it")


async def test_half_an_event_is_no_event(server: Server, session: Session) -> None:
    async with listening(session) as pods:
        await pods.next(PATIENCE_S)
        server.telling.put_nowait(event_line("ADDED", thing("b"))[:-20])
        server.telling.put_nowait(None)
        server.telling.put_nowait(event_line("ADDED", thing("c")))

        assert await pods.next(PATIENCE_S) == "seen c"
        assert pods.heard == ["list a", "seen c"]


@pytest.mark.parametrize("reset", [False, True])
async def test_a_cut_connection_is_begun_again(
    server: Server, session: Session, proxy: FaultProxy, *, reset: bool
) -> None:
    async with listening(session) as pods:
        server.telling.put_nowait(event_line("MODIFIED", thing("a")))
        await pods.until("seen a", PATIENCE_S)
        proxy.cut(reset=reset)
        await troubled(pods, "cut off", "closed", "reset")
        await well(pods)
        server.telling.put_nowait(b"\n")  # the watch that nobody reads may take it
        server.telling.put_nowait(event_line("ADDED", thing("b")))

        assert await pods.next(PATIENCE_S) == "seen b"


async def test_a_half_open_connection_is_noticed(session: Session, proxy: FaultProxy) -> None:
    async with listening(session, pace=QUICK) as pods:
        await pods.next(PATIENCE_S)
        proxy.freeze()
        await troubled(pods, "no answer in time")
        proxy.cut()
        proxy.heal()

        await well(pods)


async def test_a_web_page_in_place_of_the_server_is_trouble(
    session: Session, proxy: FaultProxy
) -> None:
    async with listening(session) as pods:
        await pods.next(PATIENCE_S)
        proxy.faults.answer = BAD_GATEWAY
        proxy.cut()
        await troubled(pods, "502 Bad Gateway")
        proxy.heal()

        await well(pods)
        assert pods.heard == ["list a"]


async def test_a_server_that_is_away_is_waited_for(session: Session, proxy: FaultProxy) -> None:
    async with listening(session) as pods:
        await pods.next(PATIENCE_S)
        await proxy.down()
        proxy.cut()
        await troubled(pods, "cannot connect")
        await proxy.up()

        await well(pods)


# what is noted of a pod


async def test_the_warnings_of_a_pod_are_asked_for_by_its_uid(
    api: ScriptedApi, session: Session
) -> None:
    noted = {"type": "Warning", "reason": "FailedMount", "message": "no such export"}
    api.give("GET", EVENTS, {"items": [noted]})
    (event,) = await events_of(session, "bench", "uid-1")

    assert (event.reason, event.message) == ("FailedMount", "no such export")
    (asked,) = api.asked("GET", EVENTS)
    assert asked.query["fieldSelector"] == "involvedObject.uid=uid-1"


@pytest.mark.parametrize(
    "said",
    [
        failure(403),
        failure(500),
        failure(404),
        b"<html>",
        b"\xff",
        b'{"items": 3}',
        b'{"items": [{"type": "\xff"}]}',
    ],
)
async def test_warnings_that_cannot_be_had_are_none(
    api: ScriptedApi, session: Session, said: object
) -> None:
    api.give("GET", EVENTS, said)

    assert await events_of(session, "bench", "uid-1") == ()


async def test_warnings_that_do_not_come_soon_are_none(
    api: ScriptedApi, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr("llmdbenchd.edge.kubernetes.events.WITHIN_S", 0.05)
    api.on("GET", EVENTS, never)

    assert await events_of(session, "bench", "uid-1") == ()
