"""Runs a command in a container: raw bytes both ways, and an end that is proven.

The channels of `v5.channel.k8s.io`: 0 in, 1 out, 2 complaints, 3 the Status with the exit code,
255 closes one. A connection that was cut looks like an end of output; only the Status tells
them apart, so without it there is no result.

Neither a Status nor the code 0 proves that every byte came (kubernetes 124571). A command that
has ended is not waited for long: of 20 MB that were read in 18 s instead of 0.3 s, the last
tenth was missing, and the Status said Success (1.34, containerd). So take output at full
speed and in pieces of a few MB, and compare hashes.
"""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from dataclasses import dataclass

import aiohttp
import msgspec

from llmdbenchd.edge.kubernetes.errors import Failed, quoted
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.ports import Refused, Unavailable

STDIN, STDOUT, STDERR, STATUS, CLOSE = 0, 1, 2, 3, 255

Sink = Callable[[int, bytes], Awaitable[None]]
"""Takes what came on channel `STDOUT` or `STDERR`, in order; never an empty piece."""

_ENDS_INPUT = "v5.channel.k8s.io"
_LAST_WORDS_S = 2.0  # after the Status, for the server to close


@dataclass(frozen=True, slots=True)
class ExecResult:
    """How a command ended.

    Attributes:
        code: its exit code.
        message: what the server said about a code that is not 0.
    """

    code: int
    message: str = ""


class _Cause(msgspec.Struct):
    reason: str = ""
    message: str = ""


class _Details(msgspec.Struct):
    causes: list[_Cause] | None = None


class _Outcome(msgspec.Struct):
    status: str = ""
    reason: str = ""
    message: str = ""
    details: _Details | None = None


async def execute(  # noqa: PLR0913 -- which container, which command, and three streams
    session: Session,
    namespace: str,
    pod: str,
    container: str,
    command: Sequence[str],
    *,
    stdin: AsyncIterable[bytes] | None = None,
    sink: Sink,
) -> ExecResult:
    """Run it. There is no time limit; cancelling closes the connection, not the command.

    Args:
        session: with the API server.
        namespace: of the pod.
        pod: its name.
        container: its name.
        command: the program and its arguments; no shell is between.
        stdin: its input; None = none.
        sink: takes its output, and at once: output is lost where it is slow (see above).

    Raises:
        Refused: no such pod or container, or no right (verbs `get` and `create` on `pods/exec`).
        Unavailable: it could not be started, or the connection ended before its Status.
    """
    what = f"exec `{command[0]}` in {namespace}/{pod}/{container}"
    wanted = [("container", container), ("stdout", "true"), ("stderr", "true")]
    wanted += [("stdin", "true")] if stdin is not None else []
    wanted += [("command", word) for word in command]
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/exec"
    async with session.websocket(path, query=wanted) as socket:
        if stdin is None:
            return await _heard(socket, sink, what)
        if socket.protocol != _ENDS_INPUT:
            raise Refused(f"{what}: this API server cannot end a command's input; it needs 1.30")
        return await _fed(socket, stdin, sink, what)


async def _fed(
    socket: aiohttp.ClientWebSocketResponse, stdin: AsyncIterable[bytes], sink: Sink, what: str
) -> ExecResult:
    try:
        async with asyncio.TaskGroup() as group:
            feeding = group.create_task(_feed(socket, stdin), name=what)
            result = await _heard(socket, sink, what)
            feeding.cancel()
    except ExceptionGroup as grouped:
        raise grouped.exceptions[0] from grouped
    return result


async def _feed(socket: aiohttp.ClientWebSocketResponse, stdin: AsyncIterable[bytes]) -> None:
    try:
        async for part in stdin:
            await socket.send_bytes(bytes([STDIN]) + part)
        await socket.send_bytes(bytes([CLOSE, STDIN]))
    except (aiohttp.ClientError, ConnectionError):
        return  # who no longer listens has ended, and the Status says how


async def _heard(socket: aiohttp.ClientWebSocketResponse, sink: Sink, what: str) -> ExecResult:
    outcome: _Outcome | None = None
    while True:
        try:
            message = await socket.receive(None if outcome is None else _LAST_WORDS_S)
        except TimeoutError:
            break
        if message.type is not aiohttp.WSMsgType.BINARY:
            break
        channel, data = message.data[0], message.data[1:]
        if channel in (STDOUT, STDERR) and data:
            await sink(channel, data)
        elif channel == STATUS and data:
            outcome = _decoded(data, what)
    if outcome is None:
        raise Unavailable(
            f"{what}: the connection ended before the command's status (code {socket.close_code})"
        )
    return _result(outcome, what)


def _decoded(data: bytes, what: str) -> _Outcome:
    try:
        return msgspec.json.decode(data, type=_Outcome)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Unavailable(f"{what}: its status cannot be read: {error}") from error


def _result(outcome: _Outcome, what: str) -> ExecResult:
    if outcome.status == "Success":
        return ExecResult(0)
    causes = () if outcome.details is None else outcome.details.causes or ()
    for cause in causes:
        if cause.reason == "ExitCode" and cause.message.isdecimal():
            return ExecResult(int(cause.message), quoted(outcome.message))
    raise Failed(f"{what}: {quoted(outcome.message or outcome.reason or 'it could not be run')}")
