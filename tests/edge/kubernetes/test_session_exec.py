"""Commands in containers over a websocket: raw bytes, and no result without a proof of the end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import pytest
from aiohttp import WSMsgType, web

from llmdbenchd.edge.kubernetes import transport
from llmdbenchd.edge.kubernetes.errors import Forbidden
from llmdbenchd.edge.kubernetes.execute import STDERR, STDOUT, ExecResult, execute
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.ports import Refused, Unavailable
from tests.fakes.api import ScriptedApi, failure
from tests.fakes.faults import FaultProxy

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker knows no keyword

EXEC = "/api/v1/namespaces/bench/pods/p/exec"
V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
SUCCESS = b'\x03{"metadata":{},"status":"Success"}'

Story = Callable[[web.WebSocketResponse], Awaitable[None]]


def _container(api: ScriptedApi, story: Story, *, protocol: str = V5) -> None:
    """Let a container play this story for whoever runs a command in it."""

    async def handler(request: web.Request) -> web.StreamResponse:
        opened = web.WebSocketResponse(protocols=[protocol])
        await opened.prepare(request)
        await story(opened)
        await opened.close()
        return opened

    api.on("GET", EXEC, handler)


def _says(*frames: bytes) -> Story:
    async def story(opened: web.WebSocketResponse) -> None:
        for frame in frames:
            await opened.send_bytes(frame)

    return story


class Heard:
    """What came out, by channel."""

    def __init__(self) -> None:
        self.pieces: list[tuple[int, bytes]] = []

    async def __call__(self, channel: int, data: bytes) -> None:
        self.pieces.append((channel, data))

    def on(self, channel: int) -> bytes:
        return b"".join(data for at, data in self.pieces if at == channel)


async def _run(
    session: Session, heard: Heard | None = None, stdin: AsyncIterator[bytes] | None = None
) -> ExecResult:
    command = ["tar", "-c", "a b"]
    sink = heard or Heard()
    return await execute(session, "bench", "p", "c", command, stdin=stdin, sink=sink)


async def test_bytes_come_raw_and_each_on_its_channel(api: ScriptedApi) -> None:
    half, other = b"\x01\xe2\x82", b"\x01\xac\x00\xff"
    _container(api, _says(b"\x01", b"\x02", half, b"\x02warn", other, SUCCESS))
    heard = Heard()

    assert await _run(await api.session(), heard) == ExecResult(0)
    assert heard.on(STDOUT) == b"\xe2\x82\xac\x00\xff"
    assert heard.on(STDERR) == b"warn"
    assert b"" not in [data for _, data in heard.pieces]


async def test_the_command_arrives_word_for_word(api: ScriptedApi) -> None:
    _container(api, _says(SUCCESS))
    await _run(await api.session())
    asked = api.requests[0].pairs

    assert [value for name, value in asked if name == "command"] == ["tar", "-c", "a b"]
    assert dict(asked) | {"command": ""} == {
        "container": "c",
        "stdout": "true",
        "stderr": "true",
        "command": "",
    }


async def test_the_exit_code_of_a_command_is_its_own(api: ScriptedApi) -> None:
    causes = [{"reason": "ExitCode", "message": "3"}]
    status = {"status": "Failure", "reason": "NonZeroExitCode", "message": "exit code 3"}
    told = msgspec.json.encode(status | {"details": {"causes": causes}})
    _container(api, _says(b"\x03" + told))

    assert await _run(await api.session()) == ExecResult(3, "exit code 3")


@pytest.mark.parametrize(
    ("last", "complaint"),
    [
        (b'\x03{"status":"Failure","message":"container not running"}', "container not running"),
        (b'\x03{"status":"Failure","reason":"InternalError"}', "InternalError"),
        (b"\x03{}", "could not be run"),
        (b"\x03<html>", "its status cannot be read"),
        (b"\x03", "ended before the command's status"),
        (b"\x01the last words", "ended before the command's status"),
    ],
)
async def test_an_end_without_success_or_an_exit_code_is_no_result(
    api: ScriptedApi, last: bytes, complaint: str
) -> None:
    _container(api, _says(b"\x01some", last))
    with pytest.raises(Unavailable, match=rf"exec `tar` in bench/p/c: .*{complaint}"):
        await _run(await api.session())


async def test_a_cut_connection_is_no_result(api: ScriptedApi) -> None:
    async def story(opened: web.WebSocketResponse) -> None:
        await opened.send_bytes(b"\x01half of it")
        assert opened._req is not None
        assert opened._req.transport is not None
        opened._req.transport.abort()

    _container(api, story)
    heard = Heard()
    with pytest.raises(Unavailable):
        await _run(await api.session(), heard)

    assert heard.on(STDOUT) == b"half of it"


async def test_a_frozen_connection_is_no_result(
    api: ScriptedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_PING_S", 0.2)

    async def story(opened: web.WebSocketResponse) -> None:
        await opened.send_bytes(b"\x01half of it")
        await asyncio.sleep(60)

    _container(api, story)
    async with FaultProxy("127.0.0.1", int(api.url.rpartition(":")[2])) as proxy:
        session = await api.session(url=proxy.url)

        async def freeze(channel: int, data: bytes) -> None:
            assert (channel, data) == (STDOUT, b"half of it")
            proxy.freeze()

        with pytest.raises(Unavailable):
            await execute(session, "bench", "p", "c", ["x"], sink=freeze)


async def _parts(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_input_is_sent_and_its_end_is_told(api: ScriptedApi) -> None:
    got: list[bytes] = []

    async def story(opened: web.WebSocketResponse) -> None:
        while (message := await opened.receive()).type is WSMsgType.BINARY:
            got.append(message.data)
            if message.data == b"\xff\x00":
                break
        await opened.send_bytes(SUCCESS)

    _container(api, story)

    assert await _run(await api.session(), stdin=_parts(b"a", b"\xff")) == ExecResult(0)
    assert got == [b"\x00a", b"\x00\xff", b"\xff\x00"]


async def test_a_command_that_does_not_want_its_input_ends_all_the_same(api: ScriptedApi) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000
            await asyncio.sleep(0)

    _container(api, _says(SUCCESS))

    assert await _run(await api.session(), stdin=endless()) == ExecResult(0)


async def test_an_input_that_cannot_be_read_is_the_callers_trouble(api: ScriptedApi) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x"
        raise ValueError("the tape tore")

    async def story(opened: web.WebSocketResponse) -> None:
        while (await opened.receive()).type is WSMsgType.BINARY:
            pass

    _container(api, story)
    with pytest.raises(ValueError, match="the tape tore"):
        await _run(await api.session(), stdin=broken())


async def test_an_old_server_gives_output_and_takes_no_input(api: ScriptedApi) -> None:
    _container(api, _says(b"\x01out", SUCCESS), protocol=V4)
    session = await api.session()

    assert await _run(session) == ExecResult(0)
    with pytest.raises(Refused, match=r"needs 1\.30"):
        await _run(session, stdin=_parts(b"x"))


async def test_a_refusal_is_told_in_the_servers_words(api: ScriptedApi) -> None:
    api.give("GET", EXEC, failure(403, 'tester cannot create resource "pods/exec"'))
    session = await api.session()
    with pytest.raises(Forbidden, match='cannot create resource "pods/exec"'):
        await _run(session)

    assert session.health.requests == {"get pods/exec": 2}


async def test_a_server_that_refuses_only_websockets_is_told_by_its_status(
    api: ScriptedApi,
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return failure(403 if "Upgrade" in request.headers else 400, "no upgrade")

    api.on("GET", EXEC, handler)
    with pytest.raises(Forbidden, match="403 Forbidden"):
        await _run(await api.session())
