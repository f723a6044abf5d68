"""The server's addresses: what each one answers."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from importlib.metadata import version

import msgspec
from aiohttp import web

from llmdbenchd.simulate.answer import Identity, Replies, chunks, compose, tail, whole
from llmdbenchd.simulate.ask import Ask, read_ask, read_tokenize
from llmdbenchd.simulate.desk import Desk
from llmdbenchd.simulate.exchange import Exchange
from llmdbenchd.simulate.faults import planned_fault
from llmdbenchd.simulate.metrics import Metrics
from llmdbenchd.simulate.options import Options
from llmdbenchd.simulate.pace import Pace, until
from llmdbenchd.simulate.seats import Seats
from llmdbenchd.simulate.server_log import ServerLog
from llmdbenchd.simulate.sleeping import Sleeper
from llmdbenchd.simulate.trouble import Trouble, error_body

_LARGEST_BODY = 64 * 1024 * 1024
_FIRST_ERROR = 400

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ModelServer:
    """Answers like a vLLM server that serves `options.models`."""

    def __init__(
        self, options: Options, desk: Desk, metrics: Metrics, log: ServerLog | None = None
    ) -> None:
        """Make a server that counts its start-up time from now; `log` tells of sleep and wake."""
        self._options = options
        self._desk = desk
        self._metrics = metrics
        self._seats = Seats(options.max_num_seqs)
        self._sleeper = Sleeper(options.load, log)
        self._label = log.wordings.label if log else f"{version('llmdbenchd')}+simulate"
        self._ready_at = asyncio.get_running_loop().time() + options.startup_s

    def app(self) -> web.Application:
        """The application, to be served by any runner."""
        middlewares = [_errors_as_json, self._for_key_holders]
        app = web.Application(client_max_size=_LARGEST_BODY, middlewares=middlewares)
        app.router.add_get("/health", self._health)
        app.router.add_get("/version", self._version)
        app.router.add_get("/metrics", self._show_metrics)
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/completions", self._completions)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/tokenize", self._tokenize)
        app.router.add_routes(self._sleeper.routes())
        return app

    @web.middleware
    async def _for_key_holders(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """As vLLM: only what is below `/v1` wants the key."""
        key, given = self._options.api_key, request.headers.get("Authorization", "")
        is_open = key is None or not request.path.startswith("/v1")
        if not is_open and not hmac.compare_digest(given.encode(), f"Bearer {key}".encode()):
            raise Trouble(401, "Unauthorized")
        return await handler(request)

    async def _health(self, _: web.Request) -> web.Response:
        self._require_ready()
        return web.Response()

    async def _version(self, _: web.Request) -> web.Response:
        return _json({"version": self._label})

    async def _show_metrics(self, _: web.Request) -> web.Response:
        text = self._metrics.render(
            self._options.models[0], running=self._seats.running, waiting=self._seats.waiting
        )
        content_type = "text/plain; version=0.0.4; charset=utf-8"
        return web.Response(body=text.encode(), headers={"Content-Type": content_type})

    async def _models(self, _: web.Request) -> web.Response:
        self._require_ready()
        served = [
            {
                "id": model,
                "object": "model",
                "created": 0,
                "owned_by": "llmdbenchd",
                "root": model,
                "parent": None,
                "max_model_len": self._options.max_model_len,
            }
            for model in self._options.models
        ]
        return _json({"object": "list", "data": served})

    async def _tokenize(self, request: web.Request) -> web.Response:
        self._require_ready()
        ids = read_tokenize(await request.read(), self._options.models)
        limit = self._options.max_model_len
        return _json({"count": len(ids), "max_model_len": limit, "tokens": ids})

    async def _completions(self, request: web.Request) -> web.StreamResponse:
        return await self._generate(request, chat=False)

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        return await self._generate(request, chat=True)

    async def _generate(self, request: web.Request, *, chat: bool) -> web.StreamResponse:
        # The last bytes of a reply go out after this block: whoever holds the whole reply
        # finds its line in the truth file.
        with self._desk.exchange(request) as exchange:
            self._require_ready()
            self._sleeper.require_awake()
            fault = planned_fault(self._options, exchange.index)
            if fault is not None:
                raise fault
            ask = self._read(await request.read(), chat=chat)
            exchange.begin(ask)
            if ask.stream:
                return await self._streamed(request, ask, exchange)
            return await self._at_once(ask, exchange)

    def _read(self, body: bytes, *, chat: bool) -> Ask:
        limit = self._options.max_model_len
        return read_ask(body, self._options.models, chat=chat, max_model_len=limit)

    async def _streamed(
        self, request: web.Request, ask: Ask, exchange: Exchange
    ) -> web.StreamResponse:
        clock = asyncio.get_running_loop().time
        identity, replies = self._answer(ask, exchange)
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-cache",
            }
        )
        try:
            await response.prepare(request)
            async with self._seats.seat() as waited:
                pace = self._pace(exchange, waited=waited)
                for place, event in enumerate(chunks(ask, replies, identity)):
                    await until(pace.due(place))
                    await response.write(event)
                    exchange.made(clock(), self._metrics)
            await response.write(tail(ask, identity))
        except ConnectionResetError:
            exchange.left = True
        return response

    async def _at_once(self, ask: Ask, exchange: Exchange) -> web.Response:
        clock = asyncio.get_running_loop().time
        identity, replies = self._answer(ask, exchange)
        async with self._seats.seat() as waited:
            pace = self._pace(exchange, waited=waited)
            for place in range(ask.tokens):
                await until(pace.due(place))
                exchange.made(clock(), self._metrics)
        return _json(whole(ask, replies, identity))

    def _answer(self, ask: Ask, exchange: Exchange) -> tuple[Identity, Replies]:
        options = self._options
        identity = Identity(exchange.index, int(exchange.arrival_utc))
        return identity, compose(ask, exchange.index, seed=options.seed, mode=options.mode)

    def _pace(self, exchange: Exchange, *, waited: bool) -> Pace:
        """Who had to wait in line is served from now, all others from their arrival."""
        start = asyncio.get_running_loop().time() if waited else exchange.arrival
        return Pace(start, self._options.ttft_s, self._options.itl_s)

    def _require_ready(self) -> None:
        left = self._ready_at - asyncio.get_running_loop().time()
        if left > 0:
            raise Trouble(503, f"the server is starting and will be ready in {left:.1f} s")


def _json(content: object, *, status: int = 200) -> web.Response:
    body = msgspec.json.encode(content)
    return web.Response(body=body, status=status, content_type="application/json")


@web.middleware
async def _errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Trouble as trouble:
        body = error_body(trouble.status, trouble.message, param=trouble.param)
        return _json(body, status=trouble.status)
    except web.HTTPException as error:
        if error.status < _FIRST_ERROR:
            raise
        message = f"{request.method} {request.path}: {error.reason}"
        return _json(error_body(error.status, message), status=error.status)
