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
FILESYSTEMS_OWN = "lost+found"
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

    def folders(self) -> list[str]:
        """Names of all folders below the root but hidden ones and the filesystem's own, sorted.

        Raises:
            OSError: nobody may say what there is.
        """
        with os.scandir(self.root) as entries:
            return sorted(
                entry.name
                for entry in entries
                if not entry.name.startswith(".")
                and entry.name != FILESYSTEMS_OWN
                and entry.is_dir(follow_symlinks=False)
            )

    def packed(self, folder: str, limit: int, after: str, most: int = 0) -> Iterator[bytes]:
        """Files of at most `limit` bytes, sorted by `order`, from the one after `after` on.

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
            given, held = 0, bytearray()
            for path, content in _small(top, limit, order(after) if after else None):
                held += json.dumps({"path": path, "size": len(content)}).encode("ascii") + b"\n"
                held += content
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
        late: list[dict[str, object]] = []
        for path, where in _names(top):
            if path in listed or path in evidence.OWN_NAMES:
                continue
            try:
                mode = os.stat(os.path.basename(path), dir_fd=where, follow_symlinks=False).st_mode
                if stat.S_ISLNK(mode):
                    target = os.readlink(os.path.basename(path), dir_fd=where)
                    late.append({"path": path, "link": target})
                elif stat.S_ISREG(mode):
                    late.append(self._hashed(folder, top, path))
            except (FileNotFoundError, Missing):
                continue  # it went away while we looked
        return late

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


def order(path: str) -> tuple[list[str], str]:
    """What paths are sorted by: as a walk meets them, a folder's files before its folders."""
    *folders, name = path.split("/")
    return folders, name


def _listed(manifest: str) -> set[object]:
    """Paths in a manifest; whether it is a sound one is for its reader to say."""
    paths: set[object] = set()
    for line in manifest.split("\n")[1:]:
        try:
            paths.add(json.loads(line)["path"])
        except (ValueError, KeyError, TypeError):
            continue
    return paths


def _names(top: int) -> Iterator[tuple[str, int]]:
    """Path of all that is no folder, and its folder's descriptor, sorted by `order`."""
    for below, folders, names, where in os.fwalk(".", onerror=_give_up, dir_fd=top):
        folders.sort()
        prefix = below[2:] + "/" if below[2:] else ""
        links = [name for name in folders if _is_link(name, where)]
        for name in sorted(names + links):
            yield prefix + name, where


def _is_link(name: str, where: int) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=where, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def _small(
    top: int, limit: int, after: tuple[list[str], str] | None
) -> Iterator[tuple[str, bytes]]:
    """Path and content of every regular file of at most `limit` bytes, but our own two."""
    for path, where in _names(top):
        if path in evidence.OWN_NAMES or (after is not None and order(path) <= after):
            continue
        try:
            fd = os.open(path.rpartition("/")[2], _FILE, dir_fd=where)
        except OSError as error:
            if error.errno in _NOT_THERE:
                continue  # a link, or it went away while we looked
            raise
        try:
            status = os.fstat(fd)
            if stat.S_ISREG(status.st_mode) and status.st_size <= limit:
                yield path, _read(fd, status.st_size)
        finally:
            os.close(fd)


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


def _read(fd: int, size: int) -> bytes:
    """The first `size` bytes; fewer where it became shorter."""
    blocks = []
    while size and (block := os.read(fd, size)):
        blocks.append(block)
        size -= len(block)
    return b"".join(blocks)


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
