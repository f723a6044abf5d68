"""The recorder's hand in an inference launcher: starts a server like the one beside it, ends it.

Before anything is asked for it is on disk, so that an instance is ended by whoever comes next,
also after a kill. Its log is copied from the launcher, which takes it away with the instance.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from llmdbenchd.core.nop.ending import SETTLE_S, Server, last_words
from llmdbenchd.core.nop.instances import (
    Launch,
    Untold,
    Wanted,
    ended,
    options_like,
    why_not,
)
from llmdbenchd.core.nop.order import Order
from llmdbenchd.core.nop.report import telling
from llmdbenchd.core.nop.timeline import Recorded
from llmdbenchd.core.pods.objects import Pod
from llmdbenchd.core.target.asked import Door
from llmdbenchd.edge.files.durable import translated
from llmdbenchd.edge.kubernetes.errors import Forbidden, NotFound
from llmdbenchd.edge.kubernetes.instances import Instances
from llmdbenchd.edge.kubernetes.reading import listed
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.edge.recording.folder import Folder
from llmdbenchd.edge.recording.lives import Tail
from llmdbenchd.ports import Refused, Unavailable

AGAIN_S = 2.0
END_S = 120.0  # for a launcher that does not end an instance at once
_NOBODY = Wanted("", frozenset())
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Launching:
    """What the launchers beside the servers of one recording are asked for.

    Attributes:
        clock: seconds since 1970.
        note: takes what is waited for, in words.
        tick: waits a little; raises where somebody wants the recording to end.
    """

    folder: Folder
    session: Session
    order: Order
    clock: Callable[[], float]
    note: Callable[[str], None]
    tick: Callable[[], Awaitable[None]]

    async def start(self, server: Server) -> Launch:
        """Start a server like this one and wait until it is ready; `trouble` says why it is not.

        One that was started before we were killed is gone on with.

        Raises:
            Unavailable: of the disk.
        """
        pod = server.pod
        launch = await self._known(pod)
        try:
            launch = launch or await self._begun(server)
            if launch.trouble or launch.ready_at is not None or launch.is_over:
                return launch
            return await self._loaded(await self._created(launch))
        except Refused as error:
            known = await self._known(pod)
            begun = known or self._launch(pod, _NOBODY, is_over=True)
            return await self._keep(replace(begun, trouble=_why(error)))

    async def end(self, launch: Launch) -> Launch:
        """End it, in whatever state it is, and also where nobody knows whether it was made.

        What is in the way is waited out for a while; what is left then is in `trouble`.
        """
        if launch.is_over:
            return launch
        last = ["it did not answer"]
        try:
            async with asyncio.timeout(END_S):
                while not await self._is_ended(launch, last):  # noqa: ASYNC110 - trouble ends unseen
                    await asyncio.sleep(AGAIN_S)
            return await self._keep(replace(launch, is_over=True))
        except TimeoutError:
            why = last[0]
        except Refused as error:
            why = _why(error)
        name = launch.instance or f"started with `{launch.wanted.options}`"
        left = f"left in pod {launch.pod}, end it by hand: instance {name}: {why}"
        return await self._keep(
            replace(launch, trouble="; ".join(filter(None, (launch.trouble, left))))
        )

    async def end_all(self) -> str:
        """End whatever is not ended; what is left, in words, or nothing."""
        passes = await asyncio.to_thread(self.folder.passes)
        open_ones = [one for each in passes for one in each.launches if not one.is_over]
        ends = [await self.end(one) for one in open_ones]
        return "; ".join(one.trouble for one in ends if not one.is_over)

    async def _begun(self, server: Server) -> Launch:
        """Decide with what it is started; on disk when this returns."""
        client = self._client(server.pod.metadata.namespace, server.pod.metadata.name)
        while not await self._patiently(client.is_healthy):
            self.note(f"the launcher in pod {client.pod} is not well yet")
            await self.tick()
        there = await self._patiently(client.listed)
        if why := why_not(there):
            raise Refused(why)
        try:
            attempts = [one.attempt for one in server.recorded]
            options = options_like(attempts, self.order.launcher_vllm_port)
        except Untold as error:
            raise Refused(str(error)) from error
        before = frozenset(one.instance_id for one in there.instances)
        return await self._keep(self._launch(server.pod, Wanted(options, before)))

    async def _created(self, launch: Launch) -> Launch:
        if launch.instance:
            return launch
        client = self._client(launch.namespace, launch.pod)
        instance = await self._patiently(partial(client.create, launch.wanted))
        self.note(f"pod {launch.pod}: instance {instance} is started: {launch.wanted.options}")
        return await self._keep(replace(launch, instance=instance))

    async def _loaded(self, launch: Launch) -> Launch:
        client = self._client(launch.namespace, launch.pod)
        tail = Tail(self.folder.launched(launch))
        while True:
            has_log = await self._patiently(partial(self._copy, launch))
            recorded = await _told(tail)
            if await self._answers(launch):
                now = self.clock()
                if launch.ready_at is None:
                    launch = await self._keep(replace(launch, ready_at=now))
                is_told = any(one.attempt.ready for one in recorded)
                if is_told or not has_log or now - (launch.ready_at or now) > SETTLE_S:
                    return launch
            elif why := ended(launch.instance, await self._patiently(client.listed)):
                await self._patiently(partial(self._copy, launch))
                why += last_words(await _told(tail))
                return await self._keep(replace(launch, trouble=f"pod {launch.pod}: {why}"))
            self.note(f"pod {launch.pod}: instance {launch.instance} is not ready")
            await self.tick()

    async def _answers(self, launch: Launch) -> bool:
        port = str(self.order.launcher_vllm_port)
        door = Door("pods", launch.namespace, launch.pod, port)
        try:
            await self.session.ask("GET", door.url("/health"))
        except Unavailable:
            return False
        return True

    async def _copy(self, launch: Launch) -> bool:
        """Copy what its log has beyond the copy's end; whether there is such a log."""
        client = self._client(launch.namespace, launch.pod)
        into = self.folder.launched(launch)
        size, copied = await asyncio.to_thread(_size, into), -1
        try:
            while copied < size:
                copied = size
                async for chunk in client.log(launch.instance, size):
                    await asyncio.to_thread(_append, into, chunk)
                    size += len(chunk)
        except NotFound:
            return False
        return True

    async def _is_ended(self, launch: Launch, last: list[str]) -> bool:
        """Try to end it; of what is in the way the last is noted."""
        client = self._client(launch.namespace, launch.pod)
        try:
            if not await self._is_there(launch):
                return True
            if launch.instance:
                with suppress(Refused, Unavailable):  # its log is worth less than its end
                    await self._copy(launch)
                await client.delete(launch.instance)
            else:
                await client.delete_ours(launch.wanted)
        except NotFound:
            return True
        except Unavailable as error:
            last[0] = str(error)
            return False
        return True

    async def _is_there(self, launch: Launch) -> bool:
        """Whether it is still the pod whose launcher was asked; another knows nothing of ours."""
        path = f"/api/v1/namespaces/{launch.namespace}/pods"
        query = {"fieldSelector": f"metadata.name={launch.pod}"}
        pods = await listed(self.session, path, Pod, query=query)
        return any(pod.metadata.uid == launch.uid for pod in pods)

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """What is in the way is waited out until somebody stops."""
        while True:
            try:
                return await work()
            except Unavailable as error:
                self.note(str(error))
            await self.tick()

    def _client(self, namespace: str, pod: str) -> Instances:
        return Instances(self.session, namespace, pod, self.order.launcher_port)

    def _launch(self, pod: Pod, wanted: Wanted, *, is_over: bool = False) -> Launch:
        return Launch(
            namespace=pod.metadata.namespace,
            pod=pod.metadata.name,
            uid=pod.metadata.uid,
            wanted=wanted,
            begun=self.clock(),
            is_over=is_over,
        )

    async def _known(self, pod: Pod) -> Launch | None:
        """What this recording began in this pod."""
        passes = await asyncio.to_thread(self.folder.passes)
        found = [one for one in passes[-1].launches if one.uid == pod.metadata.uid]
        return next(iter(found), None)

    async def _keep(self, launch: Launch) -> Launch:
        await asyncio.to_thread(self.folder.keep_launch, launch)
        return launch


async def _told(tail: Tail) -> list[Recorded]:
    await asyncio.to_thread(tail.read)
    return [Recorded(0, one) for one in telling(tail.recorder.journal)]


def _size(path: Path) -> int:
    with translated(path):
        return path.stat().st_size if path.exists() else 0


def _append(path: Path, chunk: bytes) -> None:
    with translated(path):
        path.parent.mkdir(exist_ok=True)
        with path.open("ab") as file:
            file.write(chunk)


def _why(error: Refused) -> str:
    if isinstance(error, Forbidden):
        return f"{error}: the Role in deploy/rbac-stack-nop.yaml has create and delete pods/proxy"
    return str(error)
