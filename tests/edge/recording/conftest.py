"""For the tests of recordings: a scripted API server for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.api import ScriptedApi


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    """A fresh server."""
    async with ScriptedApi() as started:
        yield started
