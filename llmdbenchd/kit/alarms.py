"""One alarm for each name: setting it anew replaces it, and it rings once."""

import asyncio
from collections.abc import Callable

LONGEST_S = 3600.0  # the loop's clock may stand still in suspend: look again at least this often


class Alarms:
    """Calls `ring(name)` when the alarm of `name` is due."""

    def __init__(self, ring: Callable[[str], None]) -> None:
        self._ring = ring
        self._handles: dict[str, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        return len(self._handles)

    def set(self, name: str, delay_s: float | None) -> None:
        """Ring for `name` in `delay_s` seconds (at most an hour); None = not at all."""
        self.drop(name)
        if delay_s is not None:
            delay_s = min(max(delay_s, 0.0), LONGEST_S)
            loop = asyncio.get_running_loop()
            self._handles[name] = loop.call_later(delay_s, self._due, name)

    def drop(self, name: str) -> None:
        """Forget the alarm of `name`, if there is one."""
        handle = self._handles.pop(name, None)
        if handle is not None:
            handle.cancel()

    def clear(self) -> None:
        """Forget all alarms."""
        for name in list(self._handles):
            self.drop(name)

    def _due(self, name: str) -> None:
        del self._handles[name]
        self._ring(name)
