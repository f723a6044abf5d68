"""A scripted API server on a real socket: it answers what a test told it, and remembers.

Handlers are registered by method and path; `{name}` in a path stands for one segment and
`{name...}` for the rest. The last registered one that fits answers. What nobody registered
is answered as the real server answers what is not there.
"""

import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import msgspec
import yaml
from aiohttp import web

from llmdbenchd.edge.kubernetes.pools import PoolSizes
from llmdbenchd.edge.kubernetes.session import Access, Session

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_NAMES = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound"}
_NAMES |= {409: "AlreadyExists", 410: "Expired", 429: "TooManyRequests", 500: "InternalError"}
_NAMES |= {503: "ServiceUnavailable", 504: "Timeout"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came.

    Attributes:
        path: as it was sent, without the query.
        pairs: the query's, where a name may come twice.
        fields: what the `{name}`s of the handler's path stood for.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    pairs: Sequence[tuple[str, str]] = ()
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON is what it is
        """The body as JSON."""
        return msgspec.json.decode(self.body)


def answer(
    body: object = b"", *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """An answer: bytes as they are, a text as text, anything else as JSON."""
    if isinstance(body, bytes):
        return web.Response(body=body, status=status, headers=headers)
    if isinstance(body, str):
        return web.Response(text=body, status=status, headers=headers)
    return web.Response(
        body=msgspec.json.encode(body),
        status=status,
        headers=headers,
        content_type="application/json",
    )


def failure(
    status: int,
    message: str = "",
    *,
    reason: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """A Status, as the real server says no; `reason` is the usual one unless given."""
    reason = _NAMES.get(status, "") if reason is None else reason
    return answer(status_object(status, message or reason, reason), status=status, headers=headers)


def status_object(code: int, message: str, reason: str) -> Mapping[str, object]:
    """The Status that the real server sends as a body, or as the object of an ERROR event."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }


class ScriptedApi:
    """The server; `async with` starts and ends it, and closes the sessions that it gave.

    Attributes:
        requests: all that came, in order, once their body was read.
    """

    def __init__(self) -> None:
        self.requests: list[Asked] = []
        self.url = ""
        self._scripts: deque[tuple[str, re.Pattern[str], Handler]] = deque()
        self._closing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{rest:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.01, handler_cancellation=True)
        await runner.setup()
        self._closing.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._closing.aclose()

    def on(self, method: str, path: str, handler: Handler) -> None:
        """Let `handler` answer all requests that fit, until another one is registered."""
        self._scripts.appendleft((method, _pattern(path), handler))

    def give(self, method: str, path: str, *answers: object) -> None:
        """Answer with these, one after the other; the last one again and again."""
        left: deque[object] = deque(answers)

        async def handler(_: web.Request) -> web.StreamResponse:
            now = left.popleft() if len(left) > 1 else left[0]
            return _copy(now) if isinstance(now, web.Response) else answer(now)

        self.on(method, path, handler)

    def asked(self, method: str, path: str) -> list[Asked]:
        """The requests that came so far, of this method, to paths of this pattern."""
        fits = _pattern(path).fullmatch
        return [one for one in self.requests if one.method == method and fits(one.path)]

    async def session(
        self,
        *,
        namespace: str = "bench",
        user: Mapping[str, object] | None = None,
        url: str = "",
        sizes: PoolSizes | None = None,
    ) -> Session:
        """A session with this server, or with `url` (a fault proxy before it)."""
        folder = self._closing.enter_context(TemporaryDirectory())
        text = kubeconfig(url or self.url, namespace=namespace, user=user)
        file = _written(Path(folder, "kubeconfig"), text)
        opened = await Session.open(Access(file), sizes=sizes or PoolSizes())
        return await self._closing.enter_async_context(opened)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        handler, fields = self._script(request)
        pairs = tuple(request.query.items())
        said = dict(pairs), dict(request.headers), body, pairs, fields
        self.requests.append(Asked(request.method, request.path, *said))
        return await handler(request)

    def _script(self, request: web.Request) -> tuple[Handler, Mapping[str, str]]:
        for method, pattern, handler in self._scripts:
            fits = pattern.fullmatch(request.path)
            if fits and method == request.method:
                return handler, fits.groupdict()
        return _nobody, {}


def kubeconfig(
    url: str,
    *,
    namespace: str = "bench",
    user: Mapping[str, object] | None = None,
    cluster: Mapping[str, object] | None = None,
) -> str:
    """The text of a kubeconfig with one context, `scripted`; `user` has a token unless given."""
    context = {"cluster": "scripted", "user": "tester", "namespace": namespace}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "scripted",
            "clusters": [{"name": "scripted", "cluster": {"server": url, **(cluster or {})}}],
            "users": [{"name": "tester", "user": {"token": "t1"} if user is None else user}],
            "contexts": [{"name": "scripted", "context": context}],
        }
    )


def _written(file: Path, text: str) -> Path:
    file.write_text(text)
    return file


async def _nobody(request: web.Request) -> web.StreamResponse:
    return failure(404, f"nothing here at {request.path}")


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{\w+(?:\.\.\.)?\})", path)
    return re.compile("".join(_segment(part) for part in parts))


def _segment(part: str) -> str:
    if not part.startswith("{"):
        return re.escape(part)
    name = part.strip("{}.")
    return f"(?P<{name}>.*)" if part.endswith("...}") else f"(?P<{name}>[^/]+)"


def _copy(once: web.Response) -> web.Response:
    """A response can be sent once only."""
    headers = {k: v for k, v in once.headers.items() if k.lower() != "content-length"}
    return web.Response(body=once.body, status=once.status, headers=headers)
