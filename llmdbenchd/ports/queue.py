"""What people ask for, by files."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from llmdbenchd.core.run.record import Record


@dataclass(frozen=True, slots=True)
class Dropped:
    """A dropped file that is ours now.

    Attributes:
        claim: the id that it would have as a job; names it towards the queue.
        name: its name in the queue folder; `stem` what people called it.
        data: all of its bytes, read once.
        owner: who owns the file.
    """

    claim: str
    name: str
    stem: str
    data: bytes
    owner: str


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be committed: its id, what it says, and the first record of each of its runs."""

    claim: str
    job: str
    spec: bytes
    records: tuple[Record, ...]


class Queue(Protocol):
    """Where job files come from. Everything may raise `Unavailable`: then try again."""

    def arrivals(self) -> AsyncIterator[tuple[Dropped, ...]]:
        """Groups of dropped files, for ever; an empty group is a heartbeat."""
        ...

    async def commit(self, jobs: Sequence[NewJob]) -> Mapping[str, str]:
        """Make them jobs, for good.

        Returns, by claim, why some became none: the sentence with which a duplicate was
        rejected, or an empty text for one that was committed before a crash already.
        """
        ...

    async def reject(self, claim: str, why: str) -> None:
        """Give the file back to people, with the reason beside it."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks of the running daemon.

    Attributes:
        name: identity of the request; the same after a restart.
        asked: `cancel`, `collect`, `pause` or `resume`.
        job: which job; empty where the whole queue is meant. `run`: empty for all its runs.
        owner: who asks, as the system says and not the request.
    """

    name: str
    asked: str
    job: str
    run: str
    owner: str
