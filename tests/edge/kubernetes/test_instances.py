"""The launcher's REST API through the API server's proxy, against the stand-in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from llmdbenchd.core.nop.instances import Wanted
from llmdbenchd.edge.kubernetes.instances import Instances
from llmdbenchd.simulate.instances import launching
from llmdbenchd.simulate.load import Load
from llmdbenchd.simulate.options import Options
from tests.fakes.api import ScriptedApi

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker knows no keyword
WANTED = Wanted("--port 0 --model m", frozenset())
_PROXY = "/api/v1/namespaces/stack/pods/vllm-0:8001/proxy"


@asynccontextmanager
async def launcher(api: ScriptedApi, load: Load | None = None) -> AsyncIterator[Instances]:
    """The client, behind a proxy that hands all on to the stand-in."""
    options = Options(load=load or Load(version="0.19", seconds=0.0))
    async with launching(options, 0) as address, aiohttp.ClientSession() as http:

        async def forward(request: web.Request) -> web.Response:
            url = address + request.path.removeprefix(_PROXY)
            headers = {"Range": value} if (value := request.headers.get("Range")) else {}
            body = await request.read()
            async with http.request(request.method, url, data=body, headers=headers) as said:
                kept = {k: v for k, v in said.headers.items() if k == "Content-Range"}
                return web.Response(body=await said.read(), status=said.status, headers=kept)

        for method in ("GET", "POST", "DELETE"):
            api.on(method, _PROXY + "/{rest...}", forward)
        async with await api.session() as session:
            yield Instances(session, "stack", "vllm-0", 8001)


async def _failing_beside(client: Instances) -> None:
    async with client.running(WANTED):
        raise ZeroDivisionError


async def whole(client: Instances, instance: str, begin: int = 0) -> bytes:
    return b"".join([one async for one in client.log(instance, begin)])


async def test_an_instance_lives_for_a_block_and_is_ended_also_after_a_failure(
    api: ScriptedApi,
) -> None:
    async with launcher(api) as client:
        assert await client.is_healthy()
        async with client.running(WANTED) as instance:
            assert [one.instance_id for one in (await client.listed()).instances] == [instance]
        assert (await client.listed()).instances == ()
        await client.delete(instance)

        with pytest.raises(ZeroDivisionError):
            await _failing_beside(client)
        assert (await client.listed()).instances == ()


async def test_who_was_killed_after_he_asked_makes_no_second_one_and_can_end_it(
    api: ScriptedApi,
) -> None:
    async with launcher(api) as client:
        first = await client.create(WANTED)

        assert await client.create(WANTED) == first
        assert await client.delete_ours(WANTED) == (first,)
        assert await client.delete_ours(WANTED) == ()


async def test_its_log_is_read_from_any_byte_on(api: ScriptedApi) -> None:
    async with launcher(api) as client, client.running(WANTED) as instance:
        log = b""
        while b"Application startup complete." not in log:
            log += await whole(client, instance, len(log))

        assert log.startswith(b"(APIServer pid=1) INFO ")
        assert await whole(client, instance, 10) == log[10:]
        assert await whole(client, instance, len(log)) == b""
