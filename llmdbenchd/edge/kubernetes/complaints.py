"""What Kubernetes complains about pods: warning events of many at once, and soon or not at all.

An event is a hint and never a reason to wait for long: what does not come in time is left
out, and where the API server is ill nobody asks for a while.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llmdbenchd.core.pods.words import lacks_volume, warnings
from llmdbenchd.edge.kubernetes.events import events_of
from llmdbenchd.edge.kubernetes.session import Session

WITHIN_S = 2.0  # for all that is asked at once
AFTER_TROUBLE_S = 60.0
AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is said about a pod: the warnings in one line, and whether it lacks a volume."""

    text: str
    lacks_volume: bool


class Complaints:
    """The warning events about pods of one namespace."""

    def __init__(self, session: Session, namespace: str) -> None:
        self._session = session
        self._namespace = namespace
        self._not_before = 0.0

    async def about(self, uids: Sequence[str]) -> dict[str, Complaint]:
        """One for each pod that there are complaints about, as far as they come in time."""
        loop = asyncio.get_running_loop()
        found: dict[str, Complaint] = {}
        if loop.time() < self._not_before:
            return found
        line = iter(uids)
        try:
            async with asyncio.timeout(WITHIN_S), asyncio.TaskGroup() as group:
                for _ in range(min(AT_ONCE, len(uids))):
                    group.create_task(self._ask(line, found))
        except TimeoutError:
            self._not_before = loop.time() + AFTER_TROUBLE_S
        return found

    async def _ask(self, line: Iterator[str], found: dict[str, Complaint]) -> None:
        for uid in line:
            events = await events_of(self._session, self._namespace, uid)
            if text := warnings(events):
                found[uid] = Complaint(text, lacks_volume(events))
