"""A followed log is whole, each line once, whatever is between it and us."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from llmdbenchd.edge.kubernetes import logtrouble
from llmdbenchd.edge.kubernetes.logs import LogEnd
from llmdbenchd.kit.stamps import gaps, mark, opening
from llmdbenchd.ports import Unavailable
from tests.edge.kubernetes.log_scene import REAL_TIME, Scene, lines, lose_no_time, opened
from tests.edge.kubernetes.log_server import Answers, status
from tests.kit.kubelet import SECOND, START, Written, told

pytestmark = REAL_TIME

WAITING = 'container "harness" in pod "launcher" is waiting to start: ContainerCreating'
GONE = 'pods "launcher" not found'
AWAY = 'Get "https://10.0.0.1:10250/containerLogs/": dial tcp: connection refused'


@pytest.fixture
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    lose_no_time(monkeypatch)
    async with opened(tmp_path) as made:
        yield made


async def test_the_copy_is_the_log_with_its_stamps(scene: Scene) -> None:
    written = [*lines(0, 50), Written(START + 2 * SECOND, b"no end of line", whole=False)]
    await scene.server.write(*written, over=True)

    end = await scene.followed()

    assert scene.into.read_bytes() == told(written)
    assert end == LogEnd(len(told(written)), (), "")


async def test_it_is_copied_while_it_is_written(scene: Scene) -> None:
    async with asyncio.TaskGroup() as group:
        following = group.create_task(scene.followed())
        for number in range(20):
            await scene.server.write(*lines(number, 1))
            while not scene.into.exists() or scene.into.read_bytes() != told(scene.server.log):  # noqa: ASYNC110 -- a file tells nobody that it grows
                await asyncio.sleep(0.001)
        await scene.server.write(over=True)

    assert following.result().size == len(told(lines(0, 20)))
    assert len(scene.session.asked) == 2


async def test_it_is_asked_for_as_the_api_wants_it(scene: Scene) -> None:
    await scene.server.write(*lines(0, 200))
    scene.server.troubles = [Answers(cut=20_000)]
    async with asyncio.TaskGroup() as group:
        group.create_task(scene.followed())
        await scene.server.was_asked(2)
        await scene.server.write(over=True)

    first, second, *_, last = scene.server.asked
    assert first == {"container": "harness", "timestamps": "true", "follow": "true"}
    assert second.keys() - first.keys() == {"sinceTime"}
    assert second["sinceTime"].endswith("Z")
    assert "." not in second["sinceTime"]
    assert last.keys() == {"container", "timestamps", "sinceTime"}
    assert {asked["pool"] for asked in scene.session.asked} == {"logs"}


@pytest.mark.parametrize("seed", range(5))
async def test_it_is_whole_however_often_it_is_cut_off(scene: Scene, seed: int) -> None:
    random = Random(seed)  # noqa: S311 -- chance, not a secret
    log = lines(0, 400)
    log.insert(200, Written(log[200].at, b"y" * 300_000))
    scene.server.troubles = [
        Answers(cut=random.randint(1, 60_000), cleanly=random.random() < 0.3) for _ in range(40)
    ]
    async with asyncio.TaskGroup() as group:
        following = group.create_task(scene.followed())
        for begin in range(0, len(log), 20):
            await scene.server.write(*log[begin : begin + 20])
            await asyncio.sleep(0.003)
        await scene.server.write(over=True)

    assert scene.into.read_bytes() == told(log)
    assert following.result().gaps == ()


@pytest.mark.parametrize("hours", [(-1, -1), (1, 1), (0, 1), (-1, 0)])
async def test_a_clock_of_the_cluster_that_is_an_hour_off_or_put_forward_costs_no_line(
    scene: Scene, hours: tuple[int, int], dice: Random
) -> None:
    """Nothing is asked for by our own clock; what was stamped before a jump is known after it."""
    jumps = [3600 * hours[0]] * 225 + [3600 * hours[1]] * 225
    log = [
        Written(one.at + jump * SECOND, one.text)
        for one, jump in zip(lines(0, 450), jumps, strict=True)
    ]
    scene.server.troubles = [Answers(cut=dice.randint(1, 9_000)) for _ in range(60)]
    async with asyncio.TaskGroup() as group:
        following = group.create_task(scene.followed())
        for begin in range(0, len(log), 15):
            await scene.server.write(*log[begin : begin + 15])
            await asyncio.sleep(0.003)
        await scene.server.write(over=True)

    assert scene.into.read_bytes() == told(log)
    assert following.result().gaps == ()


PASSES = [
    Answers(text=b"unable to retrieve container logs for containerd://0123"),
    Answers(text=b"two lines\nof trouble\n"),
    status(404, 'pod "launcher" does not exist'),
    status(403, "no right for a moment"),
    status(500, AWAY),
    Answers(status=429, headers="Retry-After: 0\r\n"),
    Answers(status=502, text=b"<html>bad gateway</html>"),
    Answers(cut=1),
]
NOT_BEGUN = [status(400, WAITING), Answers(status=204), Answers(cut=0, cleanly=True)]


@pytest.mark.parametrize("trouble", NOT_BEGUN + PASSES)
async def test_a_log_that_cannot_be_read_yet_is_waited_for(scene: Scene, trouble: Answers) -> None:
    scene.server.troubles = [trouble] * 4
    await scene.server.write(*lines(0, 10))
    async with asyncio.TaskGroup() as group:
        following = group.create_task(scene.followed())
        await scene.server.was_asked(5)
        await scene.server.write(*lines(10, 10), over=True)

    assert scene.into.read_bytes() == told(lines(0, 20))
    assert following.result().unread == ""


async def test_a_log_that_is_not_begun_is_asked_for_when_somebody_sees_it_begin(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three of a run's sixteen requests were answered `waiting to start`."""
    monkeypatch.setattr(logtrouble, "UNBEGUN_S", 60)
    scene.server.troubles = [status(400, WAITING)]
    copy = scene.copy()
    async with asyncio.TaskGroup() as group:
        following = group.create_task(copy.run())
        await scene.server.was_asked(1)
        await asyncio.sleep(0.1)  # many pauses
        asked = len(scene.server.asked)
        await scene.server.write(*lines(0, 5), over=True)
        copy.ring()

    assert asked == 1
    assert following.result().size == len(told(lines(0, 5)))


