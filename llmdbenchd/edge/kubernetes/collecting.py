"""The Kubernetes room's collector: whose results are where, and by which way they come."""

from pathlib import Path

import structlog

from llmdbenchd.core.launch.manifest import EPHEMERAL, KEEP, SERVE_SECRET
from llmdbenchd.core.launch.plan import LauncherPlan
from llmdbenchd.core.pods.objects import Pod
from llmdbenchd.edge.kubernetes.access_pod import AccessPods, Door
from llmdbenchd.edge.kubernetes.doors import ByExec, ByProxy, Way, proxy_path
from llmdbenchd.edge.kubernetes.errors import Forbidden, NotFound
from llmdbenchd.edge.kubernetes.payloads import Payloads
from llmdbenchd.edge.kubernetes.pods import pod_named
from llmdbenchd.edge.kubernetes.rate import ByteRate
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.edge.kubernetes.transfer import Transfer
from llmdbenchd.ports import Copied, Unavailable

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
            Unavailable: something is missing or differs; what is proven stays.
        """
        pod = await pod_named(self._session, self._namespace, plan.name)
        if plan.storage.mode == EPHEMERAL:
            if pod is None:
                raise Unavailable(f"launcher {plan.name} is gone, with its results")
            return await self._through(_door(pod), plan, into)
        node = pod.spec.node_name if pod else ""
        async with self._pods.open(plan, node=node) as door:
            return await self._through(door, plan, into)

    async def stop(self, pod: Pod) -> None:
        """Ask the launcher in a pod that holds its results to end."""
        await self._session.ask("POST", f"{proxy_path(_door(pod))}/stop")

    async def _through(self, door: Door, plan: LauncherPlan, into: Path) -> Copied:
        """By the proxy, or by exec where that is forbidden."""
        try:
            return await self._by(ByProxy(self._session, door), plan, into)
        except NotFound as error:
            raise Unavailable(f"pod {door.pod} shows no results: {error}") from error
        except Forbidden as by_proxy:
            log.warning("results.by_exec", launcher=plan.name, reason=str(by_proxy))
        try:
            return await self._by(ByExec(self._session, door), plan, into)
        except Forbidden as error:
            raise Unavailable(f"neither pods/proxy nor pods/exec may be used: {error}") from error

    async def _by(self, way: Way, plan: LauncherPlan, into: Path) -> Copied:
        folder, min_free = plan.results_folder, self._min_free
        return await Transfer(way, folder, into, min_free=min_free, rate=self._rate).run()


def _door(pod: Pod) -> Door:
    """The container that keeps the results of an ephemeral launcher."""
    keep = next((one for one in pod.spec.containers if one.name == KEEP), None)
    secret = next((one.value for one in keep.env if one.name == SERVE_SECRET), "") if keep else ""
    return Door(pod.metadata.namespace, pod.metadata.name, KEEP, secret)
