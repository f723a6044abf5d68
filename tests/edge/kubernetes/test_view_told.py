"""What one line of a watch proves, and what it does not."""

import asyncio

import pytest
from structlog.testing import capture_logs

from llmdbenchd.edge.kubernetes.telegrams import told
from llmdbenchd.edge.kubernetes.view import Pace
from llmdbenchd.ports import Refused, Unavailable
from tests.edge.kubernetes.pod_listener import listening
from tests.edge.kubernetes.pod_server import (
    CLOSE,
    PodServer,
    bookmark_line,
    error_line,
    event_line,
)

HOUR = 3600.0


async def test_a_word_between_two_silences_spares_the_server_a_list() -> None:
    server = PodServer(bookmark_s=None)
    async with listening(server, pace=Pace(relist=1e6)) as pods:
        await pods.next()
        for number in range(20):
            await pods.hours(of=100)
            server.put(f"p{number}")
        await pods.until("seen p19")

        assert len(server.watches) > 20
        assert len(server.lists) == 1


async def test_a_line_without_a_version_leaves_the_place_to_go_on_from() -> None:
    server = PodServer()
    async with listening(server) as pods:
        await pods.next()
        server.put("a")
        await pods.next()
        server.interrupt(event_line("BOOKMARK", {"metadata": {}}), CLOSE)
        await pods.hours(of=2)

        places = [one.query["resourceVersion"] for one in server.watches]
        assert places == ["100", "101"]


async def test_a_bookmark_that_says_nothing_new_does_not_prove_that_all_is_well() -> None:
    server = PodServer()
    server.watch_answers.extend([[bookmark_line(100), CLOSE]] * 1000)
    async with listening(server) as pods:
        with capture_logs() as logs:
            await pods.hours(of=HOUR)

        assert pods.watch.degraded
        assert "watch.recovered" not in {one["event"] for one in logs}


async def test_a_bookmark_that_says_nothing_new_was_heard() -> None:
    server = PodServer(bookmark_s=60.0)
    async with listening(server) as pods:
        begun = asyncio.get_running_loop().time()
        await pods.next()
        await pods.hours(of=65)

        assert pods.watch.last_heard is not None
        assert pods.watch.last_heard - begun > 50


async def test_a_server_that_forgets_now_and_then_is_asked_for_a_list_at_once_each_time() -> None:
    server = PodServer()
    async with listening(server) as pods:
        await pods.next()
        for _ in range(3):
            await pods.hours(of=20)
            server.interrupt(error_line(410, "Expired"))

            assert await pods.next(0.1) == "list"
            assert pods.watch.degraded == ""


async def test_an_error_in_the_stream_is_no_refusal_of_ours() -> None:
    """Who may not watch is told so before the stream begins."""
    with pytest.raises(Unavailable) as caught:
        told(error_line(403, "Forbidden"))

    assert not isinstance(caught.value, Refused)
