"""The Kubernetes room's reader of streams: whole lines of any length."""

from collections.abc import AsyncIterator

import aiohttp

from llmdbenchd.ports import Unavailable

LONGEST = 32 * 2**20  # bytes; an object has 1.5 MiB at most, and more as JSON


async def lines_of(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Whole lines without their end; the library's own reader stops at 4 MiB.

    An unfinished last line is dropped: what was cut off is no event. So are empty ones.

    Raises:
        Unavailable: a line does not end; something else than an API server speaks.
    """
    begun: list[bytes] = []
    size = 0
    async for chunk in content.iter_any():
        *lines, rest = chunk.split(b"\n")
        if lines:
            lines[0] = b"".join([*begun, lines[0]])
            begun, size = [], 0
        for line in filter(None, lines):
            yield line
        begun.append(rest)
        size += len(rest)
        if size > LONGEST:
            raise Unavailable(f"a line of more than {LONGEST >> 20} MiB: no API server sends it")
