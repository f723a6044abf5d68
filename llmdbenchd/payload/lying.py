"""What lies below the results root, as whoever fetches it may see it: files, never links.

Every path is walked folder by folder from the root's own descriptor, no link followed: what
the harness does to its folders meanwhile cannot lead out of them. Nothing is written here.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator

from llmdbenchd.payload import evidence

BLOCK = 1 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # no wait for a pipe's writer
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.ENAMETOOLONG)


class Missing(Exception):
    """There is no such thing, or nobody may have it."""


class Running(Exception):
    """The launcher has not written its manifest yet."""


class Results:
    """What lies below the root. Hashes are kept, for who was cut off and asks again."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._hashes: dict[tuple[object, ...], str] = {}

    def manifest(self, folder: str, *, final: bool) -> dict[str, object]:
        """What the launcher left, and what lies beside it.

        Args:
            folder: its name.
            final: the launcher has ended, whatever it left.

        Returns:
            `maker`: `launcher`, or `late` if its manifest says too little; `manifest` and `done`:
            text of its two files, None without; `late`: entries as a manifest has them, for all
            that it does not list.

        Raises:
            Missing: there is no such folder (a final one holds nothing then).
            Running: the launcher may still write.
            OSError: something cannot be read, so nobody may say what there is.
        """
        try:
            top = self._folder(folder)
        except Missing:
            if not final:
                raise
            return {"maker": "late", "manifest": None, "late": [], "done": None}
        try:
            done, text = _text(top, evidence.DONE), _text(top, evidence.MANIFEST)
            if done is None and not final:
                raise Running
            late = self._unlisted(folder, top, _listed(text or ""))
        finally:
            os.close(top)
        maker = "late" if late or text is None else "launcher"
        return {"maker": maker, "manifest": text, "late": late, "done": done}

    def packed(self, folder: str, limit: int, after: str, most: int = 0) -> Iterator[bytes]:
        """Files of at most `limit` bytes, sorted by path, from the one after `after` on.

        Each is a line of JSON (`path`, `size`) and then so many bytes. What goes away
        meanwhile is left out.

        Args:
            folder: its name.
            limit: bytes.
            after: a path; empty for all.
            most: ends when so many bytes were given; 0 = at the last file.
        """
        top = self._folder(folder)
        try:
            paths = [path for path, size in _files(top) if size <= limit and path > after]
            given, held = 0, bytearray()
            for path in sorted(paths):
                held += _pack(top, path, limit)
                if len(held) >= BLOCK:
                    given += len(held)
                    yield bytes(held)
                    held.clear()
                if most and given + len(held) >= most:
                    break
            yield bytes(held)
        finally:
            os.close(top)

    def open(self, folder: str, path: str) -> int:
        """A file descriptor of a regular file, reached through no link.

        Raises:
            Missing: it is not there, or not such a file.
            OSError: it may not be read.
        """
        top = self._folder(folder)
        try:
            return _opened(top, path)
        finally:
            os.close(top)

    def _folder(self, name: str) -> int:
        if not name or "/" in name or "\0" in name or name in (".", ".."):
            raise Missing
        try:
            root = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                return os.open(name, _FOLDER, dir_fd=root)
            finally:
                os.close(root)
        except OSError as error:
            raise _missing(error) from error

    def _unlisted(self, folder: str, top: int, listed: set[object]) -> list[dict[str, object]]:
        late: list[dict[str, object]] = [
            {"path": path, "link": link} for path, link in _links(top) if path not in listed
        ]
        for path, _ in _files(top):
            if path not in listed:
                try:
                    late.append(self._hashed(folder, top, path))
                except Missing:
                    continue  # it went away while we looked
        return sorted(late, key=lambda entry: str(entry["path"]))

    def _hashed(self, folder: str, top: int, path: str) -> dict[str, object]:
        fd = _opened(top, path)
        try:
            status = os.fstat(fd)
            key = (folder, path, status.st_size, status.st_mtime_ns, status.st_ino)
            sha256 = self._hashes.get(key)
            if sha256 is None:
                sha256 = self._hashes[key] = _sha256(fd)
        finally:
            os.close(fd)
        return {"path": path, "size": status.st_size, "sha256": sha256}


def _listed(manifest: str) -> set[object]:
    """Paths in a manifest; whether it is a sound one is for its reader to say."""
    paths: set[object] = set()
    for line in manifest.splitlines()[1:]:
        try:
            paths.add(json.loads(line)["path"])
        except (ValueError, KeyError, TypeError):
            continue
    return paths


def _files(top: int) -> Iterator[tuple[str, int]]:
    """Path and size of every regular file but our own two."""
    for path, status, _ in _entries(top):
        if stat.S_ISREG(status.st_mode) and path not in evidence.OWN_NAMES:
            yield path, status.st_size


def _links(top: int) -> Iterator[tuple[str, str]]:
    """Path of every link, and what it says."""
    for path, status, where in _entries(top):
        if stat.S_ISLNK(status.st_mode):
            yield path, os.readlink(os.path.basename(path), dir_fd=where)


def _entries(top: int) -> Iterator[tuple[str, os.stat_result, int]]:
    """Path, status and folder's descriptor of all that is no folder."""
    for below, folders, names, where in os.fwalk(".", onerror=_give_up, dir_fd=top):
        for name in names + folders:
            try:
                status = os.stat(name, dir_fd=where, follow_symlinks=False)
            except FileNotFoundError:
                continue  # it went away while we looked
            if not stat.S_ISDIR(status.st_mode):
                yield os.path.normpath(os.path.join(below, name)), status, where


def _give_up(error: OSError) -> None:
    """A folder that cannot be read is not an empty one."""
    raise error


def _opened(top: int, path: str) -> int:
    """A regular file below a folder, reached through no link."""
    where = os.dup(top)
    *folders, name = path.split("/")
    try:
        for part in folders:
            where = _step(where, part, _FOLDER)
        where = _step(where, name, _FILE)
        if not stat.S_ISREG(os.fstat(where).st_mode):
            raise FileNotFoundError(errno.ENOENT, "not a file", path)
    except (OSError, ValueError) as error:
        os.close(where)
        raise _missing(error) from error
    return where


def _missing(error: Exception) -> Exception:
    """What may be said of a name that cannot be opened; a file that may not be read is there."""
    is_there = isinstance(error, OSError) and error.errno not in _NOT_THERE
    return error if is_there else Missing()


def _step(where: int, part: str, flags: int) -> int:
    if part in ("", ".", ".."):
        raise FileNotFoundError(errno.ENOENT, "not a name", part)
    there = os.open(part, flags, dir_fd=where)
    os.close(where)
    return there


def _pack(top: int, path: str, limit: int) -> bytes:
    try:
        fd = _opened(top, path)
    except Missing:
        return b""
    try:
        content = b"".join(_blocks(fd, limit))
    finally:
        os.close(fd)
    return json.dumps({"path": path, "size": len(content)}).encode("ascii") + b"\n" + content


def _blocks(fd: int, most: int) -> Iterator[bytes]:
    while most and (block := os.read(fd, min(most, BLOCK))):
        most -= len(block)
        yield block


def _sha256(fd: int) -> str:
    digest = hashlib.sha256()
    while block := os.read(fd, BLOCK):
        digest.update(block)
    return digest.hexdigest()


def _text(top: int, name: str) -> str | None:
    try:
        fd = _opened(top, name)
    except Missing:
        return None
    with os.fdopen(fd, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return file.read()
