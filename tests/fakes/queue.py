"""A queue folder in memory, with a disk that may fail between any two files."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from llmdbenchd.ports import Dropped, NewJob, Unavailable


class FakeQueue:
    """Files that were dropped, and what became of each.

    Attributes:
        jobs: committed jobs, by id. Put one there by hand: it is from before a crash.
        rejected: the reason beside each rejected file, by claim.
        fails_after: so many more files are handled, then the disk fails once; None = never.
    """

    def __init__(self) -> None:
        self.jobs: dict[str, NewJob] = {}
        self.rejected: dict[str, str] = {}
        self.fails_after: int | None = None
        self._groups: asyncio.Queue[tuple[Dropped, ...] | Exception | None] = asyncio.Queue()

    def drop(self, *group: Dropped) -> None:
        """A group of files arrives; none is a heartbeat."""
        self._groups.put_nowait(group)

    def end(self, error: Exception | None = None) -> None:
        """The arrivals end after what waits in them, or break with this error."""
        self._groups.put_nowait(error)

    async def arrivals(self) -> AsyncIterator[tuple[Dropped, ...]]:
        while (group := await self._groups.get()) is not None:
            if isinstance(group, Exception):
                raise group
            yield group

    async def commit(self, jobs: Sequence[NewJob]) -> Mapping[str, str]:
        answer: dict[str, str] = {}
        for new in jobs:
            self._write()
            first = self.jobs.setdefault(new.job, new)
            if first.claim != new.claim:
                answer[new.claim] = self.rejected[new.claim] = f"the id {new.job} is already known"
            elif first.spec == b"from before a crash":
                answer[new.claim] = ""
        return answer

    async def reject(self, claim: str, why: str) -> None:
        self._write()
        self.rejected[claim] = why

    def _write(self) -> None:
        if self.fails_after is None:
            return
        if self.fails_after == 0:
            self.fails_after = None
            raise Unavailable("the fake disk failed")
        self.fails_after -= 1


def dropped(claim: str, text: str) -> Dropped:
    """A file of Ada's with this text, claimed under this id."""
    return Dropped(claim, f"{claim}.yaml", claim, text.encode(), "ada")