@pytest.mark.parametrize("trouble", PASSES)
async def test_the_last_read_is_tried_again(scene: Scene, trouble: Answers) -> None:
    scene.server.troubles = [trouble] * 4
    await scene.server.write(*lines(0, 20), over=True)

    end = await scene.followed()

    assert scene.into.read_bytes() == told(lines(0, 20))
    assert end.unread == ""


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        (status(404, GONE), GONE),
        (status(400, WAITING), WAITING),
        (status(404, 'pod "launcher" does not exist'), "does not exist"),
        (Answers(text=b"unable to retrieve container logs"), "unable to retrieve"),
        (status(500, AWAY), "connection refused"),
        (status(403, "rights were withdrawn"), "rights were withdrawn"),
    ],
)
async def test_what_cannot_be_read_any_more_is_said_and_what_is_here_stays(
    scene: Scene, trouble: Answers, says: str
) -> None:
    scene.into.parent.mkdir()
    scene.into.write_bytes(told(lines(0, 5)))
    scene.server.troubles = [trouble] * 1000
    await scene.server.write(over=True)

    end = await scene.followed()

    assert says in end.unread
    copy = scene.into.read_bytes()
    assert copy.startswith(told(lines(0, 5)))
    assert end.size == len(copy)
    [gap] = gaps(copy[len(told(lines(0, 5))) :])
    assert gap.before is None
    assert says in gap.why, "the copy itself says so, and so will run.json"
    assert end.gaps == (gap,)


@pytest.mark.parametrize(("trouble", "marks"), [(status(400, WAITING), 0), (status(404, GONE), 1)])
async def test_a_container_that_never_began_lacks_nothing_and_a_pod_that_is_gone_may(
    scene: Scene, trouble: Answers, marks: int
) -> None:
    scene.server.troubles = [trouble] * 1000
    await scene.server.write(over=True)

    assert len((await scene.followed()).gaps) == marks


async def test_not_knowing_whether_it_is_over_is_not_its_end(scene: Scene) -> None:
    answers = [Unavailable("the API server does not answer")] * 3

    async def is_over() -> bool:
        if answers:
            raise answers.pop()
        return scene.server.over

    await scene.server.write(*lines(0, 5), over=True)
    copy = scene.copy()
    copy.is_over = is_over

    assert (await copy.run()).size == len(told(lines(0, 5)))


async def test_a_copy_that_nobody_wants_to_go_on_ends_though_the_container_never_rests(
    scene: Scene,
) -> None:
    def writes_on() -> bool:
        scene.server.log += lines(len(scene.server.log), 1)
        return True

    copy = scene.copy()
    copy.is_enough = writes_on
    async with asyncio.timeout(10):
        end = await copy.run()

    assert scene.into.read_bytes() == told(scene.server.log)
    assert (end.gaps, end.unread, len(scene.server.asked)) == ((), "", 1)


async def test_a_copy_that_nobody_wants_to_go_on_says_soon_what_is_in_its_way(scene: Scene) -> None:
    scene.server.troubles = [status(403, "pods/log is forbidden")] * 10_000
    copy = scene.copy()
    copy.is_enough = lambda: True
    copy.begin = START // SECOND
    async with asyncio.timeout(30):
        end = await copy.run()

    assert "forbidden" in end.unread
    [gap] = end.gaps
    assert scene.into.read_bytes() == opening(START // SECOND) + mark(gap)
