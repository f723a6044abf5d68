"""An API server in memory, over real HTTP, with the habits of the real one that matter to us.

It has uids and resource versions, says 409 to a second object of a name and to a stale
precondition, keeps a bound pod until its kubelet lets it go, streams watches, and
collects what lost its owner. It has no kubelet: tests move pods by hand.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from tests.fakes.cluster_objects import (
    KINDS,
    OVER,
    Event,
    Object,
    Refusal,
    matches,
    selected,
    status,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class ClusterApi:
    """The world of one API server.

    Attributes:
        objects: by plural and name.
        requests: every request that came, `METHOD plural[/name[/rest]]`, watches apart.
        created: how often an object of a name was ever made, by `plural/name`.
        refuses: what is answered to `METHOD plural` in place of doing it.
        hangs: what is never answered, as `METHOD plural`.
        dies_after: requests until nobody answers any more; None = never.
        loses_replies: dying, the last write still happens.
        proxy: what answers below pods/proxy.
        logs: by pod; a follow ends where they end, whatever the pod does.
    """

    objects: dict[str, dict[str, Object]] = field(default_factory=lambda: {k: {} for k in KINDS})
    requests: list[str] = field(default_factory=list)
    created: dict[str, int] = field(default_factory=dict)
    refuses: dict[str, Refusal] = field(default_factory=dict)
    hangs: set[str] = field(default_factory=set)
    dies_after: int | None = None
    loses_replies: bool = False
    proxy: Callable[[str, str, str], web.Response] | None = None
    logs: dict[str, bytes] = field(default_factory=dict)
    _version: int = 100
    _told: list[Event] = field(default_factory=list)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)
    _broken: int = 0

    async def until(self, what: Callable[[], bool]) -> None:
        """Wait until it is so; looked at whenever something changed or was asked."""
        async with asyncio.timeout(20):
            while not what():
                await self._moved.wait()

    # what tests do by hand

    def pod(self, name: str) -> Object:
        """The pod of this name."""
        return self.objects["pods"][name]

    def names(self, plural: str) -> list[str]:
        """What exists, sorted."""
        return sorted(self.objects[plural])

    def put(self, plural: str, thing: Object) -> Object:
        """Make an object as somebody else would."""
        metadata, name = thing["metadata"], thing["metadata"]["name"]
        self._version += 1
        key = f"{plural}/{name}"
        self.created[key] = self.created.get(key, 0) + 1
        metadata |= {"namespace": "ns", "uid": f"uid-{self._version}"}
        metadata["creationTimestamp"] = "2026-11-01T10:00:00Z"
        thing.setdefault("kind", KINDS[plural])
        if plural == "pods":
            thing.setdefault("status", {"phase": "Pending"})
        self.objects[plural][name] = thing
        self._tell("ADDED", plural, thing)
        self._collect_garbage()
        return thing

    def binds(self, name: str) -> None:
        """The scheduler gives the pod its node."""
        self.pod(name)["spec"]["nodeName"] = "node-1"
        self.moves(name, phase="Pending", state={"waiting": {"reason": "ContainerCreating"}})

    def runs(self, name: str) -> None:
        """Its containers run."""
        self.pod(name)["spec"]["nodeName"] = "node-1"
        self.moves(name, phase="Running", state={"running": {"startedAt": "2026-11-01T10:00:01Z"}})

    def ends(self, name: str, code: int, *, message: str = "") -> None:
        """Its harness ends, and the pod with it unless something else still runs in it."""
        terminated = {
            "exitCode": code,
            "reason": "Error" if code else "Completed",
            "message": message,
            "startedAt": "2026-11-01T10:00:01Z",
            "finishedAt": "2026-11-01T10:00:02Z",
        }
        alone = len(self.pod(name)["spec"]["containers"]) == 1
        phase = ("Failed" if code else "Succeeded") if alone else "Running"
        self.moves(name, phase=phase, state={"terminated": terminated})

    def moves(self, name: str, *, phase: str, state: Object, reason: str = "") -> None:
        """The kubelet writes a status; `state` is the harness's."""
        harness = {"name": "harness", "restartCount": 0, "image": "", "imageID": "", "ready": False}
        status = {"phase": phase, "containerStatuses": [harness | {"state": state}]}
        self.pod(name)["status"] = status | ({"reason": reason} if reason else {})
        self._tell("MODIFIED", "pods", self.pod(name))

    def goes(self, plural: str, name: str) -> None:
        """An object is gone for good."""
        thing = self.objects[plural].pop(name)
        self._tell("DELETED", plural, thing)
        self._collect_garbage()

    def warns(self, pod: str, reason: str, message: str, kind: str = "Warning") -> None:
        """An event about the pod; `Normal` ones tell how it comes along."""
        self._version += 1
        about = {"kind": "Pod", "name": pod, "uid": self.pod(pod)["metadata"]["uid"]}
        event = {"metadata": {"name": f"{pod}.{self._version}"}, "involvedObject": about}
        self.put("events", event | {"type": kind, "reason": reason, "message": message})

    def breaks_watches(self) -> None:
        """Every watch ends."""
        self._broken += 1
        self._move()

    # the server

    def application(self) -> web.Application:
        """The server as an application."""
        app = web.Application()
        home = "/api/v1/namespaces/ns/{plural}"
        app.router.add_get(home, self._list)
        app.router.add_post(home, self._answered(self._create))
        app.router.add_get(home + "/{name}", self._answered(self._get))
        app.router.add_delete(home + "/{name}", self._answered(self._delete))
        app.router.add_get(home + "/{name}/{path:log}", self._answered(self._log))
        app.router.add_get(home + "/{name}/{path:exec}", self._answered(self._exec))
        app.router.add_route("*", home + "/{name}/proxy/{path:.*}", self._answered(self._proxy))
        return app

    def _answered(self, do: Handler) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            plural, name = request.match_info["plural"], request.match_info.get("name", "")
            rest = request.match_info.get("path", "")
            said = "/".join(part for part in (plural, name, rest) if part)
            self.requests.append(f"{request.method} {said}")
            is_last = self.dies_after is not None and len(self.requests) >= self.dies_after
            if is_last and not (self.loses_replies and len(self.requests) == self.dies_after):
                self._hang_up(request)
            if f"{request.method} {plural}" in self.hangs:
                await asyncio.Event().wait()
            response: web.StreamResponse
            try:
                if refusal := self.refuses.get(f"{request.method} {plural}"):
                    raise refusal
                response = await do(request)
            except Refusal as refusal:
                response = status(refusal)
            self._move()
            if is_last:
                self._hang_up(request)
            return response

        return answer

    @staticmethod
    def _hang_up(request: web.Request) -> None:
        if request.transport is not None:
            request.transport.abort()
        raise asyncio.CancelledError

    async def _list(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("watch", "").lower() in {"1", "true"}:
            return await self._watch(request)
        return await self._answered(self._listed)(request)

    async def _listed(self, request: web.Request) -> web.Response:
        plural = request.match_info["plural"]
        items = [thing for thing in self.objects[plural].values() if selected(thing, request)]
        metadata = {"resourceVersion": str(self._version)}
        return web.json_response(
            {"kind": f"{KINDS[plural]}List", "apiVersion": "v1", "metadata": metadata}
            | {"items": items}
        )

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        plural, selector = request.match_info["plural"], request.query.get("labelSelector", "")
        version, unbroken = int(request.query["resourceVersion"]), self._broken
        while self._broken == unbroken:
            for event in [event for event in self._told if event.version > version]:
                version = event.version
                if event.plural == plural and matches(event.labels, selector):
                    await response.write(event.line)
            if not self._told or self._told[-1].version <= version:
                await self._moved.wait()
        return response

    async def _create(self, request: web.Request) -> web.Response:
        plural, thing = request.match_info["plural"], await request.json()
        name = thing["metadata"]["name"]
        if name in self.objects[plural]:
            raise Refusal(409, "AlreadyExists", f'{plural} "{name}" already exists')
        return web.json_response(self.put(plural, thing), status=201)

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(self._found(request))

    async def _delete(self, request: web.Request) -> web.Response:
        thing, plural = self._found(request), request.match_info["plural"]
        body = await request.json() if request.can_read_body else {}
        uid, wanted = thing["metadata"]["uid"], body.get("preconditions", {}).get("uid")
        if wanted not in (None, uid):
            message = f"the UID in the precondition ({wanted}) does not match {uid}"
            raise Refusal(409, "Conflict", message)
        grace = body.get("gracePeriodSeconds", request.query.get("gracePeriodSeconds", 30))
        is_bound = plural == "pods" and "nodeName" in thing["spec"]
        if is_bound and int(grace) > 0 and thing["status"]["phase"] not in OVER:
            thing["metadata"]["deletionTimestamp"] = "2026-11-01T10:10:00Z"
            thing["metadata"]["deletionGracePeriodSeconds"] = int(grace)
            self._tell("MODIFIED", plural, thing)
        else:
            self.goes(plural, thing["metadata"]["name"])
        return web.json_response(thing)

    async def _log(self, request: web.Request) -> web.Response:
        lines = self.logs[self._found(request)["metadata"]["name"]].splitlines(keepends=True)
        since = request.query.get("sinceTime", "")[:19].encode()
        return web.Response(body=b"".join(line for line in lines if line[:19] >= since))

    async def _exec(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        raise Refusal(403, "Forbidden", f'pods "{name}" is forbidden: no pods/exec')

    async def _proxy(self, request: web.Request) -> web.Response:
        name = request.match_info["name"].partition(":")[0]
        if self.proxy is None or name not in self.objects["pods"]:
            raise Refusal(503, "ServiceUnavailable", "error trying to reach service")
        return self.proxy(request.method, name, request.match_info["path"])

    def _found(self, request: web.Request) -> Object:
        plural, name = request.match_info["plural"], request.match_info["name"]
        if name not in self.objects[plural]:
            raise Refusal(404, "NotFound", f'{plural} "{name}" not found')
        return self.objects[plural][name]

    def _tell(self, event: str, plural: str, thing: Object) -> None:
        self._version += 1
        thing["metadata"]["resourceVersion"] = str(self._version)
        line = json.dumps({"type": event, "object": thing}).encode() + b"\n"
        labels = dict(thing["metadata"].get("labels", {}))
        self._told.append(Event(self._version, plural, labels, line))
        self._move()

    def _move(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    def _collect_garbage(self) -> None:
        uids = {owner["metadata"]["uid"] for owner in self.objects["configmaps"].values()}
        for name, pod in list(self.objects["pods"].items()):
            owners = {owner["uid"] for owner in pod["metadata"].get("ownerReferences", [])}
            if owners and not owners & uids:
                self.goes("pods", name)


@asynccontextmanager
async def serving(api: ClusterApi, folder: Path) -> AsyncIterator[Path]:
    """Serve on a port of this machine; yields a kubeconfig for it."""
    runner = web.AppRunner(api.application(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "fake",
        "contexts": [{"name": "fake", "context": {"cluster": "c", "user": "u", "namespace": "ns"}}],
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    try:
        yield path
    finally:
        api.breaks_watches()
        await runner.cleanup()
