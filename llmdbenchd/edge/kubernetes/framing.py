"""The Kubernetes room's unpacker: many small files out of one answer of `payload/serve.py`."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec

from llmdbenchd.ports import Unavailable

LONGEST_HEAD = 1 << 16


@dataclass(frozen=True, slots=True)
class SmallFile:
    """A file that came whole; whether it is the right one is for its hash to say."""

    path: str
    content: bytes


class _Head(msgspec.Struct):
    path: str
    size: int


async def unframed(stream: AsyncIterator[bytes], limit: int) -> AsyncIterator[SmallFile]:
    """Each file as soon as it is whole; an answer that is cut off just ends earlier.

    Raises:
        Unavailable: this is not such an answer.
    """
    held = bytearray()
    head: _Head | None = None
    async for chunk in stream:
        held += chunk
        while True:
            if head is None:
                end = held.find(b"\n")
                if end < 0:
                    if len(held) > LONGEST_HEAD:
                        raise Unavailable("small files: the answer is not framed")
                    break
                head = _read(bytes(held[:end]), limit)
                del held[: end + 1]
            if len(held) < head.size:
                break
            yield SmallFile(head.path, bytes(held[: head.size]))
            del held[: head.size]
            head = None


def _read(line: bytes, limit: int) -> _Head:
    try:
        head = msgspec.json.decode(line, type=_Head)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Unavailable(f"small files: the answer is not framed: {error}") from error
    if not 0 <= head.size <= limit:
        raise Unavailable(f"small files: {head.path} has {head.size} bytes")
    return head
