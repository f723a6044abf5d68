"""The room of targets: what model servers are known by, as narrow structs.

As in `core.pods.objects`: named as the API names them, only what we read is decoded, and
what is not said has its empty value.
"""

import msgspec

from llmdbenchd.core.pods.objects import Metadata, Object


class ServicePort(Object, frozen=True, rename="camel"):
    """A port of a Service; `target_port` is a number, or the name of a container's port."""

    name: str = ""
    port: int = 0
    target_port: int | str = 0
    app_protocol: str = ""


class ServiceSpec(Object, frozen=True, rename="camel"):
    """What was asked for; `cluster_ip` is `None` (the word) for one without an address.

    Attributes:
        selector: labels of the pods behind it; empty where somebody else says which they are.
    """

    type: str = "ClusterIP"
    selector: dict[str, str] = msgspec.field(default_factory=dict)
    cluster_ip: str = msgspec.field(default="", name="clusterIP")
    external_ips: tuple[str, ...] = msgspec.field(default=(), name="externalIPs")
    ports: tuple[ServicePort, ...] = ()


class Ingress(Object, frozen=True, rename="camel"):
    """An address that a load balancer gave to a Service."""

    ip: str = ""
    hostname: str = ""


class LoadBalancer(Object, frozen=True, rename="camel"):
    """All of them."""

    ingress: tuple[Ingress, ...] = ()


class ServiceStatus(Object, frozen=True, rename="camel"):
    """How a Service is."""

    load_balancer: LoadBalancer = LoadBalancer()


class Service(Object, frozen=True, rename="camel"):
    """A Service."""

    metadata: Metadata = Metadata()
    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus = ServiceStatus()

    @property
    def name(self) -> str:
        """Its name."""
        return self.metadata.name

    @property
    def addresses(self) -> frozenset[str]:
        """Everything that it answers to, beside its name."""
        spec, ingress = self.spec, self.status.load_balancer.ingress
        given = {spec.cluster_ip, *spec.external_ips}
        given |= {word for one in ingress for word in (one.ip, one.hostname)}
        return frozenset(given - {"", "None"})


class TargetRef(Object, frozen=True, rename="camel"):
    """What is behind an endpoint."""

    kind: str = ""
    name: str = ""
    uid: str = ""


class Readiness(Object, frozen=True, rename="camel"):
    """None is what nobody knows, and means ready."""

    ready: bool | None = None


class SliceEndpoint(Object, frozen=True, rename="camel"):
    """One server behind a Service."""

    addresses: tuple[str, ...] = ()
    conditions: Readiness = Readiness()
    node_name: str | None = None
    target_ref: TargetRef | None = None


class EndpointSlice(Object, frozen=True, rename="camel"):
    """Some of the servers behind a Service, which a label names."""

    metadata: Metadata = Metadata()
    endpoints: tuple[SliceEndpoint, ...] | None = ()  # the API writes null for none


class Listener(Object, frozen=True, rename="camel"):
    """A port of a Gateway."""

    name: str = ""
    port: int = 0
    protocol: str = ""


class GatewaySpec(Object, frozen=True, rename="camel"):
    """What was asked for."""

    listeners: tuple[Listener, ...] = ()


class GatewayAddress(Object, frozen=True, rename="camel"):
    """An address: an `IPAddress` or a `Hostname`."""

    type: str = "IPAddress"
    value: str = ""


class GatewayCondition(Object, frozen=True, rename="camel"):
    """What its controller says."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class GatewayStatus(Object, frozen=True, rename="camel"):
    """How a Gateway is."""

    addresses: tuple[GatewayAddress, ...] = ()
    conditions: tuple[GatewayCondition, ...] = ()


class Gateway(Object, frozen=True, rename="camel"):
    """A Gateway of gateway.networking.k8s.io."""

    metadata: Metadata = Metadata()
    spec: GatewaySpec = GatewaySpec()
    status: GatewayStatus = GatewayStatus()

    @property
    def name(self) -> str:
        """Its name."""
        return self.metadata.name


class ObjectRef(Object, frozen=True, rename="camel"):
    """What a route hangs on, or leads to; empty is the kind that is usual there.

    Attributes:
        section_name: one of a Gateway's listeners; empty for all of them.
        weight: 0 takes no traffic.
    """

    group: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
    section_name: str = ""
    weight: int = 1


class PathMatch(Object, frozen=True, rename="camel"):
    """Which paths."""

    type: str = "PathPrefix"
    value: str = "/"


class RouteMatch(Object, frozen=True, rename="camel"):
    """Which requests."""

    path: PathMatch = PathMatch()


class RouteRule(Object, frozen=True, rename="camel"):
    """Which requests go where; without a match all of them do."""

    matches: tuple[RouteMatch, ...] = ()
    backend_refs: tuple[ObjectRef, ...] = ()


class RouteSpec(Object, frozen=True, rename="camel"):
    """What was asked for."""

    parent_refs: tuple[ObjectRef, ...] = ()
    rules: tuple[RouteRule, ...] = ()


class HTTPRoute(Object, frozen=True, rename="camel"):
    """A HTTPRoute of gateway.networking.k8s.io."""

    metadata: Metadata = Metadata()
    spec: RouteSpec = RouteSpec()


class ContainerPort(Object, frozen=True, rename="camel"):
    """A port that a container says it listens on."""

    name: str = ""
    container_port: int = 0


class HttpGet(Object, frozen=True, rename="camel"):
    """How a probe asks."""

    port: int | str = 0


class Probe(Object, frozen=True, rename="camel"):
    """A probe."""

    http_get: HttpGet | None = None


class ServerContainer(Object, frozen=True, rename="camel"):
    """A container that may serve a model."""

    ports: tuple[ContainerPort, ...] = ()
    liveness_probe: Probe = Probe()
    readiness_probe: Probe = Probe()


class ServerPodSpec(Object, frozen=True, rename="camel"):
    """What was asked for."""

    node_name: str = ""
    containers: tuple[ServerContainer, ...] = ()


class ServerPodStatus(Object, frozen=True, rename="camel"):
    """How the pod is."""

    phase: str = ""
    pod_ip: str = msgspec.field(default="", name="podIP")


class ServerPod(Object, frozen=True, rename="camel"):
    """A pod that may serve a model."""

    metadata: Metadata = Metadata()
    spec: ServerPodSpec = ServerPodSpec()
    status: ServerPodStatus = ServerPodStatus()

    @property
    def name(self) -> str:
        """Its name."""
        return self.metadata.name


class Pool(Object, frozen=True, rename="camel"):
    """An InferencePool: its selector is flat in older versions of the API."""

    spec: dict[str, msgspec.Raw] = msgspec.field(default_factory=dict)

    @property
    def selector(self) -> dict[str, str]:
        """Labels of its pods; empty if it says none that we understand."""
        raw = self.spec.get("selector", msgspec.Raw(b"{}"))
        try:
            nested = msgspec.json.decode(raw, type=dict[str, dict[str, str]])
            return nested.get("matchLabels", {})
        except msgspec.ValidationError:
            return _flat(raw)


def _flat(raw: msgspec.Raw) -> dict[str, str]:
    try:
        return msgspec.json.decode(raw, type=dict[str, str])
    except msgspec.ValidationError:
        return {}
