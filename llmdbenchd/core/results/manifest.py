"""The results room's packing list: `MANIFEST.jsonl`, every file with its size and SHA-256.

First line `{"version": 1}`; then, sorted by path, one object for each file
(`path`, `size`, `sha256`) or symbolic link (`path`, `link`). Links are recorded and
never followed. Paths are relative to the results folder, parted by `/`. Other keys are
for people and are passed over.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

VERSION = 1
NAME = "MANIFEST.jsonl"
DONE = "DONE.json"  # the done mark beside it, which holds the manifest's own SHA-256
OWN_NAMES = frozenset({NAME, DONE, f"{NAME}.tmp", f"{DONE}.tmp"})  # never listed themselves
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LONGEST_PART = 255  # bytes; what file systems take


class ManifestError(Exception):
    """A manifest that cannot be trusted; says which line and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file: its path, its size in bytes, its SHA-256 in lower-case hex."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class LinkEntry:
    """One symbolic link: its path, and where it points (as written, never followed)."""

    path: str
    link: str


Entry = FileEntry | LinkEntry


def parse(content: bytes) -> tuple[Entry, ...]:
    """Read a manifest, sorted by path.

    Raises:
        ManifestError: not whole, not ours, from a newer version, or with a path that
            leaves the results folder.
    """
    if not content.endswith(b"\n"):
        raise ManifestError(f"{NAME}: empty or cut off: the last line has no end")
    first, *rest = content[:-1].split(b"\n")
    _check_version(_parsed(first, 1))
    entries = [_entry(_parsed(line, number), number) for number, line in enumerate(rest, 2)]
    _check_tree([entry.path for entry in entries])
    return tuple(sorted(entries, key=lambda entry: entry.path))


def render(entries: Iterable[Entry]) -> bytes:
    """The text of a manifest: what `parse` reads back."""
    lines: list[dict[str, object]] = [{"version": VERSION}]
    for entry in sorted(entries, key=lambda entry: entry.path):
        match entry:
            case FileEntry():
                lines.append({"path": entry.path, "size": entry.size, "sha256": entry.sha256})
            case LinkEntry():
                lines.append({"path": entry.path, "link": entry.link})
            case _:
                assert_never(entry)
    return "".join(f"{json.dumps(line)}\n" for line in lines).encode()


def done_sha256(content: bytes) -> str | None:
    """The manifest's SHA-256 as the done mark `DONE.json` has it, or None when it has none.

    Raises:
        ManifestError: the done mark cannot be read.
    """
    try:
        mark = json.loads(content)
    except ValueError as error:
        raise ManifestError(f"{DONE}: not JSON: {error}") from error
    if not isinstance(mark, dict):
        raise ManifestError(f"{DONE}: not an object")
    version = mark.get("version")
    if isinstance(version, int) and version > VERSION:
        raise ManifestError(f"{DONE}: version {version} is newer than this program knows")
    sha256 = mark.get("manifest_sha256")
    return sha256 if isinstance(sha256, str) else None


def mistake_in_path(path: str) -> str:
    """Why a relative path cannot be below a results folder; empty when it can."""
    if not path or path.startswith("/"):
        return "is not a relative path"
    if "\0" in path:
        return "holds a NUL"
    for part in path.split("/"):
        if part in ("", ".", ".."):
            return f"has the part {part!r}"
        if len(part.encode("utf-8", "surrogateescape")) > _LONGEST_PART:
            return f"has a part of more than {_LONGEST_PART} bytes"
    return ""


def _parsed(line: bytes, number: int) -> dict[str, object]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise _mistake(number, f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise _mistake(number, "not an object")
    return value


def _check_version(header: dict[str, object]) -> None:
    version = header.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise _mistake(1, 'not {"version": 1}')
    if version > VERSION:
        raise _mistake(1, f"version {version} is newer than this program knows ({VERSION})")


def _entry(fields: dict[str, object], number: int) -> Entry:
    path, size, sha256 = fields.get("path"), fields.get("size"), fields.get("sha256")
    if not isinstance(path, str):
        raise _mistake(number, "no path")
    if wrong := mistake_in_path(path):
        raise _mistake(number, f"path {path!r} {wrong}")
    if isinstance(link := fields.get("link"), str):
        return LinkEntry(path, link)
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise _mistake(number, f"{path}: no size in bytes")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise _mistake(number, f"{path}: no SHA-256 in lower-case hex")
    return FileEntry(path, size, sha256)


def _check_tree(paths: list[str]) -> None:
    seen: dict[str, int] = {}
    for number, path in enumerate(paths, 2):
        if path in seen:
            raise _mistake(number, f"{path} is also in line {seen[path]}")
        seen[path] = number
    for path, number in seen.items():
        parts = path.split("/")
        for depth in range(1, len(parts)):
            if (folder := "/".join(parts[:depth])) in seen:
                raise _mistake(number, f"{path} lies below {folder}, which is no folder")


def _mistake(number: int, what: str) -> ManifestError:
    return ManifestError(f"{NAME}, line {number}: {what}")
