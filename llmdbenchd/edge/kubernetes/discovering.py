"""The Kubernetes room's scout: finds the one target that a run means, by reading only.

Requests, each a list of one namespace unless it says otherwise. For a URL of a Service:
the Service (one), its slices, the models. `standalone`: Services, slices, models; the same
for part of a name, and pods where no Service is called so. `modelservice`: Gateways, routes
and Services at once, then slices and models, and two for each pool of servers.
The models are asked for through the API server's proxy: no pod, no image, no way in.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar
from urllib.parse import urlsplit

from llmdbenchd.core.nop.behind import Behind
from llmdbenchd.core.pods.objects import Pod
from llmdbenchd.core.run.record import Target
from llmdbenchd.core.target.addresses import door_of, named_service, service_at
from llmdbenchd.core.target.asked import Answer, Asked, Backends, Chosen, NotYet, Refusal, Server
from llmdbenchd.core.target.choosing import MODELSERVICE, STANDALONE, by_label, by_name, pod_by_name
from llmdbenchd.core.target.gateways import GROUP, by_gateway
from llmdbenchd.core.target.objects import (
    EndpointSlice,
    Gateway,
    HTTPRoute,
    Pool,
    ServerPod,
    Service,
)
from llmdbenchd.core.target.restarts import most_restarted
from llmdbenchd.core.target.serving import (
    MODELS,
    SERVICE_LABEL,
    Heard,
    read_models,
    said,
    server_at,
    servers_of,
)
from llmdbenchd.edge.kubernetes.errors import Failed, Forbidden, NotFound, Rejected
from llmdbenchd.edge.kubernetes.reading import NOTHING, listed, read
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.edge.serving import answered, heard_from
from llmdbenchd.ports import NotReady, Refused

MODELS_S = 10.0
_HOW = "write methods: with a Service's or pod's name"
_GRANT = "kubectl apply --namespace {} --filename deploy/rbac-stack.yaml"
_POOL_VERSIONS = {"inference.networking.k8s.io": "v1", "inference.networking.x-k8s.io": "v1alpha2"}
_GATEWAYS = f"/apis/{GROUP}/v1"
T = TypeVar("T")


class ClusterScout:
    """Looks for targets on one cluster."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def find(self, asked: Asked) -> Target:
        """The one target that is meant, whose model was asked of the target itself.

        Raises:
            Refused: there is none, or more than one, or it serves another model.
            NotReady: it is there and does not serve yet, or we may not look.
            Unavailable: nobody could say.
        """
        chosen = await self._chosen(asked)
        async with _together() as group:
            servers = group.create_task(self._servers(chosen))
            heard = group.create_task(self._heard(chosen))
        try:
            return answered(asked, chosen, servers.result(), heard.result())
        except NotReady as error:
            restarts, words = most_restarted(await self._pods_of(servers.result()))
            reason = f"{error}; {words}" if words else str(error)
            raise NotReady(reason, restarts=restarts) from error

    async def behind(self, asked: Asked) -> Behind:
        """Which pods are behind what is meant, also when they are made anew.

        Raises:
            Refused, NotReady, Unavailable: as `find`; Refused also where no pod can be told.
        """
        chosen = await self._chosen(asked)
        backends, selectors = chosen.backends, list[Mapping[str, str]]()
        named = {one.pod for one in chosen.servers}
        if backends.services:
            services = await self._list(chosen.namespace, "services", Service)
            found = [one for one in services if one.name in backends.services]
            selectors += [one.spec.selector for one in found if one.spec.selector]
            if len(selectors) < len(found):  # somebody else says which pods they are
                named |= {one.pod for one in await self._servers(chosen)}
        for group, name in backends.pools:
            selectors.append((await self._pool(chosen.namespace, group, name)).selector)
        behind = Behind(
            namespace=chosen.namespace or next((one.namespace for one in chosen.servers), ""),
            selectors=tuple(one for one in selectors if one),
            names=tuple(sorted(named)),
        )
        if behind.is_nobody:
            raise Refused(f"{chosen.what}: no pods of this cluster are known behind it: {_HOW}")
        if not behind.names:
            return behind
        return behind.known_by(await self._list(behind.namespace, "pods", Pod))

    async def _chosen(self, asked: Asked) -> Chosen:
        if asked.endpoint:
            return await self._given(asked)
        try:
            return _one(await self._looked_up(asked))
        except Forbidden as error:  # also for a moment after a restart of the API server
            raise NotReady(f"{error}: {_GRANT.format(asked.namespace)}") from error

    async def _looked_up(self, asked: Asked) -> Answer:
        if asked.method == MODELSERVICE:
            return await self._gateway(asked)
        services = await self._list(asked.namespace, "services", Service)
        if asked.method == STANDALONE:
            return by_label(services, asked)
        found = by_name(services, asked)
        if found is not None:
            return found
        pods = await self._list(asked.namespace, "pods", ServerPod)
        return pod_by_name(pods, services, asked)

    async def _gateway(self, asked: Asked) -> Answer:
        where = asked.namespace
        try:
            async with _together() as group:
                gateways = group.create_task(self._list(where, "gateways", Gateway, _GATEWAYS))
                routes = group.create_task(self._list(where, "httproutes", HTTPRoute, _GATEWAYS))
                services = group.create_task(self._list(where, "services", Service))
        except NotFound:
            return Refusal(
                f"the cluster has no Gateway API ({GROUP}/v1): its administrator installs it, or "
                "write methods: PART-OF-A-SERVICE'S-NAME, or endpoint: URL"
            )
        return by_gateway(gateways.result(), routes.result(), services.result(), asked)

    async def _given(self, asked: Asked) -> Chosen:
        """What a URL leads to, as far as that can be looked up."""
        plain = Chosen(endpoint=asked.endpoint, what=asked.endpoint)
        try:
            return await self._behind(asked) or plain
        except Rejected:  # not a name of this cluster, or not ours to see: it needs no look-up
            return plain

    async def _behind(self, asked: Asked) -> Chosen | None:
        host = urlsplit(asked.endpoint).hostname or ""
        named = named_service(asked.endpoint, asked.near)
        if named is not None:
            namespace, name = named
            path = f"/api/v1/namespaces/{namespace}/services/{name}"
            service = await read(self._session, path, Service)
            return _through(service, asked.endpoint, namespace)
        if not host.replace(".", "").isdecimal() and ":" not in host:
            return None
        services = await self._list(asked.namespace, "services", Service)
        found = service_at(host, services, asked.namespace)
        if found is not None:
            return _through(found, asked.endpoint, asked.namespace)
        slices = await self._slices(asked.namespace)
        servers = server_at(slices, host, asked.namespace)
        return Chosen(endpoint=asked.endpoint, what=asked.endpoint, servers=servers)

    async def _servers(self, chosen: Chosen) -> tuple[Server, ...]:
        """Every pod behind it; without the right to look there are those known already."""
        services, found = chosen.backends.services, list(chosen.servers)
        try:
            if services:
                query = {"labelSelector": f"{SERVICE_LABEL}={services[0]}"}
                slices = await self._slices(
                    chosen.namespace, query if len(services) == 1 else NOTHING
                )
                found += servers_of(slices, services, chosen.namespace)
            for group, name in chosen.backends.pools:
                found += await self._pooled(chosen.namespace, group, name)
        except Rejected:
            pass
        return tuple(dict.fromkeys(found))

    async def _pods_of(self, servers: tuple[Server, ...]) -> list[Pod]:
        """The pods that are servers; none without the right to look."""
        try:
            pods = [
                (namespace, pod)
                for namespace in sorted({one.namespace for one in servers})
                for pod in await self._list(namespace, "pods", Pod)
            ]
        except Rejected:
            return []
        names = {(one.namespace, one.pod) for one in servers}
        return [pod for namespace, pod in pods if (namespace, pod.metadata.name) in names]

    async def _pooled(self, namespace: str, group: str, name: str) -> list[Server]:
        pool = await self._pool(namespace, group, name)
        selector = ",".join(f"{key}={value}" for key, value in pool.selector.items())
        if not selector:
            return []
        pods = await self._list(namespace, "pods", ServerPod, query={"labelSelector": selector})
        return [Server(namespace, pod.name, pod.spec.node_name) for pod in pods]

    async def _pool(self, namespace: str, group: str, name: str) -> Pool:
        version = _POOL_VERSIONS.get(group, "v1")
        path = f"/apis/{group}/{version}/namespaces/{namespace}/inferencepools/{name}"
        return await read(self._session, path, Pool)

    async def _heard(self, chosen: Chosen) -> Heard:
        """What it serves, asked through the API server, or by plain HTTP where it has no door."""
        if chosen.door is None:
            return await heard_from(chosen.endpoint)
        path = chosen.door.url(MODELS)
        try:
            return read_models(await self._session.ask("GET", path, timeout_s=MODELS_S))
        except (Rejected, Failed) as error:
            return said(error.status, str(error))

    async def _slices(
        self, namespace: str, query: Mapping[str, str] = NOTHING
    ) -> list[EndpointSlice]:
        group = "/apis/discovery.k8s.io/v1"
        return await self._list(namespace, "endpointslices", EndpointSlice, group, query=query)

    async def _list(
        self,
        namespace: str,
        plural: str,
        kind: type[T],
        group: str = "/api/v1",
        *,
        query: Mapping[str, str] = NOTHING,
    ) -> list[T]:
        """Every object of a kind, in pages."""
        path = f"{group}/namespaces/{namespace}/{plural}"
        return await listed(self._session, path, kind, query=query)


@asynccontextmanager
async def _together() -> AsyncIterator[asyncio.TaskGroup]:
    """Several requests at once; of several errors the first says enough."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors


def _through(service: Service, endpoint: str, namespace: str) -> Chosen:
    door = door_of(service, endpoint, namespace)
    return Chosen(
        endpoint=endpoint,
        what=f"Service {namespace}/{service.name}",
        door=door,
        namespace=namespace,
        backends=Backends(services=(service.name,)),
    )


def _one(answer: Answer) -> Chosen:
    match answer:
        case Chosen():
            return answer
        case Refusal(reason):
            raise Refused(reason)
        case NotYet(reason):
            raise NotReady(reason)
