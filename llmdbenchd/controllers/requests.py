"""What people ask of the running daemon: cancel, collect, pause, resume.

Carrying a request out twice is harmless: a cancel is remembered by its request's name,
so that a crash between the record and the request's file does not turn one into two.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from llmdbenchd.controllers.runs import Runs
from llmdbenchd.core.run import facts
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record
from llmdbenchd.ports import Refused, Request, Unavailable

log = structlog.get_logger()

AGAIN_S = 2.0
KEPT_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Counter:
    """Answers requests.

    Attributes:
        owner_of: who dropped a job; raises `LookupError` for a job that is not known.
        masters: owners whose word counts for every job (root, the daemon's own user).
        pause: stops (True) or resumes (False) admission.
        done, refused: take the request's file away.
    """

    runs: Runs
    owner_of: Callable[[str], str]
    masters: frozenset[str]
    pause: Callable[[bool], Awaitable[None]]
    done: Callable[[Request], Awaitable[None]]
    refused: Callable[[Request, str], Awaitable[None]]

    async def serve(self, arrivals: Callable[[], AsyncIterator[Sequence[Request]]]) -> None:
        """Answer what comes, for ever; what cannot be read now is asked for again."""
        while True:
            try:
                async for group in arrivals():
                    for request in group:
                        await self._try(request)
            except (Refused, Unavailable) as error:
                log.warning("queue.unavailable", reason=str(error))
            await asyncio.sleep(AGAIN_S)

    async def _try(self, request: Request) -> None:
        try:
            await self.answer(request)
        except (Refused, Unavailable, OSError, ValueError) as error:
            log.warning("control.delayed", request=request.name, reason=str(error))

    async def answer(self, request: Request) -> None:
        """Carry one request out, or refuse it with the reason."""
        if request.asked in {"pause", "resume"}:
            await self.pause(request.asked == "pause")
        else:
            why = self._objection(request)
            if why:
                log.warning(
                    "control.refused", request=request.asked, owner=request.owner, reason=why
                )
                await self.refused(request, why)
                return
            await self._carry_out(request)
        await self.done(request)
        log.info("control.done", request=request.asked, owner=request.owner, job=request.job)

    def _objection(self, request: Request) -> str:
        try:
            owner = self.owner_of(request.job)
        except LookupError:
            return f"no job {request.job} is known: see `llmdbenchd status`"
        if request.owner != owner and request.owner not in self.masters:
            return f"job {request.job} is {owner}'s, and {request.owner} may not {request.asked} it"
        found = self._meant(request)
        if not found or (request.asked == "cancel" and all(one.phase.is_over for one in found)):
            return f"{_name(request)} has no open run: see `llmdbenchd status {request.job}`"
        if request.asked == "collect" and not any(one.phase is Phase.LEFT for one in found):
            return f"{_name(request)} was not left running, so it is collected by itself"
        return ""

    async def _carry_out(self, request: Request) -> None:
        """Tell the runs, and wait until that is on disk: only then may the request go."""
        meant = self._meant(request)
        for record in meant:
            if request.asked == "collect":
                self.runs.learn(record.key, facts.collect_asked)
            else:
                fact = partial(facts.cancel_asked, request=request.name)
                self.runs.learn(record.key, fact)
        try:
            async with asyncio.timeout(KEPT_WITHIN_S):
                await self.runs.kept([record.key for record in meant])
        except TimeoutError as error:
            raise Unavailable(f"{_name(request)} could not be put on disk yet") from error

    def _meant(self, request: Request) -> list[Record]:
        return [
            record
            for record in self.runs
            if record.job == request.job and request.run in {"", record.run}
        ]


def _name(request: Request) -> str:
    return f"{request.job}/{request.run}" if request.run else request.job
