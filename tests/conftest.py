"""For all tests: a loop for those who ask the policy for one, SIGINT as it should be, dice."""

import asyncio
import os
import random
import signal
from collections.abc import Iterator

import hypothesis
import pytest

hypothesis.settings.register_profile("ours", deadline=None)  # a busy machine is no finding
hypothesis.settings.load_profile("ours")


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


@pytest.fixture
def dice() -> random.Random:
    """Dice whose seed is printed; LLMDBENCHD_TEST_SEED has them fall the same way again."""
    seed = int(os.environ.get("LLMDBENCHD_TEST_SEED") or random.SystemRandom().randrange(10**9))
    print(f"LLMDBENCHD_TEST_SEED={seed}")  # noqa: T201 - shown with a failure, to have it again
    return random.Random(seed)  # noqa: S311 - dice, not secrets
