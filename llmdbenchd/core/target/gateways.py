"""The room of targets: one Gateway, its listener, and the path that its routes give a model."""

from collections.abc import Iterator, Sequence

from llmdbenchd.core.target.addresses import door_of, service_at, url_of
from llmdbenchd.core.target.asked import (
    Answer,
    Asked,
    Backends,
    Chosen,
    NotYet,
    Refusal,
    listed,
)
from llmdbenchd.core.target.choosing import MODELSERVICE, VIA, narrowed
from llmdbenchd.core.target.objects import Gateway, HTTPRoute, Listener, ObjectRef, Service

GROUP = "gateway.networking.k8s.io"
_SCHEMES = {"HTTP": "http", "HTTPS": "https"}
_API = "/v1"
_INSTEAD = "write methods: PART-OF-A-SERVICE'S-NAME, or endpoint: URL"


def by_gateway(
    gateways: Sequence[Gateway],
    routes: Sequence[HTTPRoute],
    services: Sequence[Service],
    asked: Asked,
) -> Answer:
    """The Gateway of the stack: the labelled one, else the only one of the namespace.

    Its address is what its status says; nothing is made of its name.
    """
    where = f"namespace {asked.namespace}"
    labelled = [one for one in gateways if one.metadata.labels.get(VIA) == MODELSERVICE]
    found = labelled or list(gateways)
    if not found:
        names = listed(one.name for one in services)
        return Refusal(f"no Gateway in {where}: {_INSTEAD} (Services there: {names})")
    mine = [found[index] for index in narrowed([one.name for one in found], asked)]
    if len(mine) > 1:
        names = listed(one.name for one in mine)
        return Refusal(
            f"{len(mine)} Gateways in {where}: {names}; label the one that is meant with "
            f"{VIA}={MODELSERVICE}, or {_INSTEAD}"
        )
    [gateway] = mine
    return _target(gateway, [one for one in routes if _hangs_on(one, gateway)], services, asked)


def _target(
    gateway: Gateway, routes: Sequence[HTTPRoute], services: Sequence[Service], asked: Asked
) -> Answer:
    what = f"Gateway {asked.namespace}/{gateway.name}"
    prefix = _prefix(what, routes, asked)
    if isinstance(prefix, Refusal):
        return prefix
    listener = _listener(gateway, routes)
    if listener is None:
        spoken = listed(f"{one.name} {one.protocol} {one.port}" for one in gateway.spec.listeners)
        return Refusal(f"{what} has no listener for HTTP or HTTPS ({spoken}): {_INSTEAD}")
    address = next((one.value for one in gateway.status.addresses if one.value), "")
    if not address:
        return NotYet(f"{what} has no address yet: {_said(gateway)}")
    endpoint = url_of(_SCHEMES[listener.protocol], address, listener.port, prefix)
    own = service_at(address, services, asked.namespace)
    backends = tuple(_backends(routes, prefix))
    return Chosen(
        endpoint=endpoint,
        what=f"{what}, listener {listener.name} {listener.port}{prefix}",
        door=door_of(own, endpoint, asked.namespace) if own is not None else None,
        namespace=asked.namespace,
        backends=Backends(
            services=tuple(one.name for one in backends if one.kind in {"", "Service"}),
            pools=tuple((one.group, one.name) for one in backends if one.kind == "InferencePool"),
        ),
    )


def _hangs_on(route: HTTPRoute, gateway: Gateway) -> bool:
    return any(_is_to(one, gateway, route) for one in route.spec.parent_refs)


def _is_to(parent: ObjectRef, gateway: Gateway, route: HTTPRoute) -> bool:
    is_near = parent.namespace in {"", gateway.metadata.namespace, route.metadata.namespace}
    return parent.kind in {"", "Gateway"} and parent.name == gateway.name and is_near


def _listener(gateway: Gateway, routes: Sequence[HTTPRoute]) -> Listener | None:
    """One that the routes hang on by name, else plain HTTP, else HTTPS."""
    named = {
        parent.section_name
        for route in routes
        for parent in route.spec.parent_refs
        if parent.name == gateway.name and parent.section_name
    }
    spoken = [one for one in gateway.spec.listeners if one.protocol in _SCHEMES]
    meant = [one for one in spoken if one.name in named] or spoken
    return min(meant, key=lambda one: one.protocol, default=None)  # HTTP before HTTPS


def _prefix(what: str, routes: Sequence[HTTPRoute], asked: Asked) -> str | Refusal:
    """What stands before `/v1` in the paths of the routes; empty where no route says."""
    prefixes = sorted({base for _, base in _paths(routes)})
    if len(prefixes) < 2 or not prefixes[0]:  # noqa: PLR2004 - nothing to choose from
        return prefixes[0] if prefixes else ""
    mine = [prefixes[index] for index in narrowed(prefixes, asked)]
    if len(mine) == 1:
        return mine[0]
    return Refusal(
        f"{what} leads to {len(mine)} places: {listed(mine)}; "
        "write endpoint: URL, with the Gateway's address and the path that is meant"
    )


def _paths(routes: Sequence[HTTPRoute]) -> Iterator[tuple[tuple[ObjectRef, ...], str]]:
    """For each rule and path: where it leads, and what stands before the API's own path."""
    for route in routes:
        for rule in route.spec.rules:
            values = [one.path.value for one in rule.matches] or ["/"]
            for value in values:
                base = value.partition(_API)[0] if _has_api(value) else value
                yield rule.backend_refs, base.rstrip("/")


def _has_api(path: str) -> bool:
    return f"{path}/".find(f"{_API}/") >= 0


def _backends(routes: Sequence[HTTPRoute], prefix: str) -> Iterator[ObjectRef]:
    seen: set[ObjectRef] = set()
    for backends, base in _paths(routes):
        for one in backends:
            if base == prefix and one.weight > 0 and one not in seen:
                seen.add(one)
                yield one


def _said(gateway: Gateway) -> str:
    """What its controller says against it, or that there is none."""
    bad = [one for one in gateway.status.conditions if one.status != "True"]
    told = [f"{one.type}: {one.message or one.reason}" for one in bad]
    return told[0] if told else "its status names none"
