"""The archive: the finished, sealed evidence of each run, and the proof that it is whole.

    <archive>/<job>/<run>/   run.json summary.txt workload.yaml ...         what the daemon says
                             results/<i>/ logs/ attempts/<n>/               what was brought home
                             MANIFEST.jsonl                                 path, size, SHA-256

A run appears here by one rename, whole. Sealed files are 0440, so that nobody changes one by
accident; folders are 0750, so that the owner may still take a run away with `rm -r`.
Everything here blocks: asyncio calls it in a thread.
"""

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from llmdbenchd.core.results.manifest import NAME as MANIFEST
from llmdbenchd.core.results.manifest import (
    Entry,
    FileEntry,
    LinkEntry,
    ManifestError,
    parse,
    render,
)
from llmdbenchd.edge.files.durable import FOLDER_MODE, sync, translated
from llmdbenchd.edge.files.kernel import sync_filesystem
from llmdbenchd.edge.files.staging import EVIDENCE, INCOMING, made, open_staging, promote
from llmdbenchd.ports import Unavailable

SEALED_MODE = 0o440
_MANY = 64  # from here on one flush of the filesystem beats one for each file
_SLACK = 4 << 20  # bytes: the manifest, and blocks that are not full


@dataclass(frozen=True, slots=True)
class Sealed:
    """One run in the archive."""

    job: str
    run: str
    path: Path


