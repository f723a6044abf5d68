"""Claims that take results: found, made, and made again when somebody took them away."""

from pathlib import Path

import pytest

from llmdbenchd.core.launch.plan import Storage
from llmdbenchd.edge.kubernetes.session import Access, Session
from llmdbenchd.edge.kubernetes.storage import Claims
from llmdbenchd.ports import Unavailable
from tests.fakes.cluster_api import ClusterApi, serving

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker takes it so
STORAGE = Storage(claim="c")
MADE = "POST persistentvolumeclaims"
ASKED = "GET persistentvolumeclaims/c"


async def test_a_claim_is_asked_for_once_for_all_launchers_of_an_attempt(tmp_path: Path) -> None:
    cluster = ClusterApi()
    async with serving(cluster, tmp_path) as config, await Session.open(Access(config)) as session:
        claims = Claims(session, "ns", "an-instance")
        for attempt in ("one", "one", "two", "two"):
            await claims.ensure(STORAGE, attempt)

    assert cluster.requests == [ASKED, MADE, ASKED]


async def test_a_claim_that_was_deleted_is_made_again_for_the_next_attempt(tmp_path: Path) -> None:
    cluster = ClusterApi()
    async with serving(cluster, tmp_path) as config, await Session.open(Access(config)) as session:
        claims = Claims(session, "ns", "an-instance")
        await claims.ensure(STORAGE, "one")
        cluster.goes("persistentvolumeclaims", "c")
        await claims.ensure(STORAGE, "two")

    assert cluster.names("persistentvolumeclaims") == ["c"]


async def test_a_claim_that_is_being_deleted_is_waited_out(tmp_path: Path) -> None:
    cluster = ClusterApi()
    async with serving(cluster, tmp_path) as config, await Session.open(Access(config)) as session:
        claims = Claims(session, "ns", "an-instance")
        claim = cluster.put("persistentvolumeclaims", {"metadata": {"name": "c"}})
        claim["metadata"]["deletionTimestamp"] = "2026-11-01T10:10:00Z"

        with pytest.raises(Unavailable, match="is being deleted"):
            await claims.ensure(STORAGE, "one")

        cluster.goes("persistentvolumeclaims", "c")
        await claims.ensure(STORAGE, "one")

    assert cluster.created["persistentvolumeclaims/c"] == 2
