"""Keeps the times of tokens: deadlines are counted from the start, so no delay adds up."""

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """When each token of a request is due, on the loop's clock.

    Attributes:
        start: the moment that all deadlines are counted from.
        ttft_s: seconds from there to the first token.
        itl_s: seconds from token to token.
    """

    start: float
    ttft_s: float
    itl_s: float

    def due(self, place: int) -> float:
        """The deadline of the token at `place`, from 0."""
        return self.start + self.ttft_s + self.itl_s * place


async def until(deadline: float) -> None:
    """Wait for a moment on the loop's clock; even when it is past, let others run."""
    await asyncio.sleep(max(0.0, deadline - asyncio.get_running_loop().time()))
