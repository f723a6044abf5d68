"""The recorder's voice: asks a server to sleep and to wake, through the API server's proxy."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from llmdbenchd.core.nop.calls import RELOAD, Call, Cycle, first_token, sleep, wakes
from llmdbenchd.core.target.asked import Door
from llmdbenchd.core.target.choosing import port_of
from llmdbenchd.core.target.objects import ServerPod
from llmdbenchd.core.target.serving import MODELS, Silence, read_models
from llmdbenchd.edge.kubernetes.errors import Forbidden, NotFound
from llmdbenchd.edge.kubernetes.reading import listed
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.ports import Refused, Unavailable

CALL_S = 900.0  # as long as the field waits
POLL_S = 0.5
AGAIN_S = 2.0
WAKE_S = 120.0  # for a server that does not let itself be woken at once
LAST_S = 15.0  # of the same, where the daemon itself is asked to end
_IS_SLEEPING = "/is_sleeping"
_DEV_MODE = "the server has no /is_sleeping: it was started without VLLM_SERVER_DEV_MODE=1"


class _Stopped(Exception):
    """Somebody wants the recording to end."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Speaks to the servers in pods of one namespace. Whom it sends to sleep, it wakes.

    Attributes:
        clock: seconds since 1970.
        is_stopped: whether somebody wants the recording to end; asked again and again.
    """

    session: Session
    clock: Callable[[], float]
    is_stopped: Callable[[], bool]

    async def cycle(self, namespace: str, pod: str, level: int) -> Cycle:
        """One sleep and the waking after it. What goes wrong is said in it; a sleeper is woken.

        That also where the daemon is asked to end, as far as it comes in `LAST_S`.
        """
        begun = Cycle(server=pod, level=level, begun=self.clock())
        try:
            door = await self._door(namespace, pod)
            if await self._sleeps(door):
                return replace(begun, trouble="it sleeps already; that is not ours to end")
        except (Refused, Unavailable) as error:
            return replace(begun, trouble=_why(error))
        cycle = await self._ended(door, begun)
        if cycle.trouble:
            return cycle
        try:
            return await self._unless_stopped(self._answered(door, cycle))
        except _Stopped:
            return replace(cycle, trouble="stopped before its first token")

    async def _ended(self, door: Door, begun: Cycle) -> Cycle:
        """Asleep and awake again, whatever comes in between."""
        try:
            try:
                return await self._unless_stopped(self._slept(door, begun))
            except _Stopped:
                trouble = "stopped in the middle of it"
            except (Refused, Unavailable) as error:
                trouble = _why(error)
            told = _told(await self._woken(door, begun.level))
        except asyncio.CancelledError:
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_S):
                    await self._woken(door, begun.level)
            raise
        return replace(begun, trouble=f"{trouble}, {told}")

    async def wake(self, namespace: str, pod: str, level: int) -> str:
        """Wake a server that we left asleep when we were killed; what came of it, in words."""

        async def woken() -> str:
            door = await self._door(namespace, pod)
            return (await self._wake(door, level))[1] if await self._sleeps(door) else ""

        return _told(await _patiently(woken))

    async def _unless_stopped(self, work: Awaitable[Cycle]) -> Cycle:
        try:
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(self._watch())
                cycle = await work
                watch.cancel()
        except ExceptionGroup as errors:  # whichever came first
            raise errors.exceptions[0] from errors
        return cycle

    async def _watch(self) -> None:
        """Until somebody wants the recording to end."""
        while not self.is_stopped():  # noqa: ASYNC110 - it is a file that others make
            await asyncio.sleep(POLL_S)
        raise _Stopped

    async def _slept(self, door: Door, cycle: Cycle) -> Cycle:
        loop = asyncio.get_running_loop()
        at = loop.time()
        try:
            await self._call(door, sleep(cycle.level))
        except Refused as error:  # then it never fell asleep
            return replace(cycle, trouble=_why(error))
        await self._until(door, asleep=True)
        cycle = replace(cycle, sleep_s=round(loop.time() - at, 3))
        at = loop.time()
        reload_s, trouble = await self._wake(door, cycle.level)
        wake_s = round(loop.time() - at, 3)
        return replace(cycle, wake_s=wake_s, reload_s=reload_s, trouble=trouble)

    async def _wake(self, door: Door, level: int) -> tuple[float | None, str]:
        """Until it is awake: how long its weights took to be loaded again, or why they were not."""
        loop = asyncio.get_running_loop()
        reload_s, trouble = None, ""
        for call in wakes(level):
            at = loop.time()
            try:
                await self._call(door, call)
            except (Refused, Unavailable) as error:
                if call.name != RELOAD:
                    raise
                trouble = f"its weights could not be loaded again: {_why(error)}"
            else:
                reload_s = round(loop.time() - at, 3) if call.name == RELOAD else reload_s
        await self._until(door, asleep=False)
        return reload_s, trouble

    async def _woken(self, door: Door, level: int) -> str:
        """Wake it, whether it sleeps by now or is on its way; why that did not work, or nothing."""

        async def woken() -> str:
            return (await self._wake(door, level))[1]

        return await _patiently(woken)

    async def _answered(self, door: Door, cycle: Cycle) -> Cycle:
        """The first token after waking."""
        loop = asyncio.get_running_loop()
        try:
            heard = read_models(await self.session.ask("GET", door.url(MODELS)))
            if isinstance(heard, Silence) or not heard:
                return replace(cycle, trouble="it names no model to ask for a token")
            at = loop.time()
            await self._call(door, first_token(heard[0].id))
        except (Refused, Unavailable) as error:
            return replace(cycle, trouble=f"no token after waking: {_why(error)}")
        return replace(cycle, first_token_s=round(loop.time() - at, 3))

    async def _until(self, door: Door, *, asleep: bool) -> None:
        word = "asleep" if asleep else "awake"
        try:
            async with asyncio.timeout(CALL_S):
                while await self._sleeps(door) is not asleep:  # noqa: ASYNC110 - a server tells only who asks
                    await asyncio.sleep(POLL_S)
        except TimeoutError as error:
            raise Unavailable(f"it was not {word} after {CALL_S:g} s") from error

    async def _sleeps(self, door: Door) -> bool:
        try:
            answer = await self.session.ask("GET", door.url(_IS_SLEEPING))
        except NotFound as error:
            raise Refused(_DEV_MODE) from error
        try:
            return bool(json.loads(answer)["is_sleeping"])
        except (ValueError, TypeError, KeyError) as error:
            raise Unavailable(f"{_IS_SLEEPING} is not answered as vLLM does") from error

    async def _call(self, door: Door, call: Call) -> None:
        await self.session.ask(
            call.method, door.url(call.path), query=call.query, body=call.body, timeout_s=CALL_S
        )

    async def _door(self, where: str, name: str) -> Door:
        """Where the server listens: as its name says (`pod:port`), or else its pod's probes."""
        own, _, told = name.partition(":")
        if told:
            return Door("pods", where, own, told)
        path = f"/api/v1/namespaces/{where}/pods"
        query = {"fieldSelector": f"metadata.name={name}"}
        pods = await listed(self.session, path, ServerPod, query=query)
        ports = [port_of(one) for pod in pods for one in pod.spec.containers]
        port = next((one for one in ports if one is not None), None)
        if port is None:
            raise Refused(f"pod {name} is not there, or does not say its port")
        return Door("pods", where, name, str(port))


async def _patiently(work: Callable[[], Awaitable[str]]) -> str:
    """What it returns; what is in its way is waited out for a while, then it is returned."""
    loop = asyncio.get_running_loop()
    end = loop.time() + WAKE_S
    while True:
        try:
            return await work()
        except Refused as error:
            return _why(error)
        except Unavailable as error:
            if loop.time() > end:
                return _why(error)
        await asyncio.sleep(AGAIN_S)


def _told(why: str) -> str:
    return f"and could not be woken again: {why}" if why else "and woken again"


def _why(error: Refused | Unavailable) -> str:
    if isinstance(error, Forbidden):
        return f"{error}: rights of deploy/rbac-stack.yaml and rbac-stack-nop.yaml"
    return str(error)
