"""The scripts that run in launchers, on their way into the cluster: one ConfigMap for all."""

import asyncio
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec

from llmdbenchd.core.launch.config_maps import Payload
from llmdbenchd.edge.kubernetes.errors import AlreadyExists
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.ports import Refused


def payload_of(instance: str) -> Payload:
    """The scripts of this installation, for launchers of one daemon.

    Raises:
        OSError: the installation cannot be read.
    """
    return Payload(instance, dict(_scripts(files("llmdbenchd.payload"), "")))


class Payloads:
    """The payload in one namespace, there before the first pod that reads it."""

    def __init__(self, session: Session, namespace: str, payload: Payload) -> None:
        self.payload = payload
        self._session = session
        self._path = f"/api/v1/namespaces/{namespace}/configmaps"
        self._is_there = False
        self._one_at_a_time = asyncio.Lock()

    async def ensure(self) -> str:
        """Make the ConfigMap, or find it made before; returns its name. Asks the API once.

        Raises:
            Refused: the name is taken by something else, or the API says no.
            Unavailable: try again.
        """
        async with self._one_at_a_time:
            if not self._is_there:
                await self._make()
                self._is_there = True
        return self.payload.name

    def forget(self) -> None:
        """It may be gone: the next `ensure` makes sure."""
        self._is_there = False

    async def _make(self) -> None:
        wanted = self.payload.config_map()
        try:
            await self._session.ask("POST", self._path, body=wanted)
        except AlreadyExists:
            await self._compare(wanted["data"])

    async def _compare(self, data: object) -> None:
        path = f"{self._path}/{self.payload.name}"
        there = msgspec.json.decode(await self._session.ask("GET", path), type=_ConfigMap)
        if there.data != data:
            what = f"ConfigMap {self.payload.name} exists and does not hold this daemon's scripts"
            raise Refused(f"{what}: delete it; it will be made anew")


class _ConfigMap(msgspec.Struct, frozen=True):
    data: dict[str, str] = {}


def _scripts(folder: Traversable, prefix: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _scripts(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".py"):
            found.append((prefix + entry.name, entry.read_text(encoding="utf-8")))
    return found
