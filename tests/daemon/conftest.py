"""Households for tests: one for a test of its own, or one that a module's tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.household import Household


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Household]:
    """A household of the test's own; its daemon is not started yet."""
    house = Household(tmp_path / "house")
    yield house
    house.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    """A household whose daemon runs, shared by the tests of a module: use ids of your own."""
    house = Household(
        tmp_path_factory.mktemp("shared") / "house", {"LLMDBENCHD_MAX_ACTIVE_RUNS": "20"}
    )
    house.start()
    yield house
    house.close()
