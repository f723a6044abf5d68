"""The Kubernetes room's unpacker: many small files out of one answer of `payload/serve.py`."""

import json

from llmdbenchd.ports import Unavailable

LONGEST_HEAD = 1 << 16


class Unpacker:
    """Takes an answer as it comes; one that is cut off just ends earlier.

    Attributes:
        last: path of the last file that came whole; empty before the first.
    """

    def __init__(self, limit: int) -> None:
        """Begin an answer.

        Args:
            limit: bytes that no file exceeds.
        """
        self.last = ""
        self._limit = limit
        self._held = bytearray()

    def feed(self, data: bytes) -> list[tuple[str, bytes]]:
        """Path and content of each file that is whole now; its hash says whether it is right.

        Raises:
            Unavailable: this is no such answer.
        """
        held, files, begin = self._held, [], 0
        held += data
        while (head := self._head(begin)) is not None:
            path, content, end = head
            if len(held) < end:
                break
            files.append((path, bytes(held[content:end])))
            self.last, begin = path, end
        del held[:begin]
        return files

    def _head(self, begin: int) -> tuple[str, int, int] | None:
        """A file's path, and where its content begins and ends; None until its line is whole."""
        content = self._held.find(b"\n", begin) + 1
        if not content:
            if len(self._held) - begin > LONGEST_HEAD:
                raise Unavailable("small files: the answer is not framed")
            return None
        path, size = self._read(bytes(self._held[begin : content - 1]))
        return path, content, content + size

    def _read(self, line: bytes) -> tuple[str, int]:
        try:
            head = json.loads(line)  # not msgspec: names that are not UTF-8 have lone surrogates
            path, size = head["path"], head["size"]
        except (ValueError, KeyError, TypeError) as error:
            raise Unavailable(f"small files: the answer is not framed: {error}") from error
        if not isinstance(path, str) or not isinstance(size, int) or not 0 <= size <= self._limit:
            raise Unavailable(f"small files: {path!r} has {size!r} bytes")
        return path, size
