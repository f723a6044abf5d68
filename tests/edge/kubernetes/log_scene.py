"""Where following a log is tried: a server, a copy, and no time to lose."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from llmdbenchd.edge.kubernetes import logs, logtrouble
from llmdbenchd.edge.kubernetes.logs import LogCopy, LogEnd
from tests.edge.kubernetes.log_server import LogServer
from tests.edge.kubernetes.plain_session import PlainSession
from tests.kit.kubelet import SECOND, START, Written

REAL_TIME = pytest.mark.looptime(False)  # noqa: FBT003 -- the marker takes it so


def lose_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make all pauses short."""
    for name, seconds in {
        "BREATH_S": 0.002,
        "FIRST_PAUSE_S": 0.001,
        "LONGEST_PAUSE_S": 0.01,
        "SILENCE_S": 30,
    }.items():
        monkeypatch.setattr(logs, name, seconds)
    monkeypatch.setattr(logtrouble, "UNBEGUN_S", 0.001)
    monkeypatch.setattr(logtrouble, "SOON_S", 0.05)
    monkeypatch.setattr(logtrouble, "LATE_S", 0.2)


@dataclass
class Scene:
    """A server, and a copy of its log."""

    server: LogServer
    http: aiohttp.ClientSession
    into: Path
    session: PlainSession = field(init=False)

    def __post_init__(self) -> None:
        self.session = PlainSession(self.http, self.server.url)

    def copy(self) -> LogCopy:
        return LogCopy(
            session=self.session,
            namespace="bench",
            pod="launcher",
            container="harness",
            into=self.into,
            is_over=self.server.is_over,
        )

    async def followed(self) -> LogEnd:
        async with asyncio.timeout(30):
            return await self.copy().run()


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Scene]:
    """A scene whose copy will lie below the folder."""
    async with LogServer().serving() as server, aiohttp.ClientSession() as http:
        yield Scene(server, http, folder / "live" / "launcher-1.log")


def lines(first: int, count: int, *, step: int = SECOND // 50) -> list[Written]:
    """Lines that the container writes; some are ugly."""
    texts = [b"line %d", b"\r %d%%\r", b"\xff\xfe\x00 %d", b"%d " + b"x" * 300]
    return [
        Written(START + number * step, texts[number % 4] % number)
        for number in range(first, first + count)
    ]
