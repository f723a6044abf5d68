"""Servers whose logs are followed by nobody, after the trouble that they are told to have."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from llmdbenchd.core.target.asked import Asked


class FakeServers:
    """Follows servers in no world.

    Attributes:
        lacking: what the logs lack in the end.
        trouble: what the next calls raise.
        asked: everything that it was asked, with the folder and the beginning.
    """

    def __init__(self) -> None:
        self.lacking = ""
        self.trouble: list[Exception] = []
        self.asked: list[tuple[Asked, Path, datetime]] = []

    async def follow(
        self, asked: Asked, into: Path, *, since: datetime, is_over: Callable[[], bool]
    ) -> str:
        self.asked.append((asked, into, since))
        if self.trouble:
            raise self.trouble.pop(0)
        while not is_over():  # noqa: ASYNC110 - as the real one, it looks now and then
            await asyncio.sleep(1)
        return self.lacking
