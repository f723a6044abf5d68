"""What a launcher is asked for is on disk first; whatever happens, nothing of it is left."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from llmdbenchd.core.nop.ending import Server
from llmdbenchd.core.nop.instances import Launch, Wanted
from llmdbenchd.core.nop.order import Order
from llmdbenchd.core.target.asked import Asked
from llmdbenchd.edge.kubernetes.instances import Instances
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.edge.recording import launching as module
from llmdbenchd.edge.recording.engine import RecordingEngine
from llmdbenchd.edge.recording.folder import Folder, Pass
from llmdbenchd.edge.recording.launching import Launching
from llmdbenchd.edge.recording.recording import Recording
from llmdbenchd.simulate.load import Failure, Load
from tests.core.nop.recorded import TEXTS, pod, recorded, running, status
from tests.fakes.api import ScriptedApi, failure
from tests.fakes.launcher import NAMESPACE, POD, PORT, launcher_in_a_pod

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker knows no keyword
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
FOLDER = f"{PODS}/{POD}:{PORT}/proxy/v2/vllm/instances"
LOADS = Load(version="0.19", seconds=0.3)


class Stopped(Exception):
    """Somebody wants the recording to end."""


@dataclass
class Scene:
    """A recording's folder, and a launcher beside its only server."""

    api: ScriptedApi
    session: Session
    folder: Folder
    port: int
    notes: list[str]
    is_stopped: bool = False

    @property
    def server(self) -> Server:
        seen = pod(status(state=running()), ready=True)
        metadata = msgspec.structs.replace(seen.metadata, namespace=NAMESPACE)
        return Server(msgspec.structs.replace(seen, metadata=metadata), recorded(TEXTS))

    @property
    def launching(self) -> Launching:
        """As after a start of the daemon: it knows what is on disk."""
        order = Order(
            asked=Asked(model="a/b"),
            launcher=True,
            launcher_port=PORT,
            launcher_vllm_port=self.port,
        )
        return Launching(self.folder, self.session, order, time.time, self.notes.append, self.tick)

    async def tick(self) -> None:
        if self.is_stopped:
            raise Stopped
        await asyncio.sleep(0.02)

    async def there(self) -> list[str]:
        """What the launcher has."""
        client = Instances(self.session, NAMESPACE, POD, PORT)
        return [one.instance_id for one in (await client.listed()).instances]

    @property
    def launch(self) -> Launch:
        """As it is on disk."""
        [one] = self.folder.passes()[-1].launches
        return one


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "nop-1")
    made.make(Order(asked=Asked(model="a/b"), launcher=True))
    made.keep_passes([Pass(begun=1.0)])
    return made


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    async with ScriptedApi() as started:
        yield started


@asynccontextmanager
async def scene(api: ScriptedApi, folder: Folder, load: Load = LOADS) -> AsyncIterator[Scene]:
    seen = {"metadata": {"name": POD, "uid": f"uid-{POD}", "namespace": NAMESPACE}}
    api.give("GET", PODS, {"metadata": {}, "items": [seen]})
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with launcher_in_a_pod(api, load), await api.session() as session:
        yield Scene(api, session, folder, port, [])


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await is_so():  # noqa: ASYNC110 - a test waits
            await asyncio.sleep(0.02)


async def test_a_server_like_the_other_is_started_recorded_and_ended(
    api: ScriptedApi, folder: Folder
) -> None:
    async with scene(api, folder) as it:
        launch = await it.launching.start(it.server)

        assert (launch.trouble, launch.is_over) == ("", False)
        assert launch.ready_at is not None
        assert launch.wanted.options == f"--port {it.port} --model a/b --enable-sleep-mode"
        assert await it.there() == [launch.instance]
        assert b"Application startup complete." in folder.launched(launch).read_bytes()

        ended = await it.launching.end(launch)
        assert (ended.is_over, await it.there()) == (True, [])
        assert it.launch == ended
        assert await it.launching.start(it.server) == ended
        assert await it.there() == []
        assert await it.launching.end_all() == ""


async def test_after_a_kill_in_the_middle_of_loading_it_is_gone_on_with(
    api: ScriptedApi, folder: Folder
) -> None:
    async with scene(api, folder, Load(version="0.19", seconds=2.0)) as it:
        first = asyncio.create_task(it.launching.start(it.server))

        async def is_half_told() -> bool:
            launches = folder.passes()[-1].launches
            return bool(launches) and any(folder.path.glob("launched/*"))

        await until(is_half_told)
        first.cancel()
        await asyncio.wait([first])
        launch = await it.launching.start(it.server)

        assert await it.there() == [launch.instance]
        text = folder.launched(launch).read_text()
        assert text.count("Application startup complete.") == 1
        assert text.count("Starting to load model") == 1
        await it.launching.end(launch)
        assert await it.there() == []


async def test_who_was_killed_before_he_knew_its_id_ends_it(
    api: ScriptedApi, folder: Folder
) -> None:
    async with scene(api, folder) as it:
        wanted = Wanted(f"--port {it.port}", frozenset())
        uid = f"uid-{POD}"
        kept = Launch(namespace=NAMESPACE, pod=POD, uid=uid, wanted=wanted, begun=1.0)
        folder.keep_launch(kept)
        await Instances(it.session, NAMESPACE, POD, PORT).create(wanted)
        assert len(await it.there()) == 1

        assert await it.launching.end_all() == ""
        assert await it.there() == []
        assert it.launch.is_over


