"""Two ways to what `payload/serve.py` shows: pods/proxy, or exec where that is forbidden.

Paths are quoted bytes, as the server reads them.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar
from urllib.parse import quote

import aiohttp

from llmdbenchd.core.launch.manifest import KEEP, PAYLOAD_FOLDER, SERVE_SECRET
from llmdbenchd.core.pods.objects import Pod
from llmdbenchd.edge.kubernetes.access_pod import Door
from llmdbenchd.edge.kubernetes.errors import NotFound, quoted
from llmdbenchd.edge.kubernetes.execute import STDERR, STDOUT, execute
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.ports import Unavailable

SILENCE_S = 60.0
HASHING_S = 600.0  # of silence, while a large folder without a manifest is hashed
PIECE = 4 << 20  # what exec brings at once, at full speed: more of it gets lost
READ = 1 << 18
TRIES = 3  # of a command whose output lost its end
_PARTIAL, _MISSING = 206, 4
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shown:
    """What is told of a results folder.

    Attributes:
        maker: `launcher`, or `late` if its manifest says too little.
        manifest: the launcher's, as it lies there; None without.
        late: lines of a manifest for what that one does not list.
        done: the done mark; None without.
    """

    maker: str
    manifest: bytes | None
    late: tuple[bytes, ...]
    done: bytes | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that comes, from byte `begin` on: the one that was asked for, or the first."""

    begin: int
    chunks: AsyncIterator[bytes]


class Way(Protocol):
    """How bytes come here. Everything raises `Refused`, as `Forbidden`, or `Unavailable`."""

    async def folders(self) -> tuple[str, ...]:
        """Names of all results folders."""
        ...

    async def shown(self, folder: str) -> Shown:
        """What there is."""
        ...

    def small(self, folder: str, limit: int, after: str) -> AsyncGenerator[bytes, None]:
        """Small files after a path, framed as the server does: all, or some of them."""
        ...

    def file(
        self, folder: str, path: str, begin: int, size: int
    ) -> AbstractAsyncContextManager[Opened]:
        """A file of this size from byte `begin` on. `NotFound` if there is none."""
        ...


