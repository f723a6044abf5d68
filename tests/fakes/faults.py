"""A TCP proxy that does what networks do: it delays, freezes, cuts, drips, and talks nonsense.

It sits between a client and a server; a test changes its faults while connections are open.
Bytes pass untouched, TLS included. To answer a TLS client in the server's place (an HTML 502)
it must end the TLS itself: give it `certificate`, and `upstream_tls` for the way on.
"""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

_PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>\r\n"
BAD_GATEWAY = (
    b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_PAGE), _PAGE)
)
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER of no seconds: closing sends a RST
_PIECE = 64 * 1024


@dataclass(slots=True)
class Faults:
    """What is wrong at the moment; all of it may be changed at any time.

    Attributes:
        delay_s: before each piece, both ways.
        drip: answers come in pieces of so many bytes, `delay_s` apart; 0 = as they are.
        cut_after: so many more bytes of answers pass on each connection, then it ends; None = all.
        reset: connections that the proxy ends are reset (RST) and not closed (FIN).
        answer: sent to whoever asks anything, then the connection ends; None = ask the server.
        refuse: new connections end at once.
    """

    delay_s: float = 0.0
    drip: int = 0
    cut_after: int | None = None
    reset: bool = False
    answer: bytes | None = None
    refuse: bool = False


class _Over(Exception):
    """A connection has come to its end."""


class Connection:
    """One client's, as the proxy has it.

    Attributes:
        passed: bytes of answers so far.
    """

    def __init__(self, client: asyncio.StreamWriter) -> None:
        self.client = client
        self.passed = 0
        self.counted_from = 0
        self.task = asyncio.current_task()

    def end(self, *, reset: bool) -> None:
        """Close it, or reset it."""
        if reset:
            raw = self.client.get_extra_info("socket")
            with suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
            self.client.transport.abort()
        else:
            self.client.close()


class FaultProxy:
    """The proxy; `async with` starts and ends it.

    Attributes:
        faults: what is wrong.
        accepted: connections so far, refused ones among them.
        open: those that are open now.
        port: on 127.0.0.1.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        certificate: ssl.SSLContext | None = None,
        upstream_tls: ssl.SSLContext | None = None,
    ) -> None:
        self.faults = Faults()
        self.accepted = 0
        self.open: list[Connection] = []
        self.port = 0
        self._target = (host, port)
        self._certificate = certificate
        self._upstream_tls = upstream_tls
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.down()
        tasks = [one.task for one in self.open if one.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        """Where the proxy is, for a server without TLS or with the TLS that the proxy ends."""
        return f"{'https' if self._certificate else 'http'}://127.0.0.1:{self.port}"

    async def up(self) -> None:
        """Listen (again, on the same port)."""
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, ssl=self._certificate
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        """Listen no more: new connections are refused by the kernel, open ones go on."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def freeze(self) -> None:
        """Let nothing pass any more, on connections that stay open: a half-open network."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Let what was held back pass."""
        self._flowing.set()

    def cut(self, *, reset: bool = False) -> None:
        """End all open connections towards their clients, now."""
        for connection in self.open:
            connection.end(reset=reset)

    def half_close(self) -> None:
        """Tell all clients that nothing more will come, and go on reading what they send."""
        for connection in self.open:
            connection.client.write_eof()

    def cut_after(self, size: int, *, reset: bool = False) -> None:
        """End each connection after `size` more bytes of answers on it, new ones too."""
        for connection in self.open:
            connection.counted_from = connection.passed
        self.faults.cut_after, self.faults.reset = size, reset

    def heal(self) -> None:
        """Nothing is wrong any more; what was cut stays cut."""
        self.faults = Faults()
        self.thaw()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        connection = Connection(writer)
        if self.faults.refuse:
            connection.end(reset=True)
            return
        self.open.append(connection)
        try:
            await self._flowing.wait()
            await self._carry(connection, reader)
        except (OSError, asyncio.CancelledError):
            connection.end(reset=True)
        finally:
            writer.close()
            await _closed(writer)
            self.open.remove(connection)

    async def _carry(self, connection: Connection, asks: asyncio.StreamReader) -> None:
        answers, server = await asyncio.open_connection(*self._target, ssl=self._upstream_tls)
        up = asyncio.create_task(self._up(connection, asks, server))
        down = asyncio.create_task(self._down(connection, answers))
        try:
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            server.transport.abort()
            for task in (up, down):
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
            await _closed(server)

    async def _up(
        self, connection: Connection, asks: asyncio.StreamReader, server: asyncio.StreamWriter
    ) -> None:
        async for piece in self._pieces(asks):
            if self.faults.answer is not None:
                connection.client.write(self.faults.answer)
                await connection.client.drain()
                raise _Over
            await asyncio.sleep(self.faults.delay_s)
            server.write(piece)
            await server.drain()
        if server.can_write_eof():
            server.write_eof()

    async def _down(self, connection: Connection, answers: asyncio.StreamReader) -> None:
        async for piece in self._pieces(answers):
            size = self.faults.drip or len(piece)
            for start in range(0, len(piece), size):
                await asyncio.sleep(self.faults.delay_s)
                await self._flowing.wait()
                await self._give(connection, piece[start : start + size])
        raise _Over

    async def _give(self, connection: Connection, part: bytes) -> None:
        most = self.faults.cut_after
        if most is not None:
            part = part[: max(0, most - (connection.passed - connection.counted_from))]
        connection.passed += len(part)
        connection.client.write(part)
        await connection.client.drain()
        if most is not None and connection.passed - connection.counted_from >= most:
            connection.end(reset=self.faults.reset)
            raise _Over

    async def _pieces(self, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        while True:
            await self._flowing.wait()
            piece = await reader.read(_PIECE)
            if not piece:
                return
            await self._flowing.wait()  # frozen while it was read
            yield piece


async def _closed(writer: asyncio.StreamWriter) -> None:
    """Until the transport is gone, so that none outlives its loop."""
    with suppress(OSError):
        await writer.wait_closed()
