"""Where requests check in and out: numbers them, writes the truth, ends them on a stop."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from aiohttp import web

from llmdbenchd.simulate.exchange import Exchange
from llmdbenchd.simulate.metrics import Metrics
from llmdbenchd.simulate.trouble import Trouble
from llmdbenchd.simulate.truth import Outcome, write_line

_FIRST_ERROR = 400


class Desk:
    """Knows every request that is under way."""

    def __init__(
        self, truth: TextIO | None, metrics: Metrics, wall_clock: Callable[[], float]
    ) -> None:
        """Open the desk.

        Args:
            truth: where lines go, or None.
            metrics: told how requests end.
            wall_clock: seconds since 1970.
        """
        self._truth = truth
        self._metrics = metrics
        self._wall_clock = wall_clock
        self._count = 0
        self._under_way: set[asyncio.Task[object]] = set()
        self._stopping = False

    @contextmanager
    def exchange(self, request: web.Request) -> Iterator[Exchange]:
        """Check a request in, and out again with its line however the block ends."""
        exchange = self._check_in(request)
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a request is handled outside of any task")
        self._under_way.add(task)
        try:
            yield exchange
        except asyncio.CancelledError:
            exchange.left = True
            raise
        except Trouble as trouble:
            exchange.failed(trouble.status, trouble.message)
            raise
        except web.HTTPException as error:
            exchange.failed(error.status, error.reason)
            raise
        except Exception as error:
            exchange.failed(500, f"internal: {error!r}")
            raise
        finally:
            self._under_way.discard(task)
            self._check_out(exchange)

    async def close(self) -> None:
        """End every request that is under way; returns when all lines are written."""
        self._stopping = True
        tasks = set(self._under_way)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._truth = None  # a request that slips in on an open connection finds no file

    def _check_in(self, request: web.Request) -> Exchange:
        self._count += 1
        return Exchange(
            self._count,
            arrival=asyncio.get_running_loop().time(),
            arrival_utc=self._wall_clock(),
            path=request.path,
            user_agent=_printable(request.headers.get("User-Agent")),
        )

    def _check_out(self, exchange: Exchange) -> None:
        outcome = self._outcome(exchange)
        now = asyncio.get_running_loop().time()
        if outcome is Outcome.SERVED:
            self._metrics.finished["length"] += 1
            self._metrics.latency.observe(now - exchange.arrival)
        elif outcome is not Outcome.FAILED:
            self._metrics.finished["abort"] += 1
        if self._truth is not None:
            self._truth.write(write_line(exchange.line(outcome, now)))
            self._truth.flush()

    def _outcome(self, exchange: Exchange) -> Outcome:
        if exchange.left:
            return Outcome.STOPPED if self._stopping else Outcome.LEFT
        return Outcome.FAILED if exchange.status >= _FIRST_ERROR else Outcome.SERVED


def _printable(header: str | None) -> str | None:
    """Headers may carry bytes that are no text; a JSON line may not."""
    return None if header is None else header.encode(errors="replace").decode()
