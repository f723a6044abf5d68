"""A Gateway before a Service, without a controller: the test says what one would say."""

import json
import time
from http import HTTPStatus

from tests.cluster import gateway_api
from tests.cluster.api import Api
from tests.e2e.namespace import Namespace

_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_KNOWN_S = 30.0


def install(api: Api) -> None:
    """Have the Gateway API in the cluster; it stays there."""
    for definition in gateway_api.definitions():
        status, said = api.ask("POST", _DEFINITIONS, definition)
        assert status in {HTTPStatus.CREATED, HTTPStatus.CONFLICT}, said
    deadline = time.monotonic() + _KNOWN_S
    for kind in ("gateways", "httproutes"):
        while api.ask("GET", f"/apis/gateway.networking.k8s.io/v1/{kind}")[0] != HTTPStatus.OK:
            assert time.monotonic() < deadline, f"{kind} are not served"
            time.sleep(0.1)


def before(namespace: Namespace, service: str, name: str = "inference-gateway") -> None:
    """Make a Gateway that leads everything to a Service; it has no address yet."""
    listener = {"name": "default", "port": 80, "protocol": "HTTP"}
    namespace.create(
        "gateways",
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": {"name": name},
            "spec": {"gatewayClassName": "by-hand", "listeners": [listener]},
        },
    )
    rule = {
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
        "backendRefs": [{"name": service, "port": 80}],
    }
    namespace.create(
        "httproutes",
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {"name": name},
            "spec": {"parentRefs": [{"name": name}], "rules": [rule]},
        },
    )


def give_address(namespace: Namespace, value: str, name: str = "inference-gateway") -> None:
    """Say in its status where it is, as its controller would."""
    found = namespace.find("gateways", name)
    assert found is not None
    kind = "IPAddress" if value.replace(".", "").isdecimal() else "Hostname"
    found["status"] = {"addresses": [{"type": kind, "value": value}]}
    status, said = namespace.api.ask("PUT", f"{namespace.path('gateways', name)}/status", found)
    assert status == HTTPStatus.OK, json.loads(said)
