"""The shim alone: what it must do when the disk or a file is not as it should be."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from llmdbenchd.edge.local import durable, shim

HEAVY = {"asyncio", "contextlib", "json", "msgspec", "pathlib", "re", "subprocess", "typing"}


def test_its_import_takes_no_more_than_it_needs() -> None:
    code = (
        "import sys; sys.path.append(sys.argv[1]); import llmdbenchd.edge.local.shim; "
        "print(*sys.modules)"
    )
    root = str(Path(__file__).parents[3])

    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, root], capture_output=True, text=True, check=True
    )

    assert HEAVY.intersection(run.stdout.split()) == set()


def test_on_a_full_disk_it_insists_on_writing_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    full = [OSError(errno.ENOSPC, "No space left on device")] * 2
    real = durable.write

    def write(path: str, content: bytes) -> None:
        if full:
            raise full.pop()
        real(path, content)

    monkeypatch.setattr(shim, "RETRY_S", 0.001)
    monkeypatch.setattr(durable, "write", write)

    shim.write_end(str(tmp_path), {"cause": "exited"})

    assert b'"cause": "exited"' in (tmp_path / "ended.json").read_bytes()
    assert capsys.readouterr().err.count("No space left on device") == 2


def test_a_folder_that_is_gone_ends_the_insisting(tmp_path: Path) -> None:
    shim.write_end(str(tmp_path / "gone"), {"cause": "exited"})

    assert list(tmp_path.iterdir()) == []


def test_a_request_to_stop_that_cannot_be_read_is_a_request_all_the_same(tmp_path: Path) -> None:
    assert shim.grace_asked(str(tmp_path)) is None
    for text in ("", "{}", '{"grace_s": "x"}', "[]"):
        (tmp_path / "stop.json").write_text(text, encoding="utf-8")
        assert shim.grace_asked(str(tmp_path)) == shim.DEFAULT_GRACE_S


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    durable.write(f"{tmp_path}/a", b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        durable.write(f"{tmp_path}/a", b"new")

    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"old")]
