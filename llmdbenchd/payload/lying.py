"""What lies below the results root, as whoever fetches it may see it: files, never links."""

from __future__ import annotations

import json
import os

from llmdbenchd.payload import evidence

HEADER = '{"version": 1}\n'


class Missing(Exception):
    """There is no such thing, or nobody may have it."""


class Running(Exception):
    """The launcher has not written its manifest yet."""


class Results:
    """What lies below the root."""

    def __init__(self, root: str) -> None:
        self.root = root

    def manifest(self, folder: str, *, final: bool) -> dict[str, object]:
        """The launcher's manifest, or what we find where it says too little.

        Raises:
            Missing: there is no such folder.
            Running: the launcher may still write.
        """
        try:
            top = self._folder(folder)
        except Missing:
            if not final:
                raise
            return {"maker": "late", "manifest": HEADER, "done": None}  # it never came to results
        done, text = _text(top, evidence.DONE), _text(top, evidence.MANIFEST)
        if done is None and not final:
            raise Running
        listed = {json.loads(line).get("path") for line in (text or "").splitlines()[1:]}
        unread: list[str] = []
        lying = sorted(evidence.files(top, "", unread))
        unlisted = [(path, is_link) for path, is_link in lying if path not in listed]
        if unread:
            raise OSError("; ".join(unread))
        if text is not None and not unlisted:
            return {"maker": "launcher", "manifest": text, "done": done}
        lines = (text or HEADER).splitlines()
        for path, is_link in unlisted:
            make = evidence.link if is_link else evidence.hashed
            lines.append(json.dumps(make(top, path)))
        return {"maker": "late", "manifest": "\n".join(lines) + "\n", "done": done}

    def small(self, folder: str, limit: int, after: str) -> list[tuple[str, int]]:
        """Paths and sizes of the files that are small, sorted, after one of them."""
        top = self._folder(folder)
        found = []
        for path, is_link in evidence.files(top, "", []):
            if not is_link and path > after:
                size = os.lstat(os.path.join(top, path)).st_size
                if size <= limit:
                    found.append((path, size))
        return sorted(found)

    def open(self, folder: str, path: str) -> int:
        """A file descriptor of a regular file, reached through no link.

        Raises:
            Missing: it is not there, or not such a file.
        """
        where = os.open(self._folder(folder), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        parts = path.split("/")
        try:
            for part in parts[:-1]:
                flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                where = _step(where, part, flags)
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            where = _step(where, parts[-1], flags)
        except OSError as error:
            os.close(where)
            raise Missing from error
        if not os.path.isfile(f"/proc/self/fd/{where}"):
            os.close(where)
            raise Missing
        return where

    def _folder(self, name: str) -> str:
        if not name or "/" in name or "\0" in name or name in (".", ".."):
            raise Missing
        path = os.path.join(self.root, name)
        if os.path.islink(path) or not os.path.isdir(path):
            raise Missing
        return path


def _step(where: int, part: str, flags: int) -> int:
    if part in ("", ".", ".."):
        raise OSError(part)
    there = os.open(part, flags, dir_fd=where)
    os.close(where)
    return there


def _text(top: str, name: str) -> str | None:
    try:
        with open(os.path.join(top, name), encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return None
