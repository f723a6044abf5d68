"""Following a launcher's log: to its end, which only the pod's status tells."""

import asyncio
from pathlib import Path

import pytest

from llmdbenchd.core.run.sight import Ended, Running
from llmdbenchd.edge.kubernetes import logs
from llmdbenchd.kit.stamps import gaps
from llmdbenchd.ports import Unavailable
from tests.core.launch.plans import plan
from tests.edge.kubernetes.launchers.engines import REAL_TIME, daemon, watching
from tests.fakes.cluster_api import ClusterApi
from tests.fakes.cluster_objects import Refusal

pytestmark = REAL_TIME

NAME = plan().name
LINES = [f"2026-11-01T10:00:0{number}.000000000Z line {number}\n" for number in range(5)]


async def test_a_log_is_followed_until_the_launcher_has_ended(
    cluster: ClusterApi, config: Path, tmp_path: Path
) -> None:
    into = tmp_path / "log"
    async with daemon(config) as engine, watching(engine) as told, asyncio.TaskGroup() as group:
        await told.sights()
        await engine.create(plan())
        cluster.logs[NAME] = "".join(LINES[:2]).encode()
        cluster.runs(NAME)
        await told.until(NAME, lambda sight: sight == Running())
        copy = group.create_task(engine.follow(NAME, into))
        await cluster.until(lambda: f"GET pods/{NAME}/log" in cluster.requests)
        cluster.logs[NAME] = "".join(LINES).encode()
        assert not copy.done()
        cluster.ends(NAME, 0)
        await told.until(NAME, lambda sight: isinstance(sight, Ended))

        assert await copy == into.stat().st_size
    assert into.read_text() == "".join(LINES)


async def test_a_launcher_that_starts_is_read_at_once_however_long_it_was_waited_for(
    cluster: ClusterApi, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "FIRST_PAUSE_S", 3600.0)
    into, asked = tmp_path / "log", f"GET pods/{NAME}/log"
    cluster.logs[NAME] = b""  # the answer for a pod without a node
    async with daemon(config) as engine, watching(engine) as told, asyncio.TaskGroup() as group:
        await engine.create(plan())
        copy = group.create_task(engine.follow(NAME, into))
        await cluster.until(lambda: asked in cluster.requests)
        cluster.logs[NAME] = "".join(LINES).encode()
        cluster.runs(NAME)

        await told.until(NAME, lambda sight: sight == Running())
        await cluster.until(lambda: cluster.requests.count(asked) == 2)
        cluster.ends(NAME, 0)
        await told.until(NAME, lambda sight: isinstance(sight, Ended))
        await copy


async def test_whether_a_launcher_has_ended_is_not_asked_where_the_watch_has_told(
    cluster: ClusterApi, config: Path, tmp_path: Path
) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        await engine.create(plan())
        cluster.logs[NAME] = "".join(LINES).encode()
        cluster.ends(NAME, 0)
        await told.until(NAME, lambda sight: isinstance(sight, Ended))
        await engine.follow(NAME, tmp_path / "log")

    assert f"GET pods/{NAME}" not in cluster.requests


async def test_nobody_is_asked_about_launchers_while_all_of_them_are_being_listed(
    cluster: ClusterApi, config: Path, tmp_path: Path
) -> None:
    cluster.logs[NAME] = "".join(LINES).encode()
    async with daemon(config) as engine:
        await engine.create(plan())
        cluster.runs(NAME)
    cluster.requests.clear()
    cluster.refuses["GET pods"] = Refusal(500, "InternalError", "not yet")

    async with daemon(config) as again, watching(again) as told, asyncio.TaskGroup() as group:
        listing = group.create_task(told.sights())
        await cluster.until(lambda: "GET pods" in cluster.requests)
        copy = group.create_task(again.follow(NAME, tmp_path / "log"))
        await cluster.until(lambda: f"GET pods/{NAME}/log" in cluster.requests)
        assert f"GET pods/{NAME}" not in cluster.requests
        copy.cancel()
        listing.cancel()


async def test_a_launcher_that_was_not_seen_yet_is_not_taken_for_gone(
    cluster: ClusterApi, config: Path
) -> None:
    async with daemon(config) as engine, watching(engine) as told:
        await told.sights()
        await engine.create(plan())
        cluster.runs(NAME)

        assert not await engine._is_over(NAME)
        cluster.refuses["GET pods"] = Refusal(403, "Forbidden", "pods is forbidden")
        with pytest.raises(Unavailable):
            await engine._is_over(NAME)


async def test_the_log_of_a_launcher_that_is_gone_ends_where_it_is(
    cluster: ClusterApi, config: Path, tmp_path: Path
) -> None:
    into = tmp_path / "log"
    into.write_text("".join(LINES))
    assert not cluster.names("pods")

    async with daemon(config) as engine, watching(engine) as told:
        await told.sights()
        assert await engine.follow(NAME, into) == into.stat().st_size
    copy = into.read_bytes()
    assert copy.startswith("".join(LINES).encode())
    [gap] = gaps(copy)
    assert "not found" in gap.why, "its end may be missing, and the copy says so"
