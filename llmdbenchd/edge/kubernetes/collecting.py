"""The Kubernetes room's collector: whose results are where, and by which way they come."""

from pathlib import Path

import structlog

from llmdbenchd.core.launch.manifest import EPHEMERAL, KEEP, SERVE_SECRET
from llmdbenchd.core.launch.plan import LauncherPlan
from llmdbenchd.core.pods.objects import Pod
from llmdbenchd.edge.kubernetes.access_pod import AccessPods, Door
from llmdbenchd.edge.kubernetes.doors import ByExec, ByProxy, proxy_path
from llmdbenchd.edge.kubernetes.errors import Forbidden, NotFound
from llmdbenchd.edge.kubernetes.payloads import Payloads
from llmdbenchd.edge.kubernetes.pods import pod_named
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.edge.kubernetes.transfer import Transfer
from llmdbenchd.ports import Copied, Unavailable

log = structlog.get_logger()


class Collecting:
    """Brings the results of launchers of one namespace home."""

    def __init__(
        self,
        session: Session,
        namespace: str,
        instance: str,
        *,
        payloads: Payloads,
        image: str,
        min_free: int,
    ) -> None:
        self._session = session
        self._namespace = namespace
        self._min_free = min_free
        self._pods = AccessPods(session, namespace, instance, payloads=payloads, image=image)

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
        folder = plan.results_folder
        try:
            return await Transfer(ByProxy(self._session, door), folder, into, self._min_free).run()
        except NotFound as error:
            raise Unavailable(f"pod {door.pod} shows no results: {error}") from error
        except Forbidden as by_proxy:
            log.warning("results.by_exec", launcher=plan.name, reason=str(by_proxy))
        try:
            return await Transfer(ByExec(self._session, door), folder, into, self._min_free).run()
        except Forbidden as error:
            raise Unavailable(f"neither pods/proxy nor pods/exec may be used: {error}") from error


def _door(pod: Pod) -> Door:
    """The container that keeps the results of an ephemeral launcher."""
    keep = next((one for one in pod.spec.containers if one.name == KEEP), None)
    secret = next((one.value for one in keep.env if one.name == SERVE_SECRET), "") if keep else ""
    return Door(pod.metadata.namespace, pod.metadata.name, KEEP, secret)
