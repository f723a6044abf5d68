"""The logs of servers that others load: from the run's beginning to its end, and no verdict."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from llmdbenchd.core.results.document import ServerLog
from llmdbenchd.core.target.asked import Asked
from llmdbenchd.edge.kubernetes import logs as copies
from llmdbenchd.edge.kubernetes import logtrouble
from llmdbenchd.edge.kubernetes.connecting import Connection
from llmdbenchd.edge.recording import following
from llmdbenchd.edge.recording import logs as pens
from llmdbenchd.edge.recording.folder import Folder, ServerFolder
from llmdbenchd.edge.recording.following import Follower
from llmdbenchd.edge.recording.keeping import served
from llmdbenchd.kit.stamps import opening
from llmdbenchd.ports import Refused, Unavailable
from tests.core.nop.recorded import running
from tests.edge.recording.stack import NOON, SPACE, Stack, lines
from tests.fakes.api import ScriptedApi, failure
from tests.kit.kubelet import told

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker knows no keyword

SINCE = datetime(2026, 3, 1, 12, 0, 10, tzinfo=UTC)  # a margin after noon
BY_NAME = Asked(method="vllm", namespace="llm", model="m")
TOP = opening(NOON)
HOME = "logs/servers/vllm-0"


@dataclass
class Scene:
    """A run beside a stack."""

    stack: Stack
    follower: Follower
    into: Path
    is_over: bool = False

    async def follow(self, asked: Asked = BY_NAME) -> str:
        async with asyncio.timeout(30):
            return await self.follower.follow(
                asked, self.into, since=SINCE, is_over=lambda: self.is_over
            )

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """A run that is over when this ends; nothing is lacking."""
        async with asyncio.TaskGroup() as group:
            lacking = group.create_task(self.follow())
            yield
            self.is_over = True
        assert lacking.result() == ""

    @asynccontextmanager
    async def killed(self) -> AsyncIterator[None]:
        """A daemon that is killed when this ends."""
        task = asyncio.create_task(self.follow())
        yield
        task.cancel()
        await asyncio.wait([task])

    async def until(self, path: str, text: bytes) -> None:
        """Wait until a file of the archive would hold these bytes, and nothing else."""
        async with asyncio.timeout(20):
            while self.files().get(path) != text:  # noqa: ASYNC110 - a file tells nobody that it grows
                await asyncio.sleep(0.01)

    def files(self) -> dict[str, bytes]:
        return {name: path.read_bytes() for name, path in served(self.into).files.items()}

    def logs(self) -> tuple[ServerLog, ...]:
        return served(self.into).logs


@pytest.fixture
def scene(api: ScriptedApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    for module, name, seconds in (
        (copies, "BREATH_S", 0.002),
        (copies, "FIRST_PAUSE_S", 0.001),
        (copies, "LONGEST_PAUSE_S", 0.01),
        (logtrouble, "SOON_S", 0.05),
        (following, "LOOK_S", 0.05),
        (following, "TICK_S", 0.01),
        (pens, "AGAIN_S", 0.05),
    ):
        monkeypatch.setattr(module, name, seconds)
    connection = Connection(lambda: api.session(namespace="llm"))
    return Scene(Stack(api), Follower(connection, lambda: SINCE), tmp_path / "live" / "servers")


async def test_a_server_that_ran_for_days_is_recorded_from_the_runs_beginning(
    scene: Scene,
) -> None:
    before, during = lines(0, 40, second=-60), lines(40, 40, second=2)
    scene.stack.put()
    scene.stack.logs["vllm-0", "vllm", 0] = [*before, *during[:10]]
    async with scene.run():
        await scene.until(f"{HOME}/vllm.log", TOP + told(during[:10]))
        scene.stack.logs["vllm-0", "vllm", 0] += during[10:]
        await scene.until(f"{HOME}/vllm.log", TOP + told(during))

    assert scene.stack.asked[0]["sinceTime"] == "2026-03-01T12:00:00Z"
    begins, size = "2026-03-01T12:00:00.000000000Z", len(TOP + told(during))
    assert scene.logs() == (ServerLog("vllm-0", "vllm", 0, f"{HOME}/vllm.log", size, begins),)
    assert b"pod vllm-0 is recorded" in scene.files()["logs/servers.log"]
    assert not any(b"secret" in path.read_bytes() for path in scene.into.rglob("*.json"))


async def test_what_was_written_until_the_end_is_read_before_it_ends(scene: Scene) -> None:
    scene.is_over = True  # the daemon was away while the run ended
    scene.stack.put()
    scene.stack.logs["vllm-0", "vllm", 0] = lines(0, 40)

    assert await scene.follow() == ""
    assert scene.files()[f"{HOME}/vllm.log"] == TOP + told(lines(0, 40))
    assert ["follow" in one for one in scene.stack.asked] == [False]


async def test_it_goes_on_after_a_kill_where_it_was(scene: Scene) -> None:
    scene.stack.put()
    scene.stack.logs["vllm-0", "vllm", 0] = [*lines(90, 3, second=-9), *lines(0, 5)]
    async with scene.killed():
        await scene.until(f"{HOME}/vllm.log", TOP + told(lines(0, 5)))
    with next(scene.into.rglob("0.log")).open("ab") as file:
        file.write(b"2026-03-01T12:00:0")  # within a line
    scene.stack.logs["vllm-0", "vllm", 0] += lines(5, 30, second=2.5)
    scene.is_over = True

    assert await scene.follow() == ""
    assert scene.files()[f"{HOME}/vllm.log"] == TOP + told(lines(0, 35))
    assert scene.logs()[0].gaps == ()


async def test_what_was_rotated_away_unread_is_marked(scene: Scene) -> None:
    scene.stack.put()
    scene.stack.logs["vllm-0", "vllm", 0] = lines(0, 5)
    async with scene.killed():
        await scene.until(f"{HOME}/vllm.log", TOP + told(lines(0, 5)))
    scene.stack.logs["vllm-0", "vllm", 0] = lines(500, 5, second=300)
    scene.is_over = True

    assert await scene.follow() == ""
    [gap] = scene.logs()[0].gaps
    assert gap.after.startswith("2026-03-01T12:00:02")
    assert (gap.before or "").startswith("2026-03-01T12:05:00")


async def test_a_restart_in_the_middle_has_two_logs_and_the_second_is_whole(scene: Scene) -> None:
    first, second = lines(0, 5), lines(100, 5, second=20)
    scene.stack.put()
    scene.stack.logs["vllm-0", "vllm", 0] = [*lines(90, 3, second=-9), *first]
    scene.stack.logs["vllm-0", "vllm", 1] = second
    async with scene.run():
        await scene.until(f"{HOME}/vllm.log", TOP + told(first))
        scene.stack.restarts(20)
        await scene.until(f"{HOME}/vllm.log", told(second))
        await scene.until(f"{HOME}/vllm.0.log", TOP + told(first))

    assert [(one.restart, bool(one.begins), one.gaps) for one in scene.logs()] == [
        (0, True, ()),
        (1, False, ()),
    ]


async def test_a_life_that_was_over_before_the_run_is_none_of_its_business(scene: Scene) -> None:
    scene.stack.restarts(0, ended_at="2026-02-25T00:00:00Z")
    scene.stack.logs["vllm-0", "vllm", 0] = lines(0, 5, second=-9000)
    scene.stack.logs["vllm-0", "vllm", 1] = lines(5, 5)
    scene.is_over = True

    assert await scene.follow() == ""
    assert [one.restart for one in scene.logs()] == [1]


async def test_every_container_and_every_pod_has_a_log_also_one_that_comes_later(
    scene: Scene,
) -> None:
    later = lines(100, 5, second=20)
    scene.stack.put("vllm-0", "vllm", "proxy")
    scene.stack.logs["vllm-0", "vllm", 0] = lines(0, 5)
    scene.stack.logs["vllm-0", "proxy", 0] = lines(50, 5)
    scene.stack.logs["vllm-1", "vllm", 0] = later
    async with scene.run():
        await scene.until(f"{HOME}/proxy.log", TOP + told(lines(50, 5)))
        await scene.until(f"{HOME}/vllm.log", TOP + told(lines(0, 5)))
        scene.stack.put("vllm-1", state=running(20), made="2026-03-01T12:00:19Z")
        await scene.until("logs/servers/vllm-1/vllm.log", told(later))


async def test_a_pod_that_is_made_anew_under_its_name_has_files_of_its_own(scene: Scene) -> None:
    scene.stack.put()
    scene.stack.logs["vllm-0", "vllm", 0] = lines(0, 5)
    again = lines(100, 5, second=20)
    async with asyncio.TaskGroup() as group:
        group.create_task(scene.follow())
        await scene.until(f"{HOME}/vllm.log", TOP + told(lines(0, 5)))
        scene.stack.logs["vllm-0", "vllm", 0] = again
        scene.stack.put(uid="another", state=running(20), made="2026-03-01T12:00:19Z")
        await scene.until(f"{HOME}/vllm.log", told(again))
        scene.is_over = True

    assert scene.files()[f"{HOME}_1/vllm.log"].startswith(TOP + told(lines(0, 5)))


async def test_a_url_that_leads_to_no_pod_of_the_cluster_is_refused_by_name(scene: Scene) -> None:
    abroad = Asked(endpoint="https://api.example.com/v1", namespace="llm", near="llm", model="m")

    with pytest.raises(Refused, match=r"no pods of this cluster are known behind it"):
        await scene.follow(abroad)
    assert scene.files() == {}


async def test_a_url_that_names_a_service_has_the_pods_behind_it(scene: Scene) -> None:
    scene.stack.put()
    scene.stack.logs["vllm-0", "vllm", 0] = lines(0, 5)
    scene.is_over = True
    named = Asked(endpoint="http://vllm.llm:80", namespace="llm", near="bench", model="m")

    assert await scene.follow(named) == ""
    assert scene.files()[f"{HOME}/vllm.log"] == TOP + told(lines(0, 5))


async def test_logs_that_may_not_be_read_are_told_of_and_hold_nobody_up(scene: Scene) -> None:
    scene.stack.put()
    scene.stack.forbids.add("log")
    scene.is_over = True

    assert "pods/log is forbidden" in await scene.follow()
    [gap] = scene.logs()[0].gaps
    assert "forbidden" in gap.why


async def test_pods_that_may_not_be_listed_are_looked_at_again_until_the_end(scene: Scene) -> None:
    scene.stack.put()
    scene.stack.forbids.add("pods")
    task = asyncio.create_task(scene.follow())
    await asyncio.sleep(0.2)
    scene.is_over = True

    assert "the pods cannot be looked at" in await task
    assert scene.logs() == ()


async def test_who_the_servers_are_may_be_known_too_late(scene: Scene) -> None:
    async def no(_: web.Request) -> web.StreamResponse:
        return failure(403, "services is forbidden")

    scene.stack.api.on("GET", f"{SPACE}/services", no)
    task = asyncio.create_task(scene.follow())
    await asyncio.sleep(0.2)
    scene.is_over = True

    assert (await task).startswith("the servers were not known before the run was over: ")


async def test_a_full_disk_is_trouble_that_passes(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.stack.put()
    scene.stack.logs["vllm-0", "vllm", 0] = lines(0, 5)
    scene.is_over = True

    def full(*_: object) -> None:
        raise Unavailable("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(ServerFolder, "keep", full)
        patched.setattr(Folder, "say", full)
        with pytest.raises(Unavailable, match="the disk is full"):
            await scene.follow()

    assert await scene.follow() == ""
    assert scene.files()[f"{HOME}/vllm.log"] == TOP + told(lines(0, 5))
