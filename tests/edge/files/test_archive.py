"""A run appears in the archive whole, once, and with the shape that people rely on."""

import os
import stat
from pathlib import Path

import pytest

from llmdbenchd.core.results.manifest import FileEntry, parse
from llmdbenchd.edge.files.archive import Archive, verify
from llmdbenchd.edge.files.kernel import sync_filesystem
from llmdbenchd.ports import Unavailable

DOCUMENTS = {
    "run.json": b"{}\n",
    "workload.yaml": b"load: {}\n",
    "events.jsonl": b"",
    "reports/1/benchmark_report,_stage_0.json.yaml": b"version: '0.1'\n",
}


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


def gather(archive: Archive, *attempts: int) -> Path:
    folder = archive.staging("job", "run")
    for attempt in attempts:
        results = folder / f"attempts/{attempt}/results/1/analysis"
        results.mkdir(parents=True)
        (results / "summary.txt").write_text(f"summary of attempt {attempt}")
        (results.parent / "stage_0.json").write_text(f"stage of attempt {attempt}")
        logs = folder / f"attempts/{attempt}/logs"
        logs.mkdir()
        (logs / "launcher-1.log").write_text(f"log of attempt {attempt}")
    return folder


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_last_attempt_is_the_top_level_and_earlier_ones_are_kept(archive: Archive) -> None:
    gather(archive, 1, 2, 3)

    path = archive.seal("job", "run", attempt=3, documents=DOCUMENTS)

    assert path == archive.root / "job/run"
    assert files(path) == {
        *DOCUMENTS,
        "MANIFEST.jsonl",
        "results/1/stage_0.json",
        "results/1/analysis/summary.txt",
        "logs/launcher-1.log",
        *(
            f"attempts/{n}/{name}"
            for n in (1, 2)
            for name in (
                "results/1/stage_0.json",
                "results/1/analysis/summary.txt",
                "logs/launcher-1.log",
            )
        ),
    }
    assert (path / "logs/launcher-1.log").read_text() == "log of attempt 3"
    assert (path / "attempts/2/logs/launcher-1.log").read_text() == "log of attempt 2"


def test_a_run_that_was_tried_once_has_no_attempts_folder(archive: Archive) -> None:
    gather(archive, 1)

    path = archive.seal("job", "run", attempt=1, documents=DOCUMENTS)

    assert sorted(entry.name for entry in path.iterdir()) == [
        "MANIFEST.jsonl", "events.jsonl", "logs", "reports", "results", "run.json", "workload.yaml",
    ]  # fmt: skip


def test_a_run_that_never_began_is_archived_with_its_documents(archive: Archive) -> None:
    path = archive.seal("job", "run", attempt=1, documents={"run.json": b"{}"})

    assert files(path) == {"run.json", "MANIFEST.jsonl"}
    assert verify(path) == ()


def test_the_manifest_names_every_file_but_itself(archive: Archive) -> None:
    gather(archive, 1, 2)

    path = archive.seal("job", "run", attempt=2, documents=DOCUMENTS)

    entries = parse((path / "MANIFEST.jsonl").read_bytes())
    assert {entry.path for entry in entries} == files(path) - {"MANIFEST.jsonl"}
    assert all(
        isinstance(entry, FileEntry) and (path / entry.path).stat().st_size == entry.size
        for entry in entries
    )


def test_nothing_waits_any_more_once_it_is_sealed(archive: Archive) -> None:
    gather(archive, 1)

    archive.seal("job", "run", attempt=1, documents=DOCUMENTS)

    assert list((archive.root / ".incoming").iterdir()) == []


def test_another_run_of_the_job_goes_on_waiting(archive: Archive) -> None:
    gather(archive, 1)
    other = archive.staging("job", "other")
    (other / "mine").write_text("x")

    archive.seal("job", "run", attempt=1, documents=DOCUMENTS)

    assert (other / "mine").read_text() == "x"


def test_what_is_sealed_is_never_changed_by_a_second_sealing(archive: Archive) -> None:
    gather(archive, 1)
    first = archive.seal("job", "run", attempt=1, documents=DOCUMENTS)

    again = archive.seal("job", "run", attempt=1, documents={"run.json": b"another"})

    assert again == first
    assert (first / "run.json").read_bytes() == DOCUMENTS["run.json"]
    assert verify(first) == ()


