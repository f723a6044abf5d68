"""The Kubernetes room's reader of streams: whole lines of any length."""

from collections.abc import AsyncIterator

import aiohttp


async def lines_of(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Whole lines without their end; the library's own reader stops at 4 MiB.

    An unfinished last line is dropped: what was cut off is no event.
    """
    begun: list[bytes] = []
    async for chunk in content.iter_any():
        first, *others = chunk.split(b"\n")
        begun.append(first)
        if others:
            line = b"".join(begun)
            if line:
                yield line
            for whole in others[:-1]:
                if whole:
                    yield whole
            begun = [others[-1]]
