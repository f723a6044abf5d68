"""The watch of pods on bad days: it goes on, says so, and tells nothing that is not so."""

import asyncio
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from llmdbenchd.edge.kubernetes.view import PAGE, Pace
from llmdbenchd.ports import Unavailable
from tests.edge.kubernetes.pod_listener import Listener, listening
from tests.edge.kubernetes.pod_server import (
    CLOSE,
    CUT,
    HANG,
    PodServer,
    bookmark_line,
    error_line,
    no,
)

HOUR = 3600.0


async def degraded_within(pods: Listener, seconds: float) -> str:
    """Listen until something is wrong; says what."""
    loop = asyncio.get_running_loop()
    over = loop.time() + seconds
    while not pods.watch.degraded and loop.time() < over:
        await pods.hours(of=0.1)
    return pods.watch.degraded


async def recovered(server: PodServer, pods: Listener) -> None:
    """The trouble is over, and a pod that comes now is seen."""
    server.put("later")
    while "later" not in await pods.next():
        pass
    await pods.hours(of=2)
    assert pods.watch.degraded == ""


WORDS = [
    pytest.param(
        b"<html><h1>502 Bad Gateway</h1></html>\n", "not a watch event: '<html>", id="html"
    ),
    pytest.param(b"\xff\xfe\n", "not a watch event", id="no text"),
    pytest.param(b'{"type":"\xff","object":{}}\n', "not a watch event", id="no UTF-8"),
    pytest.param(b'{"kind":"Status","code":500}\n', "not a watch event", id="a bare status"),
    pytest.param(b'{"type":"ADDED","object":[]}\n', "not a watch event", id="no pod"),
    pytest.param(error_line(0, ""), "watch pods: 500", id="an error without words"),
    pytest.param(error_line(403, "Forbidden"), "Forbidden", id="a refusal"),
    pytest.param(error_line(500, "InternalError"), "InternalError", id="an error"),
]


@pytest.mark.parametrize(("line", "words"), WORDS)
async def test_what_is_no_event_is_trouble_and_no_event(line: bytes, words: str) -> None:
    server = PodServer()
    server.put("a")
    async with listening(server) as pods:
        await pods.next()
        server.interrupt(line)

        assert words in await degraded_within(pods, 5)
        await recovered(server, pods)
        assert pods.heard == ["list a", "seen later"]
        assert len(server.lists) == 1


@pytest.mark.parametrize(
    "answer",
    [no(500), no(503), no(429, **{"Retry-After": "1"}), no(401), no(403), [CUT], [CLOSE]],
    ids=["500", "503", "429", "401", "403", "cut", "closed"],
)
async def test_a_watch_that_fails_is_begun_again_where_it_was(answer: object) -> None:
    server = PodServer()
    async with listening(server) as pods:
        await pods.next()
        server.watch_answers.append(answer)
        server.interrupt(CUT)

        assert await degraded_within(pods, 5)
        await recovered(server, pods)
        assert len(server.lists) == 1


@pytest.mark.parametrize("answer", [no(500), no(403), no(429), b"<html>502</html>", b"{", b"\xff"])
async def test_a_list_that_fails_is_asked_for_again_and_tells_nothing(answer: object) -> None:
    server = PodServer()
    server.put("a")
    server.list_answers.extend([answer, answer])
    async with listening(server) as pods:
        assert await pods.next() == "list a"
        assert len(server.lists) == 3
        await recovered(server, pods)


async def test_a_list_whose_token_expires_is_begun_again_and_in_the_end_asked_for_whole() -> None:
    server = PodServer()
    for number in range(2 * PAGE):
        server.put(f"p{number}")
    server.list_answers.extend([None, no(410)] * 3)
    async with listening(server) as pods:
        word = await pods.next()

        assert len(word.split()) == 1 + 2 * PAGE
        assert "limit" not in server.lists[-1].query
        assert len(server.lists) == 7


@pytest.mark.parametrize(
    "answer",
    [
        no(410),
        no(504),
        [error_line(410, "Expired")],
        [error_line(0, "Expired")],
        [error_line(504, "Timeout")],
    ],
    ids=["410", "504", "410 in the stream", "without a code", "504 in the stream"],
)
async def test_a_server_that_cannot_go_on_is_asked_for_a_list_at_once(answer: object) -> None:
    server = PodServer()
    server.put("a")
    server.put("b")
    async with listening(server) as pods:
        await pods.next()
        await asyncio.sleep(2)
        server.drop("a", told=False)
        server.watch_answers.append(answer)
        server.interrupt(CLOSE)
        begun = asyncio.get_running_loop().time()

        assert [await pods.next(), await pods.next()] == ["gone a", "list b"]
        assert asyncio.get_running_loop().time() - begun < 0.1
        assert pods.watch.degraded == ""


