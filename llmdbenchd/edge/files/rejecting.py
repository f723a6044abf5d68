"""The queue and the records on a local disk: refused files, each beside a word why.

`NAME.why` is written first, so that no refused file is ever without its reason. A `.why`
whose file is gone (people correct it and drop it again) is stale and may be replaced.
"""

import itertools
import os
from contextlib import suppress
from pathlib import Path

from llmdbenchd.edge.files.durable import forget_unfinished, publish, translated
from llmdbenchd.edge.files.kernel import rename_new

WHY = ".why"
_LONGEST = 240  # bytes of a name, so that number and `.why` fit below 255


def set_aside(path: Path, folder: Path, name: str, why: str) -> Path:
    """Move the file `path` into `folder` under `name`, or the next free number of it.

    Args:
        path: the refused file (a link is moved, not followed).
        folder: exists, on the same filesystem.
        name: how its author called it.
        why: for its author; a line or more.

    Raises:
        Refused, Unavailable: the disk; the file is where it was.
    """
    for target in _names(folder, name):
        if target.is_symlink() or target.exists():
            continue
        beside = target.with_name(target.name + WHY)
        publish(beside, why.rstrip("\n").encode("utf-8", "backslashreplace") + b"\n", mode=0o644)
        with translated(path):
            try:
                rename_new(path, target)
            except FileExistsError:  # somebody was quicker
                beside.unlink()
                continue
        return target  # not synced: what a power cut undoes is a claim again
    raise AssertionError  # numbers do not end


def why_beside(path: Path) -> str | None:
    """The reason beside a refused file, or None."""
    with suppress(OSError):
        return path.with_name(path.name + WHY).read_text(encoding="utf-8", errors="replace")
    return None


def tidy(folder: Path) -> None:
    """Remove reasons whose files are gone, and half written ones (raises OSError)."""
    forget_unfinished(folder)
    for beside in folder.glob(f"*{WHY}"):
        file = beside.with_name(beside.name.removesuffix(WHY))
        if not (file.is_symlink() or file.exists()):
            beside.unlink()


def _names(folder: Path, name: str) -> "itertools.chain[Path]":
    stem, dot, suffix = name.rpartition(".") if "." in name else (name, "", "")
    stem = os.fsdecode(os.fsencode(stem)[: _LONGEST - len(suffix)])
    numbered = (folder / f"{stem}.{number}{dot}{suffix}" for number in itertools.count(1))
    return itertools.chain([folder / f"{stem}{dot}{suffix}"], numbered)
