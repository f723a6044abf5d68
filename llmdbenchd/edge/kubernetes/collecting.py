"""The Kubernetes room's collector: whose results are where, and by which way they come."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import structlog

from llmdbenchd.core.launch.manifest import EPHEMERAL, KEEP
from llmdbenchd.core.launch.plan import LauncherPlan
from llmdbenchd.core.pods.objects import Pod
from llmdbenchd.core.pods.sight import OVER
from llmdbenchd.edge.kubernetes.access_pod import AccessPods, Door
from llmdbenchd.edge.kubernetes.doors import ByExec, ByProxy, Way, door_of, proxy_path
from llmdbenchd.edge.kubernetes.errors import Forbidden, NotFound
from llmdbenchd.edge.kubernetes.payloads import Payloads
from llmdbenchd.edge.kubernetes.pods import pod_named
from llmdbenchd.edge.kubernetes.rate import ByteRate
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.edge.kubernetes.storage import claim_named
from llmdbenchd.edge.kubernetes.transfer import Transfer
from llmdbenchd.ports import Copied, Gone, Unavailable

T = TypeVar("T")

log = structlog.get_logger()


class Collecting:
    """Brings the results of launchers of one namespace home."""

    def __init__(  # noqa: PLR0913 - the composition root names each collaborator once
        self,
        session: Session,
        namespace: str,
        instance: str,
        *,
        payloads: Payloads,
        image: str,
        min_free: int,
        rate: ByteRate,
        warm_s: float,
    ) -> None:
        """Take a namespace into use; nothing is asked yet.

        Args:
            session: the API server.
            namespace: where the launchers are.
            instance: the daemon's id.
            payloads: the scripts that run in data-access pods.
            image: what these run in where a job's own image cannot be had.
            min_free: bytes of disk that must be left.
            rate: what all transfers of this daemon share.
            warm_s: how long a data-access pod is kept after its last use.
        """
        self._session = session
        self._namespace = namespace
        self._min_free = min_free
        self._rate = rate
        self._pods = AccessPods(
            session, namespace, instance, payloads=payloads, image=image, warm_s=warm_s
        )

    async def run(self) -> None:
        """Take away, for ever, data-access pods that nobody needs any more."""
        await self._pods.run()

    async def collect(self, plan: LauncherPlan, into: Path) -> Copied:
        """Copy a launcher's results, each file proven.

        Raises:
            Gone: the pod or the claim that held them is there no more.
            Unavailable: something is missing or differs; what is proven stays.
        """
        pod = await pod_named(self._session, self._namespace, plan.name)
        if plan.storage.mode == EPHEMERAL:
            if pod is None:
                raise Gone(f"launcher {plan.name} is gone, with its results")
            if _is_over(pod):
                raise Gone(f"what kept the results of launcher {plan.name} has ended")
            return await self._through(door_of(pod), plan, into)
        node = pod.spec.node_name if pod else ""
        async with self._pods.open(plan, node=node) as door:
            return await self._through(door, plan, into)

    async def folders(self, plan: LauncherPlan) -> tuple[str, ...] | None:
        """Names of all results folders on the plan's claim; None if there is no such claim."""
        if await claim_named(self._session, self._namespace, plan.storage.claim) is None:
            return None
        async with self._pods.open(plan, node="") as door:
            return await self._ways(door, plan.storage.claim, lambda way: way.folders())

    async def stop(self, pod: Pod) -> None:
        """Ask the launcher in a pod that holds its results to end."""
        await self._session.ask("POST", f"{proxy_path(door_of(pod))}/stop")

    async def _through(self, door: Door, plan: LauncherPlan, into: Path) -> Copied:
        folder, min_free = plan.results_folder, self._min_free

        async def bring(way: Way) -> Copied:
            return await Transfer(way, folder, into, min_free=min_free, rate=self._rate).run()

        return await self._ways(door, plan.name, bring)

    async def _ways(self, door: Door, what: str, ask: Callable[[Way], Awaitable[T]]) -> T:
        """By the proxy, or by exec where that is forbidden."""
        try:
            return await ask(ByProxy(self._session, door))
        except NotFound as error:
            raise Unavailable(f"pod {door.pod} shows no results: {error}") from error
        except Forbidden as by_proxy:
            log.warning("results.by_exec", launcher=what, reason=str(by_proxy))
        try:
            return await ask(ByExec(self._session, door))
        except Forbidden as error:
            raise Unavailable(f"neither pods/proxy nor pods/exec may be used: {error}") from error


def _is_over(pod: Pod) -> bool:
    """Whether the container that keeps the results has ended: it is never started again."""
    ended = (one.name for one in pod.status.container_statuses if one.state.terminated)
    return pod.status.phase in OVER or KEEP in ended
