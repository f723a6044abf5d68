"""The queue folder as the daemon sees it (`ports.Queue`): arrivals, commits, rejections."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import aclosing
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from llmdbenchd.core.job.names import job_id
from llmdbenchd.edge.files.claims import Claims, Order, Taken, plain_stem, submitted_id
from llmdbenchd.edge.files.inbox import Ready, arrivals, identity
from llmdbenchd.edge.files.records import encoded
from llmdbenchd.ports import Dropped, NewJob

SPEC = "spec.json"
Answer = TypeVar("Answer")


class FileQueue:
    """One locked queue folder.

    Args:
        rejected: told of files that were no job files at all: name and why.
    """

    def __init__(
        self,
        queue: Path,
        claims: Claims,
        disk: Executor,
        *,
        scan_s: float,
        polling: bool,
        rejected: Callable[[str, str], None],
    ) -> None:
        self._queue = queue
        self._locked = identity(queue)  # now: one that comes later is not the one we locked
        self._claims = claims
        self._disk = disk
        self._scan_s = scan_s
        self._polling = polling
        self._rejected = rejected
        self._taken: dict[str, Taken] = {}
        self._known: dict[str, bool] = {}
        self._refused: dict[str, str] = {}

    async def arrivals(self) -> AsyncIterator[tuple[Dropped, ...]]:
        """First what a crash has left, then what people drop; groups may be empty."""
        await self._do(self._claims.recover)
        while left := await self._take([]):
            yield left
        found = arrivals(
            self._queue,
            self._disk,
            locked=self._locked,
            scan_s=self._scan_s,
            polling=self._polling,
        )
        async with aclosing(found):
            async for ready in found:
                yield await self._take(ready)

    async def commit(self, jobs: Sequence[NewJob]) -> Mapping[str, str]:
        """Make them jobs, for good; see `ports.Queue.commit`."""
        open_jobs = [new for new in jobs if new.claim in self._taken]
        for new in open_jobs:  # asked once: a second try must not take our own commit for another
            self._known.setdefault(new.claim, self._claims.is_known(new.job))
        orders = [Order(self._taken[new.claim], new.job, _files(new)) for new in open_jobs]
        duplicates = await self._do(partial(self._claims.commit_many, orders))
        refused = {one.order.taken.job: str(one) for one in duplicates}
        for claim, why in refused.items():
            await self.reject(claim, why)
            self._refused[claim] = why  # told when all of the group is done, and not before
        known = {new.claim: "" for new in open_jobs if self._known.pop(new.claim)}
        for new in open_jobs:
            self._taken.pop(new.claim, None)
        told, self._refused = self._refused, {}
        return {**known, **told}

    async def reject(self, claim: str, why: str) -> None:
        """Give the file back to people, with the reason beside it."""
        taken = self._taken.get(claim)
        if taken is not None:
            await self._do(partial(self._claims.reject, taken, why))
            del self._taken[claim]

    async def _take(self, ready: Sequence[Ready]) -> tuple[Dropped, ...]:
        batch = await self._do(partial(self._claims.take, ready))
        for bad in batch.rejected:
            self._rejected(bad.name, bad.why)
        self._taken.update({taken.job: taken for taken in batch.taken})
        return tuple(
            Dropped(
                claim=taken.job,
                name=taken.origin.name,
                stem=plain_stem(taken.origin.name),
                data=taken.data,
                owner=taken.origin.owner,
            )
            for taken in batch.taken
        )

    async def _do(self, work: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)


def _files(new: NewJob) -> dict[str, bytes]:
    records = {f"runs/{record.run}.json": encoded(record) for record in new.records}
    return {SPEC: new.spec, **records}


def claim_name(file: str, now: datetime) -> str:
    """The id of the job that a file becomes: the one it carries, or a new one."""
    return submitted_id(file) or job_id(plain_stem(file), now, secrets.token_hex(2))
