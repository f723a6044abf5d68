"""What a daemon costs that has little to do, and how fast it is back.

Its records are real: 1,100 job files go through the real intake, then most records are
written again with the daemon's own writer as finished runs; the others wait for a
`not_before` in the far future. A daemon with an empty queue stands beside it. For the
restart all of 1,000 records are open.
"""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

from bench.house import House, cpu_seconds, job, resident_mib
from bench.intake import accept
from bench.table import Row, compared, percentile
from llmdbenchd.core.results.verdict import Outcome, Verdict
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Collected, Record
from llmdbenchd.edge.clock import SystemClock
from llmdbenchd.edge.files.records import Records

NAME = "rest"
TITLE = "A daemon at rest: 1,000 finished and 100 waiting runs; restart with 1,000 open records"
FULL, QUICK = 1000, 100  # finished runs, and open records at the restart
WAITING = 10  # of so many finished runs there is one that waits
STARTS = 3
IDLE_S = {FULL: 20.0, QUICK: 5.0}
FAR = "2099-01-01T00:00:00Z"
WAY = (Phase.RESOLVING, Phase.READY, Phase.LAUNCHING, Phase.RUNNING, Phase.COLLECTING)
END = (*WAY, Phase.REPORTING, Phase.CLEANING, Phase.SUCCEEDED)
EMPTY = "an empty queue"


def measure(folder: Path, count: int) -> list[Row]:
    """Make `count` finished runs and a tenth of it waiting; later `count` open ones."""
    empty = House(folder / "empty")
    full = _filled(folder / "full", finished=count, waiting=count // WAITING)
    restarted = _filled(folder / "open", finished=0, waiting=count)
    idle_s = IDLE_S.get(count, 1.0)
    (memory, cpu), (empty_memory, empty_cpu) = _at_rest(full, idle_s), _at_rest(empty, idle_s)
    starts, empty_starts = [], []
    for _ in range(STARTS):
        starts.append(_start(restarted))
        empty_starts.append(_start(empty))
    return [
        _row("resident memory", memory, "MiB", empty_memory),
        _row(f"idle CPU over {idle_s:g} s, of one core", cpu, "%", empty_cpu),
        _row(
            f"process start to READY, {count} open records: p50 of {STARTS}",
            percentile(starts, 0.5),
            "s",
            percentile(empty_starts, 0.5),
        ),
    ]


def _filled(root: Path, *, finished: int, waiting: int) -> House:
    house = House(root)
    files = [house.write(f"f{n}", job({}, not_before=FAR)) for n in range(finished)]
    files += [house.write(f"w{n}", job({}, not_before=FAR)) for n in range(waiting)]
    asyncio.run(accept(house, files))
    records = Records(house.root / "state")
    made = [one for n in range(finished) for one in records.read(f"f{n}")]
    assert len(made) == finished
    records.save_many([_finished(record) for record in made])
    return house


def _finished(record: Record) -> Record:
    """The record as it would be at the end of a good run."""
    now = SystemClock.of_this_machine().now()
    for phase in END:
        record = record.enter(phase, now)
    return replace(
        record,
        seen=(1,),
        logs_done=(1,),
        collected=Collected(9, 1 << 20, "launcher", native_files=2, requests=100, failures=0),
        verdict=Verdict(Outcome.SUCCEEDED, "good", "100 requests"),
        sealed=True,
    )


def _at_rest(house: House, idle_s: float) -> tuple[float, float]:
    """Resident MiB, and percent of one core."""
    with house.running():
        assert house.daemon is not None
        pid = house.daemon.pid
        time.sleep(1.0)  # what starting has left to do
        before, began = cpu_seconds(pid), time.monotonic()
        time.sleep(idle_s)
        spent = cpu_seconds(pid) - before
        return resident_mib(pid), spent / (time.monotonic() - began) * 100


def _start(house: House) -> float:
    try:
        return house.start()
    finally:
        house.stop()


def _row(what: str, value: float, unit: str, rival_value: float) -> Row:
    return Row(
        what=what,
        value=value,
        unit=unit,
        rival=EMPTY,
        rival_value=rival_value,
        ratio=compared(value, rival_value),
    )
