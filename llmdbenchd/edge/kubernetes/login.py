"""How we get in: reads the configuration, proves who we are, and again when that runs out.

Files are read and TLS contexts are made in threads; a context is made anew only when what it
is made of has changed, so that connections outlive a renewed token.
"""

import asyncio
import time
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Protocol, assert_never

from llmdbenchd.edge.kubernetes import tls
from llmdbenchd.edge.kubernetes.access import Access, InCluster, find
from llmdbenchd.edge.kubernetes.configured import way_of
from llmdbenchd.edge.kubernetes.credentials import Identity, Loaded
from llmdbenchd.edge.kubernetes.kubeconfig import choose, read_file
from llmdbenchd.edge.kubernetes.plugin import Pass, log_in
from llmdbenchd.edge.kubernetes.way import (
    Material,
    Plugin,
    Proof,
    Provided,
    Server,
    Spoken,
    TokenFile,
    Way,
)
from llmdbenchd.ports import Unavailable

_TOKEN_FILE_S = 60.0  # the kubelet renews a pod's token long before it ends; so others do
_EARLY_S = (
    60.0  # a credential is renewed so long before its end, or at three quarters of a short life
)
_SHORT_S = 10.0  # a program whose credential has ended when it comes is not asked more often


class _Providers(Protocol):
    """What `legacy` has; it is not imported here, because it brings all of kubernetes-asyncio."""

    async def log_in(self, provided: Provided) -> Pass: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proven:
    authorization: str | None = field(default=None, repr=False)
    certificate: bytes | None = None
    key: bytes | None = field(default=None, repr=False)
    good_for_s: float | None = None


@dataclass(slots=True)
class Login:
    """One way in, followed again and again.

    Attributes:
        access: where the way is written.
    """

    access: Access
    _server: Server | None = field(default=None, init=False)
    _made: tuple[Material, tls.Trust] | None = field(default=None, init=False)
    _providers: _Providers | None = field(default=None, init=False)

    async def server(self) -> Server:
        """The API server; the same for good, whatever the files say later.

        Raises:
            Refused: there is no configuration, or it cannot be right.
            Unavailable: a file cannot be read.
        """
        if self._server is None:
            self._server = (await asyncio.to_thread(read_way, self.access)).server
        return self._server

    async def load(self) -> Loaded:
        """Read it all anew, and log in.

        Raises:
            Refused, Unavailable: as `server`; also for a login program that failed.
        """
        server = await self.server()
        way = await asyncio.to_thread(read_way, self.access)
        if way.server.url != server.url:
            raise Unavailable(
                f"{way.server.source} now leads to {way.server.url}, and this daemon works at "
                f"{server.url}; put it back, or start the daemon again"
            )
        proven = await self._prove(way.proof)
        material = way.material
        if proven.certificate is not None and proven.key is not None:
            material = replace(material, certificate=proven.certificate, key=proven.key)
        identity = Identity(proven.authorization, await self._trust(material, server))
        return Loaded(identity, proven.good_for_s)

    async def _prove(self, proof: Proof) -> _Proven:
        match proof:
            case Spoken(authorization):
                return _Proven(authorization=authorization)
            case TokenFile(path):
                return _from_token(await asyncio.to_thread(read_file, path), path)
            case Plugin() as plugin:
                return _from_pass(await log_in(plugin), now=time.time())
            case Provided() as provided:
                return _from_pass(await self._provide(provided), now=time.time())
            case _:
                assert_never(proof)

    async def _provide(self, provided: Provided) -> Pass:
        if self._providers is None:
            module = "llmdbenchd.edge.kubernetes.legacy"
            self._providers = (await asyncio.to_thread(import_module, module)).Providers()
        return await self._providers.log_in(provided)

    async def _trust(self, material: Material, server: Server) -> tls.Trust:
        if not server.url.startswith("https:"):
            return True
        if self._made is None or self._made[0] != material:
            trust = await asyncio.to_thread(tls.context, material, source=server.source)
            self._made = (material, trust)
        return self._made[1]


def read_way(access: Access) -> Way:
    """The way to the API server. Reads files: call it in a thread.

    Raises:
        Refused: there is no configuration, or it cannot be right; says where and what to do.
        Unavailable: a file cannot be read.
    """
    found = find(access)
    if isinstance(found, InCluster):
        return _in_cluster(found)
    return way_of(choose(found.files, found.context), access.environment)


def _in_cluster(inside: InCluster) -> Way:
    namespace = inside.folder / "namespace"
    server = Server(
        url=inside.server,
        source=f"the pod's own account in {inside.folder}",
        namespace=read_file(namespace).decode("utf-8", "replace").strip()
        if namespace.is_file()
        else "",
    )
    authorities = read_file(inside.folder / "ca.crt")
    return Way(server, Material(authorities=authorities), TokenFile(inside.folder / "token"))


def _from_token(read: bytes, path: Path) -> _Proven:
    token = read.decode("ascii", "replace").strip()
    if not token:
        raise Unavailable(f"{path}: the token's file is empty")
    return _Proven(authorization=f"Bearer {token}", good_for_s=_TOKEN_FILE_S)


def _from_pass(given: Pass, *, now: float) -> _Proven:
    return _Proven(
        authorization=None if given.token is None else f"Bearer {given.token}",
        certificate=given.certificate,
        key=given.key,
        good_for_s=None if given.expires is None else good_for_s(given.expires - now),
    )


def good_for_s(life_s: float) -> float:
    """How long a credential is used that lives so long: not to its end, nor asked for too often."""
    return max(life_s - _EARLY_S, life_s * 0.75, _SHORT_S)