async def test_a_version_that_is_forgotten_costs_nothing_that_happened() -> None:
    server = PodServer()
    async with listening(server) as pods:
        await pods.next()
        server.put("a")
        await pods.next()
        server.interrupt(CUT)
        server.put("b", told=False)
        server.forget()
        server.put("a", phase="Succeeded")

        await pods.until("list a b")


@pytest.mark.parametrize("answer", [[CLOSE], [bookmark_line(100), CLOSE], [CUT], no(500), no(410)])
async def test_a_watch_that_is_ended_at_once_for_ever_is_no_flood(answer: object) -> None:
    server = PodServer()
    server.watch_answers.extend([answer] * 100_000)
    async with listening(server) as pods:
        await pods.hours(of=HOUR)

        assert len(server.watches) < 400
        assert len(server.lists) < 400
        pauses = [b.at - a.at for a, b in pairwise(server.watches)]
        assert max(pauses) <= 31
        server.watch_answers.clear()
        await recovered(server, pods)


async def test_watches_that_tell_a_little_and_end_at_once_are_no_flood() -> None:
    server = PodServer()
    server.watch_answers.extend([bookmark_line(1000 + n), CLOSE] for n in range(10_000))
    async with listening(server) as pods:
        await pods.hours(of=HOUR)

        assert len(server.watches) < 400


async def test_pauses_begin_short_and_double() -> None:
    server = PodServer()
    server.list_answers.extend([no(500)] * 12)
    async with listening(server) as pods:
        await pods.next()

    times = [one.at for one in server.lists]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    most = [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30, 30, 30, 30, 30]
    assert all(limit / 2 <= pause <= limit for pause, limit in zip(pauses, most, strict=True))


@pytest.mark.parametrize(("good_s", "most_s"), [(130.0, 0.8), (60.0, 6.0), (5.0, 30.0)])
async def test_the_longer_all_was_well_the_shorter_is_the_next_pause(
    good_s: float, most_s: float
) -> None:
    server = PodServer()
    server.list_answers.extend([no(500)] * 8)
    async with listening(server) as pods:
        await pods.next()
        await pods.hours(of=good_s)
        begun, troubled = asyncio.get_running_loop().time(), len(server.watches)
        server.interrupt(CUT)
        while len(server.watches) == troubled:
            await pods.hours(of=0.1)

        pause = server.watches[-1].at - begun
        assert most_s / 2 - 0.1 <= pause <= most_s + 0.1


async def test_a_balancer_that_cuts_idle_watches_each_minute_makes_nobody_blind_for_long() -> None:
    server = PodServer(bookmark_s=None)
    async with listening(server, pace=Pace(silence=60)) as pods:
        await pods.next()
        for _ in range(30):
            begun = len(server.watches)
            await pods.hours(of=45)
            server.interrupt(CUT)
            loop = asyncio.get_running_loop()
            at = loop.time()
            while len(server.watches) == begun:
                await pods.hours(of=0.1)
            assert loop.time() - at < 10


async def test_a_quiet_namespace_without_bookmarks_is_not_trouble() -> None:
    server = PodServer(bookmark_s=None)
    async with listening(server) as pods:
        await pods.next()
        with capture_logs() as logs:
            await pods.hours(of=HOUR)

        assert pods.watch.degraded == ""
        assert logs == []
        assert server.watches[1].at - server.watches[0].at == pytest.approx(75, abs=1)
        assert HOUR / 160 < len(server.lists) < HOUR / 140  # after every second silence


async def test_a_frozen_server_is_noticed_and_told() -> None:
    server = PodServer()
    server.put("a")
    async with listening(server) as pods:
        await pods.next()
        server.is_frozen = True
        await pods.hours(of=75 + 30 + 1)
        assert "no answer in time" in pods.watch.degraded
        heard = pods.watch.last_heard
        server.put("b")
        await pods.hours(of=HOUR)
        assert pods.watch.last_heard == heard
        assert pods.heard == ["list a"]

        server.is_frozen = False
        await pods.until("list a b")
        await recovered(server, pods)


async def test_a_watch_that_is_never_answered_is_given_up() -> None:
    server = PodServer()
    server.watch_answers.append(HANG)
    async with listening(server) as pods:
        await pods.next()

        assert "no answer in time" in await degraded_within(pods, 31)
        await recovered(server, pods)


async def test_an_outage_of_ten_hours_is_told_once_and_its_end_too() -> None:
    server = PodServer()
    server.put("a")
    async with listening(server) as pods:
        await pods.next()
        down = [Unavailable("cannot connect: connection refused")] * 10_000
        server.watch_answers.extend(down)
        with capture_logs() as logs:
            server.interrupt(CUT)
            await pods.hours(of=10 * HOUR)
            server.watch_answers.clear()
            await recovered(server, pods)

        told = [(one["event"], one["log_level"]) for one in logs]
        assert told.count(("watch.trouble", "warning")) <= 3
        assert told[-1] == ("watch.recovered", "info")
        assert logs[0]["namespace"] == "bench"
        assert "connection refused" in logs[1]["reason"]