async def test_whoever_stops_it_leaves_nothing_behind(api: ScriptedApi, folder: Folder) -> None:
    async with scene(api, folder, Load(version="0.19", seconds=30.0)) as it:
        task = asyncio.create_task(it.launching.start(it.server))

        async def is_there() -> bool:
            return bool(await it.there())

        await until(is_there)
        it.is_stopped = True
        with pytest.raises(Stopped):
            await task

        assert await it.launching.end_all() == ""
        assert await it.there() == []


async def test_one_that_fails_says_why_and_is_ended_too(api: ScriptedApi, folder: Folder) -> None:
    load = Load(version="0.19", seconds=0.3, fail=Failure.MEMORY)
    async with scene(api, folder, load) as it:
        launch = await it.launching.start(it.server)

        assert f"instance {launch.instance} is stopped; its log says: " in launch.trouble
        assert "out of memory" in launch.trouble
        assert (await it.launching.end(launch)).is_over
        assert await it.there() == []
        assert "out of memory" in it.launch.trouble


async def test_nothing_is_started_beside_somebody_elses_and_that_is_left_alone(
    api: ScriptedApi, folder: Folder
) -> None:
    async with scene(api, folder) as it:
        theirs = Wanted(f"--port {it.port}", frozenset())
        instance = await Instances(it.session, NAMESPACE, POD, PORT).create(theirs)

        launch = await it.launching.start(it.server)

        assert f"not ours: {instance} (running)" in launch.trouble
        assert launch.is_over
        await it.launching.end(launch)
        assert await it.launching.end_all() == ""
        assert await it.there() == [instance]


async def test_a_server_that_does_not_tell_its_arguments_is_not_guessed_at(
    api: ScriptedApi, folder: Folder
) -> None:
    async with scene(api, folder) as it:
        launch = await it.launching.start(Server(it.server.pod, recorded(TEXTS[2:])))

        assert "does not tell its arguments" in launch.trouble
        assert await it.there() == []


async def test_a_launcher_without_logs_of_instances_is_believed_its_health(
    api: ScriptedApi, folder: Folder
) -> None:
    async with scene(api, folder) as it:
        api.give("GET", FOLDER + "/{id}/log", failure(404, "Not Found"))

        launch = await it.launching.start(it.server)

        assert (launch.trouble, launch.ready_at is not None) == ("", True)
        assert not folder.launched(launch).exists()
        await it.launching.end(launch)


async def test_an_end_does_not_wait_for_a_log(api: ScriptedApi, folder: Folder) -> None:
    async with scene(api, folder) as it:
        launch = await it.launching.start(it.server)
        api.give("GET", FOLDER + "/{id}/log", failure(500, "disk"))

        assert (await it.launching.end(launch)).is_over
        assert await it.there() == []


async def test_a_pod_that_was_made_anew_has_nothing_of_ours(
    api: ScriptedApi, folder: Folder
) -> None:
    async with scene(api, folder) as it:
        launch = await it.launching.start(it.server)
        api.give("GET", PODS, {"metadata": {}, "items": [{"metadata": {"name": POD, "uid": "n"}}]})

        assert (await it.launching.end(launch)).is_over
        assert api.asked("DELETE", FOLDER + "/{id}") == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (failure(403, "no"), "rbac-stack-nop.yaml has create and delete pods/proxy"),
        (failure(500, "it hangs"), "it hangs"),
    ],
)
async def test_what_cannot_be_ended_is_named(
    api: ScriptedApi,
    folder: Folder,
    answer: object,
    why: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "END_S", 0.3)
    monkeypatch.setattr(module, "AGAIN_S", 0.05)
    async with scene(api, folder) as it:
        launch = await it.launching.start(it.server)
        api.give("DELETE", FOLDER + "/{id}", answer)

        left = await it.launching.end_all()

        assert f"left in pod {POD}, end it by hand: instance {launch.instance}: " in left
        assert why in left
        assert not it.launch.is_over


async def test_a_launcher_that_is_not_up_yet_is_waited_for(
    api: ScriptedApi, folder: Folder
) -> None:
    async with scene(api, folder) as it:
        health = f"{PODS}/{POD}:{PORT}/proxy/health"
        api.give("GET", health, failure(503, "no"), {"status": "busy"}, {"status": "ok"})

        launch = await it.launching.start(it.server)

        assert launch.trouble == ""
        assert any("no" in note for note in it.notes)
        assert f"the launcher in pod {POD} is not well yet" in it.notes
        await it.launching.end(launch)


async def test_one_that_somebody_else_ended_is_trouble(api: ScriptedApi, folder: Folder) -> None:
    async with scene(api, folder, Load(version="0.19", seconds=30.0)) as it:
        task = asyncio.create_task(it.launching.start(it.server))

        async def has_id() -> bool:
            return any(one.instance for one in folder.passes()[-1].launches)

        await until(has_id)
        await Instances(it.session, NAMESPACE, POD, PORT).delete(it.launch.instance)

        launch = await task
        assert "knows nothing of instance" in launch.trouble
        assert (await it.launching.end(launch)).is_over


async def test_a_fault_of_ours_leaves_nothing_in_a_launcher(
    api: ScriptedApi, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def faulty(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Recording, "_recorded", faulty)
    async with scene(api, folder) as it:
        engine = RecordingEngine(folder.path.parent, it.session, clock=time.time, min_free=0)
        await it.launching.start(it.server)
        assert len(await it.there()) == 1

        assert await engine._is_done(folder)
        assert await it.there() == []
        assert "ZeroDivisionError" in folder.sight().detail  # type: ignore[union-attr] # it has ended
