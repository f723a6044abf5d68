"""Results through an API server's proxy: each file proven, cuts resumed, nothing half believed."""

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llmdbenchd.edge.kubernetes.errors import Forbidden
from llmdbenchd.edge.kubernetes.landing import INCOMING
from llmdbenchd.edge.kubernetes.transfer import SMALL
from llmdbenchd.ports import Copied, Unavailable
from tests.edge.kubernetes.far import FOLDER, Far, far

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 -- the marker takes it so
LARGE = os.urandom(3 * SMALL)


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Far]:
    async with far(tmp_path / "far") as made:
        yield made


def here(into: Path) -> dict[str, bytes]:
    files = (path for path in into.rglob("*") if path.is_file())
    return {str(path.relative_to(into)): path.read_bytes() for path in files}


async def test_small_files_cost_one_request_and_each_large_one_another(
    there: Far, tmp_path: Path
) -> None:
    small = {f"s/{number}": str(number).encode() for number in range(50)}
    there.lie_there({**small, "large 1": LARGE, "large 2": LARGE[:-1]})

    copied = await there.bring(tmp_path / "into")

    found = here(tmp_path / "into")
    assert {path: found[path] for path in small} == small
    assert (found["large 1"], found["large 2"]) == (LARGE, LARGE[:-1])
    assert {"MANIFEST.jsonl", "DONE.json"} < found.keys()
    assert copied.manifest == "launcher"
    assert copied.files == 52
    assert len(there.asked) == 4


async def test_a_large_file_that_was_cut_goes_on_from_where_it_was(
    there: Far, tmp_path: Path
) -> None:
    there.lie_there({"large": LARGE})
    there.cut_after = 2 * SMALL + 1
    with pytest.raises(Unavailable):
        await there.bring(tmp_path / "into")
    assert "large" not in here(tmp_path / "into")
    [part] = (tmp_path / "into" / INCOMING).iterdir()
    assert 0 < part.stat().st_size <= 2 * SMALL + 1

    await there.bring(tmp_path / "into")

    assert here(tmp_path / "into")["large"] == LARGE


async def test_what_is_proven_is_never_fetched_again(there: Far, tmp_path: Path) -> None:
    there.lie_there({"a": b"1", "b": b"2", "large": LARGE})
    await there.bring(tmp_path / "into")
    there.asked.clear()

    await there.bring(tmp_path / "into")

    assert [path.partition("/")[0] for path in there.asked] == ["manifest"]


async def test_wrong_bytes_are_fetched_again_and_never_believed(there: Far, tmp_path: Path) -> None:
    there.lie_there({"large": LARGE})
    there.twisted = True

    await there.bring(tmp_path / "into")

    assert here(tmp_path / "into")["large"] == LARGE


async def test_a_file_that_changed_after_its_manifest_is_told_with_both_hashes(
    there: Far, tmp_path: Path
) -> None:
    there.lie_there({"large": LARGE})
    changed = LARGE[:-1] + bytes([LARGE[-1] ^ 1])
    (there.results / "large").write_bytes(changed)

    with pytest.raises(Unavailable) as caught:
        await there.bring(tmp_path / "into")

    for content in (LARGE, changed):
        assert hashlib.sha256(content).hexdigest() in str(caught.value)


async def test_a_launcher_that_left_no_manifest_gets_a_late_one(there: Far, tmp_path: Path) -> None:
    there.lie_there({"a": b"1", "b": b"2"}, done=False)

    copied = await there.bring(tmp_path / "into")

    assert copied == Copied(2, 2, "late")


async def test_without_room_nothing_is_begun(there: Far, tmp_path: Path) -> None:
    there.lie_there({"large": LARGE})

    with pytest.raises(Unavailable, match="no room"):
        await there.bring(tmp_path / "into", min_free=1 << 60)

    assert len(there.asked) == 1


async def test_a_right_that_is_missing_is_said_as_that(there: Far, tmp_path: Path) -> None:
    there.forbidden = True

    with pytest.raises(Forbidden):
        await there.bring(tmp_path / "into")


async def test_a_manifest_that_is_not_the_one_of_the_done_mark_is_not_believed(
    there: Far, tmp_path: Path
) -> None:
    there.lie_there({"a": b"1"})
    mark = json.dumps({"version": 1, "manifest_sha256": "0" * 64})
    (there.results / "DONE.json").write_text(mark)

    with pytest.raises(Unavailable, match="is not the one"):
        await there.bring(tmp_path / "into")


async def test_what_came_before_a_cut_is_kept_however_little(there: Far, tmp_path: Path) -> None:
    there.lie_there({"large": LARGE})
    there.cut_after = SMALL // 2
    with pytest.raises(Unavailable):
        await there.bring(tmp_path / "into")

    [part] = (tmp_path / "into" / INCOMING).iterdir()
    assert LARGE.startswith(part.read_bytes())
    assert part.stat().st_size > 0


