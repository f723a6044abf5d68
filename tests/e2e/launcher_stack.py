"""A standalone server that loads, and beside it in its pod an inference launcher: two stand-ins."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from llmdbenchd.core.nop.names import NAMES
from llmdbenchd.simulate.load import Load
from llmdbenchd.simulate.load_log import told
from tests.cluster.images.recipes import SIMULATOR
from tests.e2e.namespace import Namespace

NAME = "vllm-standalone-tiny"
MODEL = "llmdbench/tiny"
MAX_MODEL_LEN = 4096
_LABELS = {"app": NAME}
_SERVER, _LAUNCHER, _LAUNCHED = 8000, 8001, 8002
_VALUES = {
    "vllm": {"weights_load_s": 0.41, "dynamo_s": 0.31, "model_load_size_gib": 0.93},
    "launcher": {"weights_load_s": 0.62, "dynamo_s": 0.17, "model_load_size_gib": 2.25},
}
_VERSIONS = {"vllm": "0.19.1", "launcher": "0.20.0"}


@dataclass(frozen=True, slots=True)
class LauncherStack:
    """The stack, seen from outside of the daemon."""

    namespace: Namespace

    def pod(self) -> str:
        [found] = self.namespace.list("pods", labelSelector=f"app={NAME}")
        return str(found["metadata"]["name"])

    def instances(self) -> list[dict[str, Any]]:
        """What the launcher has."""
        path = self.namespace.path("pods", f"{self.pod()}:{_LAUNCHER}/proxy/v2/vllm/instances")
        found: list[dict[str, Any]] = self.namespace.api.get(path)["instances"]
        return found


def values_of(container: str) -> dict[str, float]:
    """What a server like this one tells of itself, by the names of the report."""
    load = Load(version=_VERSIONS[container], seconds=3.0, values=_VALUES[container])
    found = told(load, model=MODEL, max_model_len=MAX_MODEL_LEN)
    stated = {"weights_load_s", "model_load_size_gib", "kv_cache_tokens", "kv_cache_available_gib"}
    return {name: one for name, one in found.items() if name in stated and not NAMES[name].further}


@contextmanager
def standing(
    namespace: Namespace, *, launched_s: float = 3.0, launched: Sequence[str] = ()
) -> Iterator[LauncherStack]:
    """Stand it up as the field's tool does.

    Args:
        namespace: where; its end is theirs.
        launched_s: how long what the launcher starts takes to load.
        launched: further options of such servers.
    """
    containers = [
        _container("vllm", 3.0, _SERVER, ["--port", str(_SERVER)]),
        _container("launcher", launched_s, _LAUNCHER, ["--instances-port", "8001", *launched]),
    ]
    pod = {
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "containers": containers,
    }
    template = {"metadata": {"labels": _LABELS}, "spec": pod}
    spec = {"replicas": 1, "selector": {"matchLabels": _LABELS}, "template": template}
    namespace.create("deployments", {"metadata": {"name": NAME}, "spec": spec})
    ports = [
        {"name": "http", "port": 80, "targetPort": _SERVER},
        {"name": "launcher", "port": 81, "targetPort": _LAUNCHER},
        {"name": "launcher-vllm", "port": 82, "targetPort": _LAUNCHED},
    ]
    metadata = {"name": NAME, "labels": {"stood-up-via": "standalone"}}
    service = {"metadata": metadata, "spec": {"selector": _LABELS, "ports": ports}}
    namespace.create("services", service)
    yield LauncherStack(namespace)


def _container(name: str, seconds: float, port: int, more: Sequence[str]) -> dict[str, Any]:
    values = [
        word for one in _VALUES[name].items() for word in ("--load-value", "{}={}".format(*one))
    ]
    command = ["llmdbenchd", "simulate", "--host", "", "--model", MODEL]
    command += ["--max-model-len", str(MAX_MODEL_LEN), "--enable-sleep-mode"]
    command += ["--load-log", _VERSIONS[name], "--load-seconds", str(seconds), *values, *more]
    return {
        "name": name,
        "image": SIMULATOR,
        "command": command,
        "ports": [{"containerPort": port}],
        "readinessProbe": {"httpGet": {"path": "/health", "port": port}, "periodSeconds": 1},
    }
