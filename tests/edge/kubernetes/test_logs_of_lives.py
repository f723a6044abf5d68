"""A container that is started again has another log; each life's is whole, and its own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llmdbenchd.edge.kubernetes.logfile import Successor
from llmdbenchd.kit.stamps import gaps
from tests.edge.kubernetes.log_scene import REAL_TIME, Scene, lines, lose_no_time, opened
from tests.edge.kubernetes.log_server import Answers
from tests.kit.kubelet import SECOND, START, told

pytestmark = REAL_TIME

AGAIN = START + 10 * SECOND  # when the second life begins
SINCE = AGAIN // SECOND


@pytest.fixture
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    lose_no_time(monkeypatch)
    async with opened(tmp_path) as made:
        yield made


async def follow(scene: Scene, *, is_next: bool = True) -> None:
    copy = scene.copy()
    copy.successor = lambda: Successor(SINCE, is_next=is_next) if scene.server.over else None
    async with asyncio.timeout(30):
        await copy.run()


async def test_lines_of_the_next_life_are_taken_back_and_the_own_rest_is_read(
    scene: Scene,
) -> None:
    first = lines(0, 40)
    next_life = lines(500, 30)
    await scene.server.write(*first)
    scene.server.troubles = [Answers(cut=2_000)]
    async with asyncio.TaskGroup() as group:
        group.create_task(follow(scene))
        await scene.server.was_asked(1)
        await scene.server.restart(*next_life, over=False)  # nobody knows that yet
        while b"line 500" not in scene.into.read_bytes():  # noqa: ASYNC110 -- a file tells nobody that it grows
            await asyncio.sleep(0.001)
        await scene.server.write(over=True)

    assert scene.into.read_bytes() == told(first)
    assert "previous" in scene.server.asked[-1]
    assert "follow" not in scene.server.asked[-1]


async def test_what_ended_and_began_in_one_second_is_parted_all_the_same(scene: Scene) -> None:
    first = lines(0, 520)  # the last of them are of the second in which the next life began
    await scene.server.write(*first)
    await scene.server.restart(*lines(520, 30))
    await follow(scene)

    assert scene.into.read_bytes() == told(first)


async def test_a_life_that_two_others_followed_is_marked_as_cut_off(scene: Scene) -> None:
    first = lines(0, 40)
    scene.into.parent.mkdir(parents=True)
    scene.into.write_bytes(told(first))
    await scene.server.restart(*lines(500, 30))
    await follow(scene, is_next=False)

    text = scene.into.read_bytes()
    assert text.startswith(told(first))
    [gap] = gaps(text)
    assert gap.before is None
    assert "started twice" in gap.why
    assert scene.server.asked == []


async def test_what_the_kubelet_calls_previous_may_be_another_life_before_the_status_tells(
    scene: Scene,
) -> None:
    first = lines(0, 40)
    scene.into.parent.mkdir(parents=True)
    scene.into.write_bytes(told(first))
    await scene.server.restart(*lines(500, 30))
    await scene.server.restart()  # the next life has ended, too, and nobody knows that yet
    await follow(scene)

    text = scene.into.read_bytes()
    assert text.startswith(told(first))
    [gap] = gaps(text)
    assert gap.before is None
    assert "another life" in gap.why
    assert b"line 500" not in text
