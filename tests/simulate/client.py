"""A client of the simulator for tests: asks, reads streams, and waits for a state of the world."""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Self, TextIO

import aiohttp
import pytest

from llmdbenchd.simulate.options import Options
from llmdbenchd.simulate.serving import serving

COMPLETIONS = "/v1/completions"
CHAT = "/v1/chat/completions"
REAL_TIME = pytest.mark.looptime(False)  # noqa: FBT003 - the marker knows no keyword
LONG_S = 3600.0  # nobody waits that long: the request is still under way


@dataclass(frozen=True)
class Reply:
    """An answer as it came: status, type and body."""

    status: int
    content_type: str
    text: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON is what it is
        """The body as JSON."""
        return json.loads(self.text)

    @property
    def events(self) -> list[str]:
        """The data of each event of a stream."""
        return [part.removeprefix("data: ") for part in self.text.split("\n\n") if part]

    @property
    def chunks(self) -> list[Any]:
        """The events of a stream that are JSON."""
        return [json.loads(event) for event in self.events if event != "[DONE]"]

    @property
    def message(self) -> str:
        """What an error says."""
        return str(self.json["error"]["message"])


class Simulator:
    """One running simulator, seen over its socket."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.session = session

    async def get(self, path: str) -> Reply:
        async with self.session.get(self.url + path) as response:
            return Reply(response.status, response.content_type, await response.text())

    async def post(
        self, path: str, body: object = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        data = BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        async with self.session.post(self.url + path, data=data, headers=headers) as response:
            return Reply(response.status, response.content_type, await response.text())

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A bare connection, for what no well-behaved client sends."""
        host, port = self.url.removeprefix("http://").split(":")
        return await asyncio.open_connection(host, int(port))

    async def metrics(self) -> dict[str, float]:
        """Samples by short name, summed over buckets and labels left out."""
        samples: dict[str, float] = {}
        for line in (await self.get("/metrics")).text.splitlines():
            if line.startswith("#") or "_bucket{" in line:
                continue
            name, value = line.split("{")[0], line.rsplit(" ", 1)[1]
            samples[name] = samples.get(name, 0.0) + float(value)
        return samples

    async def until(self, condition: Callable[[dict[str, float]], bool]) -> dict[str, float]:
        """Look at the metrics until they are so."""
        async with asyncio.timeout(20):
            while not condition(samples := await self.metrics()):  # noqa: ASYNC110 - seen by HTTP
                await asyncio.sleep(0.005)
        return samples


class Simulators:
    """Starts simulators and stops them all at the end."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def start(self, options: Options, log_to: TextIO | None = None) -> Simulator:
        url = await self._stack.enter_async_context(serving(options, log_to=log_to))
        return Simulator(url, self._session)

    async def stop(self) -> None:
        await self._stack.aclose()


def fast(**changes: Any) -> Options:  # noqa: ANN401 - any option of the simulator
    """Options of a simulator that loses no time, on any free port."""
    return Options(**({"port": 0, "ttft_s": 0.0, "itl_s": 0.0} | changes))
