"""For all tests: one loop for those who ask the policy for one, and SIGINT as it should be."""

import asyncio
import signal
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


@pytest.fixture(scope="session", autouse=True)
def _interrupts_are_heard() -> Iterator[None]:
    """Under `nohup ... &` SIGINT is ignored, and every program that a test starts inherits that."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
