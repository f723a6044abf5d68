"""An API server that knows one thing: the log of one container, and how to fail at it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import msgspec

from tests.kit.kubelet import Written, told


@dataclass(frozen=True, slots=True)
class Answers:
    """How one request is answered: with a status and a text, or with some bytes of the log.

    `cut`: so many bytes of the answer come; then the connection breaks, or, where `cleanly`,
    the answer ends as if that were all. `hangs`: after all bytes it goes on for ever.
    """

    status: int = 200
    text: bytes = b""
    headers: str = ""
    cut: int | None = None
    cleanly: bool = False
    hangs: bool = False


@dataclass
class LogServer:
    """The world: a container that writes, whether it is over, and what goes wrong next."""

    log: list[Written] = field(default_factory=list)
    previous: list[Written] = field(default_factory=list)
    over: bool = False
    troubles: list[Answers] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    url: str = ""
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def write(self, *records: Written, over: bool = False) -> None:
        """The container writes, and may end."""
        async with self._changed:
            self.log += records
            self.over = self.over or over
            self._changed.notify_all()

    async def rotate(self) -> None:
        """What was written is gone for those who ask from now on."""
        async with self._changed:
            self.log = []

    async def restart(self, *records: Written, over: bool = True) -> None:
        """The container is started again and writes; whether the status tells so."""
        async with self._changed:
            self.previous, self.log, self.over = self.log, [*records], over
            self._changed.notify_all()

    async def was_asked(self, times: int) -> None:
        """Wait until so many requests came in all."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.asked) >= times)

    async def is_over(self) -> bool:
        """What the pod's status says."""
        return self.over

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["LogServer"]:
        """Listen."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                asked = parse_qs(urlsplit(head.split()[1].decode()).query)
                query = {name: values[0] for name, values in asked.items()}
                async with self._changed:
                    self.asked.append(query)
                    how = self.troubles.pop(0) if self.troubles else Answers()
                    self._changed.notify_all()
                if not await self._answer(writer, query, how):
                    break
        writer.transport.abort()

    async def _answer(
        self, writer: asyncio.StreamWriter, query: dict[str, str], how: Answers
    ) -> bool:
        """Answer; whether the connection is still good."""
        status = f"HTTP/1.1 {how.status} {HTTPStatus(how.status).phrase}\r\n{how.headers}"
        if how.text or how.status != HTTPStatus.OK:
            writer.write(f"{status}Content-Length: {len(how.text)}\r\n\r\n".encode() + how.text)
            return True
        writer.write(f"{status}Transfer-Encoding: chunked\r\n\r\n".encode())
        left = how.cut
        async for words in self._words(query, hangs=how.hangs):
            piece = words if left is None else words[:left]
            if piece:
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                await writer.drain()
            if left is not None:
                left -= len(piece)
                if not left:
                    break
        if how.cut is None or how.cleanly:
            writer.write(b"0\r\n\r\n")
            return True
        return False

    async def _words(self, query: dict[str, str], *, hangs: bool) -> AsyncIterator[bytes]:
        since = None
        if "sinceTime" in query:
            since = int(datetime.fromisoformat(query["sinceTime"]).timestamp())
        log = self.previous if "previous" in query else self.log
        sent = 0  # a follow that is under way reads on in a rotated file
        while True:
            async with self._changed:
                text, over = told(log, since)[sent:], self.over
                if not text and (("follow" not in query) or (over and not hangs)):
                    return
                if not text:
                    await self._changed.wait()
                    continue
            sent += len(text)
            yield text


def status(code: int, message: str) -> Answers:
    """A refusal as the API server words it."""
    text = msgspec.json.encode({"kind": "Status", "message": message, "code": code})
    return Answers(status=code, text=text)
