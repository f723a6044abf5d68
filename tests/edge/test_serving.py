"""A server of this network is asked by plain HTTP; what is in the way is a word, not an error."""

import asyncio

import pytest
from aiohttp import web

from llmdbenchd.core.target.asked import Asked
from llmdbenchd.core.target.serving import Model, Silence, Why
from llmdbenchd.edge.local.scouting import LocalScout
from llmdbenchd.edge.serving import heard_from
from llmdbenchd.ports import NotReady, Refused
from tests.fakes.api import ScriptedApi, answer

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker knows no keyword


@pytest.mark.parametrize("below", ["", "/", "/v1", "/v1/"])
async def test_a_server_is_asked_below_its_url_with_or_without_the_apis_own_path(
    below: str,
) -> None:
    async with ScriptedApi() as server:
        server.give("GET", "/v1/models", {"data": [{"id": "m"}]})

        assert await heard_from(server.url + below) == (Model("m"),)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(503, Why.LATER), (404, Why.STRANGE), (301, Why.STRANGE), (401, Why.LOCKED)],
)
async def test_what_is_no_answer_is_said(status: int, kind: Why) -> None:
    async with ScriptedApi() as server:
        server.give("GET", "/v1/models", answer("", status=status))
        heard = await heard_from(server.url)

    assert isinstance(heard, Silence)
    assert heard.kind is kind
    assert str(status) in heard.reason


async def test_a_server_that_never_answers_keeps_us_for_a_moment_only() -> None:
    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with ScriptedApi() as server:
        server.on("GET", "/v1/models", hang)
        heard = await heard_from(server.url, within_s=0.05)

    assert heard == Silence(Why.UNASKED, f"GET {server.url}/v1/models: no answer in 0.05 s")


async def test_without_a_cluster_a_url_is_the_target_and_its_server_is_asked() -> None:
    async with ScriptedApi() as server:
        server.give("GET", "/v1/models", {"data": [{"id": "gpt2"}]})
        found = await LocalScout().find(Asked(endpoint=server.url, model="auto"))

    assert (found.endpoint, found.model, found.note) == (server.url, "gpt2", "")
    assert found.servers == (server.url.removeprefix("http://"),)


async def test_nobody_at_home_is_noted_and_stops_nobody() -> None:
    found = await LocalScout().find(Asked(endpoint="http://127.0.0.1:9", model="m"))

    assert found.note.startswith("the model was not checked: GET http://127.0.0.1:9/v1/models")


async def test_a_server_that_is_still_loading_is_waited_for() -> None:
    async with ScriptedApi() as server:
        server.give("GET", "/v1/models", answer("", status=503))
        with pytest.raises(NotReady):
            await LocalScout().find(Asked(endpoint=server.url, model="m"))


async def test_a_server_that_serves_something_else_is_told_when_it_is_not_given() -> None:
    with pytest.raises(Refused, match="nothing is discovered without a cluster"):
        await LocalScout().find(Asked(method="vllm", model="m"))
