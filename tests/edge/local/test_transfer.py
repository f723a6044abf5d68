"""Results come home whole, or it is said which file did not."""

import asyncio
import errno
import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from llmdbenchd.core.results.manifest import Entry, FileEntry, LinkEntry, parse, render
from llmdbenchd.ports import Copied, Gone, Refused, Unavailable
from tests.edge.local.stage import REAL_TIME, Stage, ended, plan

pytestmark = REAL_TIME

FILES = {"summary.json": b"{}", "stages/1.json": b"[1]" * 1000, "empty": b"", "odd\udcff": b"?"}


class Results:
    """A results folder of launcher `a`, as its launcher left it."""

    def __init__(self, stage: Stage) -> None:
        self.engine = stage.engine()
        self.source = Path(self.engine.places("a").results_prefix) / "r"
        self.target = stage.folder / "archive" / "results" / "1"

    def lie_there(
        self, files: dict[str, bytes] = FILES, links: dict[str, str] | None = None
    ) -> None:
        for name, content in files.items():
            (self.source / name).parent.mkdir(parents=True, exist_ok=True)
            (self.source / name).write_bytes(content)
        for name, link in (links or {}).items():
            (self.source / name).symlink_to(link)

    def are_listed(self, *entries: Entry, done: bool = True) -> bytes:
        files = (
            FileEntry(name, len(content), hashlib.sha256(content).hexdigest())
            for name, content in FILES.items()
        )
        manifest = render(entries or tuple(files))
        (self.source / "MANIFEST.jsonl").write_bytes(manifest)
        if done:
            mark = {"version": 1, "manifest_sha256": hashlib.sha256(manifest).hexdigest()}
            (self.source / "DONE.json").write_text(json.dumps(mark), encoding="utf-8")
        return manifest

    async def come_home(self) -> Copied:
        return await self.engine.collect(replace(plan("a"), results_folder="r"), self.target)

    def here(self) -> dict[str, bytes]:
        files = (path for path in self.target.rglob("*") if path.is_file())
        return {str(path.relative_to(self.target)): path.read_bytes() for path in files}

    async def refuse(self) -> str:
        with pytest.raises(Unavailable) as caught:
            await self.come_home()
        return str(caught.value)


@pytest.fixture
def results(stage: Stage) -> Results:
    return Results(stage)


async def test_all_files_come_with_the_launchers_own_manifest(results: Results) -> None:
    results.lie_there()
    manifest = results.are_listed()

    copied = await results.come_home()

    assert copied == Copied(files=4, size=3003, manifest="launcher")
    done = (results.source / "DONE.json").read_bytes()
    assert results.here() == {**FILES, "MANIFEST.jsonl": manifest, "DONE.json": done}


async def test_brought_again_nothing_is_written_again(results: Results) -> None:
    results.lie_there()
    results.are_listed()
    await results.come_home()
    before = {name: os.stat(results.target / name).st_ino for name in FILES}  # noqa: PTH116 -- async

    assert (await results.come_home()).files == 4

    assert {name: os.stat(results.target / name).st_ino for name in FILES} == before  # noqa: PTH116 -- async


async def test_what_a_kill_left_half_is_brought_again(results: Results) -> None:
    results.lie_there()
    results.are_listed()
    (results.target / ".incoming-1").mkdir(parents=True)
    (results.target / ".incoming-1" / "0123.part").write_bytes(b"half")
    (results.target / "summary.json").write_bytes(b"[]")  # the right size only

    await results.come_home()

    assert {name: results.here()[name] for name in FILES} == FILES
    assert not list(results.target.glob(".incoming*"))


async def test_a_file_that_differs_is_named_and_what_is_proven_stays(results: Results) -> None:
    results.lie_there()
    results.are_listed()
    (results.source / "summary.json").write_bytes(b"{]")

    said = await results.refuse()

    assert said.startswith("r: summary.json differs from the manifest: 2 bytes with SHA-256")
    assert results.here() == {name: FILES[name] for name in sorted(FILES) if name < "summary"}


async def test_a_file_that_is_missing_is_named(results: Results) -> None:
    results.lie_there()
    results.are_listed()
    (results.source / "empty").unlink()

    assert await results.refuse() == "r: empty is in the manifest and not there"


async def test_a_manifest_that_is_not_the_one_of_the_done_mark(results: Results) -> None:
    results.lie_there()
    manifest = results.are_listed()
    (results.source / "MANIFEST.jsonl").write_bytes(manifest[: manifest.rindex(b"{")])

    assert await results.refuse() == "r: MANIFEST.jsonl is not the one that DONE.json names"


