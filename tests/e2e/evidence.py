"""What tests ask of the sealed evidence of pods."""

import json
from pathlib import Path

from llmdbenchd.kit.stamps import plain, stamp_of

OURS = (b"LLMDBENCH", b"launcher: ")  # what the launcher itself says beside the harness


def lines_of(archive: Path, index: int = 1) -> list[bytes]:
    """The harness's lines in the log that was followed from launcher `index`."""
    log = (archive / "logs" / f"launcher-{index}.log").read_bytes()
    stamped = log.removesuffix(b"\n").split(b"\n")
    assert all(stamp_of(line) for line in stamped), "every line has the time of its writing"
    lines = b"\n".join(plain(line) for line in stamped).splitlines()  # a progress bar is many
    return [line for line in lines if not line.startswith(OURS)]


def assert_log_is_complete(archive: Path, index: int = 1, *, lines: int) -> None:
    """What was followed is what the harness wrote: no line missing, none twice."""
    [results] = (path.parent for path in (archive / "results" / str(index)).rglob("stdout.log"))
    wrote = (results / "stdout.log").read_bytes() + (results / "stderr.log").read_bytes()
    seen = lines_of(archive, index)
    assert sorted(seen) == sorted(wrote.splitlines())
    numbers = [int(line.split()[-1]) for line in seen if b"INFO - line " in line]
    assert numbers == list(range(1, lines + 1))
    launcher = json.loads((archive / "run.json").read_bytes())["launchers"][index - 1]
    assert launcher["log_gaps"] == []
