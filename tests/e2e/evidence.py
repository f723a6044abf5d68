"""What tests ask of the sealed evidence of pods."""

import json
from pathlib import Path

from llmdbenchd.kit.stamps import plain, stamp_of
from tests.daemon.evidence import OURS, assert_complete


def lines_of(archive: Path, index: int = 1) -> list[bytes]:
    """The harness's lines in the log that was followed from launcher `index`."""
    log = (archive / "logs" / f"launcher-{index}.log").read_bytes()
    stamped = log.removesuffix(b"\n").split(b"\n")
    assert all(stamp_of(line) for line in stamped), "every line has the time of its writing"
    lines = b"\n".join(plain(line) for line in stamped).splitlines()  # a progress bar is many
    return [line for line in lines if not line.startswith(OURS)]


def assert_log_is_complete(archive: Path, index: int = 1, *, lines: int) -> None:
    """What was followed is what the harness wrote: no line missing, none twice."""
    assert_complete(lines_of(archive, index), archive, index, lines=lines)
    launcher = json.loads((archive / "run.json").read_bytes())["launchers"][index - 1]
    assert launcher["log_gaps"] == []
