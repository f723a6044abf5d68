"""A simulator in this process, on a port of its own, and a client that remembers."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.simulate.client import Simulators


@pytest.fixture(scope="session", autouse=True)
def _no_loop_by_asking() -> None:
    """Looptime asks for a loop even around plain tests; one made so is never closed."""
    asyncio.set_event_loop(None)


@pytest.fixture
async def simulators() -> AsyncIterator[Simulators]:
    """Starts simulators by option; all of them are stopped with the test."""
    async with aiohttp.ClientSession() as session, Simulators(session) as simulators:
        yield simulators
