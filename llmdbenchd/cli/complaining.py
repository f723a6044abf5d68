"""What the launchers of a run that is under way complain of, from their logs as they come."""

import os
from pathlib import Path

from llmdbenchd.cli.state import Folders
from llmdbenchd.core.job.accepted import decoded
from llmdbenchd.core.job.support import KUBERNETES
from llmdbenchd.core.run.complaint import complaint
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record
from llmdbenchd.kit.stamps import plain

_LAST = 1 << 18  # bytes that are read from the end of a log
_UNDER_WAY = {Phase.LAUNCHING, Phase.RUNNING, Phase.COLLECTING}


def complaints(record: Record, folders: Folders) -> str:
    """The last error in the log of each launcher of a run, or nothing."""
    if record.phase not in _UNDER_WAY or not record.seen:
        return ""
    spec = folders.records.spec(record.job)
    is_stamped = spec is not None and decoded(spec).engine == KUBERNETES
    folder = folders.live / record.job / record.run / str(record.attempt)
    found = {
        index: _last_of(folder / f"launcher-{index}.log", is_stamped=is_stamped)
        for index in record.seen
    }
    return "; ".join(f"launcher {index} says: {said}" for index, said in found.items() if said)


def _last_of(log: Path, *, is_stamped: bool) -> str:
    try:
        with log.open("rb") as opened:
            size = opened.seek(0, os.SEEK_END)
            opened.seek(max(0, size - _LAST))
            data = opened.read(_LAST)
    except OSError:  # not there yet, or in the archive by now
        return ""
    lines = data.split(b"\n")[1 if size > _LAST else 0 :]
    texts = (plain(line) if is_stamped else line for line in lines)
    return complaint(text.decode(errors="replace") for text in texts)
