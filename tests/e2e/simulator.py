"""The stand-in model server in a cluster: a Deployment, and a Service by whose name it is known."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from tests.cluster.images.packages import TOKENIZERS
from tests.cluster.images.recipes import SIMULATOR
from tests.e2e.namespace import Namespace

NAME = "simulator"
MODEL = "llmdbench/tiny"
_PORT = 8000


@dataclass(frozen=True, slots=True)
class Simulator:
    """A server that answers.

    Attributes:
        ttft_ms, itl_ms: what it was told; `truth` is what it did.
        name: of its Deployment and its Service.
    """

    namespace: Namespace
    ttft_ms: int
    itl_ms: int
    name: str = NAME

    @property
    def address(self) -> str:
        """The endpoint as a job names it; resolves in pods only, as in the field."""
        return f"http://{self.name}.{self.namespace.name}.svc.cluster.local:80"

    @property
    def direct(self) -> str:
        """The same without the name, for the node and so for the tests."""
        service = self.namespace.find("services", self.name)
        assert service is not None
        return f"http://{service['spec']['clusterIP']}:80"

    def pod(self) -> str:
        """The name of its pod."""
        found = self.namespace.list("pods", labelSelector=f"app={self.name}")
        return str(found[0]["metadata"]["name"])

    def truth(self) -> list[dict[str, Any]]:
        """What it really sent, one item for each request (`llmdbenchd.simulate.truth`)."""
        lines = self.namespace.log(self.pod()).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    @property
    def harness_env(self) -> Mapping[str, str]:
        """For a job's `harness.env`: the launcher image holds the model's tokenizer."""
        return {"HF_HOME": TOKENIZERS, "HF_HUB_OFFLINE": "1"}


@contextmanager
def serving(
    namespace: Namespace, *options: str, ttft_ms: int = 80, itl_ms: int = 10, name: str = NAME
) -> Iterator[Simulator]:
    """Start a server in a namespace and wait until it is ready; its namespace's end is its own.

    Args:
        namespace: where.
        options: further ones of `llmdbenchd simulate`.
        ttft_ms: milliseconds to the first token.
        itl_ms: milliseconds from token to token.
        name: of its Deployment and its Service.
    """
    timing = ("--ttft", f"{ttft_ms}ms", "--itl", f"{itl_ms}ms", "--truth", "/dev/stdout")
    command = ["llmdbenchd", "simulate", "--host", "", "--port", str(_PORT), *timing, *options]
    for kind, body in objects(name, command).items():
        namespace.create(kind, body)
    namespace.wait("deployments", name, lambda found: bool(found["status"].get("readyReplicas")))
    yield Simulator(namespace, ttft_ms, itl_ms, name)


def label(server: Simulator, via: str = "standalone") -> None:
    """Label its Service as the field's tool labels what it stands up."""
    found = server.namespace.find("services", server.name)
    assert found is not None
    found["metadata"]["labels"] = {"stood-up-via": via}
    path = server.namespace.path("services", server.name)
    status, said = server.namespace.api.ask("PUT", path, found)
    assert status == HTTPStatus.OK, said


def objects(name: str, command: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The Deployment and the Service of a server, by the collection that they go to."""
    labels = {"app": name}
    ready = {"httpGet": {"path": "/v1/models", "port": _PORT}, "periodSeconds": 1}
    container = {
        "name": NAME,
        "image": SIMULATOR,
        "command": [*command],
        "ports": [{"containerPort": _PORT}],
        "readinessProbe": ready,
    }
    pod = {
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "containers": [container],
    }
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    ports = [{"port": 80, "targetPort": _PORT}]
    return {
        "deployments": {"metadata": {"name": name}, "spec": spec},
        "services": {"metadata": {"name": name}, "spec": {"selector": labels, "ports": ports}},
    }
