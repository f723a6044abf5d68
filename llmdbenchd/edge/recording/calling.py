"""The recorder's voice: asks a server to sleep and to wake, through the API server's proxy."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from llmdbenchd.core.nop.calls import RELOAD, Call, Cycle, first_token, sleep, wakes
from llmdbenchd.core.pods.objects import Pod
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
_IS_SLEEPING = "/is_sleeping"
_DEV_MODE = "the server has no /is_sleeping: it was started without VLLM_SERVER_DEV_MODE=1"


@dataclass(frozen=True, slots=True)
class Caller:
    """Speaks to the server in one pod."""

    session: Session
    clock: Callable[[], float]

    async def cycle(self, pod: Pod, level: int) -> Cycle:
        """One sleep and the waking after it. What goes wrong is said in it; a sleeper is woken."""
        begun = Cycle(server=pod.metadata.name, level=level, begun=self.clock())
        try:
            door = await self._door(pod)
            if await self._sleeps(door):
                return replace(begun, trouble="it sleeps already; that is not ours to end")
        except (Refused, Unavailable) as error:
            return replace(begun, trouble=_why(error))
        try:
            return await self._slept(door, begun)
        except (Refused, Unavailable) as error:
            return replace(begun, trouble=_why(error))

    async def wake(self, pod: Pod) -> str:
        """Wake a server that we left asleep when we were killed; why not, or nothing."""
        try:
            door = await self._door(pod)
            if await self._sleeps(door):
                for call in wakes(2):
                    await self._call(door, call)
        except (Refused, Unavailable) as error:
            return _why(error)
        return ""

    async def _slept(self, door: Door, cycle: Cycle) -> Cycle:
        loop = asyncio.get_running_loop()
        at = loop.time()
        await self._call(door, sleep(cycle.level))
        await self._until(door, asleep=True)
        cycle = replace(cycle, sleep_s=round(loop.time() - at, 3))
        at = loop.time()
        trouble = ""
        for call in wakes(cycle.level):
            begin = loop.time()
            try:
                await self._call(door, call)
            except (Refused, Unavailable) as error:
                if call.name != RELOAD:
                    raise
                trouble = f"its weights could not be loaded again: {_why(error)}"
            else:
                if call.name == RELOAD:
                    cycle = replace(cycle, reload_s=round(loop.time() - begin, 3))
        await self._until(door, asleep=False)
        cycle = replace(cycle, wake_s=round(loop.time() - at, 3), trouble=trouble)
        return cycle if trouble else await self._answered(door, cycle)

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

    async def _door(self, pod: Pod) -> Door:
        """Where the server listens: as its name says (`pod:port`), or else its pod's probes."""
        where, name = pod.metadata.namespace, pod.metadata.name
        own, _, told = name.partition(":")
        if told:
            return Door("pods", where, own, told)
        path = f"/api/v1/namespaces/{where}/pods"
        query = {"fieldSelector": f"metadata.name={name}"}
        pods = await listed(self.session, path, ServerPod, query=query)
        ports = [port_of(one) for pod in pods for one in pod.spec.containers]
        port = next((one for one in ports if one is not None), None)
        if port is None:
            raise Refused(f"pod {name} does not say its port")
        return Door("pods", where, name, str(port))


def _why(error: Refused | Unavailable) -> str:
    if isinstance(error, Forbidden):
        return f"{error}: the Role in deploy/rbac-stack.yaml has the right pods/proxy create"
    return str(error)