def test_sealed_files_are_read_only_and_the_group_may_look(archive: Archive) -> None:
    gather(archive, 1, 2)

    path = archive.seal("job", "run", attempt=2, documents=DOCUMENTS)

    modes = {entry: stat.S_IMODE(entry.stat().st_mode) for entry in path.rglob("*")}
    assert {mode for entry, mode in modes.items() if entry.is_file()} == {0o440}
    assert {mode for entry, mode in modes.items() if entry.is_dir()} == {0o750}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o750


def test_links_are_kept_and_never_followed_and_sockets_are_left_out(archive: Archive) -> None:
    results = gather(archive, 1) / "attempts/1/results/1"
    (results / "out").symlink_to("/etc")
    os.mkfifo(results / "pipe")

    path = archive.seal("job", "run", attempt=1, documents=DOCUMENTS)

    assert (path / "results/1/out").is_symlink()
    assert not (path / "results/1/pipe").exists()
    assert verify(path) == ()
    (path / "results/1/out").unlink()
    (path / "results/1/out").symlink_to("/usr")
    assert [finding.kind for finding in verify(path)] == ["changed"]


def test_every_file_and_folder_is_on_disk_before_the_run_is_visible(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    gather(archive, 1, 2)
    synced: list[str] = []
    sync, rename = os.fsync, Path.rename
    seen_at_rename: list[str] = []

    def remember(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        sync(descriptor)

    def look(old: Path, new: Path) -> Path:
        if new == archive.root / "job/run":
            seen_at_rename[:] = [name.replace(str(old), str(new)) for name in synced]
        return rename(old, new)

    monkeypatch.setattr(os, "fsync", remember)
    monkeypatch.setattr(Path, "rename", look)
    path = archive.seal("job", "run", attempt=2, documents=DOCUMENTS)

    everything = {str(entry) for entry in path.rglob("*")} | {str(path), str(archive.root)}
    assert everything <= set(seen_at_rename)
    assert synced[-1] == str(path.parent)


def test_many_files_are_put_on_disk_by_one_flush(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = gather(archive, 1) / "attempts/1/results/1"
    for number in range(100):
        (results / f"{number}.json").write_text("{}")
    flushed: list[int] = []

    def flush(descriptor: int) -> bool:
        flushed.append(descriptor)
        return sync_filesystem(descriptor)

    monkeypatch.setattr("llmdbenchd.edge.files.archive.sync_filesystem", flush)
    path = archive.seal("job", "run", attempt=1, documents=DOCUMENTS)

    assert len(flushed) == 1
    assert verify(path) == ()


def test_a_disk_without_room_is_named_with_what_is_needed(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    gather(archive, 1)
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)

    with pytest.raises(Unavailable, match=r"job/run needs \d+ bytes and 1000 are free"):
        archive.seal("job", "run", attempt=1, documents=DOCUMENTS)
    assert archive.sealed("job", "run") is None

    monkeypatch.undo()
    assert verify(archive.seal("job", "run", attempt=1, documents=DOCUMENTS)) == ()


def test_a_disk_that_fills_up_in_the_middle_leaves_all_evidence_for_the_next_try(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    gather(archive, 1, 2)

    def full(_path: Path, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(Unavailable, match="the disk is full"):
        archive.seal("job", "run", attempt=2, documents=DOCUMENTS)
    monkeypatch.undo()

    assert archive.sealed("job", "run") is None
    folder = archive.staging("job", "run")
    assert (folder / "attempts/2/logs/launcher-1.log").read_text() == "log of attempt 2"
    assert verify(archive.seal("job", "run", attempt=2, documents=DOCUMENTS)) == ()


def test_all_sealed_runs_are_found_and_waiting_ones_are_not(archive: Archive) -> None:
    assert list(archive.runs()) == []
    archive.seal("b", "1", attempt=1, documents=DOCUMENTS)
    archive.seal("a", "2", attempt=1, documents=DOCUMENTS)
    archive.seal("a", "1", attempt=1, documents=DOCUMENTS)
    archive.staging("a", "3")

    assert [(one.job, one.run) for one in archive.runs()] == [("a", "1"), ("a", "2"), ("b", "1")]
    assert archive.sealed("a", "1") == archive.root / "a/1"
    assert archive.sealed("a", "3") is None


@pytest.mark.parametrize("name", ["", ".incoming", "..", "a/b", "nul\0"])
def test_a_name_that_leaves_the_archive_is_refused(archive: Archive, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name"):
        archive.staging("job", name)


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "../x", "reports/../../x", "MANIFEST.jsonl", "results/1/x"]
)
def test_a_document_never_replaces_evidence(archive: Archive, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name"):
        archive.seal("job", "run", attempt=1, documents={name: b""})
