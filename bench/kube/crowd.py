"""Fifty runs of a light harness of 20 s at once, and how fast watch events are answered.

Wall time: from the rename of the first job file until the last archive is sealed. Beside it
the node's own pace: fifty pods like the launchers, created at once by plain requests, until
all have ended. And a shell loop of kubectl (`loop.sh`) over five of them, in seconds a run.

Answers: from the moment when the bytes of a watch event were read (that a launcher runs, or
has ended) until the record that follows from it is on disk; and from an end until the head
of the next request about this run is written. A start needs none, but for the log,
which is asked for at once. The probe in the daemon takes
the times.
"""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.kube.alone import warm_up
from bench.kube.ground import Ground, light, moved
from bench.kube.pattern import Pattern, as_list, folder_of, shelf
from bench.table import Row, compared, percentile
from tests.cluster.images.recipes import LIGHT
from tests.daemon.household import Household
from tests.e2e.namespace import Namespace, phase

NAME = "crowd"
TITLE = "50 runs at once with a harness of 20 s"
HARNESS_S = 20
FULL, QUICK = (50, 5), (10, 1)  # runs of ours, runs of the loop
AIM_MS = 100.0
LOOP = Path(__file__).with_name("loop.sh")
ANSWERS = {"RUNNING": "running", "COLLECTING": "ended"}  # a phase, and what was seen before it
Note = dict[str, Any]


def measure(ground: Ground) -> list[Row]:
    """Run them, create them, loop over a few."""
    runs, loops = QUICK if ground.quick else FULL
    with ground.serving(NAME, LLMDBENCHD_MAX_ACTIVE_RUNS=str(runs)) as (house, namespace):
        pattern = warm_up(house, namespace)
        ours = _dropped(house, runs)
        answers = answered(house.root / "probe.jsonl")
    seconds = {"FAKE_HARNESS_SECONDS": str(HARNESS_S)}
    bare = _created(ground, pattern, runs, seconds)
    loop = _looped(ground, pattern, loops, seconds) / loops
    wall = f"{runs} runs, rename to last sealed archive"
    return [
        Row(
            what=wall,
            value=ours,
            unit="s",
            rival="bare create of such pods, until all have ended",
            rival_value=bare,
            ratio=compared(ours, bare),
        ),
        Row(
            what="  for each run",
            value=ours / runs,
            unit="s",
            rival=f"kubectl apply, wait, logs, cp, delete: mean of {loops}",
            rival_value=loop,
            ratio=compared(ours / runs, loop),
        ),
        *_answers(answers, runs),
    ]


def _dropped(house: Household, runs: int) -> float:
    names = [f"run{number:02d}" for number in range(runs)]
    began = time.time()
    for name in names:
        house.drop(name, light(HARNESS_S))
    house.wait_for("every end", lambda: len(house.told("run.finished")) > runs)
    assert all(house.record(name).phase == "SUCCEEDED" for name in names)
    return max(moved(house, name, now="CLEANING") for name in names) - began


def _created(ground: Ground, pattern: Pattern, runs: int, env: dict[str, str]) -> float:
    """Seconds from the first of these creates until the last pod has ended."""
    with ground.cluster.namespace("bench-bare") as namespace:
        namespace.claim()
        made = [pattern.named(f"bare{number:04d}", **env) for number in range(runs)]
        config_maps = {one["metadata"]["name"]: one for all_ in made for one in all_[:-1]}
        for one in config_maps.values():
            namespace.create("configmaps", one)
        began = time.monotonic()
        with ThreadPoolExecutor(10) as threads:
            list(threads.map(lambda all_: namespace.create("pods", all_[-1]), made))
        _wait_for_ends(namespace, runs)
        return time.monotonic() - began


def _wait_for_ends(namespace: Namespace, runs: int) -> None:
    pause = threading.Event()
    while sum(phase(pod) == "Succeeded" for pod in namespace.list("pods")) < runs:
        pause.wait(0.5)


def _looped(ground: Ground, pattern: Pattern, loops: int, env: dict[str, str]) -> float:
    files, results = ground.folder / "files", ground.folder / "results"
    files.mkdir()
    results.mkdir()
    names = [f"loop{number:04d}" for number in range(loops)]
    with ground.cluster.namespace("bench-loop") as namespace:
        namespace.claim()
        namespace.create("pods", shelf("workload-pvc", LIGHT))
        for name in names:
            made = pattern.named(name, **env)
            (files / f"{name}.json").write_text(as_list(made), encoding="utf-8")
            (files / f"{name}.pod").write_text(made[-1]["metadata"]["name"], encoding="utf-8")
            (files / f"{name}.folder").write_text(folder_of(made[-1]), encoding="utf-8")
        namespace.wait("pods", "shelf", lambda pod: phase(pod) == "Running")
        took = ground.shell(LOOP, {}, namespace.name, str(files), str(results), *names)
    copies = list(results.rglob("summary_lifecycle_metrics.json"))
    assert len(copies) == loops, f"the loop brought {len(copies)} of {loops} home"
    return took


def answered(probe: Path) -> tuple[list[float], list[float]]:
    """Milliseconds from each decisive event to its record; from each end to the next request."""
    with probe.open(encoding="utf-8") as file:
        notes: list[Note] = [json.loads(line) for line in file]
    of_run: dict[str, list[Note]] = {}
    for note in sorted(notes, key=lambda note: note["at"]):
        of_run.setdefault(note["run"], []).append(note)
    saved, sent = [], []
    for mine in of_run.values():
        for phase_, state in ANSWERS.items():
            seen = _first(mine, 0.0, what="event", harness=state)
            record = _first(mine, seen["at"], what="saved", phase=phase_) if seen else None
            request = _first(mine, seen["at"], what="sent") if seen else None
            if seen and record:
                saved.append((record["at"] - seen["at"]) * 1000)
            if seen and request and state == "ended":
                sent.append((request["at"] - seen["at"]) * 1000)
    return saved, sent


def _first(notes: list[Note], since: float, **facts: str) -> Note | None:
    return next(
        (
            note
            for note in notes
            if note["at"] >= since and all(note.get(key) == facts[key] for key in facts)
        ),
        None,
    )


def _answers(answers: tuple[list[float], list[float]], runs: int) -> list[Row]:
    saved, sent = answers
    rows = []
    for what, times in (
        ("event read to record on disk", saved),
        ("end read to next request sent", sent),
    ):
        for share, name in ((0.5, "p50"), (0.99, "p99")):
            value = percentile(times, share)
            is_aim = name == "p99"
            rows.append(
                Row(
                    what=f"watch {what}: {name}",
                    value=value,
                    unit="ms",
                    aim=f"under {AIM_MS:g}" if is_aim else "",
                    met=value < AIM_MS if is_aim else None,
                    note=f"{len(times)} events, {runs} runs active" if is_aim else "",
                )
            )
    return rows
