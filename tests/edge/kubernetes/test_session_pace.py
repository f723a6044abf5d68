"""How often a session asks, and for how long it takes "later" for an answer."""

import asyncio

import pytest

from llmdbenchd.edge.kubernetes.errors import Throttled
from llmdbenchd.edge.kubernetes.health import Pulse, kind_of, spoken
from llmdbenchd.edge.kubernetes.throttle import Patience, TokenBucket


async def _taken_within(bucket: TokenBucket, seconds: float) -> int:
    """How many of a crowd get their turn."""
    taken = 0

    async def take() -> None:
        nonlocal taken
        await bucket.take()
        taken += 1

    crowd = [asyncio.create_task(take()) for _ in range(500)]
    await asyncio.sleep(seconds)
    for one in crowd:
        one.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)
    return taken


async def test_a_burst_passes_and_then_a_steady_stream() -> None:
    assert await _taken_within(TokenBucket(rate=20, burst=40), 5.01) == 40 + 100


async def test_who_gave_up_waiting_takes_nobodys_turn() -> None:
    bucket = TokenBucket(rate=20, burst=40)
    await _taken_within(bucket, 0.01)
    await asyncio.sleep(2)

    assert await _taken_within(bucket, 0.01) == 40


async def test_idle_hours_are_not_saved_up() -> None:
    bucket = TokenBucket(rate=20, burst=40)
    await bucket.take()
    await asyncio.sleep(3600)

    assert await _taken_within(bucket, 0.01) == 40


@pytest.mark.parametrize(
    ("tried", "waited_s", "asked_s", "pause_s"),
    [
        (1, 0, 3, 3),
        (1, 0, 0, 0.05),
        (9, 0, 1, 1),
        (10, 0, 1, None),
        (2, 50, 10, 10),
        (2, 50, 11, None),
        (1, 0, 3600, None),
    ],
)
def test_patience_ends_by_tries_and_by_time(
    tried: int, waited_s: float, asked_s: float, pause_s: float | None
) -> None:
    later = Throttled("later", 429, asked_s)

    assert Patience().pause_s(later, tried=tried, waited_s=waited_s) == pause_s


@pytest.mark.parametrize(
    ("method", "path", "query", "kind"),
    [
        ("GET", "/api/v1/namespaces/b/pods", {}, "list pods"),
        ("GET", "/api/v1/namespaces/b/pods", {"watch": "true"}, "watch pods"),
        ("GET", "/api/v1/namespaces/b/pods/p", {}, "get pods"),
        ("GET", "/api/v1/namespaces/b/pods/p/log", {"follow": "true"}, "get pods/log"),
        ("GET", "/api/v1/namespaces/b/pods/p:8080/proxy/s3cret/x", {}, "get pods/proxy"),
        ("POST", "/api/v1/namespaces/b/pods", {}, "create pods"),
        ("DELETE", "/api/v1/namespaces/b/pods/p", {}, "delete pods"),
        ("PATCH", "/apis/apps/v1/namespaces/b/deployments/d", {}, "patch deployments"),
        ("GET", "/api/v1/namespaces/b", {}, "get namespaces"),
        ("GET", "/api/v1/namespaces", {}, "list namespaces"),
        ("GET", "/version", {}, "get /version"),
        ("HEAD", "/api/v1/nodes", {}, "head nodes"),
    ],
)
def test_requests_are_counted_in_words(
    method: str, path: str, query: dict[str, str], kind: str
) -> None:
    assert kind_of(method, path, query) == kind


def test_what_lies_behind_a_proxy_is_not_told() -> None:
    told = spoken("GET", "/api/v1/namespaces/b/pods/p:8080/proxy/s3cret/file/x")

    assert told == "GET /api/v1/namespaces/b/pods/p:8080/proxy"


def test_the_pulse_tells_an_answer_from_a_success() -> None:
    seconds = iter([10.0, 10.0, 20.0, 25.0, 25.0])
    pulse = Pulse("https://here", lambda: next(seconds))
    pulse.trouble = "it was down"
    pulse.answered(200)
    pulse.answered(403)
    pulse.answered(503)
    seen = pulse.look()

    assert (seen.answered_s_ago, seen.succeeded_s_ago, seen.trouble) == (5.0, 15.0, "")


def test_before_the_first_answer_there_is_no_age() -> None:
    seen = Pulse("https://here", lambda: 1.0).look()

    assert (seen.answered_s_ago, seen.succeeded_s_ago, dict(seen.requests)) == (None, None, {})
