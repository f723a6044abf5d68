"""One run at a time with a harness of 5 s: all time that is not the harness, all requests.

Ours: from the rename into the queue until the archive is sealed, with a data-access pod
that is warm, as it is from the second run of an afternoon on. Requests are those of the API
server's audit log, over all runs of the figure. Beside it a shell loop of the kubectl steps
of the script that we replace (`steps.sh`), with the same pod.
"""

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bench.kube.audit import Audit, spelt
from bench.kube.ground import LAUNCHERS, Ground, light, moved
from bench.kube.pattern import Pattern, as_list, folder_of, shelf
from bench.table import Row, compared, percentile
from tests.cluster.images.recipes import LIGHT
from tests.daemon.household import Household
from tests.e2e.namespace import Namespace

NAME = "alone"
TITLE = "One run with a harness of 5 s"
HARNESS_S = 5.0
FULL, QUICK = (7, 3), (2, 1)  # runs of ours, runs of the loop
AIM_S, AIM_REQUESTS = 3.5, 15.0
RIVAL = "the replaced script's kubectl steps"
ACCESS = "llm-d-benchmark-data-access"
STEPS = Path(__file__).with_name("steps.sh")


@dataclass(frozen=True, slots=True)
class _Loop:
    """What the loop took: seconds of each run beside its harness, requests, processes."""

    took: list[float]
    requests: Counter[str]
    processes: int


def measure(ground: Ground) -> list[Row]:
    """Run it, and run the loop."""
    runs, times = QUICK if ground.quick else FULL
    assert ground.cluster.layout is not None, "requests are counted in our own cluster's audit log"
    audit = Audit(ground.cluster.layout.audit_log)
    with ground.serving(NAME) as (house, namespace):
        pattern = warm_up(house, namespace)
        mark = audit.mark()
        ours = [_one(house, f"run{number}") for number in range(runs)]
        requests = audit.since(mark, "llmdbenchd")
    loop = _looped(ground, audit, pattern, times)
    return [*_times(ours, loop), *_requests(requests, runs, loop)]


def warm_up(house: Household, namespace: Namespace) -> Pattern:
    """One run, so that the data-access pod is there; what its launcher was."""
    house.drop("warm-up", light(HARNESS_S))
    house.wait_for_event("run.moved", job="warm-up", now="RUNNING")
    [pod] = namespace.list("pods", labelSelector=LAUNCHERS)
    pattern = Pattern.of(namespace, pod)
    house.ended("warm-up")
    return pattern


def _one(house: Household, name: str) -> dict[str, float]:
    """Seconds from the rename to each step of one run."""
    began = time.time()
    house.drop(name, light(HARNESS_S))
    house.ended(name)
    phases = ("LAUNCHING", "RUNNING", "COLLECTING", "REPORTING", "CLEANING", "SUCCEEDED")
    return {phase: moved(house, name, now=phase) - began for phase in phases}


def _looped(ground: Ground, audit: Audit, pattern: Pattern, times: int) -> _Loop:
    folder = ground.folder / "steps"
    folder.mkdir()
    count, profiles = folder / "count", folder / "profiles.yaml"
    count.touch()
    profiles.write_text("load: {}\n", encoding="utf-8")
    access, launcher = folder / "shelf.json", folder / "launcher.json"
    access.write_text(as_list([shelf("workload-pvc", LIGHT, role=ACCESS)]), encoding="utf-8")
    took = []
    with ground.cluster.namespace("bench-steps") as namespace:
        namespace.claim()
        mark = audit.mark()
        for number in range(times):
            made = pattern.named(f"steps{number:03d}")
            launcher.write_text(as_list(made), encoding="utf-8")
            results = folder / f"results{number}"
            words = (
                *(namespace.name, str(launcher), str(profiles), str(access)),
                *(made[-1]["metadata"]["name"], folder_of(made[-1]), str(results), str(count)),
            )
            took.append(ground.shell(STEPS, {}, *words) - HARNESS_S)
            assert any(results.rglob("summary_lifecycle_metrics.json")), "the loop copied nothing"
        requests = audit.since(mark, "kubectl")
    return _Loop(took, requests, count.stat().st_size)


def _times(ours: list[dict[str, float]], loop: _Loop) -> list[Row]:
    def middle(phase: str) -> float:
        return percentile([one[phase] for one in ours], 0.5)

    sealed = middle("CLEANING") - HARNESS_S
    theirs = percentile(loop.took, 0.5)
    spread = f"{min(loop.took):.1f} to {max(loop.took):.1f} s, without check of endpoint and model"
    running = [one["RUNNING"] - one["LAUNCHING"] for one in ours]
    ended = [one["COLLECTING"] - one["RUNNING"] - HARNESS_S for one in ours]
    here = [one["REPORTING"] - one["COLLECTING"] for one in ours]
    sealing = [one["CLEANING"] - one["REPORTING"] for one in ours]
    return [
        Row(
            what=f"rename to sealed archive, less the harness: p50 of {len(ours)}",
            value=sealed,
            unit="s",
            rival=RIVAL,
            rival_value=theirs,
            ratio=compared(sealed, theirs),
            aim=f"under {AIM_S:g}",
            met=sealed < AIM_S,
            note=spread,
        ),
        Row(what="  of it, rename to launching: p50", value=middle("LAUNCHING"), unit="s"),
        Row(what="  of it, until seen running: p50", value=percentile(running, 0.5), unit="s"),
        Row(what="  of it, the end until it is seen: p50", value=percentile(ended, 0.5), unit="s"),
        Row(what="  of it, results home and proven: p50", value=percentile(here, 0.5), unit="s"),
        Row(what="  of it, reports and sealing: p50", value=percentile(sealing, 0.5), unit="s"),
        Row(
            what="the same until nothing is left on the cluster: p50",
            value=middle("SUCCEEDED") - HARNESS_S,
            unit="s",
        ),
    ]


def _requests(requests: Counter[str], runs: int, loop: _Loop) -> list[Row]:
    each, theirs = requests.total() / runs, loop.requests.total() / len(loop.took)
    return [
        Row(
            what="API requests for each run",
            value=each,
            unit="requests",
            rival=RIVAL,
            rival_value=theirs,
            ratio=compared(each, theirs),
            aim=f"at most {AIM_REQUESTS:g}, no file over 1 MB",
            met=each <= AIM_REQUESTS,
            note=spelt(requests, runs),
        ),
        Row(
            what="processes of kubectl for each run",
            value=0,
            unit="processes",
            rival=RIVAL,
            rival_value=loop.processes / len(loop.took),
        ),
    ]
