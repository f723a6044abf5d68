"""What a namespace may hold, as the API gives it, decoded."""

from typing import Any

import msgspec

from llmdbenchd.core.target.asked import Asked
from llmdbenchd.core.target.objects import EndpointSlice, Gateway, HTTPRoute, ServerPod, Service

MODEL = "meta-llama/Llama-3.2-1B-Instruct"


def asked(method: str = "standalone", *, model: str = MODEL, endpoint: str = "") -> Asked:
    """A run that asks for this, in the namespace `llm`; launchers are in `bench`."""
    return Asked(method=method, namespace="llm", near="bench", model=model, endpoint=endpoint)


def service(
    name: str, *ports: dict[str, Any], labels: dict[str, str] | None = None, **spec: object
) -> Service:
    """A Service with these ports, or port 80."""
    given = {"clusterIP": "10.0.0.9", "ports": list(ports) or [{"port": 80}], **spec}
    return msgspec.convert(
        {"metadata": {"name": name, "labels": labels or {}}, "spec": given}, Service
    )


def pod(
    name: str,
    container: dict[str, Any] | None = None,
    *,
    ip: str = "10.1.0.7",
    phase: str = "Running",
    labels: dict[str, str] | None = None,
) -> ServerPod:
    """A pod with one container."""
    return msgspec.convert(
        {
            "metadata": {"name": name, "labels": labels or {}},
            "spec": {"nodeName": "node-1", "containers": [container or {}]},
            "status": {"phase": phase, "podIP": ip},
        },
        ServerPod,
    )


def slices(service: str, *pods: str, ready: bool | None = True) -> EndpointSlice:
    """A slice with these pods; null, as the API writes it, where there are none."""
    endpoints = [
        {
            "addresses": [f"10.1.0.{number}"],
            "conditions": {"ready": ready},
            "nodeName": f"node-{number}",
            "targetRef": {"kind": "Pod", "name": name, "uid": name},
        }
        for number, name in enumerate(pods, start=1)
    ]
    labels = {"kubernetes.io/service-name": service}
    return msgspec.convert(
        {"metadata": {"labels": labels}, "endpoints": endpoints or None}, EndpointSlice
    )


def gateway(
    name: str,
    *listeners: tuple[str, str, int],
    addresses: tuple[str, ...] = ("10.0.0.9",),
    labels: dict[str, str] | None = None,
    conditions: tuple[dict[str, str], ...] = (),
) -> Gateway:
    """A Gateway; each listener is a name, a protocol and a port."""
    spoken = [
        {"name": name, "protocol": protocol, "port": port}
        for name, protocol, port in listeners or [("default", "HTTP", 80)]
    ]
    return msgspec.convert(
        {
            "metadata": {"name": name, "namespace": "llm", "labels": labels or {}},
            "spec": {"listeners": spoken},
            "status": {
                "addresses": [{"type": "IPAddress", "value": one} for one in addresses],
                "conditions": list(conditions),
            },
        },
        Gateway,
    )


def route(
    *prefixes: str,
    to: tuple[dict[str, Any], ...] = ({"name": "vllm", "port": 8000},),
    at: str = "gw",
    section: str = "",
) -> HTTPRoute:
    """A route below a Gateway, with one rule for these prefixes."""
    parent = {"name": at} | ({"sectionName": section} if section else {})
    matches = [{"path": {"type": "PathPrefix", "value": one}} for one in prefixes]
    rule = {"matches": matches, "backendRefs": list(to)}
    return msgspec.convert(
        {
            "metadata": {"name": "route", "namespace": "llm"},
            "spec": {"parentRefs": [parent], "rules": [rule]},
        },
        HTTPRoute,
    )
