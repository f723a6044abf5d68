"""A manifest names every file as it is, and a done mark comes last and whole."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from llmdbenchd.payload import evidence
from tests.payload.stage import manifest


def test_files_of_every_depth_are_named_sorted_and_hashed(tmp_path: Path) -> None:
    (tmp_path / "b" / "c").mkdir(parents=True)
    (tmp_path / "b" / "c" / "deep").write_bytes(b"1")
    (tmp_path / "b" / "DONE.json").write_bytes(b"not ours")
    (tmp_path / "a").write_bytes(b"")
    (tmp_path / "big").write_bytes(b"x" * 3_000_001)

    digest, unread = evidence.write_manifest(str(tmp_path))

    assert unread == []
    assert digest == hashlib.sha256((tmp_path / "MANIFEST.jsonl").read_bytes()).hexdigest()
    assert {name: entry["size"] for name, entry in manifest(tmp_path).items()} == {
        "a": 0,
        "b/DONE.json": 8,
        "b/c/deep": 1,
        "big": 3_000_001,
    }
    assert manifest(tmp_path)["big"]["sha256"] == hashlib.sha256(b"x" * 3_000_001).hexdigest()


def test_links_are_named_and_never_followed_and_pipes_are_left_out(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("x")
    results = tmp_path / "results"
    results.mkdir()
    (results / "to-folder").symlink_to(outside)
    (results / "to-nowhere").symlink_to("/no/such")
    os.mkfifo(results / "pipe")

    evidence.write_manifest(str(results))

    assert manifest(results) == {
        "to-folder": {"link": str(outside)},
        "to-nowhere": {"link": "/no/such"},
    }


def test_a_name_that_is_not_utf_8_comes_back_as_the_same_name(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9\xff\n.bin")
    (tmp_path / name).write_bytes(b"x")

    evidence.write_manifest(str(tmp_path))

    assert list(manifest(tmp_path)) == [name]
    assert (tmp_path / "MANIFEST.jsonl").read_bytes().isascii()


def test_our_own_files_and_what_a_killed_launcher_left_of_them_are_not_results(
    tmp_path: Path,
) -> None:
    evidence.reserve(str(tmp_path))
    (tmp_path / "MANIFEST.jsonl.tmp").write_text("half")
    (tmp_path / "result").write_text("x")

    evidence.write_manifest(str(tmp_path))

    assert list(manifest(tmp_path)) == ["result"]


def test_a_file_that_cannot_be_read_is_told_and_the_others_are_named(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("nothing is unreadable for root")
    (tmp_path / "locked").write_text("x")
    (tmp_path / "locked").chmod(0)
    (tmp_path / "open").write_text("x")

    _, unread = evidence.write_manifest(str(tmp_path))

    assert unread == ["'locked': Permission denied"]
    assert list(manifest(tmp_path)) == ["open"]


def test_a_manifest_is_the_same_whenever_it_is_made(tmp_path: Path) -> None:
    for name in ("z", "a", "m"):
        (tmp_path / name).write_text(name)

    first, _ = evidence.write_manifest(str(tmp_path))
    evidence.write_done(str(tmp_path), {})
    second, _ = evidence.write_manifest(str(tmp_path))

    assert first == second


def test_the_done_mark_uses_the_room_kept_for_it_and_is_no_longer_than_itself(
    tmp_path: Path,
) -> None:
    evidence.reserve(str(tmp_path))
    kept = (tmp_path / "DONE.json.tmp").stat()

    evidence.write_done(str(tmp_path), {"exit_code": 3})

    done = tmp_path / "DONE.json"
    assert done.stat().st_ino == kept.st_ino
    assert json.loads(done.read_text()) == {"version": 1, "exit_code": 3}
    assert list(tmp_path.iterdir()) == [done]


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    evidence.write_durably(str(tmp_path), "x", b"old")
    (tmp_path / "x.tmp").mkdir()

    with pytest.raises(IsADirectoryError):
        evidence.write_durably(str(tmp_path), "x", b"new")

    assert (tmp_path / "x").read_bytes() == b"old"
