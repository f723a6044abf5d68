"""From a file's rename into the queue to the start of the harness's process.

Its rival is the chain of processes that has to run in any case (shim, `launch.py`,
harness), started by hand: the same code, environment and kind of folder, without a
daemon. Each run of the daemon's is followed by one of the rival's, so the difference of
the two is the daemon's own share.
"""

import os
import sys
import time
from pathlib import Path

from bench.house import WITHIN_S, Event, House, at, job, moved, stamps
from bench.table import Row, beside, p50_and_p90, percentile
from llmdbenchd import payload
from llmdbenchd.app.engines import PASSED_ON
from llmdbenchd.controllers.book import JobBook
from llmdbenchd.core.launch.plan import Places
from llmdbenchd.core.run.record import Record
from llmdbenchd.edge.clock import SystemClock
from llmdbenchd.edge.files.instance import instance_id
from llmdbenchd.edge.files.records import Records
from llmdbenchd.edge.local import starting
from llmdbenchd.edge.local.folder import Folder
from llmdbenchd.edge.local.installed import Installed

NAME = "start"
TITLE = "From a job file's rename into the queue to the harness's start"
FULL, QUICK = 300, 20
COPIES = 10  # of so many runs one is dropped by a plain copy
AIM_MS = 60.0
HARNESS = '#!/bin/sh\ndate +%s%N >> "$BENCH_STARTED"\n'
STEPS = ("job.accepted", "RESOLVING", "READY", "LAUNCHING", "CreateLauncher")


def measure(folder: Path, count: int) -> list[Row]:
    """Start `count` trivial harnesses, one at a time, and as many by hand."""
    house = House(folder / "house", HARNESS)
    daemon: list[float] = []
    hand: list[float] = []
    steps: dict[str, list[float]] = {step: [] for step in STEPS}
    moved_in: list[float] = []
    copied_in: list[float] = []
    with house.running():
        by_hand = ByHand(house)
        _one(house, by_hand, "warm-up")
        for number in range(count):
            dropped, events, started, again = _one(house, by_hand, f"n{number}")
            daemon.append((started - dropped) * 1000)
            hand.append(again * 1000)
            moved_in.append((_accepted(events) - dropped) * 1000)
            for step in STEPS:
                steps[step].append((_when(events, step) - dropped) * 1000)
            if number % COPIES == 0:
                copied_in.append(_copied(house, f"c{number}") * 1000)
    own = [one - other for one, other in zip(daemon, hand, strict=True)]
    waits = percentile(copied_in, 0.5) - percentile(moved_in, 0.5)
    return [
        *beside(
            p50_and_p90("rename to start", daemon),
            "the same processes by hand",
            p50_and_p90("", hand),
        ),
        *p50_and_p90("the daemon's own share (differences of pairs)", own, most_p90=AIM_MS),
        *(
            Row(what=f"  of it, rename to {step}: p50", value=percentile(times, 0.5), unit="ms")
            for step, times in steps.items()
        ),
        Row(
            what="a plain copy waits in addition: p50",
            value=waits,
            unit="ms",
            note=f"{len(copied_in)} copies, from close to job.accepted",
        ),
    ]


def _one(house: House, by_hand: "ByHand", name: str) -> tuple[float, list[Event], float, float]:
    """One run by the daemon and one by hand: dropped at, events, started at; seconds by hand."""
    started = house.root / f"{name}.started"
    file = house.write(name, job({"BENCH_STARTED": str(started)}))
    dropped = house.move_in(file)
    events = house.wait_for("run.finished", job=name)
    [record] = Records(house.root / "state").read(name)
    began = by_hand.start(record)
    first, second = stamps(started)
    return dropped, events, first, second - began


def _copied(house: House, name: str) -> float:
    """Seconds from the close of a file that was copied into the queue to its acceptance."""
    file = house.write(name, job({"BENCH_STARTED": os.devnull}))
    closed = house.copy_in(file)
    events = house.wait_for("run.finished", job=name)
    return _accepted(events) - closed


def _accepted(events: list[Event]) -> float:
    return _when(events, "job.accepted")


def _when(events: list[Event], step: str) -> float:
    if step.isupper():
        return moved(events, step)
    return next(at(one) for one in events if step in {one["event"], one.get("action")})


class ByHand:
    """Starts launchers without a daemon, in a folder beside the daemon's."""

    def __init__(self, house: House) -> None:
        self._root = house.root / "by-hand"
        self._root.mkdir()
        settings, environment = house.settings, house.environment
        self._installed = Installed(
            payload=Path(payload.__file__).parent,
            python=Path(sys.executable),
            base_environment={name: environment[name] for name in PASSED_ON if name in environment},
            venvs=settings.harness_venvs,
        )
        self._records = Records(settings.state)
        self._book = JobBook(self._spec, instance=instance_id(settings.state), places=self._places)
        self._boot_id = SystemClock.of_this_machine().now().boot_id

    def start(self, record: Record) -> float:
        """Start what the record's run started, and wait for its end; when it was begun.

        The launcher's folder is made before the time is taken: making it is the daemon's part.
        """
        plan = self._book.plan(record, 1)
        folder = Folder(self._root / plan.name)
        command = self._installed.command()
        environment = self._installed.environment(plan, folder.path)
        starting.make(self._root / ".new", folder.path, plan, command)
        began = time.time()
        starting.start(folder, self._boot_id, command, environment)
        deadline = time.monotonic() + WITHIN_S
        while not folder.has_ended():
            assert time.monotonic() < deadline, f"{folder.path} did not end"
            time.sleep(0.01)
        return began

    def _places(self, _: str, launcher: str) -> Places:
        folder = self._root / launcher
        return Places(str(folder / "workspace"), str(folder / "requests"))

    def _spec(self, job_id: str) -> bytes:
        data = self._records.spec(job_id)
        assert data is not None
        return data
