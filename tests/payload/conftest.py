"""Fixtures for the launcher's tests."""

from pathlib import Path

import pytest

from tests.payload.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A launcher's world, ready to run the fake inference-perf."""
    return Stage(tmp_path)
