"""The preprocess scripts in their ConfigMap: made, updated, and what else is in it stays."""

import pytest
from aiohttp import web

from llmdbenchd.edge.kubernetes.errors import Forbidden
from llmdbenchd.edge.kubernetes.preprocess import CONFIG_MAP, install
from tests.fakes.api import ScriptedApi, answer, failure

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker knows no keyword
FOLDER = "/api/v1/namespaces/stack/configmaps"
OURS = {"a.sh": "x"}


class Store:
    """One namespace's ConfigMaps, as far as they are asked for."""

    def __init__(self, data: dict[str, str] | None = None) -> None:
        self.data = data
        self.made_by_another: dict[str, str] | None = None

    async def get(self, _: web.Request) -> web.Response:
        if self.data is None:
            return failure(404)
        return answer({"metadata": {"name": CONFIG_MAP}, "data": self.data})

    async def post(self, request: web.Request) -> web.Response:
        if self.made_by_another is not None:
            self.data = self.made_by_another
            return failure(409, "already exists")
        made = await request.json()
        assert made["metadata"]["name"] == CONFIG_MAP
        self.data = made["data"]
        return answer(made, status=201)

    async def patch(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/merge-patch+json"
        self.data = (self.data or {}) | (await request.json())["data"]
        return answer({})


async def became(api: ScriptedApi, store: Store) -> str:
    api.on("GET", f"{FOLDER}/{CONFIG_MAP}", store.get)
    api.on("POST", FOLDER, store.post)
    api.on("PATCH", f"{FOLDER}/{CONFIG_MAP}", store.patch)
    async with await api.session() as session:
        return await install(session, "stack", OURS)


async def test_where_there_is_none_it_is_made(api: ScriptedApi) -> None:
    store = Store()

    assert await became(api, store) == "made"
    assert store.data == OURS
    assert await became(api, store) == "unchanged"


async def test_what_else_is_in_it_stays(api: ScriptedApi) -> None:
    store = Store({"a.sh": "old", "theirs.sh": "y"})

    assert await became(api, store) == "updated"
    assert store.data == {"a.sh": "x", "theirs.sh": "y"}


async def test_one_that_somebody_makes_meanwhile_is_updated(api: ScriptedApi) -> None:
    store = Store()
    store.made_by_another = {"theirs.sh": "y"}

    assert await became(api, store) == "updated"
    assert store.data == {"theirs.sh": "y", "a.sh": "x"}


async def test_without_the_right_it_is_refused(api: ScriptedApi) -> None:
    async def no(_: web.Request) -> web.Response:
        return failure(403, "configmaps is forbidden")

    api.on("GET", f"{FOLDER}/{CONFIG_MAP}", no)
    async with await api.session() as session:
        with pytest.raises(Forbidden):
            await install(session, "stack", OURS)
