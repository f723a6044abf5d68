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

from llmdbenchd.core.launch import labels
from llmdbenchd.core.launch.manifest import KEEP_PORT, SERVE_SECRET, access_pod
from llmdbenchd.core.launch.plan import LauncherPlan
from llmdbenchd.core.pods.objects import Pod
from llmdbenchd.core.pods.sight import OVER
from llmdbenchd.edge.kubernetes.errors import AlreadyExists, Conflict, NotFound
from llmdbenchd.edge.kubernetes.payloads import Payloads
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.ports import Refused, Unavailable

LOOK_S = 0.2
START_S = 30.0  # then it is said what keeps it, and waited for anew
NO_IMAGE = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
WARM_S = 120.0


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
    """One claim's pod, and who uses it."""

    users: int = 0
    door: Door | None = None
    closing: asyncio.TimerHandle | None = None
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)


class AccessPods:
    """The data-access pods of one namespace."""

    def __init__(
        self, session: Session, namespace: str, instance: str, *, payloads: Payloads, image: str
    ) -> None:
        """Take a namespace into use.

        Args:
            session: the API server.
            namespace: where claims and pods are.
            instance: the daemon's id.
            payloads: the scripts that run in the pods.
            image: what they run in where a job's own cannot be had.
        """
        self._image = image
        self._session = session
        self._namespace = namespace
        self._instance = instance
        self._payloads = payloads
        self._windows: dict[str, _Window] = {}
        self._ending: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def open(self, plan: LauncherPlan, *, node: str) -> AsyncIterator[Door]:
        """The window onto the plan's claim, for as long as the block lasts.

        Args:
            plan: whose claim, and whose image it runs.
            node: of the launcher, for a claim that only one node may mount; may be empty.

        Raises:
            Refused, Unavailable: it cannot be made, or did not start in time.
        """
        claim = plan.storage.claim
        window = self._windows.setdefault(claim, _Window())
        window.users += 1
        if window.closing is not None:
            window.closing.cancel()
            window.closing = None
        try:
            async with window.one_at_a_time:
                if window.door is None:
                    window.door = await self._opened(plan, node)
            try:
                yield window.door
            except BaseException:
                window.door = None  # it may be what is wrong: look at it again next time
                raise
        finally:
            window.users -= 1
            if not window.users:
                shared = plan.storage.access in {"ReadWriteMany", "ReadOnlyMany"}
                loop = asyncio.get_running_loop()
                wait_s = WARM_S if shared else 0.0
                window.closing = loop.call_later(wait_s, self._close, claim)

    def _close(self, claim: str) -> None:
        window = self._windows[claim]
        window.door = window.closing = None
        task = asyncio.get_running_loop().create_task(self._remove(claim))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _remove(self, claim: str) -> None:
        window = self._windows[claim]
        async with window.one_at_a_time:
            if not window.users:
                with suppress(Refused, Unavailable):  # it ends by itself when nobody asks
                    await self._delete(self._name(claim))

    async def _opened(self, plan: LauncherPlan, node: str) -> Door:
        """Make the pod or find it made, and wait until it serves."""
        name, pod = self._name(plan.storage.claim), None
        images = [plan.pod.image, self._image]  # a job's own may be what is wrong with it
        try:
            async with asyncio.timeout(START_S):
                while True:
                    pod = await self._pod(name)
                    if pod is None:
                        await self._make(plan, name, image=images[0], node=node)
                    elif pod.status.phase in OVER or pod.metadata.deletion_timestamp:
                        await self._delete(name)
                    elif _is_ready(pod):
                        return self._door(pod)
                    elif _has_no_image(pod) and len(images) > 1:
                        del images[0]
                        await self._delete(name)
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise Unavailable(f"data-access pod {name} did not start: {_seen(pod)}") from None

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
            node=node if plan.storage.access.startswith("ReadWriteOnce") else "",
        )
        with suppress(AlreadyExists):
            await self._session.ask("POST", self._pods, body=body)

    async def _pod(self, name: str) -> Pod | None:
        try:
            answer = await self._session.ask("GET", f"{self._pods}/{name}")
        except NotFound:
            return None
        pod = msgspec.json.decode(answer, type=Pod)
        if not labels.instance_labels(self._instance).items() <= pod.metadata.labels.items():
            raise Refused(f"pod {name} in namespace {self._namespace} is there and is not ours")
        return pod

    async def _delete(self, name: str) -> None:
        with suppress(NotFound, Conflict):
            path = f"{self._pods}/{name}"
            await self._session.ask("DELETE", path, body={"gracePeriodSeconds": 1})

    def _name(self, claim: str) -> str:
        digest = hashlib.sha256(claim.encode()).hexdigest()[:8]
        return f"llmdbench-data-access-{self._instance}-{digest}"

    @property
    def _pods(self) -> str:
        return f"/api/v1/namespaces/{self._namespace}/pods"


def _is_ready(pod: Pod) -> bool:
    statuses = pod.status.container_statuses
    return pod.status.phase == "Running" and bool(statuses) and all(one.ready for one in statuses)


def _has_no_image(pod: Pod) -> bool:
    waiting = (one.state.waiting for one in pod.status.container_statuses)
    return any(one is not None and one.reason in NO_IMAGE for one in waiting)


def _seen(pod: Pod | None) -> str:
    """What keeps it, as far as its status tells."""
    if pod is None:
        return "it is not there"
    waiting = [one.state.waiting for one in pod.status.container_statuses if one.state.waiting]
    conditions = [one.message for one in pod.status.conditions if one.message]
    told = [f"{one.reason}: {one.message}" for one in waiting] + conditions
    return told[0] if told else f"its phase is {pod.status.phase}"
