"""Eight launchers that print 5,000 lines a second each, followed by the daemon and by tail.

One job with eight launchers. Their harness waits for a sign, prints at absolute times,
says that it is done, and leaves only when the daemon and the tails have caught up: so
the CPU time between sign and last line is that of following, and nothing else. One
`tail -F` for each launcher copies the same log at the same time into a file.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.house import WITHIN_S, House, cpu_seconds, job
from bench.table import Row, compared

NAME = "following"
TITLE = "Log following, 8 launchers at 5,000 lines/s each"
FULL, QUICK = 10, 2
LAUNCHERS, RATE = 8, 5000
JOB = "chatty"
LINE = b"harness says line"
HARNESS = '#!/bin/sh\nexec "{python}" -IS "{program}"\n'
PROGRAM = """
import os, sys, time
folder, name = os.environ["BENCH_FOLDER"], os.environ["LLMDBENCHD_LAUNCHER"]
seconds, rate = int(os.environ["BENCH_SECONDS"]), int(os.environ["BENCH_RATE"])
def wait_for(sign):
    open(os.path.join(folder, name + "." + sign[0]), "w").close()
    while not os.path.exists(os.path.join(folder, sign[1])):
        time.sleep(0.02)
wait_for(("here", "go"))
begun, number, step = time.monotonic(), 0, rate // 100
for tick in range(seconds * 100):
    lines = [f"harness says line {number + one:08d} {'.' * 72}\\n" for one in range(step)]
    number += step
    os.write(1, "".join(lines).encode())
    time.sleep(max(0.0, begun + (tick + 1) / 100 - time.monotonic()))
wait_for(("printed", "leave"))
"""


def measure(folder: Path, count: int) -> list[Row]:
    """Follow the lines of `count` seconds."""
    program = folder / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    house = House(folder / "house", HARNESS.format(python=sys.executable, program=program))
    signs = folder / "signs"
    signs.mkdir()
    env = {"BENCH_FOLDER": str(signs), "BENCH_SECONDS": str(count), "BENCH_RATE": str(RATE)}
    with house.running():
        house.move_in(house.write(JOB, job(env, harness_parallelism=LAUNCHERS)))
        _until("the launchers' start", lambda: len(list(signs.glob("*.here"))) == LAUNCHERS)
        logs = sorted((house.root / "state" / "local").glob("*/log"))
        live = house.root / "state" / "live" / JOB
        with _tails(logs, folder / "tails") as tails:
            assert house.daemon is not None
            pids = [house.daemon.pid, *(tail.pid for tail in tails)]
            _until("the tails", lambda: _caught_up(logs, folder / "tails"))
            before, began = [cpu_seconds(pid) for pid in pids], time.monotonic()
            (signs / "go").touch()
            _until("the lines", lambda: len(list(signs.glob("*.printed"))) == LAUNCHERS)
            _until("the daemon", lambda: _sizes(live, "log") == _sizes(logs[0].parent.parent, ""))
            _until("the tails", lambda: _caught_up(logs, folder / "tails"))
            took = time.monotonic() - began
            spent = [cpu_seconds(pid) - cpu for pid, cpu in zip(pids, before, strict=True)]
        (signs / "leave").touch()
        archive = Path(house.wait_for("run.finished", job=JOB)[-1]["archive"])
    return _rows(
        lines=LAUNCHERS * RATE * count,
        took=took,
        cpu=(spent[0], sum(spent[1:])),
        here=(_lines(archive / "logs"), _lines(folder / "tails")),
    )


def _rows(*, lines: int, took: float, cpu: tuple[float, float], here: tuple[int, int]) -> list[Row]:
    rival = f"{LAUNCHERS} tail -F"
    (daemon, tails), (ours, theirs) = cpu, here
    per_million = [seconds / lines * 1e6 for seconds in cpu]
    return [
        Row(what="lines a second, all launchers", value=lines / took, unit="lines/s"),
        Row(
            what="CPU for a million lines",
            value=per_million[0],
            unit="s",
            rival=rival,
            rival_value=per_million[1],
            ratio=compared(*per_million),
        ),
        Row(
            what="CPU, share of one core",
            value=daemon / took * 100,
            unit="%",
            rival=rival,
            rival_value=tails / took * 100,
        ),
        Row(
            what="lines lost",
            value=lines - ours,
            unit=f"of {lines:,}",
            rival=rival,
            rival_value=lines - theirs,
            aim="0",
            met=ours == lines,
        ),
    ]


@contextmanager
def _tails(logs: list[Path], into: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    into.mkdir()
    tails = []
    try:
        for log in logs:
            with (into / f"{log.parent.name}.log").open("wb") as file:
                words = ["tail", "-n", "+1", "-F", str(log)]
                tails.append(subprocess.Popen(words, stdout=file, stderr=subprocess.DEVNULL))
        yield tails
    finally:
        for tail in tails:
            tail.terminate()
            tail.wait()


def _caught_up(logs: list[Path], tails: Path) -> bool:
    return all(
        (tails / f"{log.parent.name}.log").stat().st_size == log.stat().st_size for log in logs
    )


def _sizes(folder: Path, suffix: str) -> list[int]:
    """Sizes of the launchers' logs below a folder, smallest first."""
    pattern = f"*.{suffix}" if suffix else "log"
    return sorted(path.stat().st_size for path in folder.rglob(pattern))


def _lines(folder: Path) -> int:
    return sum(path.read_bytes().count(LINE) for path in folder.glob("*.log"))


def _until(what: str, is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not is_so():
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.05)
