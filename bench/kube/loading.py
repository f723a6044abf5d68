"""A server that loads, recorded while it prints: how soon a line of its log is an event.

From the stamp that the container runtime gave a line to the moment at which the daemon has read
its value; beside it to the moment at which `kubectl logs --follow` has printed the same line.
All clocks are this machine's. The daemon reads what it followed once a second.
"""

import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from bench.kube import speaking
from bench.kube.ground import Ground
from bench.table import Row, compared, percentile
from tests.cluster.images.recipes import PYTHON
from tests.e2e import daemon
from tests.e2e.namespace import Namespace

NAME = "loading"
TITLE = "A server's start, recorded while it loads"
FULL, QUICK = (1200, 20), (100, 20)  # lines, a second
WAIT_S = 15  # until the first line, so that both follow by then
SERVER = "speaker"
_LABELS = {"app": SERVER}
_STANDALONE = {"stood-up-via": "standalone"}
_LINE = re.compile(r"(\S+Z) .*Loading weights took (\d+)\.00 seconds")


def measure(ground: Ground) -> list[Row]:
    """Record one server."""
    lines, rate = QUICK if ground.quick else FULL
    with ground.serving(NAME) as (house, bench), ground.cluster.namespace("bench-stack") as stack:
        daemon.grant_stack(stack, bench, recording=True)
        stack.create("deployments", _deployment(lines, rate))
        stack.create("services", _service())
        stack.wait("deployments", SERVER, lambda it: bool(it["status"].get("replicas")))
        fields = {"methods": ["standalone"], "namespace": stack.name, "models": [speaking.MODEL]}
        house.drop("load", {"harness": "nop", **fields})
        with _kubectl(ground, stack) as arrived:
            house.wait_for_event("run.moved", job="load", now="SUCCEEDED")
    ours = _read(house.root / "probe.jsonl")
    assert len(ours) == lines, f"{len(ours)} of {lines} lines became events"
    return [
        Row(
            what=f"from a line's stamp to its event, {lines:,} lines: p{round(rank * 100)}",
            value=percentile(list(ours.values()), rank) * 1000,
            unit="ms",
            rival="kubectl logs --follow, printed",
            rival_value=percentile(list(arrived.values()), rank) * 1000,
            ratio=compared(percentile(list(ours.values()), rank),
                           percentile(list(arrived.values()), rank)),
        )
        for rank in (0.5, 0.99)
    ]  # fmt: skip


def _read(probe: Path) -> dict[float, float]:
    """Seconds by the line's number; each is noted again when the results are made."""
    seconds: dict[float, float] = {}
    for line in probe.read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        if told["what"] == "reading":
            seconds.setdefault(told["value"], told["after"])
    return seconds


@contextmanager
def _kubectl(ground: Ground, stack: Namespace) -> Iterator[dict[int, float]]:
    """Seconds by the line's number, as they arrive."""
    words = ("--namespace", stack.name, "logs", "--follow", "--timestamps", f"deployment/{SERVER}")
    seconds: dict[int, float] = {}
    stack.wait("deployments", SERVER, lambda _: _runs(stack))
    follower = subprocess.Popen(ground.command(*words), stdout=subprocess.PIPE, text=True)

    def follow() -> None:
        assert follower.stdout is not None
        for line in follower.stdout:
            now = time.time()
            if found := _LINE.match(line):
                seconds[int(found[2])] = now - datetime.fromisoformat(found[1]).timestamp()

    reader = threading.Thread(target=follow)
    reader.start()
    try:
        yield seconds
    finally:
        follower.kill()
        follower.wait()
        reader.join()


def _runs(stack: Namespace) -> bool:
    pods = stack.list("pods", labelSelector=f"app={SERVER}")
    return any(one["status"].get("phase") == "Running" for one in pods)


def _service() -> dict[str, object]:
    ports = [{"name": "http", "port": 80, "targetPort": 8000}]
    return {
        "metadata": {"name": SERVER, "labels": _STANDALONE},
        "spec": {"selector": _LABELS, "ports": ports},
    }


def _deployment(lines: int, rate: int) -> dict[str, object]:
    told = {"LINES": lines, "RATE": rate, "WAIT": WAIT_S}
    container = {
        "name": "vllm",
        "image": PYTHON,
        "command": ["python3", "-u", "-c", Path(speaking.__file__).read_text(encoding="utf-8")],
        "env": [{"name": name, "value": str(value)} for name, value in told.items()],
        "ports": [{"name": "http", "containerPort": 8000}],
        "readinessProbe": {"httpGet": {"path": "/health", "port": 8000}, "periodSeconds": 1},
    }
    pod = {
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        "containers": [container],
    }
    template = {"metadata": {"labels": _LABELS}, "spec": pod}
    spec = {"replicas": 1, "selector": {"matchLabels": _LABELS}, "template": template}
    return {"metadata": {"name": SERVER}, "spec": spec}
