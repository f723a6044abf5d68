"""The Kubernetes room's engine: launchers as pods of one namespace.

All that matters of a launcher is in the cluster and carries our labels; what is kept in
memory only saves questions. So a launcher that another daemon made, before it was killed,
is like one of our own, and an object that is not ours is neither told of nor touched.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from llmdbenchd.core.launch import labels
from llmdbenchd.core.launch.manifest import HARNESS, KEEP, grace_seconds
from llmdbenchd.core.launch.plan import IMAGE, LauncherPlan, Places
from llmdbenchd.core.pods.objects import Pod
from llmdbenchd.core.run.sight import Absent, Ended, Running, Sight
from llmdbenchd.edge.kubernetes.complaints import Complaints
from llmdbenchd.edge.kubernetes.deleting import delete
from llmdbenchd.edge.kubernetes.knowing import Known
from llmdbenchd.edge.kubernetes.logs import LogCopy
from llmdbenchd.edge.kubernetes.making import Claims, Maker
from llmdbenchd.edge.kubernetes.neighbours import Neighbours
from llmdbenchd.edge.kubernetes.owners import Owners
from llmdbenchd.edge.kubernetes.payloads import Payloads
from llmdbenchd.edge.kubernetes.pods import pod_named
from llmdbenchd.edge.kubernetes.releasing import Starter
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.edge.kubernetes.sweeping import Sweeper
from llmdbenchd.edge.kubernetes.telling import Teller
from llmdbenchd.edge.kubernetes.view import Change, PodsListed, PodWatch
from llmdbenchd.ports import Copied, Listed, Others, Refused, Seen, Unavailable

TICK_S = 15.0  # between looks at what no change of a pod tells


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


class Collector(Protocol):
    """Who speaks to what holds the results: the data-access pod, or a launcher's `keep`."""

    async def collect(self, plan: LauncherPlan, into: Path) -> Copied:
        """Copy a launcher's results, each file proven."""
        ...

    async def folders(self, plan: LauncherPlan) -> tuple[str, ...] | None:
        """Names of all results folders on the plan's claim; None if there is no such claim."""
        ...

    async def stop(self, pod: Pod) -> None:
        """Ask the launcher in a pod that holds its results to end."""
        ...

    async def run(self) -> None:
        """Take away, for ever, what collecting leaves behind."""
        ...


