"""The stand-in model server in a cluster: a Deployment, and a Service by whose name it is known."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.cluster.images.packages import TOKENIZERS
from tests.cluster.images.recipes import SIMULATOR
from tests.e2e.namespace import Namespace

NAME = "simulator"
MODEL = "llmdbench/tiny"
_PORT = 8000
_LABELS = {"app": NAME}


@dataclass(frozen=True, slots=True)
class Simulator:
    """A server that answers.

    Attributes:
        ttft_ms, itl_ms: what it was told; `truth` is what it did.
    """

    namespace: Namespace
    ttft_ms: int
    itl_ms: int

    @property
    def address(self) -> str:
        """The endpoint as a job names it; resolves in pods only, as in the field."""
        return f"http://{NAME}.{self.namespace.name}.svc.cluster.local:80"

    @property
    def direct(self) -> str:
        """The same without the name, for the node and so for the tests."""
        service = self.namespace.find("services", NAME)
        assert service is not None
        return f"http://{service['spec']['clusterIP']}:80"

    def pod(self) -> str:
        """The name of its pod."""
        found = self.namespace.list("pods", labelSelector=f"app={NAME}")
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
    namespace: Namespace, *options: str, ttft_ms: int = 80, itl_ms: int = 10
) -> Iterator[Simulator]:
    """Start a server in a namespace and wait until it is ready; its namespace's end is its own.

    Args:
        namespace: where.
        options: further ones of `llmdbenchd simulate`.
        ttft_ms: milliseconds to the first token.
        itl_ms: milliseconds from token to token.
    """
    timing = ("--ttft", f"{ttft_ms}ms", "--itl", f"{itl_ms}ms", "--truth", "/dev/stdout")
    command = ["llmdbenchd", "simulate", "--host", "", "--port", str(_PORT), *timing, *options]
    namespace.create("deployments", _deployment(command))
    ports = [{"port": 80, "targetPort": _PORT}]
    service = {"metadata": {"name": NAME}, "spec": {"selector": _LABELS, "ports": ports}}
    namespace.create("services", service)
    namespace.wait("deployments", NAME, lambda found: bool(found["status"].get("readyReplicas")))
    yield Simulator(namespace, ttft_ms, itl_ms)


def _deployment(command: list[str]) -> dict[str, object]:
    ready = {"httpGet": {"path": "/v1/models", "port": _PORT}, "periodSeconds": 1}
    container = {
        "name": NAME,
        "image": SIMULATOR,
        "command": command,
        "ports": [{"containerPort": _PORT}],
        "readinessProbe": ready,
    }
    pod = {
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "containers": [container],
    }
    template = {"metadata": {"labels": _LABELS}, "spec": pod}
    spec = {"replicas": 1, "selector": {"matchLabels": _LABELS}, "template": template}
    return {"metadata": {"name": NAME}, "spec": spec}
