"""Every test gets a stage, and nothing of it is left running."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.local.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.clear()
