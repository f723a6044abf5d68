"""What a launcher leaves behind: `run_metadata.yaml`, `MANIFEST.jsonl`, and last `DONE.json`.

Whoever finds `DONE.json` knows that all it vouches for was on the disk before it.
`write_manifest` also serves whoever must hash a folder late, because no launcher did.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator

from llmdbenchd.payload.yamltext import quoted

VERSION = 1
METADATA = "run_metadata.yaml"
MANIFEST = "MANIFEST.jsonl"
DONE = "DONE.json"
TEMPORARY = ".tmp"
RESERVE = 65536  # bytes kept free for the done mark, for the day when the disk is full

# ours, below the results folder itself: never part of the manifest
OWN_NAMES = frozenset({MANIFEST, DONE, MANIFEST + TEMPORARY, DONE + TEMPORARY})


def reserve(results: str) -> None:
    """Take the room that the done mark will need; without such a file system, do nothing.

    Raises:
        OSError: nothing can be written in this folder.
    """
    fd = os.open(_temporary(results, DONE), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.posix_fallocate(fd, 0, RESERVE)
    except (OSError, AttributeError):
        return  # a full disk will be told of when it matters
    finally:
        os.close(fd)


def write_durably(folder: str, name: str, data: bytes) -> None:
    """Write a whole file: temporary name, fsync, rename, fsync of the folder.

    Raises:
        OSError: it could not be written; a file of that name is still what it was.
    """
    temporary = _temporary(folder, name)
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        done = 0
        while done < len(data):
            done += os.write(fd, data[done:])
        os.ftruncate(fd, len(data))  # after writing: the room may be a reserve
        os.fsync(fd)
    finally:
        os.close(fd)
    os.rename(temporary, os.path.join(folder, name))
    _sync(folder)


def metadata(values: dict[str, object]) -> bytes:
    """A flat YAML mapping: None as null, integers bare, everything else quoted."""
    lines = []
    for key, value in values.items():
        if value is None or isinstance(value, int):
            lines.append(f"{key}: {'null' if value is None else value}\n")
        else:
            lines.append(f"{key}: {quoted(str(value))}\n")
    return "".join(lines).encode("ascii")


def write_manifest(folder: str) -> tuple[str, list[str]]:
    r"""Hash every file below `folder`, bring it to the disk and write `MANIFEST.jsonl`.

    The first line is `{"version": 1}`; then, sorted by path, `{"path", "size", "sha256"}`
    for a regular file and `{"path", "link"}` for a symbolic link, which is not followed.
    Paths are relative, with `/`. A name that is not UTF-8 is decoded with `surrogateescape`,
    so it shows as lone surrogates (`\udcff`), which `json` reads back to the same name.

    Returns:
        The manifest's own SHA-256, and a sentence for each file that could not be read.

    Raises:
        OSError: the manifest could not be written.
    """
    lines = [b'{"version": 1}\n']
    unread: list[str] = []
    for path, is_link in sorted(files(folder, "", unread)):
        try:
            entry = link(folder, path) if is_link else hashed(folder, path)
        except FileNotFoundError:
            continue  # it went away while we looked
        except OSError as error:
            unread.append(f"{path!a}: {error.strerror}")
            continue
        lines.append(json.dumps(entry).encode("ascii") + b"\n")
    data = b"".join(lines)
    write_durably(folder, MANIFEST, data)
    return hashlib.sha256(data).hexdigest(), unread


def write_done(folder: str, mark: dict[str, object]) -> None:
    """Write the done mark, after everything else.

    Raises:
        OSError: it could not be written.
    """
    mark = {"version": VERSION, **mark}
    write_durably(folder, DONE, json.dumps(mark, indent=1, default=str).encode("ascii") + b"\n")


def files(folder: str, below: str, unread: list[str]) -> Iterator[tuple[str, bool]]:
    """Relative path of every regular file and link, and whether it is a link."""
    here = os.path.join(folder, below)
    try:
        entries = list(os.scandir(here))
        _sync(here)
    except OSError as error:
        unread.append(f"{below!a}: {error.strerror}")
        return
    for entry in entries:
        path = below + entry.name
        if entry.is_symlink():
            yield path, True
        elif entry.is_dir(follow_symlinks=False):
            yield from files(folder, path + "/", unread)
        elif entry.is_file(follow_symlinks=False) and path not in OWN_NAMES:
            yield path, False


def hashed(folder: str, path: str) -> dict[str, object]:
    """Path, size and SHA-256 of a file that is on the disk."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(os.path.join(folder, path), flags)
    try:
        os.fsync(fd)  # the done mark vouches for bytes on the disk
        digest, size = hashlib.sha256(), 0
        while block := os.read(fd, 1 << 20):
            digest.update(block)
            size += len(block)
    finally:
        os.close(fd)
    return {"path": path, "size": size, "sha256": digest.hexdigest()}


def link(folder: str, path: str) -> dict[str, object]:
    """Path of a link, and what it says."""
    return {"path": path, "link": os.readlink(os.path.join(folder, path))}


def _temporary(folder: str, name: str) -> str:
    return os.path.join(folder, name + TEMPORARY)


def _sync(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
