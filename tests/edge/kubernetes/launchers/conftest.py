"""For the tests of the engine: a cluster in memory for each test, and the way to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.cluster_api import ClusterApi, serving


@pytest.fixture
def cluster() -> ClusterApi:
    """A cluster without anything in it."""
    return ClusterApi()


@pytest.fixture
async def config(cluster: ClusterApi, tmp_path: Path) -> AsyncIterator[Path]:
    """A kubeconfig for it."""
    async with serving(cluster, tmp_path) as path:
        yield path
