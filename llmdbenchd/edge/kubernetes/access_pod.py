"""The Kubernetes room's window onto a claim: a small pod that shows what lies on it, read-only.

One for each claim, shared by all who collect from it, kept warm for a while because its
start takes longer than most copies. On a claim that only one node may mount it goes to
that node and is not kept: it would hold the volume.
"""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import msgspec
import structlog

from llmdbenchd.core.launch import labels
from llmdbenchd.core.launch.manifest import KEEP_PORT, SERVE_SECRET, access_pod
from llmdbenchd.core.launch.plan import LauncherPlan
from llmdbenchd.core.pods.objects import Pod, PodList
from llmdbenchd.edge.kubernetes.access_sight import Found, found, lacks_image, told
from llmdbenchd.edge.kubernetes.deleting import delete
from llmdbenchd.edge.kubernetes.errors import AlreadyExists
from llmdbenchd.edge.kubernetes.payloads import Payloads
from llmdbenchd.edge.kubernetes.pods import pod_named
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.edge.kubernetes.storage import claim_named
from llmdbenchd.ports import Gone, Refused, Unavailable

LOOK_S = 0.2
START_S = 30.0  # then it is said what keeps it, and waited for anew
WARM_S = 120.0
AGAIN_S = 10.0  # after a removal that failed

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Door:
    """Where results are shown: a pod's port, and the path below which it answers."""

    namespace: str
    pod: str
    container: str
    secret: str
    port: int = KEEP_PORT


@dataclass(slots=True)
class _Window:
    """One claim's pod, who uses it, and when it may go once nobody does (time of the loop)."""

    users: int = 0
    door: Door | None = None
    is_shared: bool = True
    goes_at: float = 0.0
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)


