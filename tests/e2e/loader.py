"""A stand-in for a vLLM server that loads: it prints a start, serves, sleeps, wakes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster.images.recipes import PYTHON
from tests.e2e.namespace import Namespace

NAME = "loader"
MODEL = "llmdbench/tiny"
PORT = 8000
_LABELS = {"app": NAME}
_STANDALONE = {"stood-up-via": "standalone"}
TOLD = {  # what it says of itself: `values` of the report
    "weights_load_s": 0.41,
    "model_load_s": 0.75,
    "model_load_size_gib": 0.93,
    "dynamo_s": 0.31,
    "graph_compile_s": 0.52,
    "torch_compile_s": 0.83,
    "kv_cache_available_gib": 41.12,
    "graph_capture_s": 0.25,
    "graph_capture_gib": 0.4,
    "engine_init_s": 1.5,
}


@contextmanager
def loading(
    namespace: Namespace,
    *,
    seconds: float = 3.0,
    dies: str = "",
    sleeps: bool = True,
    talks: bool = False,
) -> Iterator[None]:
    """Have a Deployment of it, and a Service that the field's tool could have made.

    Args:
        namespace: where; its end is theirs.
        seconds: of the load.
        dies: `once`: its first container ends in the middle of it; `always`: every one does.
        sleeps: whether it was started with sleep mode, and lets itself be sent to sleep.
        talks: whether it goes on writing once it serves: `tick 0`, `tick 1` ... ten a second.
    """
    told = {"LOAD_SECONDS": str(seconds), "DIES": dies}
    told |= {"SLEEPS": "1" if sleeps else "", "TALKS": "1" if talks else ""}
    namespace.create("deployments", _deployment(told))
    ports = [{"name": "http", "port": 80, "targetPort": PORT}]
    service = {
        "metadata": {"name": NAME, "labels": _STANDALONE},
        "spec": {"selector": _LABELS, "ports": ports},
    }
    namespace.create("services", service)
    yield


def pods(namespace: Namespace) -> list[Mapping[str, Any]]:
    """Its pods that are not being deleted."""
    found = namespace.list("pods", labelSelector=f"app={NAME}")
    return [one for one in found if "deletionTimestamp" not in one["metadata"]]


def _deployment(told: Mapping[str, str]) -> dict[str, object]:
    container = {
        "name": "vllm",
        "image": PYTHON,
        "command": ["python3", "-u", "-c", Path(__file__).with_name("loading.py").read_text()],
        "env": [{"name": name, "value": value} for name, value in told.items()],
        "ports": [{"name": "http", "containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/health", "port": PORT}, "periodSeconds": 1},
        "volumeMounts": [{"name": "kept", "mountPath": "/kept"}],
    }
    pod = {
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "containers": [container],
        "volumes": [{"name": "kept", "emptyDir": {}}],
    }
    template = {"metadata": {"labels": _LABELS}, "spec": pod}
    spec = {"replicas": 1, "selector": {"matchLabels": _LABELS}, "template": template}
    return {"metadata": {"name": NAME}, "spec": spec}
