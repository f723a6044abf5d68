"""Two thousand pods watched, beside the typed client; two hundred adopted at a restart.

The pods have no node: they are made in the API with a scheduler that nobody is, and their
status says that they run. Both watch while they are made, and hear of each twice.
For the restart two hundred runs go that way; the daemon is killed and started again.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench.house import cpu_seconds, resident_mib
from bench.kube import typed
from bench.kube.ground import LAUNCHERS, PATIENCE_S, Ground, light, start
from bench.kube.pattern import Object
from bench.table import Row, compared, percentile
from llmdbenchd.core.launch import labels
from llmdbenchd.core.launch.manifest import HARNESS, launcher_pod
from llmdbenchd.core.launch.plan import Identity, LauncherPlan, PodTerms
from llmdbenchd.edge.files.instance import instance_id
from llmdbenchd.edge.kubernetes.payloads import payload_of
from tests.cluster.images.recipes import LIGHT
from tests.daemon.household import Household
from tests.e2e.namespace import Namespace

NAME = "watching"
TITLE = "2,000 pods watched; restart with 200 adopted pods"
FULL, QUICK = (2000, 200, 3), (100, 10, 1)  # watched, adopted, restarts
IDLE_S = 10.0
RIVAL = "the typed client"
THREADS = 8
NOBODY = "nobody"


def measure(ground: Ground) -> list[Row]:
    """Watch, then restart."""
    watched, adopted, times = QUICK if ground.quick else FULL
    return [*_watched(ground, watched), *_restarted(ground, adopted, times)]


def _watched(ground: Ground, count: int) -> list[Row]:
    with ground.serving(NAME) as (house, namespace):
        instance = instance_id(house.state)
        selector = labels.launchers_of(instance)
        seen, probe = ground.folder / "seen", house.root / "probe.jsonl"
        # connected to the cluster from the start on only if there was a job for it
        house.drop("first", light(0))
        house.ended("first")
        with _typed(ground, namespace, selector, seen) as rival:
            _until("the typed client", lambda: seen.exists() and seen.stat().st_size > 0)
            assert house.daemon is not None
            pids = (house.daemon.pid, rival.pid)
            before = [(cpu_seconds(pid), resident_mib(pid)) for pid in pids]
            heard = _events(probe)
            pods = [_pod(instance, number) for number in range(count)]
            _all(lambda pod: _say_that_it_runs(namespace, namespace.create("pods", pod)), pods)
            _until("the daemon", lambda: _events(probe) - heard >= 2 * count)
            _until("the typed client", lambda: seen.stat().st_size > 2 * count)
            after = [(cpu_seconds(pid), resident_mib(pid)) for pid in pids]
            threading.Event().wait(IDLE_S)
            idle = [(cpu_seconds(pid) - one[0]) for pid, one in zip(pids, after, strict=True)]
    memory = [one[1] for one in after]
    grown = [one[1] - other[1] for one, other in zip(after, before, strict=True)]
    cpu = [(one[0] - other[0]) / 2 / count * 1e3 for one, other in zip(after, before, strict=True)]
    return [
        _beside(f"resident memory, {count:,} pods watched", memory, "MiB"),
        _beside("  of it, since there was none", grown, "MiB"),
        _beside("CPU for an event", cpu, "ms"),
        _beside(
            f"idle CPU over {IDLE_S:g} s, of one core", [one / IDLE_S * 100 for one in idle], "%"
        ),
    ]


def _restarted(ground: Ground, count: int, times: int) -> list[Row]:
    with ground.serving("adopted", LLMDBENCHD_MAX_ACTIVE_RUNS=str(count)) as (house, namespace):
        empty = [_again(house) for _ in range(times)]
        nowhere = {"node_selector": {"kubernetes.io/hostname": NOBODY}}
        began = time.monotonic()
        for number in range(count):
            house.drop(f"run{number:03d}", light(0, harness=nowhere))
        house.wait_for("all pods", lambda: len(house.told("log.following")) >= count)
        launched = time.monotonic() - began
        _all(partial(_say_that_it_runs, namespace), namespace.list("pods", labelSelector=LAUNCHERS))
        house.wait_for("all", lambda: len(house.told("run.moved", now="RUNNING")) >= count)
        full = [_again(house) for _ in range(times)]
        assert len(namespace.list("pods", labelSelector=LAUNCHERS)) == count
        assert house.told("daemon.ready")[-1]["open_runs"] == count
    ours, nothing = percentile(full, 0.5), percentile(empty, 0.5)
    return [
        Row(what=f"{count} launchers made, from the first rename on", value=launched, unit="s"),
        Row(
            what=f"kill to READY with {count} adopted pods: p50 of {times}",
            value=ours,
            unit="s",
            rival="an empty queue",
            rival_value=nothing,
            ratio=compared(ours, nothing),
        ),
    ]


def _again(house: Household) -> float:
    house.kill()
    return start(house)


def _beside(what: str, values: Sequence[float], unit: str) -> Row:
    ours, theirs = values
    return Row(
        what=what,
        value=ours,
        unit=unit,
        rival=RIVAL,
        rival_value=theirs,
        ratio=compared(ours, theirs),
    )


@contextmanager
def _typed(
    ground: Ground, namespace: Namespace, selector: str, seen: Path
) -> Iterator[subprocess.Popen[bytes]]:
    words = (str(ground.cluster.kubeconfig), namespace.name, selector, str(seen))
    rival = subprocess.Popen((sys.executable, str(typed.__file__), *words))
    try:
        yield rival
    finally:
        rival.kill()
        rival.wait()


def _pod(instance: str, number: int) -> Object:
    """A launcher as the daemon makes it, for a scheduler that nobody is."""
    run8 = f"{number:08x}"
    identity = Identity(
        instance=instance, job="many", run=run8, run8=run8, attempt=1, index=1, of=1
    )
    plan = LauncherPlan(
        name=f"llmdbench-inference-perf-launcher-{run8}-1-1-of-1",
        identity=identity,
        harness="inference-perf",
        executable="",
        results_folder=run8,
        files=(),
        env={f"LLMDBENCH_VARIABLE_{one}": "as large as a value is" for one in range(30)},
        pod=PodTerms(image=LIGHT),
    )
    pod: Object = json.loads(
        json.dumps(launcher_pod(plan, payload_of(instance), owner="", secret=""))
    )
    metadata = {key: one for key, one in pod["metadata"].items() if key != "ownerReferences"}
    return {**pod, "metadata": metadata, "spec": {**pod["spec"], "schedulerName": NOBODY}}


def _say_that_it_runs(namespace: Namespace, pod: Object) -> None:
    container = {
        "name": HARNESS,
        "image": LIGHT,
        "imageID": LIGHT,
        "ready": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": pod["metadata"]["creationTimestamp"]}},
    }
    status = {"phase": "Running", "containerStatuses": [container]}
    metadata = pod["metadata"] | {"resourceVersion": None}  # whatever the scheduler said meanwhile
    path = f"{namespace.path('pods', metadata['name'])}/status"
    said = {**pod, "metadata": metadata, "status": status}
    code, answer = namespace.api.ask("PUT", path, said)
    assert code < 400, answer  # noqa: PLR2004 - of HTTP, an error


def _all(do: Callable[[Object], None], pods: Sequence[Object]) -> None:
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(do, pods))


def _events(probe: Path) -> int:
    return probe.read_bytes().count(b'"what": "event"')


def _until(what: str, is_so: Callable[[], bool]) -> None:
    deadline, pause = time.monotonic() + PATIENCE_S, threading.Event()
    while not is_so():
        assert time.monotonic() < deadline, f"{what} did not come so far"
        pause.wait(0.2)
