"""Sends one request as who we are, and looks at what came back before anybody else does."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypedDict

import aiohttp
from yarl import URL

from llmdbenchd.edge.kubernetes.credentials import Credentials, Identity
from llmdbenchd.edge.kubernetes.errors import Gone, translated, wire, world
from llmdbenchd.edge.kubernetes.health import Pulse, kind_of, spoken
from llmdbenchd.edge.kubernetes.pools import Pool
from llmdbenchd.edge.kubernetes.tls import Trust
from llmdbenchd.edge.kubernetes.way import Server
from llmdbenchd.ports import Refused, Unavailable

EXEC_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")  # v4 cannot end its input
CONNECT_S = 10.0

_LARGEST_ERROR = 64 * 2**10
_ERROR_S = 10.0  # for the body of an answer that is an error already
_PING_S = 40.0  # a websocket without a word for one and a half of it is dead
_CLOSING_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """All that is sent but who we are.

    Attributes:
        path: with its leading slash, quoted.
        query: parameters, unquoted; pairs where a name comes twice.
        timeout: aiohttp's; where it has no limit there is none.
        data: the body, or None.
    """

    method: str
    path: str
    pool: Pool
    query: Mapping[str, str] | Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    timeout: aiohttp.ClientTimeout
    data: bytes | None = None

    @property
    def what(self) -> str:
        """The request as a message names it."""
        return spoken(self.method, self.path)

    @property
    def kind(self) -> str:
        """The request as it is counted."""
        return kind_of(self.method, self.path, dict(self.query))


class _Connection(TypedDict):
    headers: Mapping[str, str]
    ssl: Trust
    server_hostname: str | None
    proxy: str | None


@dataclass(frozen=True, slots=True)
class Transport:
    """The way to one server. Whoever opened the pools closes them."""

    server: Server
    credentials: Credentials
    pools: Mapping[Pool, aiohttp.ClientSession]
    pulse: Pulse

    @asynccontextmanager
    async def answer(self, request: Request) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer, a success, its body still to be read.

        Raises:
            Refused, Unavailable: also for what the wire does while the block reads.
        """
        with self._noted():
            with world(request.what):
                response = await self._sent(request)
            async with response:
                with wire(request.what):
                    await _check(response, request.what)
                    yield response

    @asynccontextmanager
    async def websocket(self, request: Request) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """An open websocket that speaks one of `EXEC_PROTOCOLS`; errors as in `answer`."""
        with self._noted():
            with world(request.what):
                opened = await self._upgraded(request)
            try:
                with wire(request.what):
                    yield opened
            finally:
                await opened.close()

    async def _sent(self, request: Request) -> aiohttp.ClientResponse:
        identity = await self.credentials.identity()
        response = await self._sent_as(identity, request)
        if response.status == HTTPStatus.UNAUTHORIZED:
            renewed = await self.credentials.after_refusal(identity)
            if renewed != identity:
                response.release()
                return await self._sent_as(renewed, request)
        return response

    async def _sent_as(self, identity: Identity, request: Request) -> aiohttp.ClientResponse:
        self.pulse.sent(request.kind)
        response = await self._pool(request).request(
            request.method,
            URL(self.server.url + request.path).update_query(request.query),
            data=request.data,
            timeout=request.timeout,
            allow_redirects=False,  # another server must not get our token
            **self._connection(identity, request),
        )
        self.pulse.answered(response.status)
        return response

    async def _upgraded(self, request: Request) -> aiohttp.ClientWebSocketResponse:
        identity = await self.credentials.identity()
        try:
            return await self._upgraded_as(identity, request)
        except aiohttp.WSServerHandshakeError as error:
            if error.status == HTTPStatus.UNAUTHORIZED:
                renewed = await self.credentials.after_refusal(identity)
                if renewed != identity:
                    return await self._upgraded_as(renewed, request)
            raise await self._why_not_upgraded(identity, request, error) from error

    async def _upgraded_as(
        self, identity: Identity, request: Request
    ) -> aiohttp.ClientWebSocketResponse:
        self.pulse.sent(request.kind)
        async with asyncio.timeout(2 * CONNECT_S):
            opened = await self._pool(request).ws_connect(
                URL(self.server.url + request.path).update_query(request.query),
                protocols=EXEC_PROTOCOLS,
                heartbeat=_PING_S,
                timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSING_S),
                max_msg_size=0,  # a frame is as large as the container wrote it
                **self._connection(identity, request),
            )
        self.pulse.answered(HTTPStatus.OK)
        return opened

    async def _why_not_upgraded(
        self, identity: Identity, request: Request, error: aiohttp.WSServerHandshakeError
    ) -> Refused | Unavailable:
        """The library drops the body of a refused handshake; a plain GET is refused alike."""
        headers = dict(error.headers or {})
        async with await self._sent_as(identity, request) as response:
            alike = response.status == error.status
            body = await _start_of(response) if alike else b""
        return translated(error.status, body, headers, what=request.what)

    def _pool(self, request: Request) -> aiohttp.ClientSession:
        pool = self.pools[request.pool]
        if pool.closed:
            raise Unavailable(f"{request.what}: the session was closed")
        return pool

    def _connection(self, identity: Identity, request: Request) -> _Connection:
        known = identity.authorization
        ours = {} if known is None else {"Authorization": known}
        return {
            "headers": {**request.headers, **ours},
            "ssl": identity.tls,
            "server_hostname": self.server.tls_name,
            "proxy": self.server.proxy,
        }

    @contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except Gone:
            raise  # an answer like any other
        except Unavailable as error:
            self.pulse.trouble = str(error)
            raise


async def _check(response: aiohttp.ClientResponse, what: str) -> None:
    if not HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
        body = await _start_of(response)
        raise translated(response.status, body, response.headers, what=what)


async def _start_of(response: aiohttp.ClientResponse) -> bytes:
    """What came of the body of an error; what is missing would add little."""
    parts: list[bytes] = []
    try:
        async with asyncio.timeout(_ERROR_S):
            async for part in response.content.iter_any():
                parts.append(part)
                if sum(map(len, parts)) > _LARGEST_ERROR:
                    break
    except (TimeoutError, aiohttp.ClientError):
        pass
    return b"".join(parts)[:_LARGEST_ERROR]


async def read_whole(response: aiohttp.ClientResponse, *, most: int, what: str) -> bytes:
    """The whole body.

    Raises:
        Refused: it has more than `most` bytes.
    """
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > most:
            raise Refused(f"{what}: the answer has more than {most >> 20} MiB; ask in pages")
        parts.append(part)
    return b"".join(parts)
