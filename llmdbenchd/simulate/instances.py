"""A stand-in of the inference launcher's REST API: each instance is such a server of its own."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from io import StringIO

import msgspec
from aiohttp import web

from llmdbenchd.simulate.options import Options
from llmdbenchd.simulate.server_log import LoadFailed
from llmdbenchd.simulate.serving import serving

_PORT = re.compile(r"(?:^|\s)--port[= ](\d+)")
_RANGE = re.compile(r"bytes=(\d+)-")


@dataclass
class _Running:
    options: str
    log: StringIO = field(default_factory=StringIO)
    task: "asyncio.Task[None] | None" = None


class InstanceLauncher:
    """Starts servers like `options`, each at the port that is asked for; knows them by id."""

    def __init__(self, options: Options, group: asyncio.TaskGroup) -> None:
        self._options = replace(options, truth=None, hf_cache=None, address_file=None)
        self._group = group
        self._count = 0
        self._instances: dict[str, _Running] = {}

    def app(self) -> web.Application:
        """The application, to be served by any runner."""
        app = web.Application()
        folder = "/v2/vllm/instances"
        app.router.add_get("/health", self._health)
        app.router.add_get(folder, self._list)
        app.router.add_post(folder, self._create)
        app.router.add_delete(folder + "/{id}", self._delete)
        app.router.add_get(folder + "/{id}/log", self._log)
        return app

    def close(self) -> None:
        """End all of them."""
        for one in self._instances.values():
            if one.task is not None:
                one.task.cancel()

    async def _health(self, _: web.Request) -> web.Response:
        return _json({"status": "OK"})

    async def _list(self, _: web.Request) -> web.Response:
        shown = [
            {"instance_id": name, "status": "stopped" if _is_over(one) else "running"}
            for name, one in self._instances.items()
        ]
        running = sum(one["status"] == "running" for one in shown)
        return _json(
            {"total_instances": len(shown), "running_instances": running, "instances": shown}
        )

    async def _create(self, request: web.Request) -> web.Response:
        asked = str((await request.json()).get("options", ""))
        port = _PORT.search(asked)
        if port is None:
            return _json({"detail": "options: no --port"}, status=422)
        self._count += 1
        name = f"instance-{self._count}"
        one = self._instances[name] = _Running(asked)
        one.task = self._group.create_task(self._serve(int(port[1]), one.log), name=name)
        return _json({"instance_id": name, "status": "started"}, status=201)

    async def _serve(self, port: int, log: StringIO) -> None:
        try:
            async with serving(replace(self._options, port=port), log_to=log):
                await asyncio.Event().wait()
        except LoadFailed:
            return
        except OSError as error:
            log.write(f"OSError: {error}\n")

    async def _delete(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        one = self._instances.pop(name, None)
        if one is None:
            return _json({"detail": f"no instance {name}"}, status=404)
        if one.task is not None:
            one.task.cancel()
            await asyncio.wait([one.task])
        return _json({"instance_id": name, "status": "terminated"})

    async def _log(self, request: web.Request) -> web.Response:
        one = self._instances.get(request.match_info["id"])
        if one is None:
            return _json({"detail": "no such instance"}, status=404)
        whole = one.log.getvalue().encode()
        asked = _RANGE.fullmatch(request.headers.get("Range", ""))
        if asked is None:
            return web.Response(body=whole)
        begin = int(asked[1])
        if begin >= len(whole):
            return web.Response(status=416, headers={"Content-Range": f"bytes */{len(whole)}"})
        said = f"bytes {begin}-{len(whole) - 1}/{len(whole)}"
        return web.Response(body=whole[begin:], status=206, headers={"Content-Range": said})


@asynccontextmanager
async def launching(options: Options, port: int) -> AsyncIterator[str]:
    """Serve the launcher's API beside, at a port (0 = any free one); yields its address."""
    async with asyncio.TaskGroup() as group:
        launcher = InstanceLauncher(options, group)
        runner = web.AppRunner(launcher.app(), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, options.host, port).start()
            yield f"http://{options.host}:{runner.addresses[0][1]}"
        finally:
            launcher.close()
            await runner.cleanup()


def _is_over(one: _Running) -> bool:
    return one.task is None or one.task.done()


def _json(content: object, *, status: int = 200) -> web.Response:
    body = msgspec.json.encode(content)
    return web.Response(body=body, status=status, content_type="application/json")
