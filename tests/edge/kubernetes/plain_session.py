"""The least that a session does: GETs whose status is checked, and errors that are translated."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp

from llmdbenchd.edge.kubernetes.errors import translated, world
from llmdbenchd.edge.kubernetes.pools import Pool


class PlainSession:
    """Streams of one server. `asked` remembers the queries."""

    def __init__(
        self, http: aiohttp.ClientSession, url: str, *, tls: ssl.SSLContext | bool = True
    ) -> None:
        self.asked: list[dict[str, str]] = []
        self._http = http
        self._url = url
        self._tls = tls

    @asynccontextmanager
    async def stream(
        self, path: str, *, pool: Pool, query: Mapping[str, str], silence_s: float | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A GET whose answer is read as it comes."""
        self.asked.append({**query, "pool": pool})
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=silence_s)
        with world(f"GET {path}"):
            async with self._http.get(
                self._url + path, params=query, timeout=timeout, ssl=self._tls
            ) as response:
                if response.status not in range(200, 300):
                    body = await response.content.read(4096)
                    raise translated(response.status, body, response.headers, what=f"GET {path}")
                yield response
