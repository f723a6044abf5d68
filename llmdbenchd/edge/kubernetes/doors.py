"""Two ways to what `payload/serve.py` shows: pods/proxy, or exec where that is forbidden.

Paths are quoted bytes, as the server reads them.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

import aiohttp
import msgspec

from llmdbenchd.core.launch.manifest import PAYLOAD_FOLDER
from llmdbenchd.edge.kubernetes.access_pod import Door
from llmdbenchd.edge.kubernetes.execute import STDOUT, execute
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.ports import Unavailable

SILENCE_S = 60.0
PIECE = 4 << 20  # what exec brings at once, at full speed: more of it gets lost
READ = 1 << 18


class Shown(msgspec.Struct, frozen=True):
    """What is told of a results folder: who made the manifest, the manifest, the done mark."""

    maker: str
    manifest: str
    done: str | None = None


class Way(Protocol):
    """How bytes come here."""

    def small(self, folder: str, limit: int, after: str) -> AsyncIterator[bytes] | None:
        """Small files after a path, framed as the server does; None where that cannot be had."""
        ...

    def file(self, folder: str, path: str, begin: int, size: int) -> AsyncIterator[bytes]:
        """A file from byte `begin` on."""
        ...

    async def shown(self, folder: str) -> Shown:
        """What there is."""
        ...


@dataclass(frozen=True, slots=True)
class ByProxy:
    """HTTP through the API server."""

    session: Session
    door: Door

    async def shown(self, folder: str) -> Shown:
        """What there is; hashing a large folder without a manifest takes its time."""
        where, patience_s = f"manifest/{_quoted(folder)}", 600.0
        async with self._get(where, {"final": "1"}, {}, patience_s) as answer:
            chunks = [chunk async for chunk in answer.content.iter_chunked(READ)]
        return _decoded(b"".join(chunks))

    def small(self, folder: str, limit: int, after: str) -> AsyncIterator[bytes]:
        """One answer for all of them."""
        return self._small(folder, limit, after)

    async def _small(self, folder: str, limit: int, after: str) -> AsyncIterator[bytes]:
        query = {"limit": str(limit), **({"after": after} if after else {})}
        async with self._get(f"small/{_quoted(folder)}", query, {}) as answer:
            async for chunk in answer.content.iter_chunked(READ):
                yield chunk

    async def file(self, folder: str, path: str, begin: int, size: int) -> AsyncIterator[bytes]:
        """One answer; the server begins anew where it cannot begin in the middle."""
        headers = {"Range": f"bytes={begin}-"} if begin else {}
        where = f"file/{_quoted(folder)}/{_quoted(path)}"
        async with self._get(where, {}, headers) as answer:
            if begin and answer.status != 206:  # noqa: PLR2004 -- Partial Content
                raise Unavailable(f"{path}: {size - begin} of {size} bytes were asked for, not all")
            async for chunk in answer.content.iter_chunked(READ):
                yield chunk

    @asynccontextmanager
    async def _get(
        self,
        where: str,
        query: dict[str, str],
        headers: dict[str, str],
        silence_s: float = SILENCE_S,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        path = f"{proxy_path(self.door)}/{where}"
        async with self.session.stream(
            path, pool="transfer", query=query, headers=headers, silence_s=silence_s
        ) as answer:
            yield answer


@dataclass(frozen=True, slots=True)
class ByExec:
    """A command for each piece; slower, and needs nothing but Python in the image."""

    session: Session
    door: Door

    async def shown(self, folder: str) -> Shown:
        """What there is."""
        return _decoded(await self._run("manifest", folder))

    def small(self, folder: str, limit: int, after: str) -> None:
        """Each file is asked for by itself."""

    async def file(self, folder: str, path: str, begin: int, size: int) -> AsyncIterator[bytes]:
        """Piece by piece."""
        while begin < size:
            piece = await self._run("file", folder, path, str(begin), str(PIECE))
            if not piece:
                raise Unavailable(f"{path}: ends after {begin} of {size} bytes")
            yield piece
            begin += len(piece)

    async def _run(self, *words: str) -> bytes:
        got: list[bytes] = []

        async def sink(channel: int, data: bytes) -> None:
            if channel == STDOUT:
                got.append(data)

        door = self.door
        command = ["python3", "-I", "-S", f"{PAYLOAD_FOLDER}/serve.py", *words]
        result = await execute(
            self.session, door.namespace, door.pod, door.container, command, sink=sink
        )
        if result.code:
            raise Unavailable(f"{words[0]} in pod {door.pod}: exit code {result.code}")
        return b"".join(got)


def proxy_path(door: Door) -> str:
    """Below which the server answers, seen from the API server."""
    where = f"/api/v1/namespaces/{door.namespace}/pods/{door.pod}:{door.port}/proxy"
    return f"{where}/{door.secret}"


def _quoted(path: str) -> str:
    return quote(path.encode("utf-8", "surrogateescape"))


def _decoded(body: bytes) -> Shown:
    try:
        return msgspec.json.decode(body, type=Shown)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Unavailable(f"results: the answer is no manifest: {error}") from error
