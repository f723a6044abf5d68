"""The room of targets: one Service, or one pod, by a label or by part of its name."""

import hashlib
from collections.abc import Sequence

from llmdbenchd.core.launch.labels import MANAGED_BY, OURS
from llmdbenchd.core.target.addresses import is_secure, serving_port, url_of
from llmdbenchd.core.target.asked import (
    Answer,
    Asked,
    Backends,
    Chosen,
    Door,
    NotYet,
    Refusal,
    Server,
    listed,
)
from llmdbenchd.core.target.objects import ServerContainer, ServerPod, Service

STANDALONE, MODELSERVICE = "standalone", "modelservice"
VIA, FROM = "stood-up-via", "stood-up-from"  # labels of what the field's tool stood up
TOOL = "llm-d-benchmark"
CLUSTER_DOMAIN = "svc.cluster.local"
_INSTEAD = "write methods: PART-OF-ITS-NAME, or endpoint: URL"
_OVER = frozenset({"Succeeded", "Failed"})


def by_label(services: Sequence[Service], asked: Asked) -> Answer:
    """The Service that the field's tool stood up as `standalone`."""
    for name, value in ((VIA, STANDALONE), (FROM, TOOL)):
        found = [one for one in services if one.metadata.labels.get(name) == value]
        if found:
            return _one_of(found, f"carry the label {name}={value}", asked)
    labels = f"{VIA}={STANDALONE} or {FROM}={TOOL}"
    names = listed(one.name for one in services)
    return Refusal(
        f"no Service in namespace {asked.namespace} carries the label {labels}: "
        f"{_INSTEAD} (Services there: {names})"
    )


def by_name(services: Sequence[Service], asked: Asked) -> Answer | None:
    """The Service whose name has the method's text in it; None if there is none.

    One that is called exactly so goes before those that are only called alike.
    """
    found = [one for one in services if asked.method in one.name]
    exact = [one for one in found if one.name == asked.method]
    if not found:
        return None
    return _one_of(exact or found, f"have `{asked.method}` in their names", asked)


def pod_by_name(pods: Sequence[ServerPod], services: Sequence[Service], asked: Asked) -> Answer:
    """The pod whose name has the method's text in it; launchers of ours are never meant."""
    there = [one for one in pods if one.status.phase not in _OVER and not _is_ours(one)]
    found = [one for one in there if asked.method in one.name]
    where = f"namespace {asked.namespace}"
    if not found:
        return Refusal(
            f"no Service and no pod in {where} has `{asked.method}` in its name; "
            f"Services there: {listed(one.name for one in services)}; "
            f"pods: {listed(one.name for one in there)}"
        )
    if len(found) > 1:
        names = listed(one.name for one in found)
        return Refusal(
            f"{len(found)} pods in {where} have `{asked.method}` in their names: {names}; "
            "write more of the name, or put a Service before them"
        )
    return _pod(found[0], asked)


def narrowed(names: Sequence[str], asked: Asked) -> list[int]:
    """Indices of those that the field's tool named after the run's model, or of all of them."""
    digests = _digests(asked)
    mine = [index for index, name in enumerate(names) if any(one in name for one in digests)]
    return mine or list(range(len(names)))


def _one_of(found: Sequence[Service], why: str, asked: Asked) -> Answer:
    """The only one of them, or of those that are named after the model."""
    mine = [found[index] for index in narrowed([one.name for one in found], asked)]
    if len(mine) > 1:
        names = listed(one.name for one in mine)
        return Refusal(
            f"{len(mine)} Services in namespace {asked.namespace} {why}: {names}; "
            "write methods: NAME with the one that is meant"
        )
    return _service(mine[0], asked)


def _service(service: Service, asked: Asked) -> Answer:
    port = serving_port(service)
    if port is None:
        numbers = listed(f"{one.name or '(no name)'} {one.port}" for one in service.spec.ports)
        return Refusal(
            f"Service {service.name} in namespace {asked.namespace} has no port called default or "
            f"http, and more or less than one of another name: {numbers}; "
            f"write endpoint: http://{service.name}.{asked.namespace}.{CLUSTER_DOMAIN}:PORT"
        )
    scheme = "https" if is_secure(port) else "http"
    host = f"{service.name}.{asked.namespace}.{CLUSTER_DOMAIN}"
    is_bare = service.spec.cluster_ip == "None" and isinstance(port.target_port, int)
    number = port.target_port if is_bare and isinstance(port.target_port, int) else 0
    return Chosen(
        endpoint=url_of(scheme, host, number or port.port),
        what=f"Service {asked.namespace}/{service.name}, port {port.name or port.port}",
        door=Door("services", asked.namespace, service.name, str(port.port), scheme),
        namespace=asked.namespace,
        backends=Backends(services=(service.name,)),
    )


def _pod(pod: ServerPod, asked: Asked) -> Answer:
    what = f"pod {asked.namespace}/{pod.name}"
    if not pod.status.pod_ip:
        return NotYet(f"{what} has no address yet: its phase is {pod.status.phase or 'unknown'}")
    port = port_of(pod.spec.containers[0])
    if port is None:
        host = pod.status.pod_ip
        return Refusal(f"{what} does not say its port: write endpoint: {url_of('http', host, 0)}")
    return Chosen(
        endpoint=url_of("http", pod.status.pod_ip, port),
        what=f"{what}, port {port}",
        door=Door("pods", asked.namespace, pod.name, str(port)),
        namespace=asked.namespace,
        servers=(Server(asked.namespace, pod.name, pod.spec.node_name),),
    )


def port_of(container: ServerContainer) -> int | None:
    """Where a container serves; None if it does not say so.

    As the field reads it: where its probes ask, else a port by its name, else the only one.
    """
    named = {one.name: one.container_port for one in container.ports if one.name}
    for probe in (container.liveness_probe, container.readiness_probe):
        if probe.http_get is not None:
            port = probe.http_get.port
            return port if isinstance(port, int) else named.get(port)
    for name in ("http", "metrics"):
        if name in named:
            return named[name]
    return container.ports[0].container_port if len(container.ports) == 1 else None


def _is_ours(pod: ServerPod) -> bool:
    return pod.metadata.labels.get(MANAGED_BY) == OURS


def _digests(asked: Asked) -> frozenset[str]:
    """How the field's tool stands for namespace and model in names of objects."""
    model = asked.model.replace("/", "-").replace(".", "-")
    spelt = {model, model.lower()}
    texts = (f"{asked.namespace}/{one}" for one in spelt)
    return frozenset(hashlib.sha256(text.encode()).hexdigest()[:8] for text in texts)
