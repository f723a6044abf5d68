"""Opens the simulator and closes it again, with all that belongs to it, in one block."""

import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TextIO

from aiohttp import web

from llmdbenchd.simulate.desk import Desk
from llmdbenchd.simulate.hub_cache import write_hub_cache
from llmdbenchd.simulate.metrics import Metrics
from llmdbenchd.simulate.options import Options
from llmdbenchd.simulate.server import ModelServer
from llmdbenchd.simulate.server_log import ServerLog
from llmdbenchd.simulate.whole_file import write_whole


@asynccontextmanager
async def serving(
    options: Options, wall_clock: Callable[[], float] = time.time, log_to: TextIO | None = None
) -> AsyncIterator[str]:
    """Serve for the length of the block; yields the address, such as `http://127.0.0.1:8000`.

    The address file is there exactly while the server listens (a kill leaves it behind,
    the next start takes it away). Leaving the block ends all requests at once.
    If a load's log was asked for, it is written before the server listens, to stdout unless
    `log_to` is given.

    Raises:
        LoadFailed: the load failed, as it was asked to.
        OSError: the address is taken, or one of the files cannot be written.
    """
    if options.address_file is not None:
        options.address_file.unlink(missing_ok=True)
    if options.hf_cache is not None:
        write_hub_cache(options.hf_cache, options.models, max_model_len=options.max_model_len)
    with _truth(options.truth) as truth:
        metrics = Metrics()
        desk = Desk(truth, metrics, wall_clock)
        log = ServerLog(options.load, log_to or sys.stdout, wall_clock) if options.load else None
        if log is not None:
            await log.load(model=options.models[0], max_model_len=options.max_model_len)
        server = ModelServer(options, desk, metrics, log)
        async with _listening(server, desk, options) as address:
            with _announced(address, options.address_file), _logged(log):
                yield address


@asynccontextmanager
async def _listening(server: ModelServer, desk: Desk, options: Options) -> AsyncIterator[str]:
    app = server.app()
    app.on_shutdown.append(lambda _: desk.close())
    # A client that leaves cancels its request: its seat is free at once.
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, options.host, options.port).start()
        host, port = runner.addresses[0][:2]
        yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@contextmanager
def _truth(path: Path | None) -> Iterator[TextIO | None]:
    if path is None:
        yield None
        return
    with path.open("w", encoding="utf-8") as file:
        yield file


@contextmanager
def _announced(address: str, path: Path | None) -> Iterator[None]:
    if path is None:
        yield
        return
    write_whole(path, address + "\n")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def _logged(log: ServerLog | None) -> Iterator[None]:
    if log is None:
        yield
        return
    log.listening()
    try:
        yield
    finally:
        log.stopping()
