"""The Kubernetes room's meter: so many bytes a second for all transfers together."""

import asyncio


class ByteRate:
    """Lets bytes pass at a steady pace; whoever took some waits until they are paid for."""

    def __init__(self, bytes_per_s: float | None = None) -> None:
        """Set the pace.

        Args:
            bytes_per_s: above 0; None = no limit.
        """
        self._bytes_per_s = bytes_per_s
        self._paid_at = float("-inf")

    async def spend(self, size: int) -> None:
        """Wait until these bytes are paid for, those that others took before included."""
        if self._bytes_per_s is None:
            return
        now = asyncio.get_running_loop().time()
        self._paid_at = max(now, self._paid_at) + size / self._bytes_per_s
        await asyncio.sleep(self._paid_at - now)
