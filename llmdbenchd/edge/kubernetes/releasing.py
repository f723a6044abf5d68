"""The Kubernetes room's starter: launchers that cannot see each other begin together.

The container beside each one knows whether it could begin, and can tell it to. All are asked
until the last one could; then all are told at once. Nothing is remembered: who does it again,
after a restart, finds those ready that have begun already, and tells them once more.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import TypeVar

import structlog

from llmdbenchd.core.pods.objects import Pod
from llmdbenchd.core.run.sight import Ended
from llmdbenchd.edge.kubernetes.doors import ByExec, door_of, proxy_path
from llmdbenchd.edge.kubernetes.errors import Forbidden
from llmdbenchd.edge.kubernetes.knowing import Known
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.ports import Refused, Unavailable

LOOK_S = 0.2
LONGEST_S = 1.0  # the first launcher of many may wait for the last one's image
ANSWER_S = 5.0

T = TypeVar("T")

log = structlog.get_logger()


class Starter:
    """Tells the launchers of one namespace to begin.

    Args:
        known: what the watch has told of them.
        find: asks for one that the watch has not told of yet.
    """

    def __init__(
        self, session: Session, known: Known, find: Callable[[str], Awaitable[Pod | None]]
    ) -> None:
        self._session = session
        self._known = known
        self._find = find
        self._met: set[str] = set()

    async def release(self, launchers: Iterable[str]) -> None:
        """Let them begin as soon as all could, or have ended.

        Raises:
            Refused: neither pods/proxy nor pods/exec may be used.
            Unavailable: one of them could not be looked at.
        """
        pods = {one: self._known.get(one) or await self._find(one) for one in launchers}
        everyone = [pod for pod in pods.values() if pod is not None]
        waiting, pause_s = everyone, LOOK_S
        while waiting:
            answers = await _together(self._is_ready(pod) for pod in waiting)
            waiting = [pod for pod, ready in zip(waiting, answers, strict=True) if not ready]
            if waiting:
                await asyncio.sleep(pause_s)
                pause_s = min(LONGEST_S, pause_s * 1.2)
        await _together(self._tell(pod) for pod in everyone)

    def _is_over(self, pod: Pod) -> bool:
        """Whether its harness has ended; nobody waits for that."""
        name = pod.metadata.name
        last = self._known.last(name)
        if last is None:  # it is gone, unless the watch has not told of it yet
            return name in self._met
        self._met.add(name)
        return isinstance(self._known.sight(last), Ended)

    async def _is_ready(self, pod: Pod) -> bool:
        if self._is_over(pod):
            return True
        try:
            return json.loads(await self._asked(pod, "GET", "barrier")) is True
        except (Unavailable, ValueError):
            return False  # the container beside it has not begun to serve

    async def _tell(self, pod: Pod) -> None:
        while not self._is_over(pod):
            try:
                await self._asked(pod, "POST", "go")
            except Unavailable as error:
                log.warning("launcher.not_told", launcher=pod.metadata.name, reason=str(error))
                await asyncio.sleep(LOOK_S)
            else:
                return

    async def _asked(self, pod: Pod, method: str, word: str) -> bytes:
        """By the proxy, or by exec where that is forbidden."""
        door = door_of(pod)
        try:
            path = f"{proxy_path(door)}/{word}"
            return await self._session.ask(method, path, timeout_s=ANSWER_S)
        except Forbidden as error:
            by_proxy = error
        except Refused as error:
            raise Unavailable(str(error)) from error
        try:
            return await ByExec(self._session, door).run(word)
        except Forbidden as error:
            raise Refused(
                "launchers that keep their own results (storage.mode: ephemeral) cannot be told "
                f"to begin together: {by_proxy}; {error}"
            ) from error


async def _together(asks: Iterable[Coroutine[object, object, T]]) -> list[T]:
    """All at once; of several errors the first says enough."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(ask) for ask in asks]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    return [task.result() for task in tasks]
