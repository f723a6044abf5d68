"""Sleep and wake: the calls, the state, and what the log says of them."""

import re
from io import StringIO

import pytest

from llmdbenchd.core.nop.recorder import Recorder
from llmdbenchd.core.nop.sleeps import Sleep, sleeps
from llmdbenchd.simulate.load import Load
from llmdbenchd.simulate.sleeping import sleep_values
from tests.simulate.client import COMPLETIONS, REAL_TIME, Simulators, fast

pytestmark = REAL_TIME
NO_TIME = {"sleep_s": 0.0, "wake_s": 0.0}


def load(version: str, *, sleep_mode: bool = True) -> Load:
    return Load(version=version, seconds=0.0, sleep_mode=sleep_mode, values=NO_TIME)


def slept(log: str) -> list[Sleep]:
    recorder = Recorder(2026)
    recorder.feed(log.encode())
    recorder.finish()
    (attempt,) = recorder.journal.attempts
    assert attempt.ready is not None
    assert attempt.ready.by == "Application startup complete."
    return sleeps(attempt)


@pytest.mark.parametrize("version", ["0.8.2", "0.9.2", "0.11.0", "0.19", "0.32"])
async def test_both_levels_and_their_wakes_are_told_as_the_version_tells_them(
    version: str, simulators: Simulators
) -> None:
    log = StringIO()
    asked = load(version)
    server = await simulators.start(fast(load=asked), log)
    for level in (1, 2):
        assert (await server.post(f"/sleep?level={level}")).status == 200
        assert (await server.get("/is_sleeping")).json == {"is_sleeping": True}
        assert (await server.post("/wake_up")).status == 200
        assert (await server.get("/is_sleeping")).json == {"is_sleeping": False}

    first, second = slept(log.getvalue())
    assert [len(one.wakes) for one in (first, second)] == [1, 1]
    for level, one in ((1, first), (2, second)):
        expected = sleep_values(asked, level)
        assert one.sizes.items() <= expected.items()
        assert one.sizes["sleep_freed_gib"] == expected["sleep_freed_gib"]
    told = {"0.9.2": (None, None)}.get(version, (1, 2))
    assert (first.level, second.level) == told


async def test_weights_that_were_discarded_are_loaded_again(simulators: Simulators) -> None:
    log = StringIO()
    values = {**NO_TIME, "weights_load_s": 0.01}
    asked = Load(version="0.32", seconds=0.01, sleep_mode=True, values=values)
    server = await simulators.start(fast(load=asked), log)

    answer = await server.post("/collective_rpc", {"method": "reload_weights"})

    assert answer.json == {"results": [None]}
    assert "Reloading and processing weights took 0.01 seconds" in log.getvalue()
    for wrong in ({"method": "profile"}, {}):
        assert (await server.post("/collective_rpc", wrong)).status == 400


async def test_waking_by_tags_leaves_it_asleep_until_all_are_awake(simulators: Simulators) -> None:
    log = StringIO()
    server = await simulators.start(fast(load=load("0.32")), log)
    assert (await server.post("/sleep")).json == {"status": "sleeping", "level": 1}
    assert (await server.post("/sleep")).status == 200
    assert (await server.post(COMPLETIONS, {"prompt": ""})).status == 503

    await server.post("/wake_up?tags=weights")
    assert (await server.get("/is_sleeping")).json == {"is_sleeping": True}
    answer = await server.post("/wake_up?tags=kv_cache")
    assert answer.json == {"status": "awake", "tags": ["kv_cache"]}
    assert (await server.get("/is_sleeping")).json == {"is_sleeping": False}
    assert (await server.post(COMPLETIONS, {"prompt": ""})).status == 200

    assert log.getvalue().count("Executor is already sleeping") == 1
    (one,) = slept(log.getvalue())
    assert [wake.tag for wake in one.wakes] == ["weights", "kv_cache"]


async def test_without_sleep_mode_it_sleeps_and_frees_nothing(simulators: Simulators) -> None:
    log = StringIO()
    server = await simulators.start(fast(load=load("0.19", sleep_mode=False)), log)
    await server.post("/sleep")

    (one,) = slept(log.getvalue())
    assert (one.sizes, one.level) == ({}, None)


async def test_a_server_without_a_log_sleeps_too_and_says_nothing(simulators: Simulators) -> None:
    log = StringIO()
    server = await simulators.start(fast(), log)
    await server.post("/sleep")
    assert (await server.get("/is_sleeping")).json == {"is_sleeping": True}
    assert log.getvalue() == ""


@pytest.mark.parametrize("call", ["/sleep?level=3", "/sleep?level=x", "/wake_up?tags=all"])
async def test_a_call_that_makes_no_sense_is_refused(call: str, simulators: Simulators) -> None:
    server = await simulators.start(fast())

    answer = await server.post(call)

    assert answer.status == 400
    assert re.search("must be 1 or 2|can be weights, kv_cache", answer.message)


async def test_it_calls_itself_by_the_version_that_it_speaks_like(simulators: Simulators) -> None:
    log = StringIO()
    server = await simulators.start(fast(load=load("0.19")), log)

    assert (await server.get("/version")).json == {"version": "0.19.1"}