@dataclass(frozen=True, slots=True)
class ByProxy:
    """HTTP through the API server."""

    session: Session
    door: Door
    _tags: dict[str, str] = field(default_factory=dict)

    async def folders(self) -> tuple[str, ...]:
        """Names of all results folders."""
        async with self._get("folders", {}, {}) as answer:
            return _names(await answer.content.read())

    async def shown(self, folder: str) -> Shown:
        """What there is; hashing a large folder without a manifest takes its time."""
        where = f"manifest/{_quoted(folder)}"
        async with self._get(where, {"final": "1"}, {}, HASHING_S) as answer:
            chunks = [chunk async for chunk in answer.content.iter_chunked(READ)]
        return _decoded(b"".join(chunks))

    async def small(self, folder: str, limit: int, after: str) -> AsyncGenerator[bytes, None]:
        """One answer for all of them."""
        where = f"small/{_quoted(folder)}" + (f"/{_quoted(after)}" if after else "")
        async with self._get(where, {"limit": str(limit)}, {}) as answer:
            async for chunk in answer.content.iter_chunked(READ):
                yield chunk

    @asynccontextmanager
    async def file(self, folder: str, path: str, begin: int, size: int) -> AsyncIterator[Opened]:  # noqa: ARG002 - the server knows
        """One answer; one that changed since its last part comes whole."""
        headers = {"Range": f"bytes={begin}-"} if begin else {}
        if begin and path in self._tags:
            headers["If-Range"] = self._tags[path]
        where = f"file/{_quoted(folder)}/{_quoted(path)}"
        async with self._get(where, {}, headers) as answer:
            if tag := answer.headers.get("ETag"):
                self._tags[path] = tag
            is_part = answer.status == _PARTIAL
            said = answer.headers.get("Content-Range", "")
            if is_part and not said.startswith(f"bytes {begin}-"):
                raise Unavailable(f"{path}: bytes from {begin} on were asked for, not {said!r}")
            yield Opened(begin if is_part else 0, answer.content.iter_chunked(READ))

    def _get(
        self,
        where: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        silence_s: float = SILENCE_S,
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        return self.session.stream(
            f"{proxy_path(self.door)}/{where}",
            pool="transfer",
            query=query,
            headers=headers,
            silence_s=silence_s,
        )


@dataclass(frozen=True, slots=True)
class ByExec:
    """A command for each piece; slower, and needs nothing but Python in the image."""

    session: Session
    door: Door

    async def folders(self) -> tuple[str, ...]:
        """Names of all results folders."""
        return await self._whole(_names, "folders")

    async def shown(self, folder: str) -> Shown:
        """What there is."""
        return await self._whole(_decoded, "manifest", folder)

    async def _whole(self, read: Callable[[bytes], T], *words: str) -> T:
        """An answer that came whole, asked for again where its end was lost."""
        for tried in range(1, TRIES + 1):
            try:
                return read(await self.run(*words))
            except _Garbled:
                if tried == TRIES:
                    raise
        raise AssertionError  # the last try returns or raises

    async def small(self, folder: str, limit: int, after: str) -> AsyncGenerator[bytes, None]:
        """As many as come well at once."""
        words = [str(limit), str(PIECE), *([_quoted(after)] if after else [])]
        yield await self.run("small", folder, *words)

    @asynccontextmanager
    async def file(self, folder: str, path: str, begin: int, size: int) -> AsyncIterator[Opened]:
        """Piece by piece."""
        yield Opened(begin, self._pieces(folder, path, begin, size))

    async def _pieces(self, folder: str, path: str, begin: int, size: int) -> AsyncIterator[bytes]:
        while begin < size:
            piece = await self.run("file", folder, _quoted(path), str(begin), str(PIECE))
            if not piece:
                return  # it became shorter
            yield piece
            begin += len(piece)

    async def run(self, *words: str) -> bytes:
        """What one command of the server says."""
        said: dict[int, list[bytes]] = {STDOUT: [], STDERR: []}

        async def sink(channel: int, data: bytes) -> None:
            said[channel].append(data)

        door = self.door
        command = ["python3", "-I", "-S", f"{PAYLOAD_FOLDER}/serve.py", *words]
        result = await execute(
            self.session, door.namespace, door.pod, door.container, command, sink=sink
        )
        if result.code == _MISSING:
            raise NotFound(f"{' '.join(words)} in pod {door.pod}: no such thing")
        if result.code:
            why = quoted(b"".join(said[STDERR]).decode("utf-8", "replace"))
            raise Unavailable(f"{words[0]} in pod {door.pod}: exit code {result.code}: {why}")
        return b"".join(said[STDOUT])


class _Garbled(Unavailable):
    """This is no answer of ours, or not all of it."""


def proxy_path(door: Door) -> str:
    """Below which the server answers, seen from the API server."""
    where = f"/api/v1/namespaces/{door.namespace}/pods/{door.pod}:{door.port}/proxy"
    return f"{where}/{door.secret}"


def door_of(pod: Pod) -> Door:
    """The container that keeps the results of an ephemeral launcher."""
    keep = next((one for one in pod.spec.containers if one.name == KEEP), None)
    secret = next((one.value for one in keep.env if one.name == SERVE_SECRET), "") if keep else ""
    return Door(pod.metadata.namespace, pod.metadata.name, KEEP, secret)


def _quoted(path: str) -> str:
    return quote(path.encode("utf-8", "surrogateescape"))


def _names(body: bytes) -> tuple[str, ...]:
    try:
        told = json.loads(body)
    except ValueError as error:
        raise _Garbled(f"results: the answer is no list of folders: {error}") from error
    if not isinstance(told, list) or not all(isinstance(name, str) for name in told):
        raise _Garbled("results: the answer is no list of folders")
    return tuple(told)


def _decoded(body: bytes) -> Shown:
    try:
        told = json.loads(body)  # not msgspec: names that are not UTF-8 have lone surrogates
        late = tuple(json.dumps(entry).encode() for entry in told["late"])
        return Shown(told["maker"], _bytes(told["manifest"]), late, _bytes(told["done"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _Garbled(f"results: the answer is no manifest: {error}") from error


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode("utf-8", "surrogateescape")
