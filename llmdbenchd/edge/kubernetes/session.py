"""One API server, one identity: asks, streams and websockets, every answer's status checked."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from itertools import count
from types import MappingProxyType
from typing import Self

import aiohttp
import msgspec

from llmdbenchd.edge.kubernetes.access import Access
from llmdbenchd.edge.kubernetes.credentials import Credentials
from llmdbenchd.edge.kubernetes.errors import Throttled
from llmdbenchd.edge.kubernetes.health import Health, Pulse
from llmdbenchd.edge.kubernetes.login import Login
from llmdbenchd.edge.kubernetes.pools import Pool, PoolSizes, open_pools
from llmdbenchd.edge.kubernetes.throttle import Patience, TokenBucket
from llmdbenchd.edge.kubernetes.transport import CONNECT_S, Request, Transport, read_whole
from llmdbenchd.edge.kubernetes.way import Server

__all__ = ["Access", "Pool", "PoolSizes", "Session"]

_LARGEST_ANSWER = 64 * 2**20  # a list of 5,000 pods; whoever expects more asks in pages
_NOTHING: Mapping[str, str] = MappingProxyType({})
_SIZES = PoolSizes()


class Session:
    """One API server, one identity. Leaving its `async with` closes all connections.

    Everything raises `Refused` or `Unavailable` (`errors` has their kinds), and may be
    cancelled at any await. Paths begin with `/` and are quoted by the caller.
    """

    def __init__(self, transport: Transport, closing: AsyncExitStack) -> None:
        self._transport = transport
        self._closing = closing
        self._bucket = TokenBucket()
        self._patience = Patience()

    @staticmethod
    async def open(access: Access, *, sizes: PoolSizes = _SIZES) -> "Session":
        """Read configuration and credentials. The server itself is not asked yet.

        Raises:
            Refused: there is no configuration, or it cannot be right; says where and what to do.
            Unavailable: a login program failed, or a file cannot be read now.
        """
        login = Login(access)
        server = await login.server()
        credentials = Credentials(login.load)
        await credentials.identity()
        closing = AsyncExitStack()
        pools = await open_pools(sizes, closing)
        pulse = Pulse(server.url, asyncio.get_running_loop().time)
        return Session(Transport(server, credentials, pools, pulse), closing)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections; what is under way fails with `Unavailable`."""
        await self._closing.aclose()

    @property
    def server(self) -> Server:
        """The address, and where that is written."""
        return self._transport.server

    @property
    def namespace(self) -> str:
        """The context's, or the pod's own; empty if none is said."""
        return self.server.namespace

    @property
    def health(self) -> Health:
        """How the server and we get on, as of now."""
        return self._transport.pulse.look()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] = _NOTHING,
        body: object = None,
        content_type: str = "application/json",
        timeout_s: float = 30,
    ) -> bytes:
        """Ask, and read the whole answer.

        Who is told "later" (429, or 500 to 503 with Retry-After) asks again, up to 10 times and
        60 s of waiting; beside a renewed login nothing else is sent twice.

        Args:
            method: of HTTP, in capitals.
            path: with its leading slash, quoted.
            query: parameters, unquoted.
            body: bytes as they are, anything else as JSON by msgspec; None = no body.
            content_type: of the body.
            timeout_s: for each try, the wait for a free connection included.
        """
        request = Request(
            method=method,
            path=path,
            pool="control",
            query=query,
            headers={} if body is None else {"Content-Type": content_type},
            timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_S),
            data=body if isinstance(body, bytes | None) else msgspec.json.encode(body),
        )
        waited_s = 0.0
        for tried in count(1):
            await self._bucket.take()
            try:
                async with self._transport.answer(request) as answer:
                    return await read_whole(answer, most=_LARGEST_ANSWER, what=request.what)
            except Throttled as error:
                pause_s = self._patience.pause_s(error, tried=tried, waited_s=waited_s)
                if pause_s is None:
                    raise
            await asyncio.sleep(pause_s)
            waited_s += pause_s
        raise AssertionError  # counting has no end

    def stream(
        self,
        path: str,
        *,
        pool: Pool,
        query: Mapping[str, str] = _NOTHING,
        headers: Mapping[str, str] = _NOTHING,
        connect_s: float = CONNECT_S,
        silence_s: float | None = None,
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """GET, and read while it comes. What the wire does inside the block is translated too.

        Args:
            path: with its leading slash, quoted.
            pool: whose connection it takes; it waits for a free one.
            query: parameters, unquoted.
            headers: more of them, as `Range`.
            connect_s: for the connection and its TLS, not for the answer.
            silence_s: so long may nothing come, the head of the answer included; None = for ever.
        """
        return self._transport.answer(
            Request(
                method="GET",
                path=path,
                pool=pool,
                query=query,
                headers={"Accept-Encoding": "identity", **headers},
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=connect_s, sock_read=silence_s
                ),
            )
        )

    def websocket(
        self, path: str, *, query: Sequence[tuple[str, str]]
    ) -> AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse]:
        """A websocket for exec (v5.channel.k8s.io; see `protocol` of what it gives).

        A peer that answers no ping for a minute counts as dead: the socket ends.
        """
        return self._transport.websocket(
            Request(
                method="GET",
                path=path,
                pool="transfer",
                query=query,
                headers={},
                timeout=aiohttp.ClientTimeout(total=CONNECT_S),
            )
        )
