"""The session against a scripted server on a real socket: answers, retries, streams."""

import asyncio

import pytest
from aiohttp import web

from llmdbenchd.edge.kubernetes.errors import Forbidden, Gone, NotFound, Throttled
from llmdbenchd.edge.kubernetes.session import PoolSizes
from llmdbenchd.ports import Refused, Unavailable
from tests.fakes.api import ScriptedApi, answer, failure

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker knows no keyword

PODS = "/api/v1/namespaces/bench/pods"


async def test_an_answer_is_its_bytes(api: ScriptedApi) -> None:
    api.give("GET", PODS, {"items": []})
    session = await api.session()

    assert await session.ask("GET", PODS, query={"labelSelector": "a=b,c"}) == b'{"items":[]}'
    assert api.requests[0].query == {"labelSelector": "a=b,c"}
    assert api.requests[0].headers["Authorization"] == "Bearer t1"


async def test_what_is_not_there_is_not_found(api: ScriptedApi) -> None:
    session = await api.session()
    with pytest.raises(NotFound, match=r"GET .*/pods/p: nothing here"):
        await session.ask("GET", f"{PODS}/p")


async def test_a_busy_server_is_asked_again_when_it_said(api: ScriptedApi) -> None:
    busy = failure(429, "too many", headers={"Retry-After": "0"})
    api.give("POST", PODS, busy, busy, {"kind": "Pod"})
    session = await api.session()

    assert await session.ask("POST", PODS, body={"kind": "Pod"}) == b'{"kind":"Pod"}'
    assert [one.json for one in api.asked("POST", PODS)] == [{"kind": "Pod"}] * 3


async def test_a_server_that_stays_busy_is_not_asked_for_ever(api: ScriptedApi) -> None:
    api.give("GET", PODS, failure(503, "overloaded", headers={"Retry-After": "0"}))
    session = await api.session()
    with pytest.raises(Throttled, match="overloaded"):
        await session.ask("GET", PODS)

    assert len(api.requests) == 10


async def test_a_failure_without_retry_after_is_for_the_caller(api: ScriptedApi) -> None:
    api.give("GET", PODS, failure(500, "etcd is on fire"))
    session = await api.session()
    with pytest.raises(Unavailable, match="etcd is on fire"):
        await session.ask("GET", PODS)

    assert len(api.requests) == 1


async def test_the_log_of_a_forbidden_pod_is_no_log(api: ScriptedApi) -> None:
    api.give("GET", f"{PODS}/p/log", failure(403, "tester may not"))
    session = await api.session()
    with pytest.raises(Forbidden, match="tester may not"):
        async with session.stream(f"{PODS}/p/log", pool="logs"):
            pytest.fail("a refused stream was opened")


async def test_a_body_is_json_or_the_bytes_that_it_is(api: ScriptedApi) -> None:
    api.give("PATCH", f"{PODS}/p", {})
    session = await api.session()
    patch = "application/merge-patch+json"
    await session.ask("PATCH", f"{PODS}/p", body={"a": 1}, content_type=patch)
    await session.ask("PATCH", f"{PODS}/p", body=b'{"a":2}')

    assert [one.body for one in api.requests] == [b'{"a":1}', b'{"a":2}']
    assert api.requests[0].headers["Content-Type"] == patch


async def test_quoted_paths_and_any_query_arrive_as_they_were_meant(api: ScriptedApi) -> None:
    api.give("GET", "/{path...}", b"")
    session = await api.session()
    await session.ask("GET", f"{PODS}/p:80/proxy/a%20b%2525%3F", query={"c": "+&= é"})

    assert api.requests[0].path == f"{PODS}/p:80/proxy/a b%25?"
    assert api.requests[0].query == {"c": "+&= é"}


async def test_a_server_may_live_below_a_path(api: ScriptedApi) -> None:
    api.give("GET", f"/k8s/clusters/c1{PODS}", "below")
    session = await api.session(url=f"{api.url}/k8s/clusters/c1")

    assert await session.ask("GET", PODS) == b"below"


async def test_our_token_is_not_carried_to_another_server(api: ScriptedApi) -> None:
    api.give("GET", PODS, answer(status=302, headers={"Location": f"{api.url}/elsewhere"}))
    session = await api.session()
    with pytest.raises(Unavailable, match="302 Found"):
        await session.ask("GET", PODS)

    assert [one.path for one in api.requests] == [PODS]


async def test_an_answer_too_large_for_memory_is_refused(
    api: ScriptedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmdbenchd.edge.kubernetes.session._LARGEST_ANSWER", 2**20)
    api.give("GET", PODS, b" " * 2**20, b" " * (2**20 + 1))
    session = await api.session()

    assert len(await session.ask("GET", PODS)) == 2**20
    with pytest.raises(Refused, match="more than 1 MiB; ask in pages"):
        await session.ask("GET", PODS)


async def test_followed_logs_never_make_a_request_wait(api: ScriptedApi) -> None:
    async def open_end(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.Event().wait()
        return response

    api.give("GET", PODS, "here")
    api.on("GET", f"{PODS}/p/log", open_end)
    session = await api.session(sizes=PoolSizes(logs=1))
    async with session.stream(f"{PODS}/p/log", pool="logs") as first:
        assert first.status == 200
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1), session.stream(f"{PODS}/p/log", pool="logs"):
                pytest.fail("there was one connection only")
        assert await session.ask("GET", PODS) == b"here"


async def test_what_was_asked_and_how_it_went_can_be_told(api: ScriptedApi) -> None:
    api.give("GET", PODS, {"items": []})
    api.give("POST", PODS, failure(503, "etcd has no leader"))
    session = await api.session(namespace="lab")
    await session.ask("GET", PODS)
    with pytest.raises(Unavailable):
        await session.ask("POST", PODS, body={})
    health = session.health

    assert (session.namespace, health.server) == ("lab", api.url)
    assert health.requests == {"list pods": 1, "create pods": 1}
    assert health.trouble == f"POST {PODS}: etcd has no leader"
    assert health.succeeded_s_ago is not None


async def test_a_forgotten_version_is_no_trouble_of_the_server(api: ScriptedApi) -> None:
    api.give("GET", PODS, failure(410, "too old"))
    session = await api.session()
    with pytest.raises(Gone, match="too old"):
        await session.ask("GET", PODS)

    assert session.health.trouble == ""


async def test_after_it_is_closed_nothing_is_sent(api: ScriptedApi) -> None:
    session = await api.session()
    await session.close()
    with pytest.raises(Unavailable, match="closed"):
        await session.ask("GET", PODS)

    assert api.requests == []