class Archive:
    """The folder `root`, made when it is first needed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def staging(self, job: str, run: str) -> Path:
        """Where the evidence of a run gathers: `attempts/<n>/{results/<i>,logs,analysis}/`.

        Ask anew after every start of the daemon: a sealing that was interrupted is undone here.

        Raises:
            Refused, Unavailable: see `durable.translated`.
        """
        _check(job, run)
        with translated(self.root / INCOMING / job / run):
            return open_staging(self.root, job, run)

    def seal(self, job: str, run: str, *, attempt: int, documents: Mapping[str, bytes]) -> Path:
        """Make the archive's folder of a run from its staging folder; only the first time counts.

        May be killed at any moment and repeated: the folder is there whole, or not at all.
        Links are kept and not followed; what is no file, folder or link (a socket) is left out.

        Args:
            job: the job.
            run: the run; its staging folder need not exist.
            attempt: the last one; its evidence becomes the top level.
            documents: relative path to content, such as `run.json` or `reports/x.yaml`.

        Returns:
            The folder, on disk for good.

        Raises:
            Unavailable: the disk is full, or fails; says what is needed.
            Refused: rights are missing.
        """
        _check(job, run)
        _check_documents(documents)
        final = self.root / job / run
        with translated(final):
            if not final.is_dir():
                folder = open_staging(self.root, job, run)
                self._find_room(f"{job}/{run}", sum(map(len, documents.values())))
                tree = promote(folder, attempt)
                _close(tree, documents)
                made(final.parent)
                tree.rename(final)
                sync(folder)
            sync(final.parent)  # a rename that a killed sealing left behind is made good as well
        self._tidy(job, run)
        return final

    def sealed(self, job: str, run: str) -> Path | None:
        """The sealed folder of a run, or None."""
        _check(job, run)
        path = self.root / job / run
        return path if path.is_dir() else None

    def runs(self) -> Iterator[Sealed]:
        """All sealed runs, by job and run.

        Raises:
            OSError: the archive cannot be read; one that is missing is empty.
        """
        for job in _folders(self.root):
            for run in _folders(job):
                yield Sealed(job.name, run.name, run)

    def _find_room(self, what: str, size: int) -> None:
        needed, free = size + _SLACK, shutil.disk_usage(self.root).free
        if free < needed:
            raise Unavailable(
                f"{self.root}: sealing {what} needs {needed} bytes and {free} are free: "
                "free space, then it goes on by itself"
            )

    def _tidy(self, job: str, run: str) -> None:
        for folder in (self.root / INCOMING / job / run, self.root / INCOMING / job):
            with suppress(OSError):  # not empty (other runs), or gone already
                folder.rmdir()


def _close(tree: Path, documents: Mapping[str, bytes]) -> None:
    """Add the documents and the manifest to `tree`, and put every byte of it on disk.

    Nothing here needs to be whole before the end: a tree is thrown open again after a kill.
    """
    for name, data in documents.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tree / MANIFEST).write_bytes(render(_closed(tree, tree)))
    (tree / MANIFEST).chmod(SEALED_MODE)
    _sync_all([path for path in (tree, *tree.rglob("*")) if not path.is_symlink()], tree)


def _closed(folder: Path, top: Path) -> Iterator[Entry]:
    """Make all below `folder` read-only; an entry for each file and link."""
    for path in sorted(folder.iterdir()):
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            yield from _closed(path, top)
        elif stat.S_ISREG(mode):
            path.chmod(SEALED_MODE)
            yield _look(path, top)
        elif stat.S_ISLNK(mode):
            yield _look(path, top)
        else:
            path.unlink()
    folder.chmod(FOLDER_MODE)


def _sync_all(paths: Sequence[Path], tree: Path) -> None:
    if len(paths) >= _MANY:
        descriptor = os.open(tree, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if sync_filesystem(descriptor):
                return
        finally:
            os.close(descriptor)
    for path in paths:
        sync(path)


def _look(path: Path, top: Path) -> Entry:
    """What a file or a link is now."""
    name = path.relative_to(top).as_posix()
    if path.is_symlink():
        return LinkEntry(name, str(path.readlink()))
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return FileEntry(name, file.tell(), sha256)


def _folders(parent: Path) -> list[Path]:
    if not parent.exists():
        return []
    found = [path for path in parent.iterdir() if not path.name.startswith(".")]
    return sorted(path for path in found if path.is_dir())


def _check(*names: str) -> None:
    for name in names:
        if not name or name.startswith(".") or "/" in name or "\0" in name:
            raise ValueError(f"{name!r} cannot be the name of a job or run in the archive")


def _check_documents(documents: Mapping[str, bytes]) -> None:
    for name in documents:
        path = PurePosixPath(name)
        reserved = path.parts[:1] and (path.parts[0] in EVIDENCE or path.parts[0] == MANIFEST)
        if not path.parts or path.is_absolute() or ".." in path.parts or reserved:
            raise ValueError(f"{name!r} cannot be the name of a document in the archive")


@dataclass(frozen=True, slots=True)
class Finding:
    """One way in which a sealed folder is not what it was.

    Attributes:
        path: of the file, relative to the folder.
        kind: `missing`, `changed`, `extra`, `unreadable`, `no manifest` or `torn manifest`.
        detail: one sentence.
    """

    path: str
    kind: str
    detail: str


def verify(path: Path) -> tuple[Finding, ...]:
    """Hash the sealed folder `path` again and compare it with its manifest; nothing: it is whole.

    Raises:
        Refused, Unavailable: the folder cannot be listed; see `durable.translated`.
    """
    try:
        entries = {entry.path: entry for entry in parse((path / MANIFEST).read_bytes())}
    except FileNotFoundError:
        return (Finding(MANIFEST, "no manifest", "nothing says what should be here"),)
    except ManifestError as error:
        return (Finding(MANIFEST, "torn manifest", str(error)),)
    except OSError as error:
        return (Finding(MANIFEST, "unreadable", str(error)),)
    with translated(path):
        there = set(_names(path, path)) - {MANIFEST}
    missing = [Finding(name, "missing", "it was sealed") for name in entries.keys() - there]
    extra = [Finding(name, "extra", "it was not sealed") for name in there - entries.keys()]
    compared = [_compare(path, entries[name]) for name in entries.keys() & there]
    changed = [finding for finding in compared if finding is not None]
    return tuple(sorted([*missing, *extra, *changed], key=lambda finding: finding.path))


def _names(folder: Path, top: Path) -> Iterator[str]:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            yield from _names(path, top)
        else:
            yield path.relative_to(top).as_posix()


def _compare(top: Path, sealed: Entry) -> Finding | None:
    path = top / sealed.path
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISLNK(mode):
            return Finding(sealed.path, "changed", "it is neither a file nor a link")
        found = _look(path, top)
    except OSError as error:
        return Finding(sealed.path, "unreadable", str(error))
    match sealed, found:
        case FileEntry(), FileEntry() if found.size != sealed.size:
            return Finding(sealed.path, "changed", f"{found.size} bytes, sealed with {sealed.size}")
        case FileEntry(), FileEntry() if found.sha256 != sealed.sha256:
            return Finding(sealed.path, "changed", "another content of the same size")
        case LinkEntry(), LinkEntry() if found.link != sealed.link:
            return Finding(sealed.path, "changed", f"it points to {found.link!r}")
        case (FileEntry(), FileEntry()) | (LinkEntry(), LinkEntry()):
            return None
        case _:
            return Finding(sealed.path, "changed", "a link where a file was, or the reverse")