class AccessPods:
    """The data-access pods of one namespace. They are taken away while `run` runs."""

    def __init__(
        self,
        session: Session,
        namespace: str,
        instance: str,
        *,
        payloads: Payloads,
        image: str,
        warm_s: float = WARM_S,
    ) -> None:
        """Take a namespace into use; nothing is asked yet.

        Args:
            session: the API server.
            namespace: where claims and pods are.
            instance: the daemon's id.
            payloads: the scripts that run in the pods.
            image: what they run in where a job's own cannot be had.
            warm_s: how long a pod on a shared claim is kept after its last use.
        """
        self._image = image
        self._session = session
        self._namespace = namespace
        self._instance = instance
        self._payloads = payloads
        self._warm_s = warm_s
        self._windows: dict[str, _Window] = {}
        self._has_adopted = False
        self._stirred = asyncio.Event()

    @asynccontextmanager
    async def open(self, plan: LauncherPlan, *, node: str) -> AsyncIterator[Door]:
        """The window onto the plan's claim, for as long as the block lasts.

        Args:
            plan: whose claim, and whose image it runs.
            node: of the launcher, for a claim that only one node may mount; may be empty.

        Raises:
            Gone: there is no such claim any more.
            Refused, Unavailable: it cannot be made, or did not start in time.
        """
        name = self._name(plan.storage.claim)
        window = self._windows.setdefault(name, _Window())
        window.users += 1
        try:
            async with window.one_at_a_time:
                if window.door is None:
                    window.is_shared = await self._is_shared(plan.storage.claim)
                    window.door = await self._opened(
                        plan, name, node="" if window.is_shared else node
                    )
            try:
                yield window.door
            except BaseException:
                window.door = None  # it may be what is wrong: look at it again next time
                raise
        finally:
            window.users -= 1
            self._leave(window)

    async def run(self) -> None:
        """Take away, for ever, what nobody needs any more, and what a daemon before us left."""
        while True:
            self._stirred.clear()
            pause_s = await self._tidy()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._stirred.wait()

    def _leave(self, window: _Window) -> None:
        warm_s = self._warm_s if window.is_shared else 0.0
        window.goes_at = asyncio.get_running_loop().time() + warm_s
        self._stirred.set()

    async def _tidy(self) -> float | None:
        """Do what is due; seconds until the next thing is, None if nothing will be."""
        now = asyncio.get_running_loop().time()
        try:
            await self._adopt()
        except (Refused, Unavailable) as error:
            log.debug("results.pods_unlisted", namespace=self._namespace, reason=str(error))
        for name, window in list(self._windows.items()):
            if not window.users and window.goes_at <= now:
                await self._take_away(name, window)
        ahead = [window.goes_at for window in self._windows.values() if not window.users]
        ahead += [] if self._has_adopted else [now + AGAIN_S]
        return max(0.0, min(ahead) - now) if ahead else None

    async def _adopt(self) -> None:
        """Once: pods of a daemon before us are left, as if they had been used just now."""
        if self._has_adopted:
            return
        ours = labels.instance_labels(self._instance) | {labels.APP: labels.ACCESS_APP}
        query = {"labelSelector": labels.selector(ours)}
        answer = await self._session.ask("GET", self._pods, query=query)
        self._has_adopted = True
        for pod in msgspec.json.decode(answer, type=PodList).items:
            if pod.metadata.name not in self._windows:
                window = self._windows[pod.metadata.name] = _Window()
                self._leave(window)

    async def _take_away(self, name: str, window: _Window) -> None:
        async with window.one_at_a_time:
            if window.users:
                return
            window.door = None
            try:
                pod = await self._pod(name)
                if pod is not None:
                    await self._delete(pod)
            except Unavailable:
                window.goes_at = asyncio.get_running_loop().time() + AGAIN_S
                return
            except Refused as error:  # it ends by itself when nobody asks
                log.warning("results.pod_left", pod=name, reason=str(error))
        if not window.users:
            del self._windows[name]

    async def _is_shared(self, name: str) -> bool:
        """Whether any node may mount the claim, whatever the plan would have made."""
        claim = await claim_named(self._session, self._namespace, name)
        if claim is None:
            raise Gone(f"claim {name} is gone, with the results on it")
        return claim.is_shared

    async def _opened(self, plan: LauncherPlan, name: str, *, node: str) -> Door:
        """Make the pod or find it made, and wait until it serves."""
        pod: Pod | None = None
        images = list(dict.fromkeys(filter(None, (plan.pod.image, self._image))))
        has_made = False
        try:
            async with asyncio.timeout(START_S):
                while True:
                    pod = await self._pod(name)
                    is_so = found(pod, self._payloads.payload.digest)
                    if pod is None:
                        await self._make(plan, name, image=images[0], node=node)
                        has_made = True
                    elif is_so is Found.READY:
                        return self._door(pod)
                    elif is_so is Found.UNFIT:
                        await self._delete(pod)
                        del images[: has_made or lacks_image(pod)]  # it may be what is wrong
                        if not images:
                            raise Unavailable(f"data-access pod {name}: {told(pod)}")
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise Unavailable(f"data-access pod {name} did not start: {told(pod)}") from None

    def _door(self, pod: Pod) -> Door:
        container = pod.spec.containers[0]
        secret = next((one.value for one in container.env if one.name == SERVE_SECRET), "")
        return Door(self._namespace, pod.metadata.name, container.name, secret)

    async def _make(self, plan: LauncherPlan, name: str, *, image: str, node: str) -> None:
        await self._payloads.ensure()
        body = access_pod(
            plan,
            self._payloads.payload,
            name=name,
            instance=self._instance,
            image=image,
            secret=secrets.token_hex(16),
            node=node,
        )
        with suppress(AlreadyExists):
            await self._session.ask("POST", self._pods, body=body)

    async def _pod(self, name: str) -> Pod | None:
        pod = await pod_named(self._session, self._namespace, name)
        ours = labels.instance_labels(self._instance).items()
        if pod is not None and not ours <= pod.metadata.labels.items():
            raise Refused(f"pod {name} in namespace {self._namespace} is there and is not ours")
        return pod

    async def _delete(self, pod: Pod) -> None:
        path = f"{self._pods}/{pod.metadata.name}"
        await delete(self._session, path, pod.metadata.uid, {"gracePeriodSeconds": 1})

    def _name(self, claim: str) -> str:
        digest = hashlib.sha256(claim.encode()).hexdigest()[:8]
        return f"llmdbench-data-access-{self._instance}-{digest}"

    @property
    def _pods(self) -> str:
        return f"/api/v1/namespaces/{self._namespace}/pods"
