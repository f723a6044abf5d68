"""For all tests: one loop for those who ask the policy for one, closed at the end."""

import asyncio
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _no_loop_is_left_behind() -> Iterator[None]:
    """Plain tests make looptime ask the policy for a loop; nobody else would close that one."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.close()
    asyncio.set_event_loop(None)
