"""The stand-in of an inference launcher in a pod, behind an API server that hands requests on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from llmdbenchd.simulate.instances import launching
from llmdbenchd.simulate.load import Load
from llmdbenchd.simulate.options import Options
from tests.fakes.api import ScriptedApi, failure

NAMESPACE, POD, PORT = "stack", "vllm-0", 8001
_KEPT = frozenset({"Content-Range"})


@asynccontextmanager
async def launcher_in_a_pod(api: ScriptedApi, load: Load | None = None) -> AsyncIterator[str]:
    """Let the API server's proxy lead to it at `PORT`, and at other ports to what it started.

    Yields:
        Its own address.
    """
    options = Options(load=load or Load(version="0.19", seconds=0.0))
    async with launching(options, 0) as address, aiohttp.ClientSession() as http:

        async def forward(request: web.Request) -> web.Response:
            place, _, rest = request.path.partition("/proxy")
            port = int(place.rpartition(":")[2])
            url = address if port == PORT else f"http://127.0.0.1:{port}"
            headers = {"Range": value} if (value := request.headers.get("Range")) else {}
            body = await request.read()
            query = request.query_string
            try:
                async with http.request(
                    request.method, f"{url}{rest}?{query}", data=body, headers=headers
                ) as said:
                    kept = {k: v for k, v in said.headers.items() if k in _KEPT}
                    return web.Response(body=await said.read(), status=said.status, headers=kept)
            except aiohttp.ClientConnectionError:
                return failure(503, "error trying to reach service: connection refused")

        for method in ("GET", "POST", "DELETE"):
            path = f"/api/v1/namespaces/{NAMESPACE}/pods/{POD}:{{port}}/proxy/{{rest...}}"
            api.on(method, path, forward)
        yield address
