"""An API server of pods without a wire: a session to the watch, with its own bad days.

It keeps pods, versions and what happened, lists in pages and streams what happened since a
version. Time is the loop's, so that hours of a test cost nothing.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from llmdbenchd.edge.kubernetes.errors import translated
from llmdbenchd.ports import Unavailable

ROUNDED_S = 1e-3  # the loop's clock may stop a hair before the moment that it was to reach
CLOSE = "close"  # what a watch does in place of going on
CUT = "cut"
HANG = "hang"  # it is not even answered


@dataclass(frozen=True)
class Asked:
    """A request: when, and with which query; a watch has `watch` in it."""

    at: float
    query: Mapping[str, str]

    @property
    def is_watch(self) -> bool:
        return "watch" in self.query


@dataclass
class PodServer:
    """The server, and a session with it.

    Attributes:
        asked: all requests.
        list_answers: what the next lists give in place of pods: an error, or a body.
        watch_answers: the same for watches: an error; else what is sent, piece by piece,
            before the watch goes on, or ends as the last one says.
        oldest: versions before this one are forgotten.
        bookmark_s: pause between bookmarks; None = it sends none.
        is_frozen: nothing is answered and nothing told any more.
    """

    asked: list[Asked] = field(default_factory=list)
    list_answers: deque[Any] = field(default_factory=deque)
    watch_answers: deque[Any] = field(default_factory=deque)
    oldest: int = 0
    bookmark_s: float | None = 60.0
    is_frozen: bool = False
    version: int = 100
    _pods: dict[str, dict[str, Any]] = field(default_factory=dict)
    _events: list[tuple[int, bytes]] = field(default_factory=list)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)
    _interruptions: deque[Any] = field(default_factory=deque)
    _tokens: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def put(self, name: str, *, uid: str = "", phase: str = "Running", told: bool = True) -> None:
        """A pod is there, or changes."""
        kind = "MODIFIED" if name in self._pods else "ADDED"
        self.version += 1
        metadata = {"name": name, "uid": uid or name, "resourceVersion": str(self.version)}
        self._pods[name] = {"metadata": metadata, "status": {"phase": phase}}
        self._tell(kind, self._pods[name], told=told)

    def drop(self, name: str, *, told: bool = True) -> None:
        """A pod goes."""
        pod = self._pods.pop(name)
        self.version += 1
        pod["metadata"]["resourceVersion"] = str(self.version)
        self._tell("DELETED", pod, told=told)

    def forget(self) -> None:
        """Versions up to now are too old."""
        self.version += 1
        self.oldest = self.version

    @property
    def lists(self) -> list[Asked]:
        """The requests for lists, pages among them."""
        return [one for one in self.asked if not one.is_watch]

    @property
    def watches(self) -> list[Asked]:
        """The requests for watches."""
        return [one for one in self.asked if one.is_watch]

    async def ask(self, method: str, path: str, *, query: Mapping[str, str]) -> bytes:
        """A list, or a page of one."""
        assert (method, path) == ("GET", "/api/v1/namespaces/bench/pods")
        self.asked.append(Asked(_now(), dict(query)))
        await self._unfrozen(30)
        if self.list_answers:
            answer = self.list_answers.popleft()
            if isinstance(answer, Exception):
                raise answer
            if answer is not None:
                return bytes(answer)
        token = query.get("continue")
        left = self._tokens.pop(token) if token else [*self._pods.values()]
        most = int(query.get("limit", "0")) or len(left)
        metadata = {"resourceVersion": str(self.version)}
        if left[most:]:
            metadata["continue"] = f"token-{len(self.asked)}"
            self._tokens[metadata["continue"]] = left[most:]
        return msgspec.json.encode({"metadata": metadata, "items": left[:most]})

    @asynccontextmanager
    async def stream(
        self, path: str, *, pool: str, query: Mapping[str, str], silence_s: float
    ) -> AsyncIterator[Any]:
        """A watch."""
        assert (path, pool) == ("/api/v1/namespaces/bench/pods", "watch")
        self.asked.append(Asked(_now(), dict(query)))
        await self._unfrozen(silence_s)
        answer = self.watch_answers.popleft() if self.watch_answers else []
        if answer == HANG:
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        ends = _now() + int(query["timeoutSeconds"])
        pieces = self._pieces(int(query["resourceVersion"]), [*answer], silence_s, ends)
        yield _Answer(_Content(pieces))

    def interrupt(self, *pieces: Any) -> None:  # noqa: ANN401 - as in `watch_answers`
        """Let the watch that is open now say this, or end so."""
        self._interruptions.extend(pieces)
        self._tell("", {}, told=False)

    async def _pieces(
        self, version: int, first: list[Any], silence_s: float, ends: float
    ) -> AsyncIterator[bytes]:
        self._interruptions.extendleft(reversed(first))
        if version < self.oldest:
            self._interruptions.append(error_line(410, "Expired"))
        heard, bookmark = _now(), _now() + (self.bookmark_s or 1e9)
        while not _reached(ends):
            while self._interruptions:
                piece = self._interruptions.popleft()
                if piece == CLOSE:
                    return
                if piece == CUT:
                    raise Unavailable("GET pods: the answer was cut off")
                heard = _now()
                yield piece
            new = [event for event in self._events if event[0] > version]
            if self.is_frozen or not new:
                until = min(heard + silence_s, *([] if self.is_frozen else [ends, bookmark]), 1e9)
                await self._wait(until)
                if _reached(heard + silence_s):
                    raise Unavailable("GET pods: no answer in time") from TimeoutError()
            if new and not self.is_frozen:
                version, heard = new[-1][0], _now()
                yield b"".join(line for _, line in new)
            elif _reached(bookmark) and not self.is_frozen:
                heard, bookmark = _now(), _now() + (self.bookmark_s or 1e9)
                version = max(version, self.version)
                yield bookmark_line(version)

    async def _wait(self, until: float) -> None:
        moved = self._moved
        try:
            async with asyncio.timeout_at(until):
                await moved.wait()
        except TimeoutError:
            pass

    async def _unfrozen(self, within_s: float) -> None:
        if self.is_frozen:
            await asyncio.sleep(within_s)
            raise Unavailable("GET pods: no answer in time") from TimeoutError()

    def _tell(self, kind: str, pod: dict[str, Any], *, told: bool) -> None:
        if told:
            self._events.append((self.version, event_line(kind, pod)))
        self._moved.set()
        self._moved = asyncio.Event()


@dataclass
class _Content:
    pieces: AsyncIterator[bytes]

    def iter_any(self) -> AsyncIterator[bytes]:
        return self.pieces


@dataclass
class _Answer:
    content: _Content


def event_line(kind: str, thing: object) -> bytes:
    """A line of a watch."""
    return msgspec.json.encode({"type": kind, "object": thing}) + b"\n"


def bookmark_line(version: int) -> bytes:
    """A bookmark."""
    return event_line("BOOKMARK", {"metadata": {"resourceVersion": str(version)}})


def error_line(code: int, reason: str) -> bytes:
    """An error in the stream; a code of 0 and an empty reason are left out."""
    said = {"code": code, "reason": reason}
    return event_line("ERROR", {"kind": "Status", **{k: v for k, v in said.items() if v}})


def no(code: int, message: str = "no", **headers: str) -> Exception:
    """What a session raises for this status."""
    return translated(code, message.encode(), headers, what="GET pods")


def _reached(moment: float) -> bool:
    return _now() + ROUNDED_S >= moment


def _now() -> float:
    return asyncio.get_running_loop().time()
