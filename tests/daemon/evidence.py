"""What tests ask of sealed evidence."""

from pathlib import Path

OURS = (b"LLMDBENCH", b"launcher: ")  # what the launcher itself says beside the harness


def followed(folder: Path, index: int = 1) -> list[bytes]:
    """The harness's lines in the log that was followed from launcher `index`."""
    lines = (folder / "logs" / f"launcher-{index}.log").read_bytes().splitlines()
    return [line for line in lines if not line.startswith(OURS)]


def assert_log_is_complete(folder: Path, index: int = 1, *, lines: int) -> None:
    """What was followed is what the harness wrote: no line missing, none twice."""
    assert_complete(followed(folder, index), folder, index, lines=lines)


def assert_complete(seen: list[bytes], folder: Path, index: int, *, lines: int) -> None:
    """These lines are what the harness wrote among its results, and are numbered from 1."""
    [results] = (path.parent for path in (folder / "results" / str(index)).rglob("stdout.log"))
    wrote = (results / "stdout.log").read_bytes() + (results / "stderr.log").read_bytes()
    assert sorted(seen) == sorted(wrote.splitlines())
    numbers = [int(line.split()[-1]) for line in seen if b"INFO - line " in line]
    assert numbers == list(range(1, lines + 1))


def starts(file: Path) -> int:
    """How often a fake harness was really started (`FAKE_HARNESS_STARTED_FILE`)."""
    return len(file.read_text().splitlines()) if file.exists() else 0