async def test_a_manifest_that_makes_no_sense_is_told_with_its_line(results: Results) -> None:
    results.lie_there()
    (results.source / "MANIFEST.jsonl").write_bytes(b'{"version": 1}\n{"path": "../x"}\n')

    assert "r: MANIFEST.jsonl, line 2: path '../x'" in await results.refuse()
    assert results.here() == {}


async def test_a_path_behind_a_link_is_not_read(results: Results, tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere" / "secret"
    secret.parent.mkdir()
    secret.write_bytes(b"s")
    results.lie_there({}, {})
    results.source.mkdir(parents=True)
    (results.source / "sub").symlink_to(secret.parent)
    (results.source / "direct").symlink_to(secret)
    sha256 = hashlib.sha256(b"s").hexdigest()

    results.are_listed(FileEntry("sub/secret", 1, sha256))
    assert await results.refuse() == "r: sub/secret lies behind a link that leaves it"

    results.are_listed(FileEntry("direct", 1, sha256))
    assert "Too many levels of symbolic links" in await results.refuse()
    assert results.here() == {}


async def test_links_and_pipes_are_not_followed_and_not_waited_for(results: Results) -> None:
    results.lie_there({"a": b"1"}, {"latest": "a", "folder": "/etc"})
    os.mkfifo(results.source / "pipe")

    assert await results.come_home() == Copied(files=1, size=1, manifest="late")

    entries = parse(results.here()["MANIFEST.jsonl"])
    sha256 = hashlib.sha256(b"1").hexdigest()
    assert entries == (
        FileEntry("a", 1, sha256),
        LinkEntry("folder", "/etc"),
        LinkEntry("latest", "a"),
    )
    assert sorted(results.here()) == ["MANIFEST.jsonl", "a"]


async def test_without_a_manifest_a_late_one_is_made(results: Results) -> None:
    results.lie_there()
    (results.source / "DONE.json.tmp").write_bytes(b"\0" * 100)  # killed before its done mark

    assert await results.come_home() == Copied(files=4, size=3003, manifest="late")

    entries = parse(results.here()["MANIFEST.jsonl"])
    assert {entry.path for entry in entries} == set(FILES)
    assert {name: results.here()[name] for name in FILES} == FILES


async def test_what_the_manifest_does_not_list_comes_too_and_is_told(results: Results) -> None:
    results.lie_there()
    results.are_listed()
    results.lie_there({"written-later.json": b"x"})

    assert await results.come_home() == Copied(files=5, size=3004, manifest="late")

    assert results.here()["written-later.json"] == b"x"
    assert len(parse(results.here()["MANIFEST.jsonl"])) == 5


async def test_no_results_at_all_is_an_empty_late_manifest(results: Results, stage: Stage) -> None:
    await results.engine.create(plan("a", "raise SystemExit(1)"))
    await ended(results.engine, "a")

    assert await results.come_home() == Copied(files=0, size=0, manifest="late")
    assert results.here() == {"MANIFEST.jsonl": b'{"version": 1}\n'}
    assert (stage.root / "a").exists()


async def test_a_launcher_that_is_gone_has_not_nothing(results: Results) -> None:
    with pytest.raises(Gone, match="launcher a is gone, with its results"):
        await results.come_home()


async def test_a_results_folder_elsewhere_is_refused(results: Results) -> None:
    results.lie_there()

    with pytest.raises(Refused, match="not a plain name"):
        await results.engine.collect(replace(plan("a"), results_folder="../../b"), results.target)


async def test_without_room_nothing_is_begun(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    results.lie_there()
    results.are_listed()
    usage = type(shutil.disk_usage("/"))(10_000, 7001, 2999)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    assert "no room: 3003 bytes to come, 2999 free" in await results.refuse()
    assert results.here() == {}


async def test_a_disk_that_fills_up_on_the_way_is_trouble_of_today(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    results.lie_there()
    results.are_listed()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert await results.refuse() == "results r: No space left on device"

    assert (await results.come_home()).manifest == "launcher"


@pytest.mark.slow
async def test_cancelled_on_the_way_it_is_brought_later(results: Results) -> None:
    content = os.urandom(1 << 20) * 64
    results.lie_there({"big": content, "bigger": content + b"."})

    task = asyncio.create_task(results.come_home())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert (await results.come_home()).size == 2 * len(content) + 1
    assert results.here()["bigger"] == content + b"."
