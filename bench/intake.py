"""How fast dropped files become jobs that survive a power cut.

Ours, whole: the daemon's real intake (notice, claim, read, judge, commit in groups, open
the runs), started on an empty queue; the time goes from the first rename into the queue
to the last run that is open. Ours, without judging: claim, read and commit in the same
groups, of jobs that were judged before; that is the part that has to do with disks.

The rivals are bare loops of write, fsync, rename, fsync of the folder: over one file for
each job, and over the four files that a job consists of on our disk, in folders of their
own. Rounds take turns; each has fresh folders.
"""

import asyncio
import os
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench.disk import write_durably
from bench.house import House, job
from bench.table import Row, compared, percentile
from llmdbenchd.app.daemon import Daemon
from llmdbenchd.app.serve import DISK_THREADS
from llmdbenchd.edge.files.claims import Claims, Order
from llmdbenchd.edge.files.inbox import GROUP, Ready, prepare_queue
from llmdbenchd.edge.files.readiness import Kind, Look
from llmdbenchd.logs import configure

NAME = "intake"
TITLE = "Queue intake, every job durable before it is acknowledged"
FULL, QUICK = 1000, 100
ROUNDS = 5
AIM = 2.0


@dataclass(slots=True)
class Rates:
    """Files a second, one for each round."""

    whole: list[float]
    unjudged: list[float]
    one_file: list[float]
    same_files: list[float]


def measure(folder: Path, count: int) -> list[Row]:
    """Take in `count` files in each of some rounds."""
    rates = Rates([], [], [], [])
    for number in range(ROUNDS):
        house = House(folder / f"house-{number}")
        files = [house.write(f"n{one}", job({})) for one in range(count)]
        rates.whole.append(count / asyncio.run(accept(house, files)))
        contents = _written(house, count)
        rates.one_file.append(count / _one_file_each(folder / f"one-{number}", contents))
        rates.unjudged.append(count / _claim_and_commit(folder / f"unjudged-{number}", contents))
        rates.same_files.append(count / _same_files(folder / f"same-{number}", contents))
    return [
        _row("whole intake, one file for each job in the loop", rates.whole, rates.one_file),
        _row("whole intake, the job's four files in the loop", rates.whole, rates.same_files),
        _row("without judging, one file for each job in the loop", rates.unjudged, rates.one_file),
        _row("without judging, the job's four files in the loop", rates.unjudged, rates.same_files),
    ]


async def accept(house: House, files: Iterable[Path]) -> float:
    """Rename files into the queue of a daemon that only takes in; seconds until all are jobs."""
    house.root.joinpath("state").mkdir(exist_ok=True)
    prepare_queue(house.root / "queue")
    log = (house.root / "log").open("w", encoding="utf-8")
    with (
        log,
        configure("info", "json", stream=log, environment={}),
        ThreadPoolExecutor(DISK_THREADS) as disk,
    ):
        daemon = Daemon(house.settings, house.environment, disk, polling=False)
        await daemon.recover()
        async with asyncio.TaskGroup() as group:
            intake = group.create_task(daemon.intake.run())
            await daemon.is_first_scan_done.wait()
            wanted = sum(1 for _ in daemon.runs)
            began = time.perf_counter()
            for file in files:
                house.move_in(file)
                wanted += 1
            while sum(1 for _ in daemon.runs) < wanted:  # noqa: ASYNC110 - runs have no event
                await asyncio.sleep(0.005)
            took = time.perf_counter() - began
            intake.cancel()
    return took


def _written(house: House, count: int) -> dict[str, Mapping[str, bytes]]:
    """What the intake has made of each job: relative path to content."""
    jobs = house.root / "state" / "jobs"
    return {
        name: {
            str(path.relative_to(jobs / name)): path.read_bytes()
            for path in sorted((jobs / name).rglob("*"))
            if path.is_file()
        }
        for name in (f"n{number}" for number in range(count))
    }


def _one_file_each(folder: Path, contents: Mapping[str, Mapping[str, bytes]]) -> float:
    folder.mkdir()
    began = time.perf_counter()
    for name, files in contents.items():
        write_durably(folder / f"{name}.json", files["spec.json"])
    return time.perf_counter() - began


def _same_files(folder: Path, contents: Mapping[str, Mapping[str, bytes]]) -> float:
    folder.mkdir()
    began = time.perf_counter()
    for name, files in contents.items():
        (folder / name / "runs").mkdir(parents=True)
        for relative, data in files.items():
            write_durably(folder / name / relative, data)
        _sync(folder / name)
        _sync(folder)
    return time.perf_counter() - began


def _claim_and_commit(folder: Path, contents: Mapping[str, Mapping[str, bytes]]) -> float:
    """Claim the files and commit them, as judged before, in groups as the queue hands them out."""
    queue, state = folder / "queue", folder / "state"
    state.mkdir(parents=True)
    prepare_queue(queue)
    claims = Claims(queue, state, name_job=lambda name: Path(name).stem)
    claims.recover()
    for name, files in contents.items():
        (queue / f"{name}.yaml").write_bytes(files["job.yaml"])
    names = list(contents)
    took = 0.0
    for first in range(0, len(names), GROUP):
        ready = [_ready(queue / f"{name}.yaml") for name in names[first : first + GROUP]]
        began = time.perf_counter()
        taken = claims.take(ready).taken
        orders = [Order(one, one.job, _own(contents[one.job])) for one in taken]
        assert not claims.commit_many(orders)
        took += time.perf_counter() - began
    return took


def _own(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in files.items() if name not in {"job.yaml", "origin.json"}}


def _ready(path: Path) -> Ready:
    seen = path.stat()
    return Ready(path.name, Look(Kind.FILE, seen.st_size, seen.st_mtime_ns, seen.st_ino))


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _row(what: str, ours: list[float], theirs: list[float]) -> Row:
    value, rival = percentile(ours, 0.5), percentile(theirs, 0.5)
    of_rounds = [compared(one, other) for one, other in zip(ours, theirs, strict=True)]
    ratio = percentile([one for one in of_rounds if one is not None], 0.5)
    return Row(
        what=f"{what}: p50 of {len(ours)}",
        value=value,
        unit="files/s",
        rival="write, fsync, rename, fsync",
        rival_value=rival,
        ratio=ratio,
        aim=f"ratio {AIM:g} or more",
        met=ratio >= AIM,
        note="the ratio is the p50 of the rounds' own",
    )
