"""What is written is there whole, or the old is; and trouble says whose move is next."""

import errno
import itertools
import os
from contextlib import suppress
from pathlib import Path

import pytest

from llmdbenchd.edge.files import kernel
from llmdbenchd.edge.files.durable import (
    AlreadyThere,
    File,
    forget_unfinished,
    publish,
    publish_folders,
    publish_many,
    publish_new,
)
from llmdbenchd.ports import Refused, Unavailable
from tests.edge.files.faults import Killed, fault

OLD, NEW = b"old" * 1000, b"new" * 1000


def test_a_published_file_has_its_content_and_its_mode_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        publish(tmp_path / "a", NEW, mode=0o644)
    finally:
        os.umask(before)
    assert (tmp_path / "a").read_bytes() == NEW
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_reader_sees_the_old_or_the_new_file_wherever_the_writer_is_killed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a"
    seen = set()
    for at in itertools.count(1):
        path.write_bytes(OLD)
        with fault(at) as faulty, suppress(Killed):
            publish(path, NEW)
        seen.add(path.read_bytes())
        forget_unfinished(tmp_path)
        assert list(tmp_path.iterdir()) == [path]
        if not faulty.struck:
            break
    assert seen == {OLD, NEW}


def test_nothing_is_left_behind_when_the_disk_is_full(tmp_path: Path) -> None:
    files = [File(tmp_path / name, NEW) for name in ("a", "b")]
    for at in range(2, 8):
        with fault(at, error=errno.ENOSPC), pytest.raises(Unavailable, match="free space"):
            publish_many(files)
        assert list(tmp_path.glob(".*.part")) == []


def test_a_new_file_never_replaces_another(tmp_path: Path) -> None:
    publish_new(tmp_path / "a", OLD)
    with pytest.raises(AlreadyThere):
        publish_new(tmp_path / "a", NEW)
    assert (tmp_path / "a").read_bytes() == OLD
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("count", [3, 100])
def test_a_group_is_written_as_if_each_was_written_alone(tmp_path: Path, count: int) -> None:
    for folder in "ab":
        (tmp_path / folder).mkdir()
    files = [File(tmp_path / "ab"[n % 2] / str(n), str(n).encode()) for n in range(count)]
    publish_many(files)
    assert all(file.path.read_bytes() == file.data for file in files)
    assert sum(1 for path in tmp_path.rglob("*") if path.is_file()) == count


@pytest.mark.parametrize("reason", ["old kernel", "no such call"])
def test_a_group_is_synced_one_by_one_where_the_kernel_cannot_promise_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    if reason == "old kernel":
        monkeypatch.setattr(kernel, "_kernel", lambda: (5, 7))
    else:
        monkeypatch.setattr(kernel, "_call", lambda *_: errno.ENOSYS)
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    publish_many([File(tmp_path / str(n), b"") for n in range(100)])
    assert len(synced) == 101


def test_folders_are_there_whole_or_not_at_all(tmp_path: Path) -> None:
    folders = {name: {"x": NEW, "in/y": NEW} for name in ("a", "b")}
    for at in itertools.count(1):
        parent = tmp_path / str(at)
        parent.mkdir()
        with fault(at) as faulty, suppress(Killed):
            publish_folders(parent, folders)
        for path in parent.glob("[ab]"):
            assert (path / "x").read_bytes() == (path / "in" / "y").read_bytes() == NEW
        publish_folders(parent, {n: f for n, f in folders.items() if not (parent / n).exists()})
        assert {path.name for path in parent.iterdir()} == {"a", "b"}
        if not faulty.struck:
            break


def test_a_folder_never_replaces_another(tmp_path: Path) -> None:
    publish_folders(tmp_path, {"a": {"x": OLD}})
    with pytest.raises(AlreadyThere):
        publish_folders(tmp_path, {"a": {"x": NEW}})
    assert (tmp_path / "a" / "x").read_bytes() == OLD
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize(
    ("number", "kind", "advice"),
    [
        (errno.ENOSPC, Unavailable, "free space"),
        (errno.EDQUOT, Unavailable, "quota"),
        (errno.EROFS, Unavailable, "remount"),
        (errno.EIO, Unavailable, "dmesg"),
        (errno.EACCES, Refused, "owner, group and mode"),
        (errno.ENAMETOOLONG, Refused, "shorter"),
        (errno.EBUSY, Unavailable, "tried again"),
    ],
)
def test_trouble_names_the_path_and_what_to_do(
    tmp_path: Path, number: int, kind: type[Exception], advice: str
) -> None:
    with fault(2, error=number), pytest.raises(kind, match=advice) as caught:
        publish(tmp_path / "a", NEW)
    assert str(tmp_path / "a") in str(caught.value)
    assert isinstance(caught.value.__cause__, OSError)


def test_where_a_filesystem_cannot_rename_without_replacing_nothing_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "_call", lambda *_: errno.EINVAL)
    (tmp_path / "a").write_bytes(OLD)
    publish_new(tmp_path / "b", NEW)
    with pytest.raises(AlreadyThere):
        publish_new(tmp_path / "a", NEW)
    publish_folders(tmp_path, {"c": {"x": OLD}})
    with pytest.raises(AlreadyThere):
        publish_folders(tmp_path, {"c": {"x": NEW}})
    assert (tmp_path / "a").read_bytes() == OLD
    assert (tmp_path / "c" / "x").read_bytes() == OLD
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]
