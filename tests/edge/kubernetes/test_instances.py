"""The launcher's REST API through the API server's proxy, against the stand-in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from llmdbenchd.core.nop.instances import Wanted
from llmdbenchd.edge.kubernetes.errors import NotFound
from llmdbenchd.edge.kubernetes.instances import Instances
from llmdbenchd.ports import Refused, Unavailable
from tests.fakes.api import ScriptedApi
from tests.fakes.launcher import NAMESPACE, POD, PORT, launcher_in_a_pod

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker knows no keyword
WANTED = Wanted("--port 0 --model m", frozenset())
_FOLDER = f"/api/v1/namespaces/{NAMESPACE}/pods/{POD}:{PORT}/proxy/v2/vllm/instances"


@asynccontextmanager
async def launcher(api: ScriptedApi) -> AsyncIterator[Instances]:
    """The client of the stand-in."""
    async with launcher_in_a_pod(api), await api.session() as session:
        yield Instances(session, NAMESPACE, POD, PORT)


async def whole(client: Instances, instance: str, begin: int = 0) -> bytes:
    return b"".join([one async for one in client.log(instance, begin)])


async def test_an_instance_is_made_and_ended_again(api: ScriptedApi) -> None:
    async with launcher(api) as client:
        assert await client.is_healthy()
        instance = await client.create(WANTED)
        assert [one.instance_id for one in (await client.listed()).instances] == [instance]

        await client.delete(instance)
        await client.delete(instance)
        assert (await client.listed()).instances == ()


async def test_who_was_killed_after_he_asked_makes_no_second_one_and_can_end_it(
    api: ScriptedApi,
) -> None:
    async with launcher(api) as client:
        first = await client.create(WANTED)

        assert await client.create(WANTED) == first
        assert await client.delete_ours(WANTED) == (first,)
        assert await client.delete_ours(WANTED) == ()


@pytest.mark.parametrize("status", ["started", "running", "stopped"])
async def test_launchers_of_today_say_another_word_for_what_they_started(
    api: ScriptedApi, status: str
) -> None:
    api.give("GET", _FOLDER, {"instances": []})
    api.give("POST", _FOLDER, {"instance_id": "a", "status": status, "revision": 1})

    async with await api.session() as session:
        assert await Instances(session, NAMESPACE, POD, PORT).create(WANTED) == "a"


@pytest.mark.parametrize("status", ["terminated", "stopped", "not_running"])
async def test_and_for_what_they_ended(api: ScriptedApi, status: str) -> None:
    api.give("DELETE", f"{_FOLDER}/a", {"instance_id": "a", "status": status})

    async with await api.session() as session:
        await Instances(session, NAMESPACE, POD, PORT).delete("a")


async def test_an_instance_that_runs_on_is_not_ended(api: ScriptedApi) -> None:
    api.give("DELETE", f"{_FOLDER}/a", {"instance_id": "a", "status": "running"})
    api.give("DELETE", f"{_FOLDER}/b", b"<html>")

    async with await api.session() as session:
        client = Instances(session, NAMESPACE, POD, PORT)
        with pytest.raises(Unavailable, match="it says 'running' of a"):
            await client.delete("a")
        with pytest.raises(Unavailable, match="not the launcher's answer"):
            await client.delete("b")


async def test_a_pod_that_is_not_there_is_no_instance_that_is_gone(api: ScriptedApi) -> None:
    async with await api.session() as session:
        with pytest.raises(NotFound):
            await Instances(session, NAMESPACE, POD, PORT).delete("a")


async def test_one_that_may_be_somebody_elses_is_left_alone(api: ScriptedApi) -> None:
    both = [{"instance_id": "a", "status": "running"}, {"instance_id": "b", "status": "running"}]
    api.give("GET", _FOLDER, {"instances": both})

    async with await api.session() as session:
        with pytest.raises(Refused, match="which of the launcher's instances a, b is ours"):
            await Instances(session, NAMESPACE, POD, PORT).delete_ours(WANTED)


async def test_its_log_is_read_from_any_byte_on(api: ScriptedApi) -> None:
    async with launcher(api) as client:
        instance = await client.create(WANTED)
        log = b""
        while b"Application startup complete." not in log:
            log += await whole(client, instance, len(log))

        assert log.startswith(b"(APIServer pid=1) INFO ")
        assert await whole(client, instance, 10) == log[10:]
        assert await whole(client, instance, len(log)) == b""
        with pytest.raises(NotFound):
            await whole(client, "nobody")
