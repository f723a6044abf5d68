"""A stack as its API server tells of it: a Service, pods, and the logs of their containers."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from tests.core.nop.recorded import running, status
from tests.fakes.api import ScriptedApi, answer, failure
from tests.kit.kubelet import SECOND, Written, told

SPACE = "/api/v1/namespaces/llm"
NOON = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp())
LONG_AGO = "2026-02-20T08:00:00Z"


def lines(first: int, count: int, *, second: float = 0) -> list[Written]:
    """Lines that a server writes from so many seconds after noon on, two a second."""
    at = (NOON * SECOND) + int(second * SECOND)
    return [
        Written(at + number * SECOND // 2, b"line %d" % (first + number)) for number in range(count)
    ]


@dataclass
class Stack:
    """The world.

    Attributes:
        logs: of each life, by pod, container and number.
        forbids: `pods` may not be listed, a `log` may not be read.
        asked: every question for a log.
    """

    api: ScriptedApi
    pods: list[dict[str, Any]] = field(default_factory=list)
    logs: dict[tuple[str, str, int], list[Written]] = field(default_factory=dict)
    forbids: set[str] = field(default_factory=set)
    asked: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Answer."""
        spec = {"selector": {"app": "vllm"}, "ports": [{"port": 80}]}
        service = {"metadata": {"name": "vllm"}, "spec": spec}
        self.api.give("GET", f"{SPACE}/services", {"items": [service]})
        self.api.give("GET", f"{SPACE}/services/vllm", service)
        self.api.on("GET", f"{SPACE}/pods", self._list)
        self.api.on("GET", f"{SPACE}/pods/{{name}}/log", self._log)

    def put(
        self,
        name: str = "vllm-0",
        *containers: str,
        uid: str = "",
        made: str = LONG_AGO,
        **of_status: Any,  # noqa: ANN401 - as the API has them
    ) -> None:
        """A pod whose containers are all in the same state; another of its name goes."""
        names = containers or ("vllm",)
        state = {"state": {"running": {"startedAt": LONG_AGO}}, "restartCount": 0, **of_status}
        env = [{"name": "T", "value": "secret"}]
        metadata: dict[str, Any] = {"name": name, "namespace": "llm"}
        metadata |= {"uid": uid or f"uid-{name}"}
        metadata |= {"labels": {"app": "vllm"}, "creationTimestamp": made}
        self.gone(name)
        self.pods.append(
            {
                "metadata": metadata,
                "spec": {"containers": [{"name": one, "image": "i", "env": env} for one in names]},
                "status": {
                    "phase": "Running",
                    "containerStatuses": [status(one, **state) for one in names],
                },
            }
        )

    def restarts(self, second: int, *, ended_at: str = "") -> None:
        """The first pod's container was killed, and began again in this second after noon."""
        began = running(second)
        end = {"exitCode": 137, "startedAt": LONG_AGO}
        end["finishedAt"] = ended_at or began["running"]["startedAt"]
        self.put(state=began, lastState={"terminated": end}, restartCount=1)

    def gone(self, name: str) -> None:
        """There is no such pod any more."""
        self.pods = [one for one in self.pods if one["metadata"]["name"] != name]

    async def _list(self, request: web.Request) -> web.StreamResponse:
        if "pods" in self.forbids:
            return failure(403, "pods is forbidden")
        assert request.query["labelSelector"] == "app=vllm"
        return answer({"metadata": {}, "items": self.pods})

    async def _log(self, request: web.Request) -> web.StreamResponse:
        name, query = request.path.split("/")[-2], dict(request.query)
        self.asked.append(query)
        if "log" in self.forbids:
            return failure(403, "pods/log is forbidden")
        pod = next((one for one in self.pods if one["metadata"]["name"] == name), None)
        if pod is None:
            return failure(404, f'pods "{name}" not found')
        life = pod["status"]["containerStatuses"][0]["restartCount"] - ("previous" in query)
        since = query.get("sinceTime")
        second = int(datetime.fromisoformat(since).timestamp()) if since else None
        response = web.StreamResponse()
        await response.prepare(request)
        log = self.logs.setdefault((name, query["container"], life), [])
        text = told(log, second)
        await response.write(text)
        while "follow" in query and pod in self.pods:
            await asyncio.sleep(0.01)
            new = told(log, second)
            await response.write(new[len(text) :])
            text = new
        return response
