"""The Kubernetes room's unpacker: many small files out of one answer of `payload/serve.py`."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

from llmdbenchd.ports import Unavailable

LONGEST_HEAD = 1 << 16


@dataclass(frozen=True, slots=True)
class SmallFile:
    """A file that came whole; whether it is the right one is for its hash to say."""

    path: str
    content: bytes


async def unframed(stream: AsyncIterator[bytes], limit: int) -> AsyncIterator[SmallFile]:
    """Each file as soon as it is whole; an answer that is cut off just ends earlier.

    Raises:
        Unavailable: this is not such an answer.
    """
    held = bytearray()
    async for chunk in stream:
        held += chunk
        begin = 0
        while (head := _head(held, begin, limit)) is not None:
            path, content, end = head
            if len(held) < end:
                break
            yield SmallFile(path, bytes(held[content:end]))
            begin = end
        del held[:begin]


def _head(held: bytearray, begin: int, limit: int) -> tuple[str, int, int] | None:
    """A file's path, and where its content begins and ends; None until its line is whole."""
    content = held.find(b"\n", begin) + 1
    if not content:
        if len(held) - begin > LONGEST_HEAD:
            raise Unavailable("small files: the answer is not framed")
        return None
    path, size = _read(bytes(held[begin : content - 1]), limit)
    return path, content, content + size


def _read(line: bytes, limit: int) -> tuple[str, int]:
    try:
        head = json.loads(line)  # not msgspec: names that are not UTF-8 have lone surrogates
        path, size = head["path"], head["size"]
    except (ValueError, KeyError, TypeError) as error:
        raise Unavailable(f"small files: the answer is not framed: {error}") from error
    if not isinstance(path, str) or not isinstance(size, int) or not 0 <= size <= limit:
        raise Unavailable(f"small files: {path!r} has {size!r} bytes")
    return path, size