async def test_what_was_cut_and_then_changed_is_brought_anew(there: Far, tmp_path: Path) -> None:
    there.lie_there({"large": LARGE})
    there.cut_after = 2 * SMALL
    with pytest.raises(Unavailable):
        await there.bring(tmp_path / "into")
    there.lie_there({"large": LARGE[::-1]})

    await there.bring(tmp_path / "into")

    assert here(tmp_path / "into")["large"] == LARGE[::-1]
    assert not (tmp_path / "into" / INCOMING).exists()


async def test_a_file_that_is_shorter_than_what_came_before_is_brought_anew(
    there: Far, tmp_path: Path
) -> None:
    there.lie_there({"large": LARGE})
    await there.bring(tmp_path / "into")
    [part] = begun(tmp_path / "into", "large", LARGE)
    part.write_bytes(LARGE + b"and more")  # of a time when it was longer
    (tmp_path / "into" / "large").unlink()

    await there.bring(tmp_path / "into")

    assert here(tmp_path / "into")["large"] == LARGE


@pytest.mark.parametrize(
    "change", [LARGE[:-1], LARGE[:10], LARGE + b"more", b""], ids=["-1", "10", "+4", "empty"]
)
async def test_one_wrong_file_keeps_no_other_from_coming(
    there: Far, tmp_path: Path, change: bytes
) -> None:
    others = {f"large {number}": LARGE + bytes([number]) for number in range(6)}
    there.lie_there({"a wrong one": LARGE, "b gone": LARGE[1:], "small": b"1", **others})
    (there.results / "a wrong one").write_bytes(change)
    (there.results / "b gone").unlink()

    for _ in range(2):
        with pytest.raises(Unavailable) as caught:
            await there.bring(tmp_path / "into")

        assert "a wrong one" in str(caught.value)
        assert "'b gone' is in the manifest and not there" in str(caught.value)
        found = here(tmp_path / "into")
        assert {path: found.get(path) for path in others} == others
    there.lie_there({"a wrong one": LARGE, "b gone": LARGE[1:]})
    assert (await there.bring(tmp_path / "into")).files == 9


async def test_a_name_need_not_be_utf_8(there: Far, tmp_path: Path) -> None:
    strange = os.fsdecode(b"caf\xe9/\xff %2F?#+")
    small = {f"{strange} {number}": b"1" for number in range(3)}
    there.lie_there({**small, strange: LARGE})

    copied = await there.bring(tmp_path / "into")

    assert copied == Copied(4, len(LARGE) + 3, "launcher")
    assert here(tmp_path / "into").items() >= {**small, strange: LARGE}.items()
    assert [one.partition("/")[0] for one in there.asked] == ["manifest", "small", "file"]


async def test_small_files_that_were_cut_go_on_after_the_last_whole_one(
    there: Far, tmp_path: Path
) -> None:
    small = {f"{number:03}": os.urandom(10_000) for number in range(100)}
    there.lie_there(small)
    there.cuts, there.cut_after = "small", 255_000
    with pytest.raises(Unavailable):
        await there.bring(tmp_path / "into")
    came = here(tmp_path / "into").keys() & small
    assert came == {f"{number:03}" for number in range(25)}
    there.asked.clear()

    await there.bring(tmp_path / "into")

    assert here(tmp_path / "into").items() >= small.items()
    assert there.asked == [f"manifest/{FOLDER}", f"small/{FOLDER}/024"]


async def test_a_small_file_that_is_not_the_one_is_asked_for_by_itself(
    there: Far, tmp_path: Path
) -> None:
    there.lie_there({"a": b"1", "b": b"2", "c": b"3"})
    (there.results / "b").write_bytes(b"4")

    with pytest.raises(Unavailable, match="b' differs from the manifest"):
        await there.bring(tmp_path / "into")

    assert here(tmp_path / "into").keys() >= {"a", "c"}


async def test_files_of_an_earlier_manifest_do_not_stay(there: Far, tmp_path: Path) -> None:
    there.lie_there({"old/file": b"1", "both": b"2"})
    await there.bring(tmp_path / "into")
    (there.results / "old" / "file").unlink()
    there.lie_there({"new": b"3"})

    await there.bring(tmp_path / "into")

    found = here(tmp_path / "into").keys()
    assert found == {"new", "both", "MANIFEST.jsonl", "DONE.json"}


async def test_a_cancel_ends_when_nothing_writes_any_more(there: Far, tmp_path: Path) -> None:
    content = os.urandom(16 * SMALL)
    there.lie_there({"large": content})
    there.held.clear()
    async with asyncio.TaskGroup() as group:
        bringing = group.create_task(there.bring(tmp_path / "into"))
        await there.flowing.wait()
        bringing.cancel()
    there.held.set()
    [part] = begun(tmp_path / "into", "large", content)
    came = part.read_bytes()
    assert content.startswith(came)

    await there.bring(tmp_path / "into")

    assert here(tmp_path / "into")["large"] == content


def begun(into: Path, path: str, content: bytes) -> list[Path]:
    """Where the file lies until it is whole."""
    name = hashlib.sha256(path.encode()).hexdigest()[:32]
    folder = into / INCOMING
    folder.mkdir(exist_ok=True)
    return [folder / f"{name}-{hashlib.sha256(content).hexdigest()[:16]}.part"]
