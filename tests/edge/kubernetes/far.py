"""Results in a pod: a real serve.py behind an API server's proxy that cuts, twists and forbids."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web
from yarl import URL

import llmdbenchd.payload
from llmdbenchd.edge.kubernetes.access_pod import Door
from llmdbenchd.edge.kubernetes.doors import ByProxy
from llmdbenchd.edge.kubernetes.rate import ByteRate
from llmdbenchd.edge.kubernetes.transfer import Transfer
from llmdbenchd.payload import evidence
from llmdbenchd.ports import Copied
from tests.fakes.api import ScriptedApi, failure

SERVE = Path(llmdbenchd.payload.__file__).parent / "serve.py"
SECRET = "0123456789abcdef"  # noqa: S105 - a test's
FOLDER = "r_1"
PASSED = ("Range", "If-Range")
PASSED_BACK = ("Content-Length", "Content-Range", "ETag")


class Far:
    """The folder, and the way to it.

    Attributes:
        cut_after: bytes of the next answer to `cuts` after which the connection is cut.
        cuts: which kind of answer that is.
        twisted: whether the next file's bytes are wrong.
        forbidden: whether pods/proxy may not be used.
        asked: what was asked of the pod, in order, without the query.
        flowing: set when the first bytes of a file have been passed on.
        held: while it is clear, no more than these are.
    """

    def __init__(self, root: Path, port: int, api: ScriptedApi) -> None:
        self.results = root / FOLDER
        self.port = port
        self.api = api
        self.cut_after: int | None = None
        self.cuts = "file"
        self.twisted = False
        self.forbidden = False
        self.asked: list[str] = []
        self.flowing = asyncio.Event()
        self.held = asyncio.Event()
        self.held.set()
        api.on("GET", "/api/v1/namespaces/ns/pods/pod:8080/proxy/{rest...}", self._pass)

    def lie_there(self, files: dict[str, bytes], *, done: bool = True) -> None:
        for path, content in files.items():
            file = self.results / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        if done:
            sha256, _ = evidence.write_manifest(str(self.results))
            evidence.write_done(str(self.results), {"manifest_sha256": sha256})

    async def bring(self, into: Path, min_free: int = 0) -> Copied:
        session = await self.api.session()
        way = ByProxy(session, Door("ns", "pod", "serve", SECRET))
        return await Transfer(way, FOLDER, into, min_free=min_free, rate=ByteRate()).run()

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        if self.forbidden:
            return failure(403, 'pods "pod" is forbidden')
        where = request.raw_path.partition("/proxy/")[2]
        said = where.partition("/")[2].partition("?")[0]
        self.asked.append(said)
        headers = {name: request.headers[name] for name in PASSED if name in request.headers}
        url = URL(f"http://127.0.0.1:{self.port}/{where}", encoded=True)
        async with aiohttp.ClientSession() as client, client.get(url, headers=headers) as answer:
            back = {name: answer.headers[name] for name in PASSED_BACK if name in answer.headers}
            passed = web.StreamResponse(status=answer.status, headers=back)
            await passed.prepare(request)
            body = await answer.read()
            kind = said.partition("/")[0]
            if kind == "file" and self.twisted:
                body, self.twisted = bytes(len(body)), False
            if kind == self.cuts and self.cut_after is not None:
                body, self.cut_after = body[: self.cut_after], None
                await passed.write(body)
                assert request.transport is not None
                request.transport.close()
            elif kind == "file":
                await passed.write(body[: len(body) // 2])
                self.flowing.set()
                await self.held.wait()
                await passed.write(body[len(body) // 2 :])
            else:
                await passed.write(body)
            return passed


@asynccontextmanager
async def far(root: Path) -> AsyncIterator[Far]:
    """Results below a root, shown as long as the block lasts."""
    (root / FOLDER).mkdir(parents=True)
    env = {
        "LLMDBENCHD_SERVE_ROOT": str(root),
        "LLMDBENCHD_SERVE_PORT": "0",
        "LLMDBENCHD_SERVE_SECRET": SECRET,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", str(SERVE), env=env, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        port = int((await process.stdout.readline()).split()[-1])
        async with ScriptedApi() as api:
            yield Far(root, port, api)
    finally:
        process.kill()
        await process.wait()
