"""A scripted API server that grants rights: all in one namespace, but for those taken away."""

import asyncio

from aiohttp import web

from llmdbenchd.core.rights import Right
from tests.fakes.api import ScriptedApi, answer, failure

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
Asked = tuple[str, str, str]


class Granting:
    """Answers reviews of access on `api`.

    Attributes:
        namespace: where rights are granted; empty is everywhere.
        most_at_once: how many questions were open at one time.
    """

    def __init__(self, api: ScriptedApi, namespace: str = "") -> None:
        self.namespace = namespace
        self.most_at_once = 0
        self._open = 0
        self._taken: set[tuple[str, Asked]] = set()
        self._hidden: set[Asked] = set()
        api.on("POST", REVIEWS, self._answer)

    def take(self, *rights: Right, namespace: str = "bench") -> None:
        """These are not granted in this namespace."""
        self._taken |= {(namespace, _named(right)) for right in rights}

    def hides(self, *rights: Right) -> None:
        """These cannot be asked for."""
        self._hidden |= {_named(right) for right in rights}

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self._open += 1
        self.most_at_once = max(self.most_at_once, self._open)
        await asyncio.sleep(0.01)
        self._open -= 1
        asked = (await request.json())["spec"]["resourceAttributes"]
        below = f"/{asked['subresource']}" if asked["subresource"] else ""
        right = asked["group"], asked["resource"] + below, asked["verb"]
        if right in self._hidden:
            return failure(500, "etcd is away")
        where = asked["namespace"]
        allowed = self.namespace in {"", where} and (where, right) not in self._taken
        return answer({"status": {"allowed": allowed}}, status=201)


def _named(right: Right) -> Asked:
    return right.group, right.resource, right.verb
