"""The watch: first a complete list, then every change, ours and others'."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

import pytest

from llmdbenchd.core.run.sight import Absent, Cause, Ended, Running, Sight
from llmdbenchd.edge.local.launchers import LocalEngine, Pace
from llmdbenchd.ports import Listed, Seen, Unavailable
from tests.edge.local.stage import BOOT_ID, PATIENCE_S, REAL_TIME, Stage, ended, plan

pytestmark = REAL_TIME

SLEEP = "import time; time.sleep(600)\n"
News = Listed | Seen


def _watch(engine: LocalEngine) -> aclosing[AsyncGenerator[News, None]]:
    return aclosing(cast("AsyncGenerator[News, None]", engine.watch()))


def _by_events_only(stage: Stage) -> LocalEngine:
    """An engine whose periodic scan never comes."""
    pace = Pace(hurried=3600, calm=3600)
    return LocalEngine(stage.root, stage.installed(), boot_id=BOOT_ID, min_free=0, pace=pace)


async def _next(news: AsyncGenerator[News, None]) -> News:
    async with asyncio.timeout(PATIENCE_S):
        return await anext(news)


async def test_with_no_launchers_the_list_is_empty(stage: Stage) -> None:
    async with _watch(stage.engine()) as news:
        assert await _next(news) == Listed({})


async def test_what_a_daemon_before_us_left_is_in_the_list(stage: Stage) -> None:
    before = stage.engine()
    await before.create(plan("a", SLEEP))
    await before.create(plan("b", "raise SystemExit(2)"))
    await ended(before, "b")

    async with _watch(stage.engine()) as news:
        expected: dict[str, Sight] = {"a": Running(), "b": Ended(Cause.EXITED, code=2)}
        assert await _next(news) == Listed(expected)


async def test_our_own_acts_are_seen_at_once(stage: Stage) -> None:
    engine = _by_events_only(stage)

    async with _watch(engine) as news:
        await _next(news)
        await engine.create(plan("a", SLEEP))
        assert await _next(news) == Seen("a", Running())
        await engine.stop("a", 600)
        assert await _next(news) == Seen("a", Ended(Cause.STOPPED, signal=15))
        await engine.remove("a")
        assert await _next(news) == Seen("a", Absent())


async def test_the_end_of_an_adopted_launcher_is_seen_without_a_scan(stage: Stage) -> None:
    await stage.engine().create(plan("a", SLEEP))

    async with _watch(_by_events_only(stage)) as news:
        await _next(news)
        os.kill(stage.pid("a"), signal.SIGINT)
        seen = await _next(news)

    assert isinstance(seen, Seen)
    assert seen.launcher == "a"
    assert isinstance(seen.sight, Ended)


async def test_what_another_process_did_is_found_by_the_scan(stage: Stage) -> None:
    pace = Pace(hurried=0.05, calm=0.05)
    engine = LocalEngine(stage.root, stage.installed(), boot_id=BOOT_ID, pace=pace)

    async with _watch(engine) as news:
        await _next(news)
        await stage.engine().create(plan("a", SLEEP))
        assert await _next(news) == Seen("a", Running())


async def test_a_root_that_is_gone_is_trouble_and_not_an_empty_list(stage: Stage) -> None:
    engine = stage.engine()
    shutil.rmtree(stage.root)

    async with _watch(engine) as news:
        with pytest.raises(Unavailable, match="list of launchers: No such file"):
            await _next(news)


async def test_a_closed_watch_leaves_no_descriptor_open(stage: Stage) -> None:
    engine = stage.engine()
    await engine.create(plan("a", SLEEP))
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 -- counted, not walked

    async with _watch(engine) as news:
        await _next(news)

    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 -- counted, not walked


@pytest.mark.slow
async def test_fifty_launchers_live_and_end_side_by_side(stage: Stage) -> None:
    engine = _by_events_only(stage)
    names = [f"l{number:02}" for number in range(50)]
    ends: dict[str, Ended] = {}

    async with _watch(engine) as news, asyncio.TaskGroup() as group:
        assert await _next(news) == Listed({})
        for number, name in enumerate(names):
            group.create_task(engine.create(plan(name, f"raise SystemExit({number})")))
        while len(ends) < len(names):
            seen = await _next(news)
            if isinstance(seen, Seen) and isinstance(seen.sight, Ended):
                ends[seen.launcher] = seen.sight

    assert [ends[name].code for name in names] == list(range(50))
    assert not any(stage.processes(name) for name in names[:3])
