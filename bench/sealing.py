"""From the harness's exit to the sealed archive, with 1 MB of results.

The harness is silent for a second before it writes its results: a log that was silent is
looked at less often, so this is the harder case for whoever waits for its last byte.
Two kinds of runs take turns. One leaves inference-perf's own result files, which are
converted to standard reports by a process that has to import pandas and its like. The
other leaves the same bytes under names that no converter reads: it is judged FAILED (no
result file), and goes the same way into the archive, without a conversion. How long the
conversion took is also read from the first kind directly: from the phase REPORTING to the
last report's time of writing. The rival is what people do: `cp -r`, `sync`, `sha256sum`.
"""

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.house import House, job, moved, stamps
from bench.natives import write_results
from bench.table import Row, beside, p50_and_p90

NAME = "sealing"
TITLE = "From the harness's exit to the sealed archive, 1 MB of results"
FULL, QUICK = 60, 6
AIM_MS = 250.0
HARNESS = """#!/bin/sh
sleep 1
cp "$BENCH_RESULTS"/* "$LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR"/
date +%s%N > "$BENCH_ENDED"
"""
COPY = 'cp -r "$1" "$2" && sync "$2"/* "$2" && cd "$2" && sha256sum -- * > ../SHA256SUMS && sync ..'


def measure(folder: Path, count: int) -> list[Row]:
    """Run `count` harnesses of each kind and as many copies by hand, in turns."""
    house = House(folder / "house", HARNESS)
    native = write_results(folder / "native", native=True)
    other = write_results(folder / "other", native=False)
    plain: list[Times] = []
    converted: list[Times] = []
    by_hand: list[float] = []
    with house.running():
        _one(house, "warm-up", native)
        for number in range(count):
            plain.append(_one(house, f"p{number}", other))
            converted.append(_one(house, f"c{number}", native))
            by_hand.append(_copied(other, folder / f"copy-{number}"))
    return [
        *beside(
            p50_and_p90(
                "exit to sealed, no conversion", [one.sealed for one in plain], most_p90=AIM_MS
            ),
            "cp -r, sync, sha256sum",
            p50_and_p90("", by_hand),
        ),
        *p50_and_p90("  of it, until the daemon knows of the end", [one.known for one in plain]),
        *p50_and_p90("  of it, until all is here, verified", [one.here for one in plain]),
        *p50_and_p90("exit to sealed, with conversion", [one.sealed for one in converted]),
        *p50_and_p90("  of it, the conversion alone", [one.conversion for one in converted]),
        *p50_and_p90("  of it, all the rest", [one.sealed - one.conversion for one in converted]),
    ]


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds from the harness's exit to each step; the conversion's own time."""

    known: float
    here: float
    sealed: float
    conversion: float


def _one(house: House, name: str, results: Path) -> Times:
    ended = house.root / f"{name}.ended"
    env = {"BENCH_RESULTS": str(results), "BENCH_ENDED": str(ended)}
    house.move_in(house.write(name, job(env)))
    events = house.wait_for("run.finished", job=name)
    [exited] = stamps(ended)
    reporting = moved(events, "REPORTING")
    reports = Path(events[-1]["archive"], "reports", "1").glob("*")
    written = max((report.stat().st_mtime for report in reports), default=reporting)
    return Times(
        known=(moved(events, "COLLECTING") - exited) * 1000,
        here=(reporting - exited) * 1000,
        sealed=(moved(events, "CLEANING") - exited) * 1000,
        conversion=(written - reporting) * 1000,
    )


def _copied(results: Path, target: Path) -> float:
    target.mkdir()
    began = time.perf_counter()
    words: Sequence[str] = ("sh", "-c", COPY, "sh", str(results), str(target / "results"))
    subprocess.run(words, check=True)
    return (time.perf_counter() - began) * 1000
