"""People ask the daemon by way of small files."""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import aclosing, suppress
from pathlib import Path

import pytest

from llmdbenchd.edge.files.control import Asked, Control, request, requests
from llmdbenchd.edge.files.inbox import prepare_queue
from llmdbenchd.ports import Unavailable


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    prepare_queue(tmp_path)
    return tmp_path


@pytest.fixture
def disk() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_a_request_says_what_is_asked_and_its_file_says_by_whom(queue: Path) -> None:
    path = request(queue, Asked.CANCEL, job="a-b", run="r-1")
    (found,) = Control(queue).pending()
    assert (found.asked, found.job, found.run) == (Asked.CANCEL, "a-b", "r-1")
    assert (found.uid, found.path) == (os.getuid(), path)


def test_a_request_stays_until_it_is_done(queue: Path) -> None:
    request(queue, Asked.PAUSE)
    control = Control(queue)
    (found,) = control.pending()
    assert Control(queue).pending() == (found,)
    control.done(found)
    control.done(found)
    assert control.pending() == ()


def test_a_refused_request_is_kept_beside_the_reason(queue: Path) -> None:
    request(queue, Asked.CANCEL, job="a")
    control = Control(queue)
    (found,) = control.pending()
    control.refused(found, "the job is another user's")
    assert control.pending() == ()
    why = queue / "control" / "refused" / f"{found.path.name}.why"
    assert why.read_text(encoding="utf-8") == "the job is another user's\n"
    assert why.with_suffix("").exists()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"asked": "explode", "job": "a"}', '{"asked": "cancel"}',
     '{"asked": "cancel", "job": "../../etc"}', '{"asked": "pause", "job": "a"}',
     '{"asked": "cancel", "job": "a", "run": "../b"}', '{"asked": "cancel", "job": "a", "uid": 0}'],
)  # fmt: skip
def test_what_is_no_request_is_set_aside_when_it_was_seen_twice(queue: Path, text: str) -> None:
    (queue / "control" / "x.json").write_text(text, encoding="utf-8")
    control = Control(queue)
    assert control.pending() == ()
    assert (queue / "control" / "x.json").exists()  # perhaps it is being written by hand
    assert control.pending() == ()
    assert (queue / "control" / "refused" / "x.json").exists()


def test_a_link_is_set_aside_and_not_followed(queue: Path) -> None:
    request(queue, Asked.PAUSE).rename(queue / "elsewhere.json")
    (queue / "control" / "x.json").symlink_to(queue / "elsewhere.json")
    assert Control(queue).pending() == ()
    assert (queue / "control" / "refused" / "x.json").is_symlink()


def test_a_request_half_written_at_first_is_understood_later(queue: Path) -> None:
    path = queue / "control" / "x.json"
    control = Control(queue)
    path.write_text('{"asked": "can', encoding="utf-8")
    assert control.pending() == ()
    path.write_text('{"asked": "cancel", "job": "a"}', encoding="utf-8")
    assert [one.job for one in control.pending()] == ["a"]


def test_words_that_do_not_fit_are_refused_before_a_file_is_written(queue: Path) -> None:
    with pytest.raises(ValueError, match="needs the id of a job"):
        request(queue, Asked.CANCEL)
    with pytest.raises(ValueError, match="whole queue"):
        request(queue, Asked.RESUME, job="a")
    assert list((queue / "control").iterdir()) == []


def test_a_queue_without_a_control_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="folder is gone"):
        request(tmp_path, Asked.PAUSE)


@pytest.mark.looptime(False)  # noqa: FBT003 -- the marker's own signature
async def test_a_request_is_heard_at_once_and_reading_it_wakes_nobody(
    queue: Path, disk: Executor
) -> None:
    control = Control(queue)
    async with aclosing(requests(control, disk, scan_s=600)) as groups:
        assert await anext(groups) == ()
        request(queue, Asked.PAUSE)
        async with asyncio.timeout(10):
            while not await anext(groups):
                pass
        wakes = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                async for _ in groups:
                    wakes += 1
        assert wakes < 5
