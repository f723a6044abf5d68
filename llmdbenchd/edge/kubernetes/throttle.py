"""How often the API server may be asked, and how long somebody waits who was told "later"."""

import asyncio
from dataclasses import dataclass, field

from llmdbenchd.edge.kubernetes.errors import Throttled


@dataclass(slots=True)
class TokenBucket:
    """Lets `burst` requests pass at once and `rate` a second for good, first come first served.

    A run is begun with three: at 20 a second two hundred of them took half a minute. A server
    that cannot take 50 from one client says 429, which is obeyed.
    """

    rate: float = 50.0
    burst: float = 100.0
    _left: float = field(default=0.0, init=False)
    _counted_at: float = field(default=float("-inf"), init=False)

    async def take(self) -> None:
        """Wait for one's turn; who is cancelled meanwhile gives it back."""
        self._left = self._refilled() - 1
        wait_s = -self._left / self.rate
        if wait_s <= 0:
            return
        try:
            await asyncio.sleep(wait_s)
        except asyncio.CancelledError:
            self._left += 1
            raise

    def _refilled(self) -> float:
        now = asyncio.get_running_loop().time()
        since_s, self._counted_at = now - self._counted_at, now
        return min(self.burst, self._left + since_s * self.rate)


@dataclass(frozen=True, slots=True)
class Patience:
    """The bound for asking again: so many tries, or so many seconds of waiting, in all."""

    tries: int = 10
    wait_s: float = 60.0

    def pause_s(self, error: Throttled, *, tried: int, waited_s: float) -> float | None:
        """Seconds before the next try; None = give up, the error stands.

        Args:
            error: what the server said last.
            tried: requests so far, at least 1.
            waited_s: seconds waited so far.
        """
        pause_s = max(error.retry_after_s, 0.05)
        enough = tried >= self.tries or waited_s + pause_s > self.wait_s
        return None if enough else pause_s
