"""A stand-in for a vLLM server that loads: `llmdbenchd simulate` with a load of known numbers."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from llmdbenchd.simulate.load import Load
from llmdbenchd.simulate.load_log import told
from llmdbenchd.simulate.sleeping import sleep_values
from tests.cluster.images.recipes import SIMULATOR
from tests.e2e.namespace import Namespace
from tests.e2e.rotation import BURST

NAME = "loader"
MODEL = "llmdbench/tiny"
VERSION = "0.19.1"
PORT = 8000
LONGEST = 4096  # tokens
_LABELS = {"app": NAME}
_STANDALONE = {"stood-up-via": "standalone"}
VALUES = {  # what it is asked to say of itself, on its command line
    "weights_load_s": 0.41,
    "model_load_size_gib": 0.93,
    "dynamo_s": 0.31,
    "graph_compile_s": 0.52,
    "first_run_s": 0.11,
    "memory_profiling_s": 0.17,
    "initial_free_gib": 71.5,
    "free_after_profiling_gib": 69.25,
    "kv_cache_available_gib": 41.12,
    "kv_cache_tokens": 98304.0,
    "graph_capture_s": 0.25,
    "graph_capture_gib": 0.4,
    "sleep_s": 0.31,
    "sleep_in_use_gib": 0.75,
    "wake_s": 0.12,
}
_LOAD = Load(version=VERSION, seconds=3.0, values=VALUES, debug=True, sleep_mode=True)
TOLD = told(_LOAD, model=MODEL, max_model_len=LONGEST)
"""All that its log tells of a start of three seconds."""
SLEEPS = {level: sleep_values(_LOAD, level) for level in (1, 2)}
"""What its log tells of a sleep, by its level."""
KEPT = {
    "volume": {"name": "kept", "emptyDir": {}},
    "mount": {"name": "kept", "mountPath": "/kept"},
}
DIES = ("--load-fail", "killed")
"""Options of one that is killed in the middle of loading."""
CHATTER = "(EngineCore pid=84) DEBUG 11-24 12:00:00 [weight_utils.py:550] " + 130 * "."
CHATTERS = f"""
if ! test -e /kept/died; then
  touch /kept/died
  {{server}} --load-seconds 900 --load-value weights_load_s=890 &
  until test -e /told/die; do
    if test -e /told/burst && ! test -e /kept/burst; then
      touch /kept/burst
      yes '{CHATTER}' | head -n {BURST // len(CHATTER)}
    fi
    echo "Loading safetensors checkpoint shards:  50% Completed | 1/2"
    sleep 1
  done
  kill -9 $!
  wait $!
  exit $?
fi
"""
"""Before the server: its first life chatters more than a kubelet keeps, and is killed, as told."""
TALKS = """(i=0; while :; do echo "tick $i"; i=$((i + 1)); sleep 0.1; done) &"""
"""Before the server: `tick 0`, `tick 1` ... ten a second, as long as it lives."""
ONCE = f"test -e /kept/died || {{ touch /kept/died; exec {{server}} {' '.join(DIES)}; }}"
"""Before the server: in its container's first life it is such a one."""


@contextmanager
def loading(
    namespace: Namespace,
    *options: str,
    seconds: float = 3.0,
    before: str = ":",
    sleeps: bool = True,
    debug: bool = True,
    mounts: Sequence[Mapping[str, object]] = (),
) -> Iterator[None]:
    """Have a Deployment of it, and a Service that the field's tool could have made.

    Args:
        namespace: where; its end is theirs.
        options: further ones of `llmdbenchd simulate`.
        seconds: of the load.
        before: what its container's shell runs before it; `{server}` is its command.
        sleeps: whether it was started with sleep mode, and lets itself be sent to sleep.
        debug: whether its level is DEBUG.
        mounts: further volumes, each with `volume` and `mount` as a pod names them.
    """
    server = shlex.join([*_command(seconds, sleeps=sleeps, debug=debug), *options])
    script = f"{before.replace('{server}', server)}\nexec {server}"
    namespace.create("deployments", _deployment(script, [KEPT, *mounts]))
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


def _command(seconds: float, *, sleeps: bool, debug: bool) -> list[str]:
    values = [f"--load-value={name}={value}" for name, value in VALUES.items()]
    return [
        *("llmdbenchd", "simulate", "--host", "", "--port", str(PORT), "--model", MODEL),
        *("--max-model-len", str(LONGEST), "--load-log", VERSION),
        *("--load-seconds", str(seconds), *(values if seconds == _LOAD.seconds else [])),
        *(["--enable-sleep-mode"] if sleeps else []),
        *(["--load-debug"] if debug else []),
    ]


def claimed(claim: str) -> Mapping[str, object]:
    """For `mounts`: a claim at /told."""
    return {
        "volume": {"name": "told", "persistentVolumeClaim": {"claimName": claim}},
        "mount": {"name": "told", "mountPath": "/told"},
    }


def _deployment(script: str, mounts: Sequence[Mapping[str, object]]) -> dict[str, object]:
    container = {
        "name": "vllm",
        "image": SIMULATOR,
        "command": ["sh", "-c", script],
        "ports": [{"name": "http", "containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/health", "port": PORT}, "periodSeconds": 1},
        "volumeMounts": [one["mount"] for one in mounts],
    }
    pod = {
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "containers": [container],
        "volumes": [one["volume"] for one in mounts],
    }
    template = {"metadata": {"labels": _LABELS}, "spec": pod}
    spec = {"replicas": 1, "selector": {"matchLabels": _LABELS}, "template": template}
    return {"metadata": {"name": NAME}, "spec": spec}