class KubernetesEngine:
    """Launchers of one daemon in one namespace; fits `llmdbenchd.ports.Engine`."""

    name = "kubernetes"

    def __init__(  # noqa: PLR0913 - the composition root names each collaborator once
        self,
        session: Session,
        namespace: str,
        instance: str,
        *,
        payloads: Payloads,
        claims: Claims,
        collector: Collector,
        clock: Callable[[], float],
    ) -> None:
        """Take a namespace into use; nothing is asked yet.

        Args:
            session: the API server.
            namespace: where launchers are made.
            instance: the daemon's id, on every label.
            payloads: what runs in launchers.
            claims: makes the volume claims.
            collector: brings results home.
            clock: seconds that never go back, and go on while the machine sleeps: after that
                everything is listed again, and nobody waits for a watch that is long dead.
        """
        self._session = session
        self._namespace = namespace
        self._known = Known(instance)
        self._teller = Teller(self._known, Complaints(session, namespace))
        self._owners = Owners(session, namespace, instance)
        self._sweeper = Sweeper(self._known, self._owners, payloads)
        self._collector = collector
        self._maker = Maker(
            session, namespace, claims=claims, payloads=payloads, owners=self._owners
        )
        self._watch = PodWatch(session, namespace, labels.launchers_of_everybody(), clock=clock)
        self._neighbours = Neighbours(self._known)
        self._copies: dict[str, LogCopy] = {}
        self._tick_at = 0.0
        self._has_list = False

    @property
    def degraded(self) -> str:
        """Why what the watch said last may be old, or empty."""
        return self._watch.degraded

    @property
    def refused(self) -> str | None:
        """What the API server says to each list, if that is no; None: it does not answer."""
        return self._watch.refused

    def places(self, launcher: str) -> Places:  # noqa: ARG002 - the same in every pod
        """Where the launcher of this name sees its files."""
        return IMAGE

    async def watch(self) -> AsyncIterator[Listed | Seen | Others]:
        """First a `Listed`, then what changes, for ever; never raises."""
        changes: asyncio.Queue[Change] = asyncio.Queue()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._hear(changes), name=f"pods in {self._namespace}")
                group.create_task(self._sweeper.run(), name=f"sweep {self._namespace}")
                group.create_task(self._collector.run(), name=f"tidy {self._namespace}")
                while True:
                    for told in await self._next(changes):
                        yield told
        except* GeneratorExit:
            pass  # nobody listens any more

    async def look(self, launcher: str) -> Sight:
        """Ask the API server about one launcher, begun now (never `Unknown`)."""
        pod = await self._pod(launcher)
        return Absent() if pod is None else await self._teller.sight(pod)

    async def create(self, plan: LauncherPlan) -> None:
        """Make the launcher, or find that it was made before (then change nothing).

        Raises:
            Refused: the API server says no, somebody else's pod has its name, or the plan
                is too large.
            Unavailable: try again; also while a quota is used up.
        """
        await self._maker.make(plan)

    async def release(self, launchers: Sequence[str]) -> None:
        """Let launchers that keep their own results begin, as soon as all are ready.

        Raises:
            Refused: they can never be told.
        """
        await Starter(self._session, self._known, self._pod).release(launchers)

    async def stop(self, launcher: str, grace_s: float) -> None:
        """Ask it to end within `grace_s`, then by force. Returns when asked, not when ended.

        Results on a claim outlive the pod, which is deleted. A pod that holds them itself is
        asked through `keep`; it is deleted where that cannot be done, or did not help.
        """
        pod = self._known.get(launcher) or await self._pod(launcher)
        if pod is None:
            return
        was_asked = self._known.was_told_to_end(pod)
        self._known.told_to_end(pod)
        if _holds_results(pod) and not was_asked and self._known.sight(pod) == Running():
            with suppress(Refused):
                await self._collector.stop(pod)
                return
        await self._delete(pod, {"gracePeriodSeconds": grace_seconds(grace_s)})

    async def remove(self, launcher: str) -> None:
        """Take away all that is left of an ended launcher; absent already is fine.

        Its owner goes first: a restart in between sees the pod, and comes here again. Where
        nothing runs any more there is nothing to wait for: the kubelet takes a second or two
        until it calls a pod over whose containers have ended.
        """
        pod = self._known.last(launcher) or await self._pod(launcher)
        if pod is None:
            return
        for owner in pod.metadata.owner_references:
            await self._owners.remove(owner.uid, launcher)
        if self._known.take_away(pod):
            await self._delete(pod, {"gracePeriodSeconds": 0} if _is_still(pod) else {})

    async def follow(self, launcher: str, into: Path) -> int:
        """Copy its log into the file `into` as it is written, resuming at what is there.

        Returns the copy's length in bytes, after the last byte of an ended launcher.
        """

        async def is_over() -> bool:
            return await self._is_over(launcher)

        copy = LogCopy(
            session=self._session,
            namespace=self._namespace,
            pod=launcher,
            container=HARNESS,
            into=into,
            is_over=is_over,
        )
        self._copies[launcher] = copy
        try:
            return (await copy.run()).size
        finally:
            if self._copies.get(launcher) is copy:
                del self._copies[launcher]

    async def collect(self, plan: LauncherPlan, into: Path) -> Copied:
        """Copy its results into the folder `into`, resuming, each file proven by SHA-256.

        Raises:
            Unavailable: something is missing or differs; what is proven stays.
        """
        return await self._collector.collect(plan, into)

    async def folders(self, plan: LauncherPlan) -> tuple[str, ...] | None:
        """Names of all results folders on the plan's claim; None if there is no such claim."""
        return await self._collector.folders(plan)

    async def _hear(self, changes: asyncio.Queue[Change]) -> None:
        async for change in self._watch.changes():
            changes.put_nowait(change)

    async def _next(self, changes: asyncio.Queue[Change]) -> list[Listed | Seen | Others]:
        """What is to be told now: all that was heard meanwhile, or who is stuck."""
        heard: list[Change] = []
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._tick_at):
                heard.append(await changes.get())
        while not changes.empty():
            heard.append(changes.get_nowait())
        told: list[Listed | Seen | Others] = []
        if self._neighbours.note(heard):
            told.append(Others(self._neighbours.rivals))  # before a list lets anybody begin
        ours = [change for change in heard if not self._neighbours.is_theirs(change)]
        told += await self._teller.told(ours)
        for change in ours:
            self._has_list = self._has_list or isinstance(change, PodsListed)
            self._sweeper.note(change)
            for launcher in _launchers_of(change):
                self._hurry_copy(launcher)
        if _loop_time() >= self._tick_at:
            self._tick_at = _loop_time() + TICK_S
            told += await self._teller.stuck()
        return told

    def _hurry_copy(self, launcher: str) -> None:
        """Neither a log's first line nor its end need wait for the copy's next look."""
        pod = self._known.get(launcher)
        is_written = pod is None or isinstance(self._known.sight(pod), Running | Ended)
        if is_written and launcher in self._copies:
            self._copies[launcher].ring()

    async def _is_over(self, launcher: str) -> bool:
        """Whether its harness has ended, or the pod is gone; asks only where that is not known.

        Nor before the watch's first list, which tells it of all at once: after a restart
        hundreds of questions would stand in that list's way.
        """
        pod = self._known.last(launcher)
        if pod is None and not self._has_list:
            return False
        pod = pod or await self._pod(launcher)
        return pod is None or isinstance(self._known.sight(pod), Ended)

    async def _pod(self, launcher: str) -> Pod | None:
        """The pod as it is now; None when there is none of ours.

        Raises:
            Unavailable: nobody could say, also for want of a right.
        """
        try:
            pod = await pod_named(self._session, self._namespace, launcher)
        except Refused as error:
            raise Unavailable(str(error)) from error
        return pod if pod is not None and self._known.is_ours(pod) else None

    async def _delete(self, pod: Pod, how: dict[str, object]) -> None:
        path = f"/api/v1/namespaces/{self._namespace}/pods/{pod.metadata.name}"
        await delete(self._session, path, pod.metadata.uid, how)


def _launchers_of(change: Change) -> Iterable[str]:
    return change.pods if isinstance(change, PodsListed) else (change.pod.metadata.name,)


def _is_still(pod: Pod) -> bool:
    """Whether every container of the pod has ended, as far as its status tells."""
    ended = {one.name for one in pod.status.container_statuses if one.state.terminated}
    return all(container.name in ended for container in pod.spec.containers)


def _holds_results(pod: Pod) -> bool:
    return any(container.name == KEEP for container in pod.spec.containers)
