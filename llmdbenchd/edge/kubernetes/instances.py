"""The inference launcher's REST API through the API server's proxy: make, watch, delete, log."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

import msgspec

from llmdbenchd.core.nop.instances import Instance, Listing, Unclear, Wanted, ours
from llmdbenchd.edge.kubernetes.errors import Failed, NotFound
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.ports import Refused, Unavailable

_READ = 64 * 1024
_PARTIAL = 206
_BEYOND = 416  # nothing was written since
_STARTS_S = 60.0
_T = TypeVar("_T")


class _Health(msgspec.Struct, frozen=True):
    status: str = ""


@dataclass(frozen=True, slots=True)
class Instances:
    """The instances of one launcher.

    Needs get, create and delete of `pods/proxy` in the stack's namespace.
    Everything raises `Refused` or `Unavailable`.

    Attributes:
        port: of the launcher's own web server.
    """

    session: Session
    namespace: str
    pod: str
    port: int

    async def is_healthy(self) -> bool:
        """Whether the launcher answers and says that it is well."""
        said = self._decoded(await self.session.ask("GET", f"{self._base}/health"), _Health)
        return said.status.lower() == "ok"

    async def listed(self) -> Listing:
        """What there is."""
        return self._decoded(await self.session.ask("GET", self._folder), Listing)

    async def create(self, wanted: Wanted) -> str:
        """Start the instance, or find it started before: a lost reply makes no second one.

        `wanted` must be on disk by now: it is what `delete_ours` needs after a kill.

        Returns:
            Its id.
        """
        if found := await self._ours(wanted):
            return found[0]
        said = await self.session.ask(
            "POST", self._folder, body={"options": wanted.options}, timeout_s=_STARTS_S
        )
        return self._decoded(said, Instance).instance_id

    async def delete(self, instance: str) -> None:
        """End it; one that is gone already is no error."""
        path = f"{self._folder}/{quote(instance, safe='')}"
        try:
            body = await self.session.ask("DELETE", path, timeout_s=_STARTS_S)
        except NotFound:
            if any(one.instance_id == instance for one in (await self.listed()).instances):
                raise  # the pod or the proxy was not found, not the instance
            return
        said = self._decoded(body, Instance)
        if not said.is_over or said.instance_id != instance:
            raise Unavailable(
                f"{self._what}: asked to end {instance}, it says {said.status!r} "
                f"of {said.instance_id}"
            )

    async def delete_ours(self, wanted: Wanted) -> tuple[str, ...]:
        """End all that was started for `wanted`, also by somebody who was killed before he knew.

        Returns:
            Their ids.
        """
        found = await self._ours(wanted)
        for instance in found:
            await self.delete(instance)
        return found

    async def log(self, instance: str, begin: int = 0) -> AsyncIterator[bytes]:
        """What its log has from a byte on; a launcher may ignore that and send all.

        It may also send a piece only (of 1 MiB): ask again until nothing comes.

        Raises:
            NotFound: it is not there, or this launcher keeps no logs.
        """
        headers = {"Range": f"bytes={begin}-"} if begin else {}
        path = f"{self._folder}/{quote(instance, safe='')}/log"
        try:
            async with self.session.stream(
                path, pool="logs", headers=headers, silence_s=_STARTS_S
            ) as answer:
                said = answer.headers.get("Content-Range", "")
                is_part = answer.status == _PARTIAL
                if is_part and not said.startswith(f"bytes {begin}-"):
                    raise Unavailable(f"{self._what}: bytes from {begin} on were asked for: {said}")
                skip = 0 if is_part else begin
                async for chunk in answer.content.iter_chunked(_READ):
                    if rest := chunk[skip:]:
                        yield rest
                    skip = max(0, skip - len(chunk))
        except (Failed, Refused) as error:
            if getattr(error, "status", 0) != _BEYOND:
                raise

    async def _ours(self, wanted: Wanted) -> tuple[str, ...]:
        try:
            return ours(wanted, await self.listed())
        except Unclear as error:
            raise Refused(f"{self._what}: {error}") from error

    @property
    def _base(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods/{self.pod}:{self.port}/proxy"

    @property
    def _folder(self) -> str:
        return f"{self._base}/v2/vllm/instances"

    @property
    def _what(self) -> str:
        return f"launcher in pod {self.pod}, port {self.port}"

    def _decoded(self, body: bytes, kind: type[_T]) -> _T:
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.DecodeError as error:
            raise Unavailable(f"{self._what}: not the launcher's answer: {error}") from error
