"""What is asked before a launch: the stack by its label, its model, the workload rendered.

Another run has the only slot, so a run goes as far as READY and no launcher is made for it.
Ours is the time from the rename into the queue to READY, and every request of the daemon
meanwhile. Beside it a shell loop of the kubectl calls that the script which we replace makes
for the same (`lookup.sh`): its check of the model is a pod of its own.
"""

import time
from pathlib import Path
from typing import Any

from bench.kube.audit import Audit, spelt
from bench.kube.ground import Ground, light, moved
from bench.table import Row, compared, percentile
from tests.cluster.images.recipes import PYTHON
from tests.daemon.household import Household
from tests.e2e import daemon
from tests.e2e import simulator as simulators
from tests.e2e.namespace import Namespace
from tests.e2e.simulator import MODEL

NAME = "looking"
TITLE = "Before a launch: a stack found by its label, its model checked, a workload rendered"
FULL, QUICK = (20, 7), (3, 1)  # runs of ours, rounds of the loop
HOLDER_S = 900.0  # longer than all of this takes
RIVAL = "the replaced script's kubectl calls"
LOOKUP = Path(__file__).with_name("lookup.sh")
PROFILE = LOOKUP.parents[2] / "workload/profiles/inference-perf/sanity_fixed.yaml.in"


def measure(ground: Ground) -> list[Row]:
    """Look, and have the loop look."""
    runs, times = QUICK if ground.quick else FULL
    assert ground.cluster.layout is not None, "requests are counted in our own cluster's audit log"
    audit = Audit(ground.cluster.layout.audit_log)
    with (
        ground.cluster.namespace("bench-stack") as stack,
        simulators.serving(stack) as server,
        ground.serving(NAME, LLMDBENCHD_MAX_ACTIVE_RUNS="1") as (house, namespace),
    ):
        simulators.label(server)
        daemon.grant_stack(stack, namespace)
        house.drop("holder", light(HOLDER_S))
        house.wait_for_event("run.moved", job="holder", now="RUNNING")
        job = _job(stack, namespace)
        _one(house, "warm-up", job)
        mark = audit.mark()
        took = [_one(house, f"look{number}", job) for number in range(runs)]
        ours = audit.since(mark, "llmdbenchd")
        mark = audit.mark()
        theirs_s, processes = _looped(ground, stack, namespace, times)
        theirs = audit.since(mark, "kubectl")
    whole, alone = (percentile([one[part] for one in took], 0.5) for part in (0, 1))
    loop_s = percentile(theirs_s, 0.5)
    each, theirs_each = ours.total() / runs, theirs.total() / times
    return [
        Row(
            what=f"rename to READY, nothing launched: p50 of {runs}",
            value=1000 * whole,
            unit="ms",
            rival=RIVAL,
            rival_value=1000 * loop_s,
            ratio=compared(whole, loop_s),
            note="the loop's image is never pulled",
        ),
        Row(what="  of it, the look-up alone: p50", value=1000 * alone, unit="ms"),
        Row(
            what="API requests for each run",
            value=each,
            unit="requests",
            rival=RIVAL,
            rival_value=theirs_each,
            ratio=compared(each, theirs_each),
            note=f"ours: {spelt(ours, runs)}; the loop's: {spelt(theirs, times)}",
        ),
        Row(
            what="processes of kubectl for each run",
            value=0,
            unit="processes",
            rival=RIVAL,
            rival_value=processes / times,
        ),
    ]


def _job(stack: Namespace, launchers: Namespace) -> dict[str, Any]:
    job = dict(light(1.0, harness={"namespace": launchers.name}))
    del job["endpoint"]
    return job | {"methods": ["standalone"], "namespace": stack.name, "models": [MODEL]}


def _one(house: Household, name: str, job: dict[str, Any]) -> tuple[float, float]:
    """Seconds from the rename to READY, and those of the look-up alone."""
    began = time.time()
    house.drop(name, job)
    ready = moved(house, name, now="READY")
    return ready - began, ready - moved(house, name, now="RESOLVING")


def _looped(
    ground: Ground, stack: Namespace, launchers: Namespace, times: int
) -> tuple[list[float], int]:
    """Seconds of each round, and how many processes of kubectl there were in all."""
    count, rendered = ground.folder / "count", ground.folder / "rendered.yaml"
    count.touch()
    took = []
    for number in range(times):
        pod = f"testinference-pod-{number}"
        words = (stack.name, launchers.name, MODEL, PYTHON, pod)
        files = (PROFILE, rendered, count)
        took.append(ground.shell(LOOKUP, {}, *words, *map(str, files)))
        assert MODEL in rendered.read_text(encoding="utf-8"), "the loop rendered nothing"
    return took, count.stat().st_size
