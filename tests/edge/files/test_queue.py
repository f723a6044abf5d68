"""The queue folder as the daemon sees it, when the disk fails in the middle of a group."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from llmdbenchd.edge.files.claims import Claims
from llmdbenchd.edge.files.inbox import prepare_queue
from llmdbenchd.edge.files.queue import FileQueue, claim_name
from llmdbenchd.ports import Dropped, NewJob, Unavailable
from tests.core.run.cases import NOW, record

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker takes no keyword


class OneBadRejection(Claims):
    """The disk fails once, at the second rejection."""

    rejections = 0

    def reject(self, taken: object, why: str) -> Path:
        self.rejections += 1
        if self.rejections == 2:
            raise Unavailable("the disk is full")
        return super().reject(taken, why)  # type: ignore[arg-type]  # what Claims handed out


def queue_of(tmp_path: Path) -> FileQueue:
    queue, state = tmp_path / "queue", tmp_path / "state"
    prepare_queue(queue)
    claims = OneBadRejection(queue, state, lambda name: claim_name(name, NOW.utc))
    return FileQueue(
        queue, claims, ThreadPoolExecutor(1),
        scan_s=0.1, polling=True, rejected=lambda *_: None,
    )  # fmt: skip


async def dropped(queue: FileQueue, folder: Path, *names: str) -> Sequence[Dropped]:
    for name in names:
        made = folder / f".{name}"
        made.write_bytes(b"id: known\n" + name.encode())
        made.rename(folder / "queue" / name)
    found: list[Dropped] = []
    async for group in queue.arrivals():
        found += group
        if len(found) == len(names):
            break
    return found


def job(one: Dropped, name: str) -> NewJob:
    return NewJob(one.claim, name, b"{}", (record(job=name),))


async def test_duplicates_are_told_although_the_disk_failed_between_them(tmp_path: Path) -> None:
    queue = queue_of(tmp_path)
    first, second, third = await dropped(queue, tmp_path, "a.yaml", "b.yaml", "c.yaml")
    assert await queue.commit([job(first, "known")]) == {}
    group = [job(second, "known"), job(third, "known")]

    with pytest.raises(Unavailable):
        await queue.commit(group)
    told = await queue.commit(group)

    assert sorted(told) == sorted([second.claim, third.claim])
    assert all("already known" in why for why in told.values())


async def test_our_own_commit_is_not_taken_for_another_ones_after_a_failure(
    tmp_path: Path,
) -> None:
    queue = queue_of(tmp_path)
    first, *more = await dropped(queue, tmp_path, "a.yaml", "b.yaml", "c.yaml", "d.yaml")
    assert await queue.commit([job(first, "known")]) == {}
    group = [job(more[0], "fresh"), job(more[1], "known"), job(more[2], "known")]
    with pytest.raises(Unavailable):
        await queue.commit(group)

    told = await queue.commit(group)

    assert more[0].claim not in told  # its records are to be opened


async def test_another_folder_is_not_served_although_ours_was_seen_to_be_gone_first(
    tmp_path: Path,
) -> None:
    queue, folder = queue_of(tmp_path), tmp_path / "queue"
    folder.rename(tmp_path / "away")
    with pytest.raises(Unavailable, match="folder is gone"):
        await dropped_nothing(queue)
    prepare_queue(folder)

    with pytest.raises(Unavailable, match="not locked: restart the daemon"):
        await dropped_nothing(queue)


async def test_our_folder_is_served_again_when_it_comes_back(tmp_path: Path) -> None:
    queue, folder = queue_of(tmp_path), tmp_path / "queue"
    folder.rename(tmp_path / "away")
    with pytest.raises(Unavailable, match="folder is gone"):
        await dropped_nothing(queue)
    (tmp_path / "away").rename(folder)

    assert len(await dropped(queue, tmp_path, "a.yaml")) == 1


async def dropped_nothing(queue: FileQueue) -> None:
    async for _ in queue.arrivals():
        pass
