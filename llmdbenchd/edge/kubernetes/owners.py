"""The runs' own ConfigMaps in one namespace: made before their launchers, and gone with them.

Whatever a kill leaves behind is found here too: a ConfigMap of ours that no launcher
belongs to, and the payload of a daemon that was before us.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from collections.abc import Set as AbstractSet

import msgspec

from llmdbenchd.core.launch import labels
from llmdbenchd.core.launch.config_maps import run_config_map
from llmdbenchd.core.launch.plan import LauncherPlan
from llmdbenchd.edge.kubernetes.deleting import delete
from llmdbenchd.edge.kubernetes.errors import AlreadyExists
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.ports import Refused

REMEMBERED = 256  # owners that were removed lately; to forget one costs one request


class Owners:
    """The ConfigMaps of one daemon.

    Args:
        session: where they are.
        namespace: of theirs.
        instance: the daemon's id.
    """

    def __init__(self, session: Session, namespace: str, instance: str) -> None:
        self._session = session
        self._path = f"/api/v1/namespaces/{namespace}/configmaps"
        self._instance = instance
        self._uids: dict[str, str] = {}
        self._removed: deque[str] = deque(maxlen=REMEMBERED)
        self._one_at_a_time: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def ensure(self, plan: LauncherPlan) -> str:
        """Make the attempt's ConfigMap, or find it made before; returns its uid.

        What it holds is not compared: an attempt has one workload, that of its first launcher.

        Raises:
            ValueError: it can never be made so.
            Refused: somebody else's is there, or the API says no.
            Unavailable: try again.
        """
        name = labels.attempt_name(plan.name)
        async with self._one_at_a_time[name]:
            if name not in self._uids:
                self._uids[name] = await self._made(plan)
            return self._uids[name]

    async def remove(self, uid: str, launcher: str) -> None:
        """Take away the owner of a launcher, if it is still the one with this uid."""
        if uid not in self._removed:
            await self._delete(labels.attempt_name(launcher), uid)
            self._removed.append(uid)
        self.doubt(launcher)

    def is_removed(self, uid: str) -> bool:
        """Whether we took it away ourselves."""
        return uid in self._removed

    def doubt(self, launcher: str) -> None:
        """A launcher is gone: its owner may be, too."""
        name = labels.attempt_name(launcher)
        self._uids.pop(name, None)
        if not self._one_at_a_time[name].locked():
            del self._one_at_a_time[name]

    async def sweep(
        self, attempts: Callable[[], AbstractSet[str]], payloads: AbstractSet[str]
    ) -> frozenset[str]:
        """Take away our ConfigMaps that nothing needs.

        Args:
            attempts: names of the attempts that have launchers, as of now.
            payloads: digests of those that are needed.

        Returns the digests of the payloads that are there.
        """
        query = {"labelSelector": labels.everything_of(self._instance), "limit": "500"}
        answer = await self._session.ask("GET", self._path, query=query)
        found = msgspec.json.decode(answer, type=_ConfigMaps).items
        for metadata in (each.metadata for each in found):
            app, payload = metadata.labels.get(labels.APP), metadata.labels.get(labels.PAYLOAD)
            if app == labels.PAYLOAD_APP and payload not in payloads:
                await self._delete(metadata.name, metadata.uid)
            if app == labels.LAUNCHER_APP:
                await self._remove_orphan(metadata, attempts)
        return frozenset(each.metadata.labels.get(labels.PAYLOAD, "") for each in found)

    async def _remove_orphan(
        self, metadata: "_Metadata", attempts: Callable[[], AbstractSet[str]]
    ) -> None:
        async with self._one_at_a_time[metadata.name]:  # a launcher may just be made for it
            if metadata.name not in self._uids and metadata.name not in attempts():
                await self._delete(metadata.name, metadata.uid)

    async def _made(self, plan: LauncherPlan) -> str:
        wanted, name = run_config_map(plan), labels.attempt_name(plan.name)
        try:
            answer = await self._session.ask("POST", self._path, body=wanted)
        except AlreadyExists:
            answer = await self._session.ask("GET", f"{self._path}/{name}")
            there = msgspec.json.decode(answer, type=_ConfigMap).metadata
            if not labels.attempt_labels(plan.identity).items() <= there.labels.items():
                taken = f"ConfigMap {name} is there and is not ours"
                raise Refused(f"{taken}: delete it, or give the job another id") from None
        return msgspec.json.decode(answer, type=_ConfigMap).metadata.uid

    async def _delete(self, name: str, uid: str) -> None:
        path = f"{self._path}/{name}"
        await delete(self._session, path, uid, {"propagationPolicy": "Background"})


class _Metadata(msgspec.Struct, frozen=True):
    name: str
    uid: str
    labels: dict[str, str] = {}


class _ConfigMap(msgspec.Struct, frozen=True):
    metadata: _Metadata


class _ConfigMaps(msgspec.Struct, frozen=True):
    items: list[_ConfigMap] = []
