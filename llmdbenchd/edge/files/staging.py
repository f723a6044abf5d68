"""The archive's waiting room: where the evidence of a run gathers until it is sealed.

    <archive>/.incoming/<job>/<run>/attempts/<n>/results/<i>/ ...   one folder for each launcher
                                                logs/launcher-<i>.log

Sealing turns this into a tree that has the archive's shape, by renames alone:

    attempts/<n>  ->  sealing-<n>              the last attempt becomes the top level
    attempts      ->  sealing-<n>/attempts     the earlier ones go below it

The number is in the folder's name, so whatever moment a sealing was interrupted at, it can be
undone: the next one starts from the shape above.
"""

import re
import shutil
from pathlib import Path

from llmdbenchd.edge.files.durable import FILE_MODE, FOLDER_MODE, sync

INCOMING = ".incoming"
EVIDENCE = frozenset({"results", "logs", "analysis", "attempts"})
"""What gathers here, and is kept when a sealing is undone. All else at the top is written anew."""

_SEALING = re.compile(r"sealing-(\d+)")


def open_staging(root: Path, job: str, run: str) -> Path:
    """The run's folder in the waiting room, made when missing, in the shape above (blocks).

    Raises:
        OSError: from the filesystem.
    """
    folder = root
    for name in (INCOMING, job, run):
        folder = made(folder / name)
    for tree in sorted(folder.iterdir()):
        if found := _SEALING.fullmatch(tree.name):
            _undo(tree, folder / "attempts", found[1])
            sync(folder)
    return folder


def promote(folder: Path, attempt: int) -> Path:
    """The tree to be sealed, with `attempt` at its top; `folder` is as `open_staging` left it.

    An attempt without any evidence (refused before anything began) is an empty tree.
    """
    attempts, tree = folder / "attempts", folder / f"sealing-{attempt}"
    last = attempts / str(attempt)
    if last.is_dir():
        last.rename(tree)
    else:
        made(tree)
    if attempts.is_dir() and any(attempts.iterdir()):
        attempts.rename(tree / "attempts")
    elif attempts.is_dir():
        attempts.rmdir()
    return tree


def made(folder: Path) -> Path:
    """`folder`, there for good whatever the umask; its parent exists, or it is made as well."""
    if not folder.is_dir():
        if not folder.parent.is_dir():
            made(folder.parent)
        folder.mkdir(exist_ok=True)
        folder.chmod(FOLDER_MODE)
        sync(folder.parent)
    return folder


def _undo(tree: Path, attempts: Path, number: str) -> None:
    made(attempts)
    for entry in sorted(tree.iterdir()):
        if entry.name not in EVIDENCE:
            _remove(entry)
    earlier = tree / "attempts"
    if earlier.is_dir():
        for attempt in sorted(earlier.iterdir()):
            attempt.rename(attempts / attempt.name)
        sync(attempts)
        earlier.rmdir()
    for path in tree.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(FILE_MODE)
    tree.rename(attempts / number)
    sync(attempts)


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()
