"""`verify` finds whatever differs from what was sealed, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from llmdbenchd.edge.files.archive import Archive, verify


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    archive = Archive(tmp_path)
    results = archive.staging("job", "run") / "attempts/1/results/1"
    results.mkdir(parents=True)
    (results / "stage.json").write_text('{"ttft": 0.05}')
    (results / "täst\n.txt").write_text("")
    path = archive.seal("job", "run", attempt=1, documents={"run.json": b"{}"})
    for file in path.rglob("*"):
        if file.is_file():
            file.chmod(0o640)
    return path


def test_a_sealed_run_is_whole(sealed: Path) -> None:
    assert verify(sealed) == ()


def better(sealed: Path) -> None:
    (sealed / "results/1/stage.json").write_text('{"ttft": 0.01}')


def longer(sealed: Path) -> None:
    with (sealed / "results/1/stage.json").open("a") as file:
        file.write(" ")


def gone(sealed: Path) -> None:
    (sealed / "results/1/stage.json").unlink()


def link(sealed: Path) -> None:
    (sealed / "results/1/stage.json").rename(sealed / "elsewhere")
    (sealed / "results/1/stage.json").symlink_to(sealed / "elsewhere")


def folder(sealed: Path) -> None:
    (sealed / "results/1/stage.json").unlink()
    (sealed / "results/1/stage.json").mkdir()


def more(sealed: Path) -> None:
    (sealed / "results/2").mkdir()
    (sealed / "results/2/stage.json").write_text("{}")


def unlisted(sealed: Path) -> None:
    (sealed / "MANIFEST.jsonl").unlink()


def torn(sealed: Path) -> None:
    manifest = sealed / "MANIFEST.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-10])


def emptied(sealed: Path) -> None:
    (sealed / "MANIFEST.jsonl").write_bytes(b"")


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (better, {("results/1/stage.json", "changed")}),
        (longer, {("results/1/stage.json", "changed")}),
        (gone, {("results/1/stage.json", "missing")}),
        (link, {("results/1/stage.json", "changed"), ("elsewhere", "extra")}),
        (folder, {("results/1/stage.json", "missing")}),
        (more, {("results/2/stage.json", "extra")}),
        (unlisted, {("MANIFEST.jsonl", "no manifest")}),
        (torn, {("MANIFEST.jsonl", "torn manifest")}),
        (emptied, {("MANIFEST.jsonl", "torn manifest")}),
    ],
)
def test_each_difference_is_found_and_named(
    sealed: Path, damage: Callable[[Path], None], expected: set[tuple[str, str]]
) -> None:
    damage(sealed)

    assert {(finding.path, finding.kind) for finding in verify(sealed)} == expected


def test_a_run_that_was_moved_elsewhere_is_still_whole(sealed: Path, tmp_path: Path) -> None:
    moved = sealed.rename(tmp_path / "copy")

    assert verify(moved) == ()
