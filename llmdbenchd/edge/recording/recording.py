"""One recording: deletes the pods if it is told to, watches servers load, sends them to sleep.

What it knows is in its folder, written before it acts. So after a kill at any moment it goes on:
pods that were to be deleted are named there by their uids, and logs resume where their copies end.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import msgspec
import structlog

from llmdbenchd.core.nop.behind import is_over
from llmdbenchd.core.nop.calls import LEVELS, Cycle
from llmdbenchd.core.nop.ending import Seen, Server, seen
from llmdbenchd.core.nop.facts import facts_of
from llmdbenchd.core.pods.objects import Pod
from llmdbenchd.edge.kubernetes.deleting import delete
from llmdbenchd.edge.kubernetes.discovering import ClusterScout
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.edge.recording.calling import Caller
from llmdbenchd.edge.recording.folder import End, Folder, Pass
from llmdbenchd.edge.recording.launching import Launching
from llmdbenchd.edge.recording.servers import Servers
from llmdbenchd.edge.recording.writing import write_results
from llmdbenchd.ports import NotReady, Refused, Unavailable

log = structlog.get_logger()

TICK_S = 1.0  # between looks at the pods; their logs are followed as they are written
AGAIN_S = 2.0
SETTLE_S = 1.5  # for the lines of the last sleep
UNFINISHED = "not over yet"
T = TypeVar("T")


class _Stopped(Exception):
    """Somebody wants it to end."""


class Recording:
    """One recording, on a cluster that can be spoken to.

    Args:
        clock: seconds since 1970.
    """

    def __init__(self, folder: Folder, session: Session, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._session = session
        self._clock = clock
        self._caller = Caller(session, clock, lambda: folder.is_asked_to_stop)
        self._last = ""

    async def run(self) -> None:
        """Do it to its end, which is on disk when this returns.

        Raises:
            Unavailable: the disk is full, or the stack cannot be looked up now: run it again.
        """
        async with asyncio.TaskGroup() as group:
            try:
                end = await self._recorded(group)
            except Refused as error:
                end = End(1, str(error))
        end = _with_left(end, await self.end_launches())
        told = await self._do(write_results, self._folder, self._clock())
        if end.code == 0 and not told:
            end = replace(end, code=1, detail=f"{end.detail}; no log tells of a start of vLLM")
        self._say(end.detail)
        await self._do(self._folder.end, end)
        log.info("recording.ended", launcher=self._folder.name, code=end.code, reason=end.detail)

    async def _recorded(self, group: asyncio.TaskGroup) -> End:
        order = await self._do(self._folder.order)
        behind = await self._do(self._folder.behind)
        scout = ClusterScout(self._session)
        while behind is None:
            if self._folder.is_asked_to_stop:
                return End(0, f"stopped; last seen: {self._last or 'nothing'}", stopped=True)
            try:
                behind = await scout.behind(order.asked)
            except NotReady as error:
                self._say(str(error))
                await asyncio.sleep(TICK_S)
                continue
            await self._do(self._folder.keep_behind, behind)
        await self._wake_who_was_left(behind.namespace)
        servers = Servers(self._session, self._folder, behind, group, self._say)
        try:
            return await self._passes(servers, order.repeat, restart=order.restart)
        except _Stopped:
            return End(0, f"stopped; last seen: {self._last or 'nothing'}", stopped=True)
        finally:
            await servers.let_go()

    async def _passes(self, servers: Servers, repeat: int, *, restart: bool) -> End:
        while True:
            passes = await self._do(self._folder.passes)
            is_between = not passes or passes[-1].ended is not None
            if passes and is_between and not (passes[-1].is_good and len(passes) < repeat):
                return End(0 if passes[-1].is_good else 1, passes[-1].reason)
            if is_between:
                await self._begin(servers, passes, restart=restart)
            await self._one_pass(servers)

    async def _begin(self, servers: Servers, passes: tuple[Pass, ...], *, restart: bool) -> None:
        """Write down what will be done, with the very pods that will be deleted."""
        pods = await self._patiently(servers.present)
        living = [pod for pod in pods if not pod.metadata.deletion_timestamp and not is_over(pod)]
        uids = tuple(pod.metadata.uid for pod in living) if restart else ()
        number = len(passes) + 1
        self._say(f"recording {number} begins, {len(uids)} pods are deleted first")
        await self._keep(
            *passes, Pass(begun=self._clock(), removed=uids, expected=len(living) or 1)
        )

    async def _one_pass(self, servers: Servers) -> None:
        while True:
            passes = await self._do(self._folder.passes)
            removed = _removed(passes)
            pods = await self._patiently(partial(servers.look, len(passes) - 1, removed))
            for pod in pods:
                if pod.metadata.uid in removed and not pod.metadata.deletion_timestamp:
                    await self._delete(pod)
            fresh = [pod for pod in pods if _counts(pod, removed)]
            known = await servers.servers(fresh)
            judged = seen(known, passes[-1].expected)
            self._note(judged.reason)
            if judged.is_over:
                tick = partial(self._tick, servers, len(passes) - 1, removed)
                await self._end_pass(known, judged, tick)
                return
            await self._pause(TICK_S)

    async def _tick(self, servers: Servers, number: int, removed: frozenset[str]) -> None:
        """Wait a little; servers are looked at meanwhile, and not judged any more."""
        with suppress(Refused, Unavailable):
            await servers.look(number, removed)
        await self._pause(TICK_S)

    async def _end_pass(
        self, known: list[Server], judged: Seen, tick: Callable[[], Awaitable[None]]
    ) -> None:
        *before, this = await self._do(self._folder.passes)
        if judged.is_good and await self._may_sleep(known):
            for server in known:
                for level in LEVELS:
                    this = await self._slept(server.pod, level, this, before)
            await self._pause(SETTLE_S)
        if judged.is_good and (await self._do(self._folder.order)).launcher:
            judged = await self._with_launched(known, judged, tick)
            *before, this = await self._do(self._folder.passes)
        this = replace(this, ended=self._clock(), is_good=judged.is_good, reason=judged.reason)
        await self._keep(*before, this)

    async def _with_launched(
        self, known: list[Server], judged: Seen, tick: Callable[[], Awaitable[None]]
    ) -> Seen:
        """Have each server's launcher start another like it, and end it again."""
        may_sleep = await self._may_sleep(known)
        launching = await self._launching(tick)
        for server in known:
            launch = await launching.start(server)
            if may_sleep and not launch.trouble and not launch.is_over:
                pod = _at(server.pod, launching.order.launcher_vllm_port)
                for level in LEVELS:
                    *before, this = await self._do(self._folder.passes)
                    await self._slept(pod, level, this, before)
                await self._pause(SETTLE_S)
            launch = await launching.end(launch)
            self._say(f"pod {launch.pod}: {launch.trouble or f'{launch.instance} is ended again'}")
            if launch.trouble:
                return Seen(is_over=True, is_good=False, reason=f"launcher: {launch.trouble}")
        return judged

    async def _launching(self, tick: Callable[[], Awaitable[None]]) -> Launching:
        order = await self._do(self._folder.order)
        return Launching(self._folder, self._session, order, self._clock, self._note, tick)

    async def end_launches(self) -> str:
        """Of what a launcher started nothing may be left; what is, in words.

        Raises:
            Unavailable: of the disk.
        """
        return await (await self._launching(partial(self._pause, TICK_S))).end_all()

    async def _may_sleep(self, known: list[Server]) -> bool:
        order = await self._do(self._folder.order)
        starts = [one.attempt for server in known for one in server.recorded]
        return order.sleep_mode or any(facts_of(one).sleep_mode for one in starts)

    async def _slept(self, pod: Pod, level: int, this: Pass, before: list[Pass]) -> Pass:
        """One sleep and waking, unless it was begun before: a half of one is not repeated."""
        name = pod.metadata.name
        if any((one.server, one.level) == (name, level) for one in this.cycles):
            return this
        await self._pause(0)
        mark = Cycle(server=name, level=level, begun=self._clock(), trouble=UNFINISHED)
        await self._keep(*before, replace(this, cycles=(*this.cycles, mark)))
        self._say(f"pod {name} is sent to sleep, level {level}")
        cycle = await self._caller.cycle(pod.metadata.namespace, name, level)
        self._say(f"pod {name}, sleep level {level}: {cycle.trouble or f'{cycle.sleep_s} s'}")
        this = replace(this, cycles=(*this.cycles, cycle))
        await self._keep(*before, this)
        return this

    async def _wake_who_was_left(self, namespace: str) -> None:
        """Before all else: who was put to sleep when we were killed may still be asleep."""
        kept = []
        for one in await self._do(self._folder.passes):
            cycles = [await self._ended_cycle(namespace, cycle) for cycle in one.cycles]
            kept.append(replace(one, cycles=tuple(cycles)))
        await self._keep(*kept)

    async def _ended_cycle(self, namespace: str, cycle: Cycle) -> Cycle:
        if cycle.trouble != UNFINISHED:
            return cycle
        told = await self._caller.wake(namespace, cycle.server, cycle.level)
        self._say(f"pod {cycle.server}, sleep level {cycle.level}: interrupted, {told}")
        return replace(cycle, trouble=f"interrupted, {told}")

    async def _delete(self, pod: Pod) -> None:
        name = pod.metadata.name
        self._say(f"pod {name} is deleted, so that a cold start is measured")
        path = f"/api/v1/namespaces/{pod.metadata.namespace}/pods/{name}"
        await delete(self._session, path, pod.metadata.uid, {})

    async def _patiently(self, look: Callable[[], Awaitable[T]]) -> T:
        """A look that fails says nothing about the servers: it is repeated until somebody stops."""
        while True:
            try:
                return await look()
            except (Refused, Unavailable) as error:
                self._say(f"the pods cannot be looked at: {error}")
                await self._pause(AGAIN_S)

    async def _pause(self, seconds: float) -> None:
        if self._folder.is_asked_to_stop:
            raise _Stopped
        await asyncio.sleep(seconds)

    async def _keep(self, *passes: Pass) -> None:
        await self._do(self._folder.keep_passes, passes)

    def _note(self, text: str) -> None:
        if text != self._last:
            self._last = text
            self._say(text)

    def _say(self, text: str) -> None:
        at = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="microseconds")
        self._folder.say(f"{at[:-6]}000Z", text)

    async def _do(self, work: Callable[..., T], *args: object) -> T:
        return await asyncio.to_thread(work, *args)


def _with_left(end: End, left: str) -> End:
    return replace(end, code=end.code or 1, detail=f"{end.detail}; {left}") if left else end


def _at(pod: Pod, port: int) -> Pod:
    """A server of the same pod, by a name that says where it listens."""
    metadata = msgspec.structs.replace(pod.metadata, name=f"{pod.metadata.name}:{port}")
    return msgspec.structs.replace(pod, metadata=metadata)


def _removed(passes: tuple[Pass, ...]) -> frozenset[str]:
    return frozenset(uid for one in passes for uid in one.removed)


def _counts(pod: Pod, removed: frozenset[str]) -> bool:
    """Whether a pod is one that the recording waits for."""
    return not pod.metadata.deletion_timestamp and pod.metadata.uid not in removed
